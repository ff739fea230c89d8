import Foundation

@testable import Shards

/// A folder that is gone when the test ends.
final class Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "shards-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  /// Writes `bytes` to a file of this folder, making the folders on the way.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let path = file(name)
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  /// Writes one byte in place; a test that does this thousands of times shouldn't wait for the disk.
  func poke(_ byte: UInt8, at offset: Int, in name: String) throws {
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file(name)))
    try handle.seek(toOffset: UInt64(offset))
    try handle.write(contentsOf: Data([byte]))
    try handle.close()
  }

  func read(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(name))))
  }
}

/// Runs a program found on PATH and gives its exit status and what it printed.
func run(
  _ program: String, _ arguments: [String], in folder: String
) throws -> (status: Int32, output: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["LC_ALL=C.UTF-8", program] + arguments
  process.currentDirectoryURL = URL(fileURLWithPath: folder)
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let output = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

func member(_ name: String, _ content: String) -> Member {
  Member(name: Array(name.utf8), bytes: Array(content.utf8))
}

/// Writes a shard of these members and returns its path.
@discardableResult
func writeShard(
  _ members: [Member], to path: String, compression: ShardCompression = .none
) throws -> String {
  let writer = try ShardWriter(path: path, compression: compression)
  for member in members { try writer.append(member) }
  try writer.finish()
  return path
}

/// Everything a reader delivers, with what it says at the end.
func readAll(
  _ path: String, limits: ReadLimits = ReadLimits()
) -> (events: [ShardEvent], fault: ShardFault?, report: ShardReport, message: String?) {
  let reader = ShardReader(path: path, limits: limits)
  var events: [ShardEvent] = []
  while let event = reader.next() { events.append(event) }
  return (events, reader.fault, reader.report, reader.message)
}

extension ShardEvent {
  /// The key, as text.
  var key: String {
    switch self {
    case .sample(let sample), .cutShort(let sample): String(decoding: sample.key, as: UTF8.self)
    case .oversized(let key, _, _), .unusable(let key, _, _): String(decoding: key, as: UTF8.self)
    }
  }

  var isWhole: Bool { if case .sample = self { true } else { false } }
}

func sample(_ key: String, _ members: [Member]) -> ShardEvent {
  .sample(Sample(key: Array(key.utf8), members: members))
}

/// A tar header made by hand, for those that no writer makes.
func tarHeader(_ name: String, size: [UInt8], type: Character = "0") -> [UInt8] {
  var header = [UInt8](repeating: 0, count: 512)
  header.replaceSubrange(0..<name.utf8.count, with: name.utf8)
  header.replaceSubrange(100..<107, with: "0000644".utf8)
  header.replaceSubrange(124..<(124 + size.count), with: size)
  header.replaceSubrange(148..<156, with: repeatElement(0x20, count: 8))
  header[156] = type.asciiValue ?? 0
  header.replaceSubrange(257..<265, with: "ustar\u{0}00".utf8)
  let sum = header.reduce(0) { $0 + Int($1) }
  header.replaceSubrange(148..<155, with: String(format: "%06o\0", sum).utf8)
  return header
}

/// A PAX header of these records, `key=value` each.
func paxHeader(_ records: [String]) -> [UInt8] {
  let body = records.map { record in
    // A record's length counts its own digits.
    let rest = record.utf8.count + 2
    let length = (rest...rest + 9).first { $0 == rest + String($0).utf8.count } ?? 0
    return "\(length) \(record)\n"
  }.joined()
  let size = Array((String(format: "%011o", body.utf8.count) + "\0").utf8)
  return tarHeader("pax", size: size, type: "x") + body.utf8
    + [UInt8](repeating: 0, count: -body.utf8.count & 511)
}
