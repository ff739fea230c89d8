/// Why a sample isn't kept: stable slugs, as they stand in decisions, rejected shards and the manifest. Images add
/// their own (`ImageError.reason`).
public enum Reason {
  public static let mismatch = "mismatch"
  public static let missingImage = "missing-image"
  public static let missingText = "missing-text"
  public static let textNotUTF8 = "text-not-utf8"
  public static let emptyCaption = "empty-caption"
  public static let badJSON = "bad-json"
  /// It leaves the folder, or readers of shards fail on it.
  public static let unsafeName = "unsafe-name"
  public static let nameTooLong = "name-too-long"
  public static let captionTooLong = "caption-too-long"

  /// Beyond so many pairs of a shard that have the key of the pair before them (`DecideStage.maxRepeats`).
  public static let repeatedKey = "repeated-key"

  /// A member is larger than `read.maxMemberBytes`, or the sample than `read.maxSampleBytes`: never held, but copied.
  public static let tooLarge = "member-too-large"

  /// The shard ended inside the sample.
  public static let cutShort = "cut-short"
  /// A name beyond any path, or more members than a sample has.
  public static let unusable = "unusable-sample"

  /// Samples whose bytes can't be copied: they appear in the ledger and in decisions, but in no output shard.
  public static let unreadable: Set<String> = [cutShort, unusable]

  /// Whether a sample with this reason, empty where it is kept, is a pair that its scores decided on.
  static func isOfPair(_ reason: String) -> Bool { reason.isEmpty || reason == mismatch }
}
