import Pipeline

extension Inspection {
  /// A shard in a few lines.
  public var text: String {
    var lines = [
      "\(Self.printable(path, limit: 4096)): \(counted(samples, "sample")), \(counted(pairs, "pair"))"
    ]
    if let firstKey, let lastKey {
      lines.append("  keys      \(Self.printable(firstKey)) ... \(Self.printable(lastKey))")
    }
    lines.append("  members   \(listed(suffixes))")
    lines.append("  images    \(listed(formats)); longer side \(imageSides.text) pixels")
    lines.append("  captions  \(captionLengths.text) characters")
    for problem in problems {
      let count = reasons[problem.reason] ?? 0
      lines.append(
        "  \(problem.reason): \(count), the first \(Self.printable(problem.key)) (\(Self.printable(problem.detail)))"
      )
    }
    if let fault {
      lines.append("  not read to its end: \(Self.printable(message ?? fault, limit: 8192))")
    }
    return lines.joined(separator: "\n")
  }

  private func listed(_ counts: [String: Int]) -> String {
    if counts.isEmpty { return "none" }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\(Self.printable($0.key)) \($0.value)" }.joined(separator: ", ")
  }
}

extension Inspection.Lengths {
  /// Least, median and most.
  var text: String { "\(least) / \(median) / \(most) (least / median / most)" }
}
