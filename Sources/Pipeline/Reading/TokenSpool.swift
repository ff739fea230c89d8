import CGlibc
import Foundation
import Training

/// Tokenized texts in two files of a folder, memory-mapped once they are complete: however much text there is, it takes disk
/// and no memory. Filled by one thread; then `seal` once, then read by any. The files stay, and with `Kept` another spool
/// takes them up.
final class TokenSpool: TokenizedTexts, @unchecked Sendable {
  // Unchecked: nothing changes once it is sealed.

  /// What of the files counts.
  struct Kept: Codable, Equatable {
    var texts = 0
    var tokens = 0
  }

  private let tokens: SpoolFile
  private let ends: SpoolFile
  /// How much it holds.
  private(set) var kept: Kept
  var count: Int { kept.texts }

  /// - Parameters:
  ///   - directory: where its files lie.
  ///   - kept: of an earlier spool there, to go on with its files.
  /// - Throws: `RunError.file`; `.damagedState` where the files hold less, of `cut.json` beside them, which says so.
  init(directory: String, after kept: Kept = Kept()) throws(RunError) {
    self.kept = kept
    tokens = try SpoolFile("\(directory)/tokens.bin", after: kept.tokens, Int32.self)
    ends = try SpoolFile("\(directory)/ends.bin", after: kept.texts, Int64.self)
  }

  /// Adds texts; those without tokens are left out.
  func append(_ texts: [[Int32]]) throws(RunError) {
    let texts = texts.filter { !$0.isEmpty }
    var places: [Int64] = []
    for text in texts {
      kept.tokens += text.count
      places.append(Int64(kept.tokens))
    }
    kept.texts += texts.count
    try tokens.append(texts.flatMap { $0 })
    try ends.append(places)
  }

  /// Brings what there is to the disk.
  func flush() throws(RunError) {
    try tokens.sync()
    try ends.sync()
  }

  /// - Throws: `RunError.file`; `.damagedState` where the files hold something else.
  func seal() throws(RunError) {
    try tokens.map()
    try ends.map()
    var start: Int64 = 0
    for text in 0..<kept.texts {
      let end = ends[text, as: Int64.self]
      guard end > start, end <= kept.tokens else { throw ends.damaged }
      start = end
    }
    guard start == kept.tokens else { throw ends.damaged }
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
  private var bytes: Int
  /// Of those, on the disk.
  private var synced: Int
  private var mapping: UnsafeMutableRawBufferPointer?

  /// - Parameter count: of the values of the file that stay.
  init<T: BitwiseCopyable>(
    _ path: String, after count: Int, _ type: T.Type
  ) throws(RunError) {
    self.path = path
    // A count that no file has is one that this file hasn't.
    bytes = count.multipliedReportingOverflow(by: MemoryLayout<T>.stride).partialValue
    synced = bytes
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .file(path: path, operation: "make", code: errno) }
    let end = lseek(descriptor, 0, SEEK_END)
    guard (0...Int.max / 8).contains(count), end < 0 || end >= bytes else {
      throw damaged
    }
    // A pipe has no end.
    guard
      end < 0 || (ftruncate(descriptor, off_t(bytes)) == 0 && lseek(descriptor, 0, SEEK_END) >= 0)
    else { throw .file(path: path, operation: "cut", code: errno) }
  }

  var damaged: RunError {
    .damagedState(
      file: "\((path as NSString).deletingLastPathComponent)/cut.json",
      detail: "the files beside it aren't what it says")
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

  func sync() throws(RunError) {
    try flush()
    var code = finish_writeback(descriptor, synced, bytes - synced)
    if code == 0, fdatasync(descriptor) != 0 { code = errno }
    synced = bytes
    guard code == 0 else { throw .file(path: path, operation: "flush", code: code) }
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
