import Layers

/// What a draw is for.
enum RandomStream: UInt64 {
  case weights = 1
  case order, augmentation, passages, dictionary
}

extension SeededRandom {
  /// The random numbers of one purpose and one number (a step, an epoch): whoever resumes has them without what was
  /// drawn before.
  init(_ seed: UInt64, _ stream: RandomStream, _ number: Int) {
    var first = SeededRandom(seed: seed &+ stream.rawValue &* 0xD1B5_4A32_D192_ED03)
    var second = SeededRandom(seed: first.next() ^ UInt64(bitPattern: Int64(number)))
    self.init(seed: second.next())
  }
}
