import Encoders

/// Which pairs of a corpus share a caption, and which an image.
///
/// Pairs of one caption are positives of one another. An image in the queue is no negative of a text whose own image is
/// equal; within a batch, pairs of one image and different captions are negatives of one another.
struct PairGroups: Sendable {
  /// For each pair, a number shared by those with an equal caption.
  let captions: [Int32]
  /// For each pair, a number shared by those with an equal image.
  let images: [Int32]

  /// - Throws: `TrainingError.cancelled`.
  init(_ corpus: some TrainingCorpus, isCancelled: () -> Bool = { false }) throws {
    captions = try Self.numbers(corpus.count) {
      if $0 % 4096 == 0, isCancelled() { throw TrainingError.cancelled }
      return captionHash(try corpus.caption($0))
    }
    images = Self.numbers(corpus.count) { corpus.hash($0).image }
  }

  private static func numbers(
    _ count: Int, _ hash: (Int) throws -> UInt64
  ) rethrows -> [Int32] {
    var numbers: [UInt64: Int32] = [:]
    return try (0..<count).map { index in
      let next = Int32(numbers.count)
      let key = try hash(index)
      if let number = numbers[key] { return number }
      numbers[key] = next
      return next
    }
  }
}
