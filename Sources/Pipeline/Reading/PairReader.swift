import Encoders
import Foundation
import Images
import Shards
import TensorFiles

/// A sample as the run sees it, in shard order.
struct PairRecord {
  enum Outcome {
    /// An image member and a caption; whether the image decodes isn't known yet.
    case pair(image: [UInt8], caption: String, hash: ContentHash)
    /// Whole, but no pair; it can be copied.
    case rejected(reason: String, detail: String)
    /// Its bytes can't be had.
    case unreadable(reason: String, detail: String)
  }

  var key: [UInt8]
  /// Nil when the bytes can't be had, or are too many to be held.
  var sample: Sample?
  var outcome: Outcome
}

/// Stage "read": the samples of one shard as pairs, each with its caption and content hash, or with the reason why it
/// is none.
final class PairReader {
  /// Nil for what is no file: opening a pipe would wait for its other end.
  private let reader: ShardReader?
  private let path: String
  /// Keeps the file as long as it is read.
  private let local: LocalShard?
  private let configuration: ReadConfiguration
  /// Nothing of it is delivered.
  private let isWithheld: Bool

  /// A pinned shard. One that couldn't be read then has no pairs, whatever can be read of it by now: a later run takes it
  /// for new, and would publish them again. It is only gone through for what is wrong with it.
  /// - Throws: `RunError.shardChanged`, `.cancelled`.
  convenience init(_ shard: Increment.Shard, in run: RunContext) throws(RunError) {
    let local = try LocalShard(shard, in: run)
    self.init(
      path: local.path, local: local, isWithheld: shard.digest.isEmpty,
      configuration: run.configuration.read)
    while isWithheld, reader?.next() != nil { try run.cancellation.check() }
  }

  init(
    path: String, local: LocalShard? = nil, isWithheld: Bool = false,
    configuration: ReadConfiguration
  ) {
    self.path = path
    self.local = local
    self.isWithheld = isWithheld
    self.configuration = configuration
    reader =
      FileIdentity.isSpecial(path)
      ? nil : ShardReader(path: path, limits: configuration.limits, budget: .shared)
  }

  /// Set when the shard couldn't be read to its end.
  var fault: ShardFault? {
    if isReadableByNow { return .cannotRead }
    return reader.map(\.fault) ?? .cannotOpen
  }
  var message: String? {
    if isReadableByNow {
      return "\(path): it could not be read when the run began; the next run tries it again"
    }
    return reader.map { local?.named($0.message) ?? $0.message }
      ?? "\(path): it is no regular file; write it to one and list that"
  }
  /// Of what is delivered.
  var report: ShardReport { isWithheld ? ShardReport() : reader?.report ?? ShardReport() }

  /// Whether the system no longer fails to read what is withheld.
  private var isReadableByNow: Bool {
    guard isWithheld, let reader else { return false }
    return reader.fault != .cannotOpen && reader.fault != .cannotRead
  }

  /// Nil at the shard's end.
  func next() -> PairRecord? {
    guard !isWithheld, let event = reader?.next(), var record = record(of: event) else {
      return nil
    }
    record.key = tableKey(record.key)
    return record
  }

  private func record(of event: ShardEvent) -> PairRecord? {
    switch event {
    case .sample(let sample):
      return PairRecord(key: sample.key, sample: sample, outcome: outcome(of: sample))
    case .cutShort(let sample):
      let name = sample.members.last.map { shown($0.name) } ?? ""
      return PairRecord(
        key: sample.key, sample: nil,
        outcome: .unreadable(reason: Reason.cutShort, detail: "the shard ends inside \(name)"))
    case .oversized(let key, let name, let bytes):
      // The folder is the key's, and with it what makes a name unsafe.
      let reason = isSafe(key) ? Reason.tooLarge : Reason.unsafeName
      let detail = "\(shown(name)): \(bytes) bytes are more than a member or a sample may have"
      return PairRecord(
        key: key, sample: nil, outcome: .rejected(reason: reason, detail: detail))
    case .unusable(let key, let name, let cause):
      let detail =
        switch cause {
        case .longName(let bytes): "\(shown(name))... has \(bytes) bytes"
        case .manyMembers: "more members than a sample may have, from \(shown(name)) on"
        }
      return PairRecord(
        key: key, sample: nil, outcome: .unreadable(reason: Reason.unusable, detail: detail))
    }
  }

  private func outcome(of sample: Sample) -> PairRecord.Outcome {
    if let member = sample.members.first(where: { !isSafe($0.name) }) {
      return .rejected(
        reason: Reason.unsafeName,
        detail: "\(shown(member.name)) leaves the folder, or is a name that readers fail on")
    }
    if let member = sample.members.first(where: { $0.name.count > maxNameBytes }) {
      return .rejected(
        reason: Reason.nameTooLong,
        detail: "\(shown(member.name))... has \(member.name.count) bytes")
    }
    guard let image = sample.member(suffixes: configuration.imageSuffixes) else {
      let suffixes = configuration.imageSuffixes.joined(separator: ", ")
      return .rejected(reason: Reason.missingImage, detail: "no member ends in \(suffixes)")
    }
    switch caption(of: sample) {
    case .failure(let problem):
      return .rejected(reason: problem.reason, detail: problem.detail)
    case .success(let bytes):
      guard bytes.count <= maxCaptionBytes else {
        return .rejected(reason: Reason.captionTooLong, detail: "it has \(bytes.count) bytes")
      }
      guard let caption = String(validating: bytes, as: UTF8.self) else {
        return .rejected(reason: Reason.textNotUTF8, detail: "the caption isn't UTF-8")
      }
      guard !isBlank(caption) else {
        return .rejected(reason: Reason.emptyCaption, detail: "the caption is blank")
      }
      let hash = ContentHash(image: image.bytes, caption: bytes)
      return .pair(image: image.bytes, caption: caption, hash: hash)
    }
  }

  private struct CaptionProblem: Error {
    var reason: String
    var detail: String
  }

  /// Nil where the object has no such text.
  private func text(of field: String, in json: [UInt8]) throws(CaptionProblem) -> String? {
    let value =
      (try? JSONSerialization.jsonObject(with: Data(json)))
      ?? (try? JSONSerialization.jsonObject(with: Data(withoutPythonNumbers(json))))
    guard let object = value as? [String: Any] else {
      throw CaptionProblem(reason: Reason.badJSON, detail: "the json can't be parsed")
    }
    return object[field] as? String
  }

  private func caption(of sample: Sample) -> Result<[UInt8], CaptionProblem> {
    if let field = configuration.jsonCaption, let json = sample.member(suffixes: ["json"]) {
      guard json.bytes.count <= maxJSONBytes else {
        let detail = "the json has \(json.bytes.count) bytes; \(maxJSONBytes) are read at most"
        return .failure(CaptionProblem(reason: Reason.badJSON, detail: detail))
      }
      // Foundation would read UTF-16 too, of which nothing can be told beforehand.
      let measure = JSONMeasure(json.bytes[...])
      guard measure.isMeasurable else {
        return .failure(CaptionProblem(reason: Reason.badJSON, detail: "the json isn't UTF-8"))
      }
      guard measure.longestKey <= maxJSONKeyBytes else {
        let detail = "a key of the json has more than \(maxJSONKeyBytes) bytes"
        return .failure(CaptionProblem(reason: Reason.badJSON, detail: detail))
      }
      do {
        let text = try DecodingBudget.shared.spend(json.bytes.count * jsonExpansion) {
          () throws(CaptionProblem) in try self.text(of: field, in: json.bytes)
        }
        if let text { return .success(Array(text.utf8)) }
      } catch {
        return .failure(error)
      }
    }
    if let text = sample.member(suffixes: configuration.textSuffixes) {
      return .success(text.bytes)
    }
    let suffixes = configuration.textSuffixes.joined(separator: ", ")
    let detail = "no member ends in \(suffixes)"
    return .failure(CaptionProblem(reason: Reason.missingText, detail: detail))
  }
}

/// Bytes; what is longer is no name.
private let maxNameBytes = 4096
/// Bytes; a longer key would widen every row of a table.
private let maxKeyBytes = 256
/// Bytes; what is longer is no caption, and costs the judges memory.
private let maxCaptionBytes = 64 << 10
/// Bytes.
private let maxJSONBytes = 1 << 20
/// How much more memory than its bytes a parsed json takes, at most.
private let jsonExpansion = 70
/// Bytes: see ``JSONMeasure``.
private let maxJSONKeyBytes = 1024

/// A key as tables hold it: of one that is too long the beginning, and the XXH3-128 of the whole in hex, so that different
/// keys stay different.
func tableKey(_ key: [UInt8]) -> [UInt8] {
  guard key.count > maxKeyBytes else { return key }
  let digest = DigestStream()
  key.withUnsafeBytes { digest.add($0) }
  let end = Array("~\(digest.hex)".utf8)
  return key.prefix(maxKeyBytes - end.count) + end
}

/// The first bytes of a name, as text.
private func shown(_ name: [UInt8]) -> String { String(decoding: name.prefix(200), as: UTF8.self) }

/// Whether a tar member of this name, or a key, stays in the folder it is unpacked to (not absolute, no `..` component), and
/// webdataset takes it for what it is.
func isSafe(_ name: [UInt8]) -> Bool {
  let (key, suffix) = sampleKey(ofMember: name) ?? (name, [])
  // Its pattern has a dot in a folder's name follow no line break, and it passes others by without a word.
  let dotted = key.lastIndex(of: UInt8(ascii: ".")).map { dot in
    key[..<(key[dot...].firstIndex(of: UInt8(ascii: "/")) ?? key.endIndex)]
  }
  return name.first != UInt8(ascii: "/") && !isReserved(suffix: suffix)
    && dotted?.contains(UInt8(ascii: "\n")) != true
    && !name.split(separator: UInt8(ascii: "/")).contains { $0 == [0x2E, 0x2E] }
}
