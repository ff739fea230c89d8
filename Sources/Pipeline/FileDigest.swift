import CXXHash
import Encoders
import Foundation

/// What tells a file from another without opening it.
struct FileIdentity: Sendable, Equatable, Codable {
  var size: Int64
  /// Nanoseconds since 1970.
  var modified: Int64
  var inode: UInt64

  init(of path: String) throws(RunError) {
    var info = stat()
    guard stat(path, &info) == 0 else {
      throw .file(path: path, operation: "look at", code: errno)
    }
    guard info.st_mode & S_IFMT == S_IFREG else {
      throw .file(path: path, operation: "read from a device, pipe or folder", code: ENOTSUP)
    }
    size = Int64(info.st_size)
    modified = Int64(info.st_mtim.tv_sec) * 1_000_000_000 + Int64(info.st_mtim.tv_nsec)
    inode = UInt64(info.st_ino)
  }

  /// Whether something is there that is no regular file.
  static func isSpecial(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT != S_IFREG
  }
}

extension Digest {
  /// Of everything that a training goes on from: a checkpoint of another key isn't gone on with.
  ///
  /// - Parameters:
  ///   - sections: the settings that decide what is learnt.
  ///   - inputs: digests of the shards, and of the texts where there are any.
  ///   - members: those trained; what lies in the files of their vocabularies counts too.
  static func ofTraining(
    _ sections: [Settings.Section], inputs: [String], members: [MemberConfiguration],
    in run: RunContext
  ) throws -> String {
    let settings = try Settings.digest(run.configuration, sections: sections)
    let text = "\(settings)\n" + inputs.joined(separator: "\n\n")
    let vocabularies = try members.flatMap(\.text.vocabularyFiles).map {
      "\n" + (try ofFile($0, cancellation: run.cancellation))
    }
    return of(Array((text + vocabularies.joined()).utf8))
  }
}

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
    let state = XXH3_createState()
    defer { XXH3_freeState(state) }
    XXH3_128bits_reset(state)
    // Aligned as malloc does it: see `blockAlignment` in Shards.
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { block.deallocate() }
    while true {
      try cancellation.check()
      let count = read(descriptor, block.baseAddress, block.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw .file(path: path, operation: "read", code: errno)
      }
      if count == 0 { break }
      XXH3_128bits_update(state, block.baseAddress, count)
    }
    return hex(XXH3_128bits_digest(state))
  }

  private static func hex(_ hash: XXH128_hash_t) -> String {
    [hash.high64, hash.low64].map { half in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
