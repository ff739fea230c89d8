import Shards

/// The names of a sample's members, whether it is held or streamed past.
final class MemberNames: MemberSink {
  private var names: [[UInt8]] = []

  func begin(name: [UInt8], size: Int64) { names.append(name) }
  func write(_ bytes: UnsafeRawBufferPointer) {}
  func end() {}

  /// - Returns: the event's key, and the names if it is whole.
  func take(_ event: ShardEvent) -> (key: [UInt8], names: [[UInt8]]) {
    defer { names = [] }
    switch event {
    case .sample(let sample): return (sample.key, sample.members.map(\.name))
    case .oversized(let key, _, _): return (key, names)
    case .cutShort(let sample): return (sample.key, [])
    case .unusable(let key, _, _): return (key, [])
    }
  }
}

/// A rejected sample on its way back into a shard: its first members, held or as a stream of blocks, without the note
/// after them.
final class RestoredMembers: MemberSink {
  private let count: Int
  private let writer: ShardWriter
  private let cancellation: Cancellation
  private var begun = 0

  /// - Parameter count: of the members that are its own.
  init(_ count: Int, to writer: ShardWriter, cancellation: Cancellation) {
    (self.count, self.writer, self.cancellation) = (count, writer, cancellation)
  }

  private var isOwn: Bool { begun <= count }

  func begin(name: [UInt8], size: Int64) throws {
    begun += 1
    if isOwn { try writer.begin(name: name, size: size) }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    try cancellation.check()
    if isOwn { try writer.write(bytes) }
  }

  func end() throws { if isOwn { try writer.end() } }

  /// Writes the event's sample if it is held.
  /// - Returns: the key; nil where it isn't the sample that was counted.
  func take(_ event: ShardEvent) throws -> [UInt8]? {
    switch event {
    case .sample(let sample):
      for member in sample.members {
        try begin(name: member.name, size: Int64(member.bytes.count))
        try member.bytes.withUnsafeBytes { try write($0) }
        try end()
      }
      return begun == count + 1 ? sample.key : nil
    case .oversized(let key, _, _): return begun == count + 1 ? key : nil
    case .cutShort, .unusable: return nil
    }
  }
}
