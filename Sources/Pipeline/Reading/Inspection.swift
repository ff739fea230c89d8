import Foundation
import Images
import Shards

/// What `winnow inspect` finds in one shard.
public struct Inspection: Codable, Sendable {
  /// A name or a message without what a terminal would obey, cut where it is long.
  public static func printable(_ text: String, limit: Int = 255) -> String {
    Shards.printable(text.utf8, limit: limit)
  }

  public struct Problem: Codable, Sendable, Equatable {
    public var key: String
    public var reason: String
    public var detail: String
  }

  public struct Lengths: Codable, Sendable {
    public var least = 0
    public var median = 0
    public var most = 0
  }

  public var formatVersion = StateJSON.formatVersion
  public var path: String
  public var samples = 0
  /// Samples that are pairs: an image that decodes and a caption.
  public var pairs = 0
  public var firstKey: String?
  public var lastKey: String?
  /// Members by suffix, lower-cased; of a long one its beginning, and all together where there are more than a thousand.
  public var suffixes: [String: Int] = [:]
  /// Decodable images by format.
  public var formats: [String: Int] = [:]
  /// Pixels a side (the longer one).
  public var imageSides = Lengths()
  /// Characters.
  public var captionLengths = Lengths()
  public var reasons: [String: Int] = [:]
  /// The first of each reason.
  public var problems: [Problem] = []
  public var fault: String?
  public var message: String?
  public var report = ShardReport()

  init(path: String) { self.path = path }

  /// Reads a whole shard, decoding every image.
  /// - Throws: `RunError.cancelled`.
  public static func inspect(
    _ path: String, configuration: RunConfiguration, cancellation: Cancellation
  ) throws -> Inspection {
    var result = Inspection(path: path)
    let reader = PairReader(path: path, configuration: configuration.read)
    let decoder = configuration.images.decoder
    var sides: [Int] = []
    var lengths: [Int] = []
    while let record = reader.next() {
      try cancellation.check()
      let key = String(decoding: record.key, as: UTF8.self)
      result.samples += 1
      result.firstKey = result.firstKey ?? key
      result.lastKey = key
      result.count(record.sample?.members ?? [])
      switch record.outcome {
      case .pair(let image, let caption, _):
        lengths.append(caption.count)
        do {
          let pixels = try decoder.decode(image)
          sides.append(max(pixels.width, pixels.height))
          result.formats[ImageFormat.detect(image)?.rawValue ?? "unknown", default: 0] += 1
          result.pairs += 1
        } catch {
          result.note(key, error.reason, "\(error)")
        }
      case .rejected(let reason, let detail), .unreadable(let reason, let detail):
        result.note(key, reason, detail)
      }
    }
    result.imageSides = Lengths(sides)
    result.captionLengths = Lengths(lengths)
    result.fault = reader.fault?.rawValue
    result.message = reader.message
    result.report = reader.report
    return result
  }

  /// All inspections as JSON, sorted keys.
  public static func json(_ inspections: [Inspection]) throws -> String {
    String(decoding: try StateJSON.encode(inspections), as: UTF8.self)
  }

  private mutating func count(_ members: [Member]) {
    for member in members {
      guard let suffix = sampleKey(ofMember: member.name)?.suffix else { continue }
      let text = String(decoding: suffix.prefix(100), as: UTF8.self).lowercased()
      let isKnown = suffixes[text] != nil || suffixes.count < 1000
      suffixes[isKnown ? text : "(others)", default: 0] += 1
    }
  }

  private mutating func note(_ key: String, _ reason: String, _ detail: String) {
    if reasons[reason] == nil {
      problems.append(Problem(key: key, reason: reason, detail: detail))
    }
    reasons[reason, default: 0] += 1
  }
}

extension Inspection.Lengths {
  init(_ values: [Int]) {
    let sorted = values.sorted()
    self.init(
      least: sorted.first ?? 0, median: sorted.isEmpty ? 0 : sorted[sorted.count / 2],
      most: sorted.last ?? 0)
  }
}
