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
  /// Whether the last line was cut off, by a full disk.
  private let isCut: Mutex<Bool>

  /// Goes on behind what is there.
  /// - Throws: `RunError.usage`.
  init(path: String) throws(RunError) {
    // Read too, where that can be done: not a pipe, nor a file that may only be written to.
    let flags = O_APPEND | O_CREAT | O_CLOEXEC
    var info = stat()
    let isFile = stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFREG
    let both = isFile ? open(path, O_RDWR | flags, 0o644) : -1
    descriptor = both >= 0 ? both : open(path, O_WRONLY | flags, 0o644)
    guard descriptor >= 0 else {
      throw .usage("can't open the log \(path): \(String(cString: strerror(errno)))")
    }
    var last = UInt8(ascii: "\n")
    _ = pread(descriptor, &last, 1, lseek(descriptor, 0, SEEK_END) - 1)
    isCut = Mutex(last != UInt8(ascii: "\n"))
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
