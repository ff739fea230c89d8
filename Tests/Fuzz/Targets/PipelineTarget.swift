import Pipeline

extension FuzzTarget {
  /// Pipeline files: what is no sense is said to be none, with the file's name.
  static let pipeline = FuzzTarget(
    "pipeline",
    seeds: {
      [
        "judges:\n  folds: 2\n  members:\n    - &a {name: a, image: {side: 16, widths: [8], blocks: [0]}}\n",
        "in: ['a.tar::b.tar', shards]\nout: result\nseed: 7\nnoise: {maxNoise: 0.1}\n# end",
        "train: {model: {text: {kind: transformer, tokens: words}}, epochs: 3}\n",
        "judges: {members: [{name: a, image: &i {kind: transformer}}, {name: b, image: *i}]}",
      ].map { Array($0.utf8) }
    },
    read: { bytes in
      try withFile(bytes) { path in
        do {
          let configuration = try PipelineFile.load(path)
          return Outcome("read", configuration.judges.members.count)
        } catch RunError.usage(let text) {
          try promise(text.hasPrefix(path), "the error names the file")
          try promiseWords(text)
          return Outcome("refused")
        }
      }
    })
}
