import Encoders
import Foundation
import Shards

/// A sample as the run sees it, in shard order.
struct PairRecord {
  enum Outcome {
    /// An image member and a caption; whether the image decodes isn't known yet.
    case pair(image: [UInt8], caption: String, hash: ContentHash)
    /// Whole, but no pair.
    case rejected(reason: String, detail: String)
    /// Its bytes can't be had.
    case unreadable(reason: String, detail: String)
  }

  var key: [UInt8]
  /// Nil when the bytes can't be had.
  var sample: Sample?
  var outcome: Outcome
}

/// Stage "read": the samples of one shard as pairs, each with its caption and content hash, or with the reason why it
/// is none.
final class PairReader {
  private let reader: ShardReader
  private let configuration: ReadConfiguration

  init(path: String, configuration: ReadConfiguration) {
    reader = ShardReader(path: path, limits: configuration.limits)
    self.configuration = configuration
  }

  /// Set when the shard couldn't be read to its end.
  var fault: ShardFault? { reader.fault }
  var message: String? { reader.message }
  var report: ShardReport { reader.report }

  /// Nil at the shard's end.
  func next() -> PairRecord? {
    guard let event = reader.next() else { return nil }
    switch event {
    case .sample(let sample):
      return PairRecord(key: sample.key, sample: sample, outcome: outcome(of: sample))
    case .cutShort(let sample):
      let name = sample.members.last.map { String(decoding: $0.name, as: UTF8.self) } ?? ""
      return PairRecord(
        key: sample.key, sample: nil,
        outcome: .unreadable(reason: Reason.cutShort, detail: "the shard ends inside \(name)"))
    case .oversized(let key, let name, let bytes):
      let name = String(decoding: name, as: UTF8.self)
      return PairRecord(
        key: key, sample: nil,
        outcome: .unreadable(reason: Reason.tooLarge, detail: "\(name) declares \(bytes) bytes"))
    }
  }

  private func outcome(of sample: Sample) -> PairRecord.Outcome {
    if let member = sample.members.first(where: { !isSafe($0.name) }) {
      let name = String(decoding: member.name, as: UTF8.self)
      return .rejected(reason: Reason.unsafeName, detail: "\(name) leaves the folder")
    }
    guard let image = sample.member(suffixes: configuration.imageSuffixes) else {
      let suffixes = configuration.imageSuffixes.joined(separator: ", ")
      return .rejected(reason: Reason.missingImage, detail: "no member ends in \(suffixes)")
    }
    switch caption(of: sample) {
    case .failure(let problem):
      return .rejected(reason: problem.reason, detail: problem.detail)
    case .success(let bytes):
      guard let caption = String(validating: bytes, as: UTF8.self) else {
        return .rejected(reason: Reason.textNotUTF8, detail: "the caption isn't UTF-8")
      }
      guard caption.contains(where: { !$0.isWhitespace && $0 != "\0" }) else {
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

  private func caption(of sample: Sample) -> Result<[UInt8], CaptionProblem> {
    if let field = configuration.jsonCaption, let json = sample.member(suffixes: ["json"]) {
      guard
        let object = try? JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String: Any]
      else {
        return .failure(CaptionProblem(reason: Reason.badJSON, detail: "the json can't be parsed"))
      }
      if let text = object[field] as? String { return .success(Array(text.utf8)) }
    }
    if let text = sample.member(suffixes: configuration.textSuffixes) {
      return .success(text.bytes)
    }
    let suffixes = configuration.textSuffixes.joined(separator: ", ")
    let detail = "no member ends in \(suffixes)"
    return .failure(CaptionProblem(reason: Reason.missingText, detail: detail))
  }
}

/// Whether a tar member of this name stays in the folder it is unpacked to: not absolute, no `..` component.
func isSafe(_ name: [UInt8]) -> Bool {
  name.first != UInt8(ascii: "/")
    && !name.split(separator: UInt8(ascii: "/")).contains { $0 == [0x2E, 0x2E] }
}
