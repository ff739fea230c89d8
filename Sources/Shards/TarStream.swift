import CArchive
import Foundation

/// The entries of a tar, in order, with the end of the tar checked.
///
/// libarchive takes a tar that ends without its end marker for a whole one, and stops at the first
/// marker of concatenated tars. So it is told to read on, and what lies behind the last entry is looked
/// at here: it must be zeros, a block of them at least.
final class TarStream {
  enum Kind { case file, link, other }

  struct Entry {
    /// Nil where the header's name is unusable.
    var name: [UInt8]?
    var kind: Kind
    /// As the header declares it, not negative.
    var size: Int64
  }

  enum Content {
    case whole([UInt8])
    /// What was there of it, before the shard ended or broke.
    case partial([UInt8])
    /// The header declares more bytes than the limit; none was read, so they can still be copied.
    case tooLarge
  }

  private static let blockBytes: Int64 = 512
  /// What a hole is read as; never freed.
  nonisolated(unsafe) private static let zeros = UnsafeRawBufferPointer(
    UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: blockAlignment).zeroed())
  /// Bytes that one header may take, with all that belongs to it. libarchive keeps a sparse file's map whole, and
  /// looks for each entry of an access list among those before: a few kilobytes of zstd would fill any memory and any time.
  private static let longestHeader = 256 << 10
  /// Looks at entries of access lists, all of a shard's: for each entry that a header has, one of six bytes at least, libarchive
  /// goes through those it knows. It takes a second for the longest list that a header holds.
  private static let longestLists = 3_000_000_000

  private let source: DecompressedFile
  private let handle: ReadHandle
  private static let warningsOfDamage = [
    "pax extended attribute", "special headers", "sparse", "SUN.holesdata", "size attribute",
  ]
  /// Bytes of zeros at a tar's end: the largest usual record (`tar -b 2048`), which its end marker is padded to. A download
  /// into a file that was made beforehand leaves more.
  private static let longestPadding: Int64 = 1 << 20
  /// See ``ReadLimits/maxHoles``.
  private let maxHoles: Int64
  private var opened = false
  private var entryEnd: Int64 = 0
  /// The looks so far.
  private var lists = 0
  /// Why nothing is read behind the member copied last, where libarchive has nothing against it.
  private var refusal: DecompressedFile.Fault?
  /// Bytes of holes so far.
  private var holes: Int64 = 0

  init(
    source: DecompressedFile, maxHoles: Int64 = ReadLimits().maxHoles
  ) throws(DecompressedFile.Fault) {
    self.maxHoles = maxHoles
    guard let handle = ReadHandle(source: source),
      archive_read_support_format_tar(handle.archive) == ARCHIVE_OK,
      archive_read_set_option(handle.archive, "tar", "read_concatenated_archives", "1")
        == ARCHIVE_OK
    else {
      throw DecompressedFile.Fault(fault: .cannotOpen, reason: "libarchive cannot read tars")
    }
    self.source = source
    self.handle = handle
  }

  /// The next entry; nil after a whole tar's last.
  func next() throws(DecompressedFile.Fault) -> Entry? {
    if let refusal { throw refusal }
    if !opened {
      opened = true
      guard handle.open() else {
        throw source.fault ?? .init(fault: .notATar, reason: "it doesn't begin with a tar header")
      }
    } else {
      source.allowance = .max
      guard archive_read_data_skip(handle.archive) == ARCHIVE_OK else { throw broken() }
      entryEnd = archive_filter_bytes(handle.archive, 0)
    }
    source.allowance = Self.longestHeader
    var found: OpaquePointer?
    let status = archive_read_next_header(handle.archive, &found)
    if status == ARCHIVE_EOF {
      if let fault = source.fault { throw fault }
      let rest = source.bytes - entryEnd
      guard rest >= Self.blockBytes, source.trailingZeros >= rest else {
        throw .init(fault: .truncated, reason: "it ends without the tar's end marker")
      }
      guard rest <= Self.longestPadding else {
        throw .init(
          fault: .truncated,
          reason: "it ends in \(rest) bytes of zeros, as a file does that was only written in part")
      }
      return nil
    }
    guard status == ARCHIVE_OK || status == ARCHIVE_WARN, let entry = found else { throw broken() }
    let posix = ARCHIVE_ENTRY_ACL_TYPE_ACCESS | ARCHIVE_ENTRY_ACL_TYPE_DEFAULT
    let nfs4 =
      ARCHIVE_ENTRY_ACL_TYPE_ALLOW | ARCHIVE_ENTRY_ACL_TYPE_DENY | ARCHIVE_ENTRY_ACL_TYPE_AUDIT
      | ARCHIVE_ENTRY_ACL_TYPE_ALARM
    let list = [posix, nfs4].reduce(0) { $0 + Int(archive_entry_acl_count(entry, $1)) }
    let length = min(Int(archive_filter_bytes(handle.archive, 0) - entryEnd), Self.longestHeader)
    lists += list * (length / 6)
    guard lists <= Self.longestLists else {
      throw .init(fault: .badHeader, reason: "its tar headers hold access lists without measure")
    }
    // A name that is not in the C locale's characters is only a warning, and comes as its raw bytes;
    // but libarchive also merely warns when it ignores a damaged PAX record, which may hold the name, a map of holes, or
    // all of an entry.
    let text = archive_errno(handle.archive) == 0 ? nil : handle.errorText
    guard
      text.map({ !Self.warningsOfDamage.contains(where: $0.contains) }) ?? (status == ARCHIVE_OK)
    else { throw broken() }

    // A PAX record may say so; the header's own field is checked by libarchive.
    guard archive_entry_size(entry) >= 0 else {
      throw .init(fault: .badHeader, reason: "a tar header declares a negative size")
    }
    let isLink =
      archive_entry_hardlink(entry) != nil || archive_entry_filetype(entry) == S_IFLNK
    return Entry(
      name: archive_entry_pathname(entry).map { name in
        Array(UnsafeRawBufferPointer(start: name, count: strlen(name)))
      },
      kind: isLink ? .link : archive_entry_filetype(entry) == S_IFREG ? .file : .other,
      size: archive_entry_size(entry))
  }

  /// Reads the entry at hand, of which the header declares `size` bytes. Memory grows as data arrives.
  func read(size: Int64, limit: Int) -> Content {
    guard size <= limit else { return .tooLarge }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(min(size, 1 << 20)))
    while true {
      // The map of a sparse file may come before its first block.
      source.allowance = Self.longestHeader
      let (status, block, offset) = handle.nextBlock()
      if status == ARCHIVE_EOF {
        // The hole at the end of a sparse file.
        guard passes(hole: size - Int64(bytes.count)) else { return .partial(bytes) }
        bytes.append(contentsOf: repeatElement(0, count: max(0, Int(size) - bytes.count)))
        return .whole(bytes)
      }
      guard status == ARCHIVE_OK || status == ARCHIVE_WARN, goesOn(offset, from: Int64(bytes.count))
      else {
        // All of it can be there, with the padding behind it missing.
        return bytes.count == size ? .whole(bytes) : .partial(bytes)
      }
      guard fits(block, at: offset, in: size) else { return .partial(bytes) }
      guard passes(hole: offset - Int64(bytes.count)) else { return .partial(bytes) }
      if offset > bytes.count {
        bytes.append(contentsOf: repeatElement(0, count: Int(offset) - bytes.count))
      }
      bytes.append(contentsOf: block)
    }
  }

  /// Gives the entry at hand, of which the header declares `size` bytes, to `body` block by block, a sparse file's holes
  /// as zeros. Memory stays the same whatever the size.
  /// - Returns: whether `body` was given exactly `size` bytes. Of holes beyond all measure it is given none; ``next()`` then
  ///   throws the reason.
  func copy<Failure: Error>(
    size: Int64, to body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    var done: Int64 = 0
    func fill(to offset: Int64) throws(Failure) -> Bool {
      guard passes(hole: offset - done) else { return false }
      while done < offset {
        let zeros = UnsafeRawBufferPointer(
          rebasing: Self.zeros.prefix(Int(min(1 << 30, offset - done))))
        try body(zeros)
        done += Int64(zeros.count)
      }
      return true
    }
    while true {
      // As above, and the member itself may have more bytes than a header.
      source.allowance = Self.longestHeader
      let (status, block, offset) = handle.nextBlock()
      if status == ARCHIVE_EOF {
        guard try fill(to: size) else { return false }
        return done == size
      }
      // All of it can have come, with the padding behind it missing.
      guard status == ARCHIVE_OK || status == ARCHIVE_WARN, goesOn(offset, from: done) else {
        return done == size
      }
      guard fits(block, at: offset, in: size) else { return false }
      guard try fill(to: offset) else { return false }
      if !block.isEmpty { try body(block) }
      done += Int64(block.count)
    }
  }

  /// - Returns: false for a block that lies before the end of the last one; ``next()`` then throws the reason.
  private func goesOn(_ offset: Int64, from end: Int64) -> Bool {
    if offset >= end { return true }
    refusal = DecompressedFile.Fault(
      fault: .badHeader, reason: "the map of a sparse member goes backwards")
    return false
  }

  /// - Returns: false for more than the header declares; ``next()`` then throws the reason.
  private func fits(_ block: UnsafeRawBufferPointer, at offset: Int64, in size: Int64) -> Bool {
    if offset <= size, block.count <= size - offset { return true }
    refusal = DecompressedFile.Fault(
      fault: .badHeader, reason: "a member has more bytes than its header declares")
    return false
  }

  /// Counts a hole; none where it is negative.
  /// - Returns: false where the shard's come to too much; ``next()`` then throws the reason.
  private func passes(hole: Int64) -> Bool {
    guard hole <= maxHoles - holes else {
      refusal = DecompressedFile.Fault(
        fault: .badHeader,
        reason:
          "sparse members declare more than \(maxHoles) bytes of holes, which nothing stored bears out"
      )
      return false
    }
    holes += max(0, hole)
    return true
  }

  private func broken() -> DecompressedFile.Fault {
    if let fault = source.fault { return fault }
    // As with compressed data: who asks for more after the end was in the middle of something.
    return source.ended
      ? .init(fault: .truncated, reason: "it ends inside a member or a header")
      : .init(fault: .badHeader, reason: "a tar header is damaged (\(handle.errorText))")
  }
}

extension UnsafeMutableRawBufferPointer {
  fileprivate func zeroed() -> Self {
    initializeMemory(as: UInt8.self, repeating: 0)
    return self
  }
}
