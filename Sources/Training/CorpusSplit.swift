import Encoders

/// Which pairs are the bank, and which a fold's members learn from.
struct CorpusSplit: Sendable {
  /// Indices into the corpus.
  let bank: [Int]
  let bankPairs: [BankPair]
  let groups: PairGroups
  private let byFold: [[Int]]

  init(_ corpus: some TrainingCorpus, _ configuration: TrainingConfiguration) throws {
    let hashes = (0..<corpus.count).map(corpus.hash)
    let order = hashes.indices.sorted { hashes[$0] < hashes[$1] }.prefix(configuration.maxPairs)
    let size = min(configuration.bankSize, order.count / 8)
    bank = Array(order.prefix(size))
    bankPairs = try bank.map { BankPair(hash: hashes[$0], caption: try corpus.caption($0)) }
    var byFold = [[Int]](repeating: [], count: configuration.folds)
    for index in order.dropFirst(size) {
      byFold[hashes[index].fold(of: configuration.folds)].append(index)
    }
    self.byFold = byFold
    groups = try PairGroups(corpus)
  }

  /// All pairs but the bank, in order of hash within their fold.
  var training: [Int] { byFold.flatMap { $0 } }

  /// The pairs that the members of `fold` learn from: those of all other folds, in order of hash; of a single fold all,
  /// so that its members judge what they learnt from.
  func training(fold: Int) -> [Int] {
    if byFold.count == 1 { return byFold[0] }
    return byFold.indices.filter { $0 != fold }.flatMap { byFold[$0] }
  }
}
