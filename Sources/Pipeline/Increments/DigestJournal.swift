import CGlibc
import Foundation
import Shards
import Synchronization

/// Digests of shards that are to be pinned, in a file that grows as they are computed: a run that is stopped before the whole
/// list is pinned doesn't read again what it has read. Nothing but time depends on it, so what keeps it from being written or
/// read is no error.
final class DigestJournal: Sendable {
  private struct Known {
    var identity: FileIdentity
    var high: UInt64
    var low: UInt64
  }

  private struct Writing: Sendable {
    var file: FileHandle?
    var lastSynced = ContinuousClock.now
  }

  /// Smaller files are read again as fast as they are looked up.
  static let leastBytes: Int64 = 1 << 20

  /// By the hash of the path, which takes less memory than the paths of a million shards.
  private let known: [Int: Known]
  private let path: String
  private let writing = Mutex(Writing())

  /// - Throws: `RunError.cancelled`.
  init(in run: RunContext) throws(RunError) {
    path = run.directory.digests
    var known: [Int: Known] = [:]
    if let lines = try? LineReader(path, remedy: "") {
      while let line = try? lines.next() {
        // What a killed process, or a machine that went down, left of the last lines is no entry.
        guard let shard = try? StateJSON.lineDecoder.decode(Increment.Shard.self, from: line),
          let identity = shard.identity, let high = UInt64(shard.digest.prefix(16), radix: 16),
          let low = UInt64(shard.digest.dropFirst(16), radix: 16)
        else { continue }
        if known.count % 4096 == 0 { try run.cancellation.check() }
        known[shard.place.hashValue] = Known(identity: identity, high: high, low: low)
      }
    }
    self.known = known
  }

  /// Of the file as it is now, if it was computed.
  func digest(of place: ShardPath, _ identity: FileIdentity) -> String? {
    guard let found = known[place.hashValue], found.identity == identity else { return nil }
    return Digest.hex(high: found.high, low: found.low)
  }

  func add(_ shard: Increment.Shard, _ identity: FileIdentity) {
    var shard = shard
    shard.identity = identity
    guard identity.size >= Self.leastBytes, !shard.digest.isEmpty,
      let line = try? StateJSON.lineEncoder.encode(shard)
    else { return }
    writing.withLock { writing in
      if writing.file == nil {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        writing.file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      }
      // The last line may be a part of one.
      try? writing.file?.write(contentsOf: Data("\n".utf8) + line)
      guard let file = writing.file,
        writing.lastSynced.duration(to: .now) >= GatherStage.keptEvery
      else { return }
      _ = sync_file(file.fileDescriptor)
      writing.lastSynced = .now
    }
  }

  /// Once the list is pinned.
  static func remove(in run: RunContext) { unlink(run.directory.digests) }
}
