import Foundation

/// Of blocks that come and go with every shard: what malloc gives anyway. glibc 2.36 cuts a block of a stricter alignment
/// from a larger one, and takes the freed block for too small when the next is asked for; with a few bytes that stay
/// behind each, memory grows by a block a shard.
let blockAlignment = 16

/// A shard's file as it is stored: owns the descriptor and the block it reads into.
///
/// Read rather than mapped, since a mapped file that shrinks kills the process with SIGBUS.
final class StoredFile {
  private let descriptor: Int32
  /// Small enough that what was read is still in a core's cache when it is copied to where it belongs.
  private let block = UnsafeMutableRawBufferPointer.allocate(
    byteCount: 1 << 17, alignment: blockAlignment)
  private(set) var bytes: Int64 = 0
  /// The last bytes read, at most 8: a gzip file's checksum and size.
  private(set) var tail: [UInt8] = []
  /// The system said that there is nothing more.
  private(set) var ended = false
  /// The system's text, once a read failed.
  private(set) var failure: String?

  /// - Throws: the system's text for why the file cannot be opened.
  init(path: String) throws(OpenFailure) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
      throw OpenFailure(reason: systemText(errno))
    }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw OpenFailure(reason: systemText(EISDIR)) }
  }

  struct OpenFailure: Error { var reason: String }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    block.deallocate()
  }

  /// The next bytes, valid until the next call; empty at the end; nil after a failure.
  func next() -> UnsafeRawBufferPointer? {
    while true {
      let count = read(descriptor, block.baseAddress, block.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        failure = systemText(errno)
        return nil
      }
      self.bytes += Int64(count)
      ended = count == 0
      let bytes = UnsafeRawBufferPointer(rebasing: block[..<count])
      tail = (tail + bytes.suffix(8)).suffix(8)
      return bytes
    }
  }

  /// The eight bytes before `end`: of a gzip, its checksum and size. What ``next()`` gave stays valid.
  func bytes(before end: Int64) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 8)
    while end >= 8 {
      let count = pread(descriptor, &bytes, bytes.count, off_t(end - 8))
      if count < 0, errno == EINTR { continue }
      return count == bytes.count ? bytes : nil
    }
    return nil
  }

  /// Whether nothing but zeros lies from byte `start` on. What ``next()`` gave isn't valid any more.
  func isZero(from start: Int64) -> Bool {
    var place = start
    while true {
      let count = pread(descriptor, block.baseAddress, block.count, off_t(place))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count == 0 }
      guard zerosAtEnd(of: UnsafeRawBufferPointer(rebasing: block[..<count])) == count else {
        return false
      }
      place += Int64(count)
    }
  }
}
