/// What is wrong with a ``MemberConfiguration``.
public struct MemberConfigurationError: Error, Equatable, CustomStringConvertible {
  public var member: String
  /// What it needs instead.
  public var problem: String

  public var description: String { "member '\(member)': \(problem)" }
}

/// Far above any use; it keeps sizes from overflowing.
private let sizes = 1...(1 << 16)

extension MemberConfiguration {
  /// Refuses values that no encoder can be built from.
  ///
  /// - Throws: the first problem found.
  public func check() throws(MemberConfigurationError) {
    let isPlain = name.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0))
    }
    if !isPlain || name.isEmpty || name.hasPrefix(".") {
      throw MemberConfigurationError(
        member: name, problem: "a name has letters, digits, hyphens, underscores and dots only")
    }
    let problem =
      (sizes.contains(dimension) ? nil : "dimension must lie in 1 ... 65536")
      ?? ((1...1000).contains(snapshots) ? nil : "snapshots must lie in 1 ... 1000")
      ?? image.problem ?? text.problem
    if let problem { throw MemberConfigurationError(member: name, problem: problem) }
  }
}

/// What is wrong with the numbers of a transformer, if anything.
private func transformerProblem(
  _ name: String, width: Int, depth: Int, heads: Int, hidden: Int?, epsilon: Float
) -> String? {
  guard sizes.contains(width), (0...1000).contains(depth), heads >= 1, width % heads == 0 else {
    return "\(name) needs positive numbers, and a width that its heads divide"
  }
  guard hidden.map(sizes.contains) ?? true else {
    return "\(name).hidden must lie in 1 ... 65536"
  }
  return epsilon > 0 && epsilon < 1 ? nil : "\(name).epsilon must lie between 0 and 1"
}

extension ImageConfiguration {
  /// Pixels a side that an encoder may see. The images that are scored are small, and thumbnails of more would take
  /// gigabytes that no decoding budget counts.
  static let sides = 1...2048

  fileprivate var problem: String? {
    guard Self.sides.contains(side) else {
      return "image.side must lie in 1 ... \(Self.sides.upperBound)"
    }
    guard mean.count == 3, deviation.count == 3, mean.allSatisfy(\.isFinite),
      deviation.allSatisfy({ $0 > 0 && $0.isFinite })
    else { return "image.mean and image.deviation need three numbers, the latter above 0" }
    switch kind {
    case .convolutional:
      guard (1..<16).contains(widths.count), blocks.count == widths.count,
        widths.allSatisfy(sizes.contains), blocks.allSatisfy((0...100).contains)
      else { return "image.widths and image.blocks need a number for each stage" }
      let shrinking = 1 << widths.count
      return side % shrinking == 0
        ? nil
        : "image.side must be a multiple of \(shrinking), "
          + "since each of the \(widths.count) stages halves it"
    case .transformer:
      guard patch >= 1, side % patch == 0 else {
        return "image.patch must divide image.side"
      }
      return transformerProblem(
        "image", width: width, depth: depth, heads: heads, hidden: hidden, epsilon: epsilon)
    case .dictionary:
      guard (4...12).contains(patch), side >= max(patch, DictionaryStem.coarseSide) else {
        return "image.patch must lie in 4 ... 12, and image.side be at least as large and 8"
      }
      guard stride >= 1, (1...4).contains(grid), (side - patch) / stride + 1 >= grid else {
        return "image.grid must lie in 1 ... 4, with a patch for each cell at this image.stride"
      }
      guard (1...8192).contains(atoms) else { return "image.atoms must lie in 1 ... 8192" }
      guard hidden.map(sizes.contains) ?? true else {
        return "image.hidden must lie in 1 ... 65536"
      }
      return dropout >= 0 && dropout < 1 ? nil : "image.dropout must lie in 0 ..< 1"
    }
  }
}

extension TextConfiguration {
  fileprivate var problem: String? {
    let rows = 1...(1 << 24)
    guard rows.contains(tokens == .words ? buckets : vocabularySize), sizes.contains(width),
      sizes.contains(maxTokens)
    else { return "text needs positive numbers" }
    guard kind == .transformer else {
      return tokens == .words ? nil : "a bag's tokens are words"
    }
    guard tokens == .words || maxTokens >= 2 else {
      return "text.maxTokens must hold the start and the end token"
    }
    return transformerProblem(
      "text", width: width, depth: depth, heads: heads, hidden: hidden, epsilon: epsilon)
  }
}
