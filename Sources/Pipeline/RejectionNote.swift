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

/// A rejected sample as it is written: its members, then the note.
func rejectedMembers(
  of sample: Sample, note: RejectionNote, shard: Int, ordinal: Int
) throws -> [Member] {
  var note = note
  var members = sample.members
  let key = outputKey(of: sample.key, reason: note.reason, shard, ordinal)
  if key != sample.key {
    note.originalNames = members.map { String(decoding: $0.name, as: UTF8.self) }
    for i in members.indices {
      let suffix = sampleKey(ofMember: members[i].name)?.suffix ?? Array("\(i)".utf8)
      members[i].name = key + Array(".".utf8) + suffix
    }
  }
  // An input member of that name is ordinary data; a second one would break readers.
  var name = key + Array(".winnow.json".utf8)
  var number = 2
  while members.contains(where: { $0.name == name }) {
    name = key + Array(".winnow.\(number).json".utf8)
    number += 1
  }
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  encoder.keyEncodingStrategy = .convertToSnakeCase
  return members + [Member(name: name, bytes: Array(try encoder.encode(note)))]
}
