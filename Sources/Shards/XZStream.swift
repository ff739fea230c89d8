import CLZMA

/// A stored file with xz taken off, where it begins as one; else as it is.
///
/// libarchive sets xz no limit: a few bytes may ask for a window of four gigabytes.
final class XZStream: BlockSource {
  /// What `xz -9` takes to unpack is 65 MiB.
  static let memoryLimit: UInt64 = 160 << 20
  static let magic: [UInt8] = [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]

  private let file: StoredFile
  private var state = State.new
  private var decoder = lzma_stream()
  private let block = UnsafeMutableRawBufferPointer.allocate(
    byteCount: 1 << 17, alignment: blockAlignment)
  /// What is wrong with the compressed data.
  private(set) var fault: DecompressedFile.Fault?

  /// Whether xz was taken off.
  var isPacked: Bool { decoder.internal != nil }

  private enum State { case new, plain, packed, ended }

  init(_ file: StoredFile) { self.file = file }

  deinit {
    lzma_end(&decoder)
    block.deallocate()
  }

  func next() -> UnsafeRawBufferPointer? {
    switch state {
    case .new:
      guard let bytes = file.next() else { return nil }
      guard bytes.starts(with: Self.magic) else {
        state = .plain
        return bytes
      }
      // Streams and their padding may follow each other.
      guard lzma_stream_decoder(&decoder, Self.memoryLimit, lzma_concatenated) == LZMA_OK
      else { return fail(.cannotOpen, "out of memory") }
      state = .packed
      feed(bytes)
      return unpacked()
    case .plain: return file.next()
    case .packed: return unpacked()
    case .ended: return fault == nil ? UnsafeRawBufferPointer(start: nil, count: 0) : nil
    }
  }

  private func feed(_ bytes: UnsafeRawBufferPointer) {
    decoder.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    decoder.avail_in = bytes.count
  }

  private func unpacked() -> UnsafeRawBufferPointer? {
    decoder.next_out = block.baseAddress?.assumingMemoryBound(to: UInt8.self)
    decoder.avail_out = block.count
    while decoder.avail_out > 0 {
      if decoder.avail_in == 0, !file.ended {
        guard let bytes = file.next() else { return nil }
        feed(bytes)
      }
      let code = lzma_code(&decoder, file.ended ? LZMA_FINISH : LZMA_RUN)
      if code == LZMA_OK { continue }
      switch code {
      case LZMA_STREAM_END: state = .ended
      case LZMA_BUF_ERROR: note(.truncated, "its compressed data ends early")
      case LZMA_MEMLIMIT_ERROR:
        note(.corrupt, "its xz takes more than \(Self.memoryLimit >> 20) MiB to unpack")
      case LZMA_MEM_ERROR: note(.cannotRead, "the system refuses memory to unpack its xz")
      default: note(.corrupt, "its compressed data is damaged (xz)")
      }
      break
    }
    let count = block.count - decoder.avail_out
    // What came before the damage is given first.
    guard count > 0 || fault == nil else { return nil }
    return UnsafeRawBufferPointer(rebasing: block[..<count])
  }

  private func note(_ fault: ShardFault, _ reason: String) {
    state = .ended
    self.fault = DecompressedFile.Fault(fault: fault, reason: reason)
  }

  private func fail(_ fault: ShardFault, _ reason: String) -> UnsafeRawBufferPointer? {
    note(fault, reason)
    return nil
  }
}
