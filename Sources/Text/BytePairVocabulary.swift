/// The tokens and merges of a byte-level byte-pair encoding, in which the last byte of a word is another symbol than the
/// same byte within a word (`</w>`), as in CLIP.
struct BytePairVocabulary: Sendable {
  /// What ends the name of a token at the end of a word.
  static let endOfWord = Array("</w>".utf8)

  let tokens: ByteTable
  /// The names of the merged pairs, first merge first.
  let mergedPairs: [(left: [UInt8], right: [UInt8])]
  /// One more than the highest id.
  let size: Int
  private let merges: MergeTable
  private let unknown: Int32?
  /// The symbol of each byte within a word and at its end; nil where the vocabulary lacks it.
  private let inner: [Int32?]
  private let last: [Int32?]
  /// Words that merge into one token: most words of most captions.
  private var wholeWords = ByteTable()

  /// - Throws: `TokenizerError.malformed` if a merge is of tokens that the vocabulary lacks.
  init(
    tokens: ByteTable, mergedPairs: [(left: [UInt8], right: [UInt8])], unknown: Int32?, file: String
  ) throws {
    self.tokens = tokens
    self.mergedPairs = mergedPairs
    self.unknown = unknown
    let entries = tokens.entries
    size = Int(entries.map(\.id).max() ?? -1) + 1
    var merges = MergeTable(capacity: mergedPairs.count)
    for (rank, pair) in mergedPairs.enumerated() {
      guard let left = tokens[pair.left], let right = tokens[pair.right],
        let id = tokens[pair.left + pair.right]
      else {
        let name = [pair.left, pair.right].map { String(decoding: $0, as: UTF8.self) }
        throw TokenizerError.malformed(
          file: file, reason: "merge \(rank) (\(name.joined(separator: " "))) is not of its tokens")
      }
      merges.insert(left, right, rank: Int32(rank), id: id)
    }
    self.merges = merges
    inner = ByteAlphabet.utf8.map { tokens[$0] }
    last = ByteAlphabet.utf8.map { tokens[$0 + Self.endOfWord] }
    for (name, id) in entries where name.count > 4 && name.suffix(4).elementsEqual(Self.endOfWord) {
      guard let word = ByteAlphabet.bytes(ofToken: name.dropLast(4)), !word.isEmpty else {
        continue
      }
      var ids: [Int32] = []
      append(word.span, to: &ids)
      if ids == [id] { wholeWords[word] = id }
    }
  }

  /// Appends the ids of one word.
  func append(_ word: Span<UInt8>, to ids: inout [Int32]) {
    if let id = wholeWords[word] {
      ids.append(id)
      return
    }
    var symbols: [Int32] = []
    symbols.reserveCapacity(word.count)
    for index in word.indices {
      let byte = Int(word[index])
      if let symbol = (index == word.count - 1 ? last[byte] : inner[byte]) ?? unknown {
        symbols.append(symbol)
      }
    }
    merges.apply(to: &symbols)
    ids += symbols
  }
}
