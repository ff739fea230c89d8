import CArchive

/// A shard's tar, block by block: its file with the compression taken off.
///
/// Only gzip, zstd, bzip2 and xz are known, told by content. (libarchive's "all filters" runs external
/// programs on a magic number.)
final class DecompressedFile: BlockSource {
  private let file: StoredFile
  private let unpacked: XZStream
  private let handle: ReadHandle
  private var opened = false
  /// Of what was delivered, where the file is gzip.
  private var checksum: CRC32?
  /// Bytes delivered.
  private(set) var bytes: Int64 = 0
  /// How many of the last bytes delivered are zero.
  private(set) var trailingZeros: Int64 = 0
  /// Set once the end was reached, cleanly or not.
  private(set) var ended = false
  private(set) var fault: Fault?
  /// How many bytes may still be delivered, blocks of nothing but zeros apart; what is beyond is a `badHeader`.
  var allowance = Int.max

  /// See ``ReadLimits/maxExpansion``.
  private let maxExpansion: Int64

  struct Fault: Error {
    var fault: ShardFault
    var reason: String
  }

  init(
    path: String, maxExpansion: Int64 = ReadLimits().maxExpansion
  ) throws(Fault) {
    self.maxExpansion = maxExpansion
    do {
      file = try StoredFile(path: path)
    } catch {
      throw Fault(fault: .cannotOpen, reason: error.reason)
    }
    unpacked = XZStream(file)
    guard let handle = ReadHandle(source: unpacked) else {
      throw Fault(fault: .cannotOpen, reason: "out of memory")
    }
    self.handle = handle
    for support in [
      archive_read_support_filter_gzip, archive_read_support_filter_zstd,
      archive_read_support_filter_bzip2, archive_read_support_filter_xz,
      archive_read_support_format_raw, archive_read_support_format_empty,
    ] {
      // Anything but OK means that libarchive would run an external program.
      guard support(handle.archive) == ARCHIVE_OK else {
        throw Fault(
          fault: .cannotOpen,
          reason: "libarchive was built without what is needed: \(handle.errorText)")
      }
    }
  }

  /// Bytes taken from the file.
  var storedBytes: Int64 { file.bytes }

  func next() -> UnsafeRawBufferPointer? {
    guard fault == nil else { return nil }
    guard !ended else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    if !opened {
      opened = true
      var entry: OpaquePointer?
      guard handle.open() else { return fail() }
      let status = archive_read_next_header(handle.archive, &entry)
      if status == ARCHIVE_EOF {
        fault = Fault(fault: .emptyFile, reason: "it holds no bytes")
        return nil
      }
      guard status == ARCHIVE_OK else { return fail() }
      // Each decoder has a window of its own.
      guard archive_filter_count(handle.archive) <= (unpacked.isPacked ? 1 : 2) else {
        fault = Fault(fault: .notATar, reason: "it is compressed more than once")
        return nil
      }
      if archive_filter_count(handle.archive) == 2,
        archive_filter_code(handle.archive, 0) == ARCHIVE_FILTER_GZIP
      {
        checksum = CRC32()
      }
    }
    let (status, block, _) = handle.nextBlock()
    if status == ARCHIVE_EOF {
      ended = true
      if contradictsChecksum {
        fault = Fault(fault: .corrupt, reason: "its compressed data is damaged (gzip's checksum)")
        return nil
      }
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    guard status == ARCHIVE_OK else { return fail() }
    bytes += Int64(block.count)
    guard bytes / 1000 <= storedBytes || bytes - 1000 * storedBytes <= maxExpansion else {
      fault = Fault(
        fault: .corrupt, reason: "it unpacks to more than a thousand times its size")
      return nil
    }
    checksum?.add(block)
    let zeros = Int64(zerosAtEnd(of: block))
    trailingZeros = zeros == block.count ? trailingZeros + zeros : zeros
    if zeros < block.count { allowance -= block.count }
    guard allowance >= 0 else {
      fault = Fault(fault: .badHeader, reason: "a tar header is too long")
      return nil
    }
    return block
  }

  /// Whether the gzip trailer has the size of all that was delivered, and another checksum. A trailer
  /// of another size is that of the last of several gzip members, and says nothing about the whole.
  private var contradictsChecksum: Bool {
    guard let checksum, file.tail.count == 8 else { return false }
    let word = file.tail.withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
    }
    return UInt32(word >> 32) == UInt32(truncatingIfNeeded: bytes)
      && UInt32(truncatingIfNeeded: word) != checksum.value
  }

  private func fail() -> UnsafeRawBufferPointer? {
    ended = true
    if let failure = file.failure {
      fault = Fault(fault: .cannotRead, reason: failure)
    } else if let damage = unpacked.fault {
      fault = damage
    } else if file.ended {
      // A decoder that asks for bytes after the last one was in the middle of something.
      fault = Fault(fault: .truncated, reason: "its compressed data ends early")
    } else {
      fault = Fault(fault: .corrupt, reason: "its compressed data is damaged (\(handle.errorText))")
    }
    return nil
  }
}

/// The number of zero bytes at the end of `bytes`, counted a word at a time.
func zerosAtEnd(of bytes: UnsafeRawBufferPointer) -> Int {
  var end = bytes.count
  while end >= 8, bytes.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0 { end -= 8 }
  while end > 0, bytes[end - 1] == 0 { end -= 1 }
  return bytes.count - end
}
