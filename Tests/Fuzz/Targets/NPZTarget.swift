import TensorFiles

extension FuzzTarget {
  /// A zip of arrays.
  static let npz = FuzzTarget(
    "npz",
    seeds: {
      let columns = sampleArrays.enumerated().map { (name: "column\($0)", array: $1) }
      return [
        try written { try NPZ.write(columns, to: $0) },
        try written { try NPZ.write(Array(columns.prefix(1)), to: $0) },
      ]
    },
    read: { bytes in
      try withFile(bytes) { path in
        let limit = 1 << 16
        var digest = Digest()
        do {
          for (name, array) in try NPZ.read(path, limit: limit).sorted(by: { $0.key < $1.key }) {
            digest.add(name)
            try add(array, to: &digest, limit: limit)
          }
          return Outcome("read", digest.number)
        } catch let error as TensorFileError {
          try promiseWords("\(error)")
          return Outcome(error.word)
        }
      }
    })
}
