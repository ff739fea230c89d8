import TensorFiles

/// Arrays of every type, one an entry.
let sampleArrays: [NPYArray] = [
  .float32([1, .nan, -0.0, 0x1p-149], shape: [2, 2]),
  .float64([1, -0.1, .infinity], shape: [3, 1]),
  .int64([.min, -1, .max], shape: [3]), .uint8([0, 255], shape: [1, 2]), .bool([true, false]),
  .bytes([Array("clip/001".utf8), [], [0xFF, 0, 0x80]]), .float32([], shape: [0, 7]),
]

extension FuzzTarget {
  /// An array at once, and by parts.
  static let npy = FuzzTarget(
    "npy", seeds: { sampleArrays.map { NPY.encode($0) } },
    read: { bytes in
      var digest = Digest()
      let word: String
      do {
        try add(try NPY.decode(bytes), to: &digest, limit: bytes.count)
        word = "read"
      } catch let error as TensorFileError {
        try promiseWords("\(error)")
        word = error.word
      }
      try withFile(bytes) { try readByParts($0, &digest, limit: bytes.count) }
      return Outcome(word, digest.number)
    })

  /// Checks an array's shape against its values.
  static func add(_ array: NPYArray, to digest: inout Digest, limit: Int) throws {
    for extent in array.shape { digest.add(extent) }
    let count: Int
    switch array {
    case .float32(let values, _):
      count = values.count
      digest.add(values)
    case .float64(let values, _):
      count = values.count
      for value in values { digest.add(Int(truncatingIfNeeded: value.bitPattern)) }
    case .int64(let values, _):
      count = values.count
      for value in values { digest.add(Int(value)) }
    case .uint8(let values, _):
      count = values.count
      digest.add(values)
    case .bool(let values):
      count = values.count
      digest.add(values.map { $0 ? 1 : 0 as UInt8 })
    case .bytes(let values):
      count = values.count
      for value in values { digest.add(value) }
    }
    try promise(count <= limit, "no values but the file's")
    try promise(array.shape.allSatisfy { $0 >= 0 && $0 < 1 << 48 }, "no extent beyond all memory")
    try promise(array.shape.reduce(1, *) == count, "a shape holds its values")
  }

  private static func readByParts(_ path: String, _ digest: inout Digest, limit: Int) throws {
    do {
      let reader = try NPYReader(path)
      let count = reader.shape.reduce(1, *)
      try promise(count <= limit, "no values but the file's")
      try promise(reader.shape.allSatisfy { $0 < 1 << 48 }, "no extent beyond all memory")
      if reader.element.isInteger {
        for value in try reader.integers(from: 0, count: count) { digest.add(Int(value)) }
      } else if reader.element == .float32 {
        var values = [Float](repeating: 0, count: count)
        try reader.read(from: 0, into: &values)
        digest.add(values)
      }
    } catch let error as TensorFileError {
      try promiseWords("\(error)")
      digest.add(error.word)
    }
  }
}
