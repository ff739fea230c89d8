import CXXHash
import Foundation

/// XXH3-128, in hex.
enum Digest {
  static func of(_ bytes: some DataProtocol) -> String {
    let contiguous = Array(bytes)
    return hex(contiguous.withUnsafeBytes { XXH3_128bits($0.baseAddress, $0.count) })
  }

  /// Streams the file through the hash.
  static func ofFile(_ path: String, cancellation: Cancellation) throws(RunError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(path: path, operation: "open", code: errno) }
    defer { close(descriptor) }
    let digest = DigestStream()
    // Aligned as malloc does it: see `blockAlignment` in Shards.
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    defer { block.deallocate() }
    while true {
      try cancellation.check()
      let count = read(descriptor, block.baseAddress, block.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw .file(path: path, operation: "read", code: errno)
      }
      if count == 0 { break }
      digest.add(UnsafeRawBufferPointer(rebasing: block[..<count]))
    }
    return digest.hex
  }

  fileprivate static func hex(_ hash: XXH128_hash_t) -> String {
    hex(high: hash.high64, low: hash.low64)
  }

  static func hex(high: UInt64, low: UInt64) -> String {
    [high, low].map { half in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}

/// The digest of bytes that come one after the other.
final class DigestStream: @unchecked Sendable {
  // Unchecked: a shard's bytes come from its own thread, and the digest is asked for when that has ended.
  private let state = XXH3_createState()

  init() { XXH3_128bits_reset(state) }

  deinit { XXH3_freeState(state) }

  func add(_ bytes: UnsafeRawBufferPointer) {
    XXH3_128bits_update(state, bytes.baseAddress, bytes.count)
  }

  /// Of all bytes so far.
  var hex: String { Digest.hex(XXH3_128bits_digest(state)) }
}
