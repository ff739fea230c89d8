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
/// gives a temporary path and renames it after ``finish()`` and ``sync()``. Without `finish` the file
/// is closed without its end marker, and left for the caller to delete.
///
///     let writer = try ShardWriter(path: "000000.tar.zst")
///     try writer.append(Member(name: Array("000.txt".utf8), bytes: Array("a red chair".utf8)))
///     try writer.finish()
public final class ShardWriter {
  private let path: String
  private let file: ShardFile
  private let tar: TarWriteHandle
  private var finished = false
  /// The member being written, and how many of its bytes are to come.
  private var open: (name: [UInt8], left: Int64)?

  /// - Parameter written: called with the file's bytes in their order, by one thread at a time and
  ///   not after ``finish()``.
  /// - Throws: ``ShardError/cannotCreate(path:reason:)``.
  public init(
    path: String, compression: ShardCompression = .zstd(level: 3),
    written: (@Sendable (UnsafeRawBufferPointer) -> Void)? = nil
  ) throws(ShardError) {
    self.path = path
    file = try ShardFile(path: path, compression: compression, written: written)
    guard let tar = TarWriteHandle(file: file) else {
      throw .cannotCreate(path: path, reason: "libarchive cannot write pax_restricted tars")
    }
    self.tar = tar
  }

  /// Appends one member with its name and bytes as they are.
  /// - Throws: ``ShardError``; after `cannotWrite` the shard is lost, and every later call throws it again.
  public func append(_ member: Member) throws(ShardError) {
    try begin(name: member.name, size: Int64(member.bytes.count))
    try member.bytes.withRawBytes { (bytes) throws(ShardError) in try write(bytes) }
    try end()
  }

  /// Begins a member of `size` bytes, which follow in calls of ``write(_:)``, before ``end()``.
  /// - Throws: ``ShardError``, as ``append(_:)`` does.
  public func begin(name: [UInt8], size: Int64) throws(ShardError) {
    guard !finished else { throw .alreadyFinished(path: path) }
    guard !name.isEmpty, !name.contains(0) else {
      throw .unusableName(path: path, name: name)
    }
    if let failure = file.failure { throw failure }
    guard open == nil else { throw .wrongSize(path: path, name: open?.name ?? []) }
    open = (name, size)
    try check(name) { tar.begin(name: name, size: size) }
  }

  /// Writes the next bytes of the member that was begun.
  /// - Throws: ``ShardError/wrongSize(path:name:)`` for more than its size; else as ``append(_:)``.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(ShardError) {
    if let failure = file.failure { throw failure }
    guard let (name, left) = open, bytes.count <= left else {
      throw .wrongSize(path: path, name: open?.name ?? [])
    }
    open = (name, left - Int64(bytes.count))
    if !bytes.isEmpty { try check(name) { tar.write(bytes) } }
  }

  /// Ends the member that was begun.
  /// - Throws: ``ShardError/wrongSize(path:name:)`` when bytes are missing; else as ``append(_:)``.
  public func end() throws(ShardError) {
    if let failure = file.failure { throw failure }
    guard let (name, left) = open, left == 0 else {
      throw .wrongSize(path: path, name: open?.name ?? [])
    }
    open = nil
    try check(name) { tar.end() }
  }

  /// Does a step of writing a member, unless an earlier one failed.
  private func check(_ name: [UInt8], _ step: () -> String?) throws(ShardError) {
    if file.failure == nil, let reason = step() {
      file.fail("member '\(printable(name))': \(reason)")
    }
    if let failure = file.failure { throw failure }
  }

  /// Writes the end marker and ends the frame. Every byte is in the file then, and reaches the disk when the system likes.
  /// - Throws: ``ShardError/cannotWrite(path:reason:)``, also when an earlier append failed.
  public func finish() throws(ShardError) {
    guard !finished else { throw .alreadyFinished(path: path) }
    if file.failure == nil, let open { throw .wrongSize(path: path, name: open.name) }
    finished = true
    if file.failure == nil, let reason = tar.finish() { file.fail(reason) }
    try file.finish()
  }

  /// Brings the finished file to the disk and closes it, which may take as long as writing it did.
  /// - Throws: ``ShardError/cannotWrite(path:reason:)``, also where a write in the background failed.
  public func sync() throws(ShardError) {
    precondition(finished, "sync() comes after finish()")
    try file.sync()
  }
}
