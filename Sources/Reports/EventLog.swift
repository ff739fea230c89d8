import Foundation
import Pipeline
import Synchronization

/// A file of JSON objects, one a line; each line is one write, so that nobody reads half of one.
final class EventLog: Sendable {
  /// What holds for the event; the rest is left out.
  struct Line: Encodable {
    var time = Date.now
    var process = getpid()
    var event: String
    var command: String?
    var out: String?
    var version: String?
    var stage: String?
    var text: String?
    var path: String?
    var published: [String: Int]?
    var seconds: Double?
    var done: Double?
    var total: Double?
    var pairs: Int?
    var status: Int32?
    var ledger: Ledger?
    var noiseRate: Double?
    var drift: Double?
  }

  private let descriptor: Int32
  /// The last line was cut off, by a full disk.
  private let isCut = Mutex(false)

  /// Goes on behind what is there.
  /// - Throws: `RunError.usage`.
  init(path: String) throws(RunError) {
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .usage("can't open the log \(path): \(String(cString: strerror(errno)))")
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// A log is no reason to fail a run, so what can't be written isn't.
  func write(_ line: Line) {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    guard let data = try? encoder.encode(line) else { return }
    isCut.withLock { isCut in
      let bytes = Array((isCut ? "\n" : "").utf8) + data + Array("\n".utf8)
      let written = Foundation.write(descriptor, bytes, bytes.count)
      if written > 0 { isCut = written < bytes.count }
    }
  }
}
