import Layers

/// Where a parameter's weights come from in a model's file, and in what form they lie there.
struct WeightSource {
  enum Form {
    /// As here.
    case same
    /// PyTorch's `[outputs, inputs]` of one or more matrices; ours is `[inputs, outputs]` of all, side by side.
    case transposed
    /// One or more vectors, end to end.
    case stacked
    /// A convolution's `[width, 3, patch, patch]`; ours is `[patch, patch, 3, width]`.
    case patches
    /// The first matrix, with the first row of the second added to each of its rows.
    case rowAdded
  }

  var tensors: [String]
  var form: Form

  init(_ tensors: [String], _ form: Form) { (self.tensors, self.form) = (tensors, form) }
  init(_ tensor: String, _ form: Form = .same) { self.init([tensor], form) }

  /// Fills a parameter from the files. Its tensors are looked for before it takes memory: the configuration beside them
  /// may ask for any amount of it.
  ///
  /// - Throws: `PretrainedError` where a tensor is missing or of another shape; `TensorFileError`.
  func load(into parameter: Parameter, from files: WeightFiles) throws {
    switch form {
    case .same:
      let isScalar = parameter.shape == [1]
      let found = try files.shape(of: tensors[0])
      try files.check(tensors[0], isScalar && found == [] ? [] : parameter.shape)
      try parameter.fill { target throws in try files.read(tensors[0], into: target) }
    case .stacked:
      let part = parameter.count / tensors.count
      for tensor in tensors { try files.check(tensor, [part]) }
      try parameter.fill { target throws in
        for (i, tensor) in tensors.enumerated() { try files.read(tensor, into: target + i * part) }
      }
    case .transposed:
      let (inputs, outputs) = (parameter.shape[0], parameter.shape[1])
      let part = outputs / tensors.count
      for tensor in tensors { try files.check(tensor, [part, inputs]) }
      try parameter.fill { target throws in
        for (i, tensor) in tensors.enumerated() {
          let source = try files.values(of: tensor, shape: [part, inputs])
          Self.transpose(source, rows: part, columns: inputs, into: target + i * part, outputs)
        }
      }
    case .patches:
      let (side, width) = (parameter.shape[0], parameter.shape[3])
      let source = try files.values(of: tensors[0], shape: [width, 3, side, side])
      parameter.fill { target in
        for w in 0..<width {
          for c in 0..<3 {
            for p in 0..<(side * side) {
              target[(p * 3 + c) * width + w] = source[(w * 3 + c) * side * side + p]
            }
          }
        }
      }
    case .rowAdded:
      let width = parameter.shape[1]
      try files.check(tensors[0], parameter.shape)
      let types = try files.shape(of: tensors[1])
      let rows = types.count == 2 ? max(1, types[0]) : 1
      let row = try files.values(of: tensors[1], shape: [rows, width])
      try parameter.fill { target throws in
        try files.read(tensors[0], into: target)
        for i in 0..<parameter.count { target[i] += row[i % width] }
      }
    }
    let values = UnsafeBufferPointer(start: parameter.value, count: parameter.count)
    guard values.allSatisfy(\.isFinite) else {
      throw PretrainedError.notFinite(file: files.file(of: tensors[0]), tensor: tensors[0])
    }
  }

  /// In squares that stay in cache.
  private static func transpose(
    _ source: [Float], rows: Int, columns: Int, into target: UnsafeMutablePointer<Float>,
    _ stride: Int
  ) {
    let square = 32
    source.withUnsafeBufferPointer { source in
      for top in Swift.stride(from: 0, to: rows, by: square) {
        for left in Swift.stride(from: 0, to: columns, by: square) {
          for column in left..<min(left + square, columns) {
            for row in top..<min(top + square, rows) {
              target[column * stride + row] = source[row * columns + column]
            }
          }
        }
      }
    }
  }
}
