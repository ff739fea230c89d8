/// A part of a run, in order.
public enum Stage: String, Sendable, Codable, CaseIterable {
  case pin, gather, tokenize, train, score, fit, decide, write
}

/// What a run tells whoever watches it. The run itself prints nothing.
public enum RunEvent: Sendable {
  case began(Stage)
  /// - Parameters:
  ///   - done: steps of `total` finished; steps are shards, training steps or output shards.
  ///   - pairs: pairs gone through so far in this stage (0 where that means nothing).
  case progress(Stage, done: Double, total: Double, pairs: Int, detail: String)
  case ended(Stage, seconds: Double)
  /// A sentence worth reading.
  case note(String)
}

public typealias RunObserver = @Sendable (RunEvent) -> Void
