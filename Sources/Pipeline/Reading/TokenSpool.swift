import Foundation
import Training

/// Tokenized texts in two files under `.winnow`, memory-mapped once they are complete: however much text there is, it
/// takes disk and no memory. Filled by one thread; then `seal` once, then read by any.
final class TokenSpool: TokenizedTexts, @unchecked Sendable {
  // Unchecked: nothing changes once it is sealed.

  private let directory: String
  private let tokens: SpoolFile
  private let ends: SpoolFile
  /// How many tokens it holds.
  private(set) var tokenCount = 0
  private(set) var count = 0

  /// - Parameter directory: a folder of the spool's own; it disappears with the spool.
  init(directory: String) throws(RunError) {
    self.directory = directory
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
    } catch {
      throw .file(path: directory, operation: "make", code: systemCode(of: error))
    }
    tokens = try SpoolFile("\(directory)/tokens.bin")
    ends = try SpoolFile("\(directory)/ends.bin")
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  /// Adds texts; those without tokens are left out.
  func append(_ texts: [[Int32]]) throws(RunError) {
    let texts = texts.filter { !$0.isEmpty }
    var places: [Int64] = []
    for text in texts {
      tokenCount += text.count
      places.append(Int64(tokenCount))
    }
    count += texts.count
    try tokens.append(texts.flatMap { $0 })
    try ends.append(places)
  }

  func seal() throws(RunError) {
    try tokens.map()
    try ends.map()
  }

  func tokens(_ index: Int) -> [Int32] {
    let start = index == 0 ? 0 : ends[index - 1, as: Int64.self]
    return (start..<ends[index, as: Int64.self]).map { tokens[Int($0), as: Int32.self] }
  }
}

/// A file of numbers that is written once from its beginning to its end, and then mapped.
private final class SpoolFile {
  private let path: String
  private let descriptor: Int32
  private var waiting: [UInt8] = []
  private var bytes = 0
  private var mapping: UnsafeMutableRawBufferPointer?

  init(_ path: String) throws(RunError) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .file(path: path, operation: "make", code: errno) }
  }

  // Runs after a failed `init` too, once the descriptor is set.
  deinit {
    if let mapping { munmap(mapping.baseAddress, mapping.count) }
    if descriptor >= 0 { close(descriptor) }
  }

  func append<T: BitwiseCopyable>(_ values: [T]) throws(RunError) {
    values.withUnsafeBytes { waiting += $0 }
    if waiting.count >= 1 << 20 { try flush() }
  }

  private func flush() throws(RunError) {
    var rest = waiting[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .file(path: path, operation: "write", code: errno) }
      rest = rest.dropFirst(count)
    }
    bytes += waiting.count
    waiting.removeAll(keepingCapacity: true)
  }

  func map() throws(RunError) {
    try flush()
    guard bytes > 0 else { return }
    guard let start = mmap(nil, bytes, PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED
    else { throw .file(path: path, operation: "map", code: errno) }
    mapping = UnsafeMutableRawBufferPointer(start: start, count: bytes)
  }

  subscript<T: BitwiseCopyable>(_ index: Int, as type: T.Type) -> T {
    guard let mapping else { preconditionFailure("\(path) isn't sealed") }
    return mapping.load(fromByteOffset: index * MemoryLayout<T>.stride, as: type)
  }
}
