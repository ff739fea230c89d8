import Foundation
import Shards

/// A rejected sample on its way into its shard: its members one after another, held or as a stream of blocks, then the
/// note.
final class RejectedSample: MemberSink {
  private let writer: ShardWriter
  private let cancellation: Cancellation
  private var note: RejectionNote
  /// What replaces the sample's key, where that can't be used.
  private let replacement: [UInt8]?
  private var members = 0
  /// The names written, as readers fold them.
  private var names: Set<[UInt8]> = []

  /// - Parameter replacement: the sample's key where its own can't be used.
  init(
    note: RejectionNote, replacement: [UInt8]?, to writer: ShardWriter, cancellation: Cancellation
  ) {
    self.note = note
    self.writer = writer
    self.cancellation = cancellation
    self.replacement = replacement
  }

  func begin(name: [UInt8], size: Int64) throws {
    try writer.begin(name: outputName(of: name), size: size)
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    // A member of gigabytes takes a while.
    try cancellation.check()
    try writer.write(bytes)
  }

  func end() throws { try writer.end() }

  /// Writes a sample that is held.
  func append(_ sample: Sample) throws {
    for member in sample.members {
      try writer.append(Member(name: outputName(of: member.name), bytes: member.bytes))
    }
  }

  /// Writes the note, after the last member.
  /// - Parameter key: the sample's own.
  func finish(key: [UInt8]) throws {
    let key = replacement ?? key
    // An input member of that name is ordinary data; a second one would break readers.
    var name = key + Array(".winnow.json".utf8)
    var number = 2
    while names.contains(lowerCased(name)) {
      name = key + Array(".winnow.\(number).json".utf8)
      number += 1
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    try writer.append(Member(name: name, bytes: Array(try encoder.encode(note))))
  }

  private func outputName(of name: [UInt8]) -> [UInt8] {
    defer { members += 1 }
    var result = name
    let own = sampleKey(ofMember: name)
    let isReserved = own.map { Shards.isReserved(suffix: $0.suffix) } == true
    if let key = replacement ?? (isReserved ? own?.key : nil) {
      let suffix = isReserved ? nil : own?.suffix
      result = key + Array(".".utf8) + (suffix ?? Array("\(members)".utf8))
    }
    // Readers tell suffixes apart without their case, and one that was given may be another's own.
    while !names.insert(lowerCased(result)).inserted { result.append(UInt8(ascii: "-")) }
    if result != name {
      // A thousand names of 64 KB would make a note of half a gigabyte.
      let original = String(decoding: name.prefix(4096), as: UTF8.self)
      note.originalNames = (note.originalNames ?? []) + [original]
    }
    return result
  }
}
