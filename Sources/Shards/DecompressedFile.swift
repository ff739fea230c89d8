import CArchive

/// A shard's tar, block by block: its file with the compression taken off.
///
/// Only gzip, zstd, bzip2 and xz are known, told by content. (libarchive's "all filters" runs external
/// programs on a magic number.)
final class DecompressedFile: BlockSource {
  private let file: StoredFile
  private let unpacked: XZStream
  private let input: DecoderInput
  private let handle: ReadHandle
  private var opened = false
  /// libarchive's number for the compression that it takes off; nil where there is none.
  private var filter: Int32?
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
    input = DecoderInput(unpacked)
    guard let handle = ReadHandle(source: input) else {
      throw Fault(fault: .cannotOpen, reason: "out of memory")
    }
    self.handle = handle
    for support in [archive_read_support_format_raw, archive_read_support_format_empty] {
      guard support(handle.archive) == ARCHIVE_OK else {
        throw Fault(fault: .cannotOpen, reason: "libarchive cannot read plain bytes")
      }
    }
  }

  /// Opens the archive with the decoder that its beginning asks for. It is named here, since libarchive would look at what
  /// comes out of it for another one, and read without a limit for that.
  /// - Returns: false also where the decoder failed at once, which libarchive takes for the end of an empty file.
  private func open() -> Bool {
    guard let beginning = input.beginning() else { return false }
    if let filter = Self.filter(beginning) {
      // Each decoder has a window of its own.
      guard !unpacked.isPacked else {
        fault = Self.packedTwice
        return false
      }
      // Anything but OK means that libarchive would run an external program.
      guard archive_read_append_filter(handle.archive, filter) == ARCHIVE_OK else {
        fault = Fault(
          fault: .cannotOpen,
          reason: "libarchive was built without what is needed: \(handle.errorText)")
        return false
      }
      self.filter = filter
      if filter == ARCHIVE_FILTER_GZIP { checksum = CRC32() }
    }
    return handle.open() && archive_errno(handle.archive) == 0
  }

  private static let packedTwice = Fault(
    fault: .notATar, reason: "it is compressed more than once")

  /// libarchive's number for the decoder of what begins so; nil where there is none, and for xz.
  private static func filter(_ beginning: UnsafeRawBufferPointer) -> Int32? {
    if beginning.starts(with: [0x1F, 0x8B, 8]) { return ARCHIVE_FILTER_GZIP }
    // Text and tars may begin with the three letters: the first block's mark follows them, or the end's.
    if beginning.starts(with: "BZh".utf8), beginning.count >= 10,
      [[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]]
        .contains(where: beginning[4..<10].elementsEqual)
    {
      return ARCHIVE_FILTER_BZIP2
    }
    // A frame, or one that holds nothing and may come before.
    let isZstd =
      beginning.starts(with: [0x28, 0xB5, 0x2F, 0xFD])
      || beginning.dropFirst().starts(with: [0x2A, 0x4D, 0x18])
        && (0x50...0x5F).contains(beginning[0])
    return isZstd ? ARCHIVE_FILTER_ZSTD : nil
  }

  /// Bytes taken from the file.
  var storedBytes: Int64 { file.bytes }

  func next() -> UnsafeRawBufferPointer? {
    guard fault == nil else { return nil }
    guard !ended else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    if !opened {
      opened = true
      var entry: OpaquePointer?
      guard open() else { return fail() }
      let status = archive_read_next_header(handle.archive, &entry)
      if status == ARCHIVE_EOF {
        guard isWholeAndEmpty else { return fail() }
        fault = Fault(fault: .emptyFile, reason: "it holds no bytes")
        return nil
      }
      guard status == ARCHIVE_OK else { return fail() }
    }
    let (status, block, _) = handle.nextBlock()
    if status == ARCHIVE_EOF {
      ended = true
      if contradictsChecksum {
        fault = Fault(fault: .corrupt, reason: "its compressed data is damaged (gzip's checksum)")
        return nil
      }
      guard file.failure == nil, !input.isSilent else { return fail() }
      guard isReadToItsEnd else {
        fault = Fault(
          fault: .corrupt,
          reason: "something else follows its compressed data, or a damaged part of that")
        return nil
      }
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    guard status == ARCHIVE_OK else { return fail() }
    input.decoderGave(block.count)
    if bytes == 0, filter != nil || unpacked.isPacked,
      Self.filter(block) != nil || block.starts(with: XZStream.magic)
    {
      fault = Self.packedTwice
      return nil
    }
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

  /// Whether nothing but zeros lies behind what was unpacked. libarchive takes whatever isn't the header of one more gzip or
  /// bzip2 for the end.
  private var isReadToItsEnd: Bool {
    guard filter == ARCHIVE_FILTER_GZIP || filter == ARCHIVE_FILTER_BZIP2 else { return true }
    let end = archive_filter_bytes(handle.archive, -1)
    return file.ended && end == file.bytes || file.isZero(from: end)
  }

  /// Whether there is nothing, where nothing came. libarchive says so too where a gzip or bzip2 ends, or is nonsense, before
  /// its data begins; of nothing, their last bytes are always the same.
  private var isWholeAndEmpty: Bool {
    switch filter {
    case ARCHIVE_FILTER_GZIP?:
      return !input.isSilent && file.bytes >= 18 && file.tail.allSatisfy { $0 == 0 }
    case ARCHIVE_FILTER_BZIP2?: return file.tail == [0x45, 0x38, 0x50, 0x90, 0, 0, 0, 0]
    default: return true
    }
  }

  /// Whether the gzip trailer has the size of all that was delivered, and another checksum. A trailer
  /// of another size is that of the last of several gzip members, and says nothing about the whole.
  private var contradictsChecksum: Bool {
    // Where the compressed data ended; zeros may follow it.
    let end = archive_filter_bytes(handle.archive, -1)
    guard let checksum, let trailer = file.bytes(before: end) else { return false }
    let word = trailer.withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
    }
    return UInt32(word >> 32) == UInt32(truncatingIfNeeded: bytes)
      && UInt32(truncatingIfNeeded: word) != checksum.value
  }

  private func fail() -> UnsafeRawBufferPointer? {
    ended = true
    if fault != nil { return nil }
    if let failure = file.failure {
      fault = Fault(fault: .cannotRead, reason: failure)
    } else if let damage = unpacked.fault {
      fault = damage
    } else if input.isSilent {
      fault = Fault(fault: .corrupt, reason: "nothing comes of megabytes of its compressed data")
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
