import Pipeline

extension Inspection {
  /// A shard in a few lines.
  public var text: String {
    var lines = [
      "\(shown(path, limit: 4096)): \(counted(samples, "sample")), \(counted(pairs, "pair"))"
    ]
    if let firstKey, let lastKey {
      lines.append("  keys      \(shown(firstKey)) ... \(shown(lastKey))")
    }
    lines.append("  members   \(listed(suffixes))")
    lines.append("  images    \(listed(formats)); longer side \(imageSides.text) pixels")
    lines.append("  captions  \(captionLengths.text) characters")
    for problem in problems {
      let count = reasons[problem.reason] ?? 0
      lines.append(
        "  \(problem.reason): \(count), the first \(shown(problem.key)) (\(shown(problem.detail)))")
    }
    if let fault { lines.append("  not read to its end: \(shown(message ?? fault, limit: 8192))") }
    return lines.joined(separator: "\n")
  }

  /// What strangers wrote, without what a terminal would obey.
  private func shown(_ text: String, limit: Int = 255) -> String {
    Self.printable(text, limit: limit)
  }

  private func listed(_ counts: [String: Int]) -> String {
    if counts.isEmpty { return "none" }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\(shown($0.key)) \($0.value)" }.joined(separator: ", ")
  }
}

extension Inspection.Lengths {
  /// Least, median and most.
  var text: String { "\(least) / \(median) / \(most) (least / median / most)" }
}
