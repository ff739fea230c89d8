import Foundation
import Shards

/// `KEY.winnow.json`, the extra member of a rejected sample: why it was dropped, so that it can be looked at and put
/// back.
struct RejectionNote: Codable, Equatable {
  var formatVersion = StateJSON.formatVersion
  var reason: String
  var detail: String
  /// By kind of member; nil when the pair wasn't judged.
  var scores: [String: Float]?
  var mismatch: Float?
  /// Only where the judges' verdict is the reason.
  var verdict: Verdict?
  /// The input shard.
  var shard: String
  /// The members' own names where they were replaced, in order.
  var originalNames: [String]?

  /// Why the judges dropped a pair, and by how much.
  struct Verdict: Codable, Equatable {
    /// The mean of `scores`.
    var score: Float
    /// The probability of a mismatch by the cautious noise rate, which the cut goes by; `mismatch` is by random
    /// re-pairing.
    var cautiousMismatch: Float
    /// What it would have taken to be kept.
    var threshold: Double
    /// How far the score is below it.
    var below: Double
    /// The kinds whose own score is below the threshold, those furthest below first.
    var against: [String]
    /// The caption of the reference bank that fits the image best, and its score; a better one than the pair's own says
    /// what the judges see. Nil where the bank held no other caption.
    var bankCaption: String?
    var bankScore: Float?
    /// Whether that one fits better than the pair's own.
    var bankFitsBetter: Bool?
  }
}
