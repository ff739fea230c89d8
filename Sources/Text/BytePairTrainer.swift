/// Placeholder until the tokenizers branch lands its own.
public struct BytePairTrainer {
  public init() {}
  public mutating func add(_ text: String) {}
  public func train(vocabularySize: Int) throws -> BytePairTokenizer {
    throw TokenizerError.unsupported(file: "train", what: "learning a vocabulary")
  }
}
