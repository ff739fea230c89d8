/// A caption cut into tokens, each a bag of hashed ids: the word itself and its character n-grams (fastText, Bojanowski
/// et al. 2017), so that no vocabulary has to be learnt and any language has tokens.
public struct CaptionTokens: Sendable, Equatable {
  /// The ids of all tokens, one after another.
  public var ids: [Int32]
  /// For each token, where it ends in `ids`.
  public var ends: [Int32]

  public init(ids: [Int32], ends: [Int32]) {
    self.ids = ids
    self.ends = ends
  }

  /// How many tokens there are.
  public var count: Int { ends.count }

  /// The ids of token `index`.
  public func token(_ index: Int) -> ArraySlice<Int32> {
    ids[(index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index])]
  }
}
