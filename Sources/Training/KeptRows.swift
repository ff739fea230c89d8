import CGlibc
import Foundation
import Layers

/// Rows of equal size, one for each of so many pairs, that take long to compute. They lie in a file, which keeps them while
/// they are computed too: whoever was stopped, or killed, goes on with the rest. They are read and not mapped, so that none
/// of it counts to this process's memory.
///
///     let rows = try KeptRows.computed(
///       2, bytes: 4, keptAt: "rows.bin", unit: 1, workers: 2, isCancelled: { false }, state: ()
///     ) { _, range, target in target.storeBytes(of: Float(range.lowerBound), as: Float.self) }
///     try rows.all(as: Float.self)  // [0, 1]
public final class KeptRows: Sendable {
  /// How often it is kept how far it is. Not longer: a stop waits for what is written since to reach the disk.
  public static let keptEvery = Duration.seconds(5)

  private let path: String
  private let count: Int
  /// Of a row.
  private let bytes: Int
  private let file: FileHandle
  /// Of the same file: the system tells an error of the disk once to each, so that none that a worker heard of is missed
  /// where it is noted what is there.
  private let noting: FileHandle

  private init(_ path: String, _ count: Int, _ bytes: Int, _ flags: Int32) throws(TrainingError) {
    (self.path, self.count, self.bytes) = (path, count, bytes)
    file = try Self.handle(path, flags)
    noting = try Self.handle(path, flags)
  }

  private static func handle(
    _ path: String, _ flags: Int32
  ) throws(TrainingError) -> FileHandle {
    let descriptor = open(path, flags | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .file(path: path, code: errno) }
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// Computes the rows that no earlier process has.
  ///
  /// - Parameters:
  ///   - count: of the rows.
  ///   - bytes: of a row.
  ///   - path: of the file, which appears once it is whole and is then taken as it is; until then it is `PATH.unfinished`.
  ///     Nil for one that goes with the process.
  ///   - unit: rows that are computed together.
  ///   - interval: from one time that it is kept how far it is to the next.
  ///   - workers: threads; the rows don't depend on them.
  ///   - state: of one worker.
  ///   - body: writes a unit's rows.
  /// - Throws: `TrainingError.file`, `.cancelled`; `.badCheckpoint` where the file isn't of so many rows; what `body` throws.
  public static func computed<State>(
    _ count: Int, bytes: Int, keptAt path: String?, unit: Int,
    every interval: Duration = keptEvery, workers: Int,
    isCancelled: @escaping @Sendable () -> Bool,
    state: @autoclosure @escaping @Sendable () throws -> State,
    _ body:
      @escaping @Sendable (inout State, Range<Int>, UnsafeMutableRawBufferPointer) throws ->
      Void
  ) throws -> KeptRows {
    if let path, FileManager.default.fileExists(atPath: path) {
      return try KeptRows(whole: path, count, bytes)
    }
    let whole = path ?? "\(NSTemporaryDirectory())winnow-rows-\(UUID().uuidString)"
    let rows = try KeptRows("\(whole).unfinished", count, bytes, O_RDWR | O_CREAT)
    if path == nil { unlink(rows.path) }
    let first = try rows.begin() / unit
    let progress = RowProgress(first)
    @Sendable func keep() throws {
      try progress.keep { try rows.keep(min($0 * unit, count)..<min($1 * unit, count)) }
    }
    do {
      _ = try parallelMap(
        (count + unit - 1) / unit - first, workers: workers, state: (own: try state(), sent: 0..<0)
      ) { state, number in
        if isCancelled() { throw TrainingError.cancelled }
        let number = first + number
        let range = (number * unit)..<min((number + 1) * unit, count)
        try progress.trying {
          try rows.write(range) { try body(&state.own, range, $0) }
          try rows.send(range, waitingFor: state.sent)
          state.sent = range
          if progress.finish(number, every: interval) { try keep() }
        }
      }
    } catch {
      if isCancelled() { try? keep() }
      throw error
    }
    try keep()
    return path == nil ? rows : try rows.publish(as: whole)
  }

  /// Removes what was kept, whole or not.
  static func remove(_ path: String) {
    unlink(path)
    unlink("\(path).unfinished")
  }

  // MARK: Reading

  /// - Throws: `TrainingError.file`.
  public func all<T: BitwiseCopyable>(as type: T.Type) throws(TrainingError) -> [T] {
    var result = [UInt8](repeating: 0, count: end)
    var failure: TrainingError?
    result.withUnsafeMutableBytes { bytes in
      do throws(TrainingError) { try read(bytes, at: 0) } catch { failure = error }
    }
    if let failure { throw failure }
    return result.withUnsafeBytes { Array($0.bindMemory(to: type)) }
  }

  /// Reads a part of a row.
  ///
  /// - Parameter offset: in bytes, from the row's beginning.
  /// - Throws: `TrainingError.file`.
  func read(
    _ row: Int, at offset: Int, into target: UnsafeMutableRawBufferPointer
  ) throws(TrainingError) {
    try read(target, at: row * bytes + offset)
  }

  private func read(
    _ target: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(TrainingError) {
    try transfer(target.count, at: offset) { done, place in
      pread(
        file.fileDescriptor, target.baseAddress.map { $0 + done }, target.count - done, place)
    }
  }

  /// - Parameter body: moves what is left, given what is done and the place in the file; returns how much, as read(2).
  private func transfer(
    _ count: Int, at offset: Int, _ body: (Int, off_t) -> Int
  ) throws(TrainingError) {
    var done = 0
    while done < count {
      let moved = body(done, off_t(offset + done))
      if moved < 0, errno == EINTR { continue }
      guard moved > 0 else { throw .file(path: path, code: moved < 0 ? errno : EIO) }
      done += moved
    }
  }

  // MARK: Computing

  /// Bytes of all rows.
  private var end: Int { count * bytes }
  /// Where it stands how many rows there are: the last eight bytes, which are of one sector.
  private var mark: Int { (end + 7) / 8 * 8 }

  private convenience init(whole path: String, _ count: Int, _ bytes: Int) throws(TrainingError) {
    try self.init(path, count, bytes, O_RDONLY)
    guard try noted() == count else {
      throw .badCheckpoint(path: path, detail: "it isn't of \(count) pairs")
    }
  }

  /// How many rows it says there are; nil where it is a file of other rows.
  private func noted() throws(TrainingError) -> Int? {
    guard try size() == mark + 8 else { return nil }
    var noted = Int64(0)
    let place = mark
    try withUnsafeMutableBytes(of: &noted) { (bytes) throws(TrainingError) in
      try read(bytes, at: place)
    }
    return (0...Int64(count)).contains(noted) ? Int(noted) : nil
  }

  private func size() throws(TrainingError) -> Int {
    var info = stat()
    try check(fstat(file.fileDescriptor, &info) == 0 ? 0 : errno)
    return Int(info.st_size)
  }

  private func check(_ code: Int32) throws(TrainingError) {
    guard code == 0 else { throw .file(path: path, code: code) }
  }

  /// - Returns: how many rows there are.
  private func begin() throws(TrainingError) -> Int {
    if let done = try noted() { return done }
    try check(ftruncate(file.fileDescriptor, 0) == 0 ? 0 : errno)
    // Taken from the disk now: a full disk is known before an hour of training.
    let code = posix_fallocate(file.fileDescriptor, 0, off_t(mark + 8))
    // What there was of room was given.
    if code != 0 { unlink(path) }
    try check(code)
    try syncFolder()
    return 0
  }

  /// Without its name on the disk the file would be gone after a power failure.
  private func syncFolder() throws(TrainingError) {
    let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_CLOEXEC)
    defer { close(folder) }
    try check(folder < 0 ? errno : sync_file(folder))
  }

  private func write(
    _ range: Range<Int>, _ body: (UnsafeMutableRawBufferPointer) throws -> Void
  ) throws {
    let rows = UnsafeMutableRawBufferPointer.allocate(
      byteCount: range.count * bytes, alignment: MemoryLayout<UInt64>.alignment)
    defer { rows.deallocate() }
    try body(rows)
    try write(rows, at: range.lowerBound * bytes)
  }

  private func write(
    _ source: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(TrainingError) {
    try transfer(source.count, at: offset) { done, place in
      pwrite(
        file.fileDescriptor, source.baseAddress.map { $0 + done }, source.count - done, place)
    }
  }

  /// Sends rows on their way to the disk, and waits for those that were sent before: nothing that waits for the disk (a
  /// sync, a removal), which not even a kill would end, then waits for much. Of small rows there never is much.
  private func send(
    _ rows: Range<Int>, waitingFor earlier: Range<Int>
  ) throws(TrainingError) {
    guard rows.count * bytes >= 1 << 16 else { return }
    try check(
      start_writeback(file.fileDescriptor, rows.lowerBound * bytes, rows.count * bytes))
    try check(
      finish_writeback(file.fileDescriptor, earlier.lowerBound * bytes, earlier.count * bytes))
  }

  /// Notes that all rows up to the end of `rows` are there, once they are on the disk.
  private func keep(_ rows: Range<Int>) throws(TrainingError) {
    // Read back without having been written, they would be zeros.
    try check(
      finish_writeback(noting.fileDescriptor, rows.lowerBound * bytes, rows.count * bytes))
    try check(fdatasync(noting.fileDescriptor) == 0 ? 0 : errno)
    var done = Int64(rows.upperBound)
    let place = mark
    try withUnsafeMutableBytes(of: &done) { (bytes) throws(TrainingError) in
      try write(bytes, at: place)
    }
  }

  private func publish(as whole: String) throws(TrainingError) -> KeptRows {
    // What is noted of it, too.
    try check(fdatasync(noting.fileDescriptor) == 0 ? 0 : errno)
    try check(rename(path, whole) == 0 ? 0 : errno)
    let rows = try KeptRows(whole: whole, count, bytes)
    try rows.syncFolder()
    return rows
  }
}
