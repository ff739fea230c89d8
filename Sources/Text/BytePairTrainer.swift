/// Learns a byte-level byte-pair vocabulary from texts of any language (Sennrich et al. 2016, algorithm 1), with words cut
/// and marked as CLIP's are.
///
///     var trainer = BytePairTrainer()
///     for caption in captions { trainer.add(caption) }
///     let tokenizer = try trainer.tokenizer(vocabularySize: 8_192)
///
/// The same texts in the same order give the same vocabulary.
public struct BytePairTrainer {
  private var counts: WordCounts

  /// The 256 bytes within and at the end of words, and the start, end and mask tokens.
  public static let smallestVocabulary = 2 * 256 + 3

  /// - Parameters:
  ///   - distinctWords: so many different words are counted at most; the rarest ones are forgotten beyond that.
  ///   - words: counted already, in the order in which `words` gives them.
  public init(
    distinctWords: Int = 1 << 20, words: [(bytes: ArraySlice<UInt8>, count: Int)] = []
  ) {
    counts = WordCounts(limit: distinctWords)
    for word in words { counts.add(word.bytes.span, count: word.count) }
  }

  /// The words counted so far and how often each occurred, all that a vocabulary is learnt from.
  public var words: [(bytes: [UInt8], count: Int)] { counts.words }

  /// Counts the words of one text.
  public mutating func add(_ text: String) {
    var counts = counts
    self.counts = WordCounts(limit: 0)
    BytePairTokenizer.words(of: text) { counts.add($0) }
    self.counts = counts
  }

  /// A tokenizer of what was counted, with `<|startoftext|>`, `<|endoftext|>` (also for padding) and `<|mask|>` as its last
  /// tokens. Its vocabulary is smaller than asked for when no pair is left that occurs twice.
  ///
  /// - Parameters:
  ///   - vocabularySize: at least `smallestVocabulary`.
  ///   - check: called now and then; what it throws ends the learning.
  /// - Throws: what `check` throws; `TokenizerError`, never for a vocabulary learnt here.
  public func tokenizer(
    vocabularySize: Int, check: () throws -> Void = {}
  ) throws -> BytePairTokenizer {
    precondition(
      vocabularySize >= Self.smallestVocabulary,
      "a vocabulary of \(vocabularySize) has no room for the bytes")
    var names = ByteAlphabet.vocabularyOrder.map { ByteAlphabet.utf8[Int($0)] }
    names += names.map { $0 + BytePairVocabulary.endOfWord }
    var learning = try PairCounts(words: counts.words, check: check)
    var pairs: [(left: [UInt8], right: [UInt8])] = []
    var known = Set(names)
    while names.count < vocabularySize - 3, let (left, right) = learning.mostFrequent() {
      try check()
      let name = names[Int(left)] + names[Int(right)]
      // Two ways of putting the same bytes together would be two merges into one token: the first one is kept.
      guard known.insert(name).inserted else {
        learning.drop(left, right)
        continue
      }
      learning.merge(left, right, into: Int32(names.count))
      pairs.append((names[Int(left)], names[Int(right)]))
      names.append(name)
    }
    names += [
      BytePairTokenizer.startToken, BytePairTokenizer.endToken, BytePairTokenizer.maskToken,
    ].map { Array($0.utf8) }
    var tokens = ByteTable()
    for (id, name) in names.enumerated() { tokens[name] = Int32(id) }
    return try BytePairTokenizer(tokens: tokens, pairs: pairs, file: "the learnt vocabulary")
  }
}

/// How often each word occurs.
struct WordCounts {
  private var table = ByteTable()
  private var counts: [Int] = []
  private let limit: Int
  /// Of all words in the table.
  private var bytes = 0
  /// So many at most, the rarest words going first: a million English words have a quarter of it, and learning from those of
  /// somebody who made each as long as may be would take gigabytes and the better part of an hour.
  private let byteLimit: Int
  /// Longer words (a text without spaces) are counted in stretches of about this many bytes.
  static let longestWord = 256

  init(limit: Int, byteLimit: Int = 32 << 20) {
    (self.limit, self.byteLimit) = (limit, byteLimit)
  }

  /// Every word and its count, in the order in which they first came.
  var words: [(bytes: [UInt8], count: Int)] {
    table.entries.map { ($0.key, counts[Int($0.id)]) }
  }

  mutating func add(_ word: Span<UInt8>) {
    var start = 0
    while word.count - start > Self.longestWord {
      var end = start + Self.longestWord
      while word[end] & 0xC0 == 0x80 { end -= 1 }
      count(word.extracting(start..<end))
      start = end
    }
    count(word.extracting(start..<word.count))
  }

  private mutating func count(_ word: Span<UInt8>) {
    if let index = table[word] {
      counts[Int(index)] += 1
      return
    }
    if table.count >= limit || bytes >= byteLimit { forgetRarest() }
    add(word, count: 1)
  }

  /// A word that isn't there yet.
  mutating func add(_ word: Span<UInt8>, count: Int) {
    table[word] = Int32(counts.count)
    counts.append(count)
    bytes += word.count
  }

  /// Keeps the more frequent half, so that the cost of forgetting is spread over as many new words.
  private mutating func forgetRarest() {
    let kept = words.enumerated().sorted { left, right in
      (right.element.count, left.offset) < (left.element.count, right.offset)
    }.prefix(table.count / 2).sorted { $0.offset < $1.offset }
    table = ByteTable()
    (counts, bytes) = ([], 0)
    for (_, word) in kept { add(word.bytes.span, count: word.count) }
  }
}
