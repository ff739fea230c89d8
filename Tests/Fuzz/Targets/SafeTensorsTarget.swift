import TensorFiles

extension FuzzTarget {
  /// Three readers of one format: each refuses what the others refuse.
  static let safetensors = FuzzTarget(
    "safetensors",
    seeds: {
      let tensors = [
        NamedTensor(
          name: "w.\u{fc}", shape: [2, 3], values: [1, .nan, -0.0, 0x1p-149, 3.4e38, -7]),
        NamedTensor(name: "empty", shape: [0, 5], values: []),
        NamedTensor(name: "scalar", shape: [], values: [2]),
      ]
      let header =
        #"{"h":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},"#
        + #""b":{"dtype":"BF16","shape":[1,1],"data_offsets":[6,8]}} "#
      let length = [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0]
      return [
        try written { try SafeTensors.write(tensors, metadata: ["k": "v\n"], to: $0) },
        length + Array(header.utf8) + [UInt8](repeating: 0x3C, count: 8),
      ]
    },
    read: { bytes in
      try withFile(bytes) { path in
        var digest = Digest()
        do {
          let (tensors, metadata) = try SafeTensors.read(path)
          for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            digest.add(name)
            digest.add(tensor.values)
            for extent in tensor.shape { digest.add(extent) }
            try promise(
              tensor.shape.reduce(1, *) == tensor.values.count, "a shape holds its values")
            try promise(2 * tensor.values.count <= bytes.count, "no values but the file's")
          }
          for (key, value) in metadata.sorted(by: <) { digest.add(key + value) }
          try compare(tensors, with: path)
          return Outcome("read", digest.number)
        } catch let error as TensorFileError {
          try promiseWords("\(error)")
          if case .malformed = error {
            try promise((try? MappedSafeTensors(path)) == nil, "mapping refuses it too")
            try promise((try? SafeTensorsReader(path)) == nil, "reading by parts refuses it too")
          }
          return Outcome(error.word)
        }
      }
    })

  private static func compare(_ tensors: [String: NamedTensor], with path: String) throws {
    let (mapped, reader) = (try MappedSafeTensors(path), try SafeTensorsReader(path))
    try promise(reader.names == tensors.keys.sorted(), "the same names in every reader")
    for (name, tensor) in tensors {
      try promise(
        mapped.shape(of: name) == tensor.shape && reader.shape(of: name) == tensor.shape,
        "the same shapes in every reader")
      var values = [Float](repeating: 0, count: tensor.values.count + 1)
      try values.withUnsafeMutableBufferPointer { target in
        if let base = target.baseAddress { try reader.read(name, into: base) }
      }
      try promise(
        zip(values, tensor.values).allSatisfy { $0.bitPattern == $1.bitPattern },
        "the same values in every reader")
      // Only F32 at a multiple of four bytes.
      if let floats = try? mapped.floats(name) {
        try promise(
          zip(floats, tensor.values).allSatisfy { $0.bitPattern == $1.bitPattern },
          "the same values where they lie")
      }
    }
  }
}

extension TensorFileError {
  var word: String {
    switch self {
    case .io: "io"
    case .malformed: "malformed"
    case .unsupported: "unsupported"
    case .unwritable: "unwritable"
    }
  }
}
