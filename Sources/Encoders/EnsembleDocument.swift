/// `ensemble.json` (its keys in snake case); the arrays lie in the safetensors files beside it.
struct EnsembleDocument: Codable {
  /// Read first, since another version may have other fields.
  struct Version: Decodable { var formatVersion: Int }
  struct Entry: Codable {
    var kind: Int
    var fold: Int
    var file: String
  }
  var formatVersion: Int
  var folds: Int
  var kinds: [MemberConfiguration]
  var members: [Entry]
  var bank: [BankPair]
  var bankClusters: [Int]
}

extension EnsembleDocument {
  /// Refuses what no ensemble can be built from.
  func check(_ path: String) throws(EnsembleError) {
    func need(_ condition: Bool, _ reason: String) throws(EnsembleError) {
      if !condition { throw .unreadable(path: path, reason: reason) }
    }
    try need(!kinds.isEmpty && kinds.count <= 1000, "it names no kind of member, or too many")
    for kind in kinds {
      do throws(MemberConfigurationError) { try kind.check() } catch {
        throw .unreadable(path: path, reason: error.description)
      }
    }
    try need(Set(kinds.map(\.name)).count == kinds.count, "two of its kinds have the same name")
    try need((1...1000).contains(folds), "it has \(folds) folds")
    try need(bank.count > 1, "its bank has \(bank.count) pairs")
    try need(
      bankClusters.count == bank.count && bankClusters.allSatisfy { (0..<bank.count).contains($0) },
      "its bank pairs and their clusters contradict one another")
    try need(
      members.map { [$0.kind, $0.fold] }
        == kinds.indices.flatMap { kind in
          (0..<kinds[kind].members(folds: folds)).map { [kind, $0] }
        },
      "its members are not one for each kind and fold, in order")
    let folders = kinds.compactMap(\.pretrained) + kinds.compactMap(\.text.vocabulary)
    for file in members.map(\.file) + folders {
      try need(
        !file.isEmpty && file != "." && file != ".." && !file.contains { "/\0".contains($0) },
        "'\(file)' is not the name of a file beside it")
    }
  }
}
