import Shards

extension FuzzTarget {
  /// Unpaired text, a passage a line.
  static let passages = FuzzTarget(
    "passages",
    seeds: {
      let texts = [
        "a line\nanother\r\n\n  \nand a last one",
        "caf\u{e9} \u{202E}bidi\u{2066} \u{1F468}\u{200D}\u{1F469}\n",
        "nul\0 in a line\n\u{FEFF}bom\n" + String(repeating: "long ", count: 60),
      ]
      return texts.map { Array($0.utf8) }
    },
    read: { bytes in
      try withFile(bytes) { path in
        let limit = 128
        let reader = PassageReader(path: path, limit: limit)
        var digest = Digest()
        var count = 0
        while let passage = reader.next() {
          count += 1
          digest.add(passage)
          try promise(passage.utf8.count <= limit, "a passage is cut")
        }
        let report = reader.report
        try promise(report.passages == count, "every passage is counted")
        digest.add(report.blank)
        digest.add(report.notUTF8)
        digest.add(report.cut)
        if let message = reader.message { try promiseWords(message) }
        let isText = report.notUTF8 == 0
        return Outcome(
          reader.fault?.rawValue ?? (isText ? "read" : "text-not-utf8"), digest.number)
      }
    })
}
