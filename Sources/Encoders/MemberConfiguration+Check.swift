/// What is wrong with a ``MemberConfiguration``.
public struct MemberConfigurationError: Error, Equatable, CustomStringConvertible {
  public var member: String
  /// What it needs instead.
  public var problem: String

  public var description: String { "member '\(member)': \(problem)" }
}

extension MemberConfiguration {
  /// Refuses values that no encoder can be built from.
  ///
  /// - Parameter imageSide: pixels a side of the thumbnails that it will see.
  /// - Throws: the first problem found.
  public func check(imageSide: Int) throws(MemberConfigurationError) {
    func need(_ condition: Bool, _ problem: String) throws(MemberConfigurationError) {
      if !condition { throw MemberConfigurationError(member: name, problem: problem) }
    }
    let isPlain = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    try need(isPlain && !name.isEmpty, "a name has letters, digits and hyphens only")
    // The upper bounds are far above any use; they keep sizes from overflowing.
    let sizes = 1...(1 << 16)
    try need(sizes.contains(dimension), "dimension must lie in 1 ... 65536")
    try need(
      (1..<16).contains(image.widths.count) && image.blocks.count == image.widths.count
        && image.widths.allSatisfy(sizes.contains) && image.blocks.allSatisfy((0...100).contains),
      "image.widths and image.blocks need a number for each stage")
    let shrinking = 1 << image.widths.count
    try need(
      sizes.contains(imageSide) && imageSide % shrinking == 0,
      "imageSide must be a multiple of \(shrinking), "
        + "since each of the \(image.widths.count) stages halves it")
    try need(
      (1...(1 << 24)).contains(text.buckets) && sizes.contains(text.width)
        && (0...100).contains(text.depth) && text.heads >= 1 && text.width % text.heads == 0
        && sizes.contains(text.maxTokens),
      "text needs positive numbers, and a width that its heads divide")
  }
}
