/// How the bytes of a shard are stored.
public enum ShardCompression: Sendable, Hashable {
  /// One zstd frame with a checksum.
  case zstd(level: Int32)
  /// A plain tar.
  case none
}

/// Writes one shard: a tar, by default inside one zstd frame.
///
/// The same members give the same bytes: owner, mode and time are fixed values, names and contents
/// are kept as they are. The file appears at `path` at once and grows; who wants it whole or absent
/// gives a temporary path and renames it after ``finish()``. Without `finish` the file is closed
/// without its end marker, and left for the caller to delete.
///
///     let writer = try ShardWriter(path: "000000.tar.zst")
///     try writer.append(Member(name: Array("000.txt".utf8), bytes: Array("a red chair".utf8)))
///     try writer.finish()
public final class ShardWriter {
  private let path: String
  private let file: ShardFile
  private let tar: TarWriteHandle
  private var finished = false

  /// - Throws: ``ShardError/cannotCreate(path:reason:)``.
  public init(path: String, compression: ShardCompression = .zstd(level: 3)) throws(ShardError) {
    self.path = path
    file = try ShardFile(path: path, compression: compression)
    guard let tar = TarWriteHandle(file: file) else {
      throw .cannotCreate(path: path, reason: "libarchive cannot write pax_restricted tars")
    }
    self.tar = tar
  }

  /// Bytes that reached the file so far (compressed, where the shard is); buffers are not counted.
  public var bytesWritten: Int { file.bytesWritten }

  /// Appends one member with its name and bytes as they are.
  /// - Throws: ``ShardError``; after `cannotWrite` the shard is lost, and every later call throws it again.
  public func append(_ member: Member) throws(ShardError) {
    guard !finished else { throw .alreadyFinished(path: path) }
    guard !member.name.isEmpty, !member.name.contains(0) else {
      throw .unusableName(path: path, name: member.name)
    }
    if file.failure == nil, let reason = tar.append(name: member.name, bytes: member.bytes) {
      file.fail("member '\(printable(member.name))': \(reason)")
    }
    if let failure = file.failure { throw failure }
  }

  /// Writes the end marker, ends the frame, syncs the file to the disk and closes it.
  /// - Throws: ``ShardError/cannotWrite(path:reason:)``, also when an earlier append failed.
  public func finish() throws(ShardError) {
    guard !finished else { throw .alreadyFinished(path: path) }
    finished = true
    if file.failure == nil, let reason = tar.finish() { file.fail(reason) }
    try file.finish()
  }
}
