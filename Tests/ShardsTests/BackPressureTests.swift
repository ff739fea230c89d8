import Foundation
import Synchronization
import Testing

@testable import Shards

/// What can't be written yet doesn't pile up in memory.
@Suite struct BackPressureTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test func aSlowDiskHoldsUpWhoeverWritesToIt() async throws {
    let pipe = scratch.file("a.tar")
    #expect(mkfifo(pipe, 0o600) == 0)
    let reader = open(pipe, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    let block = [UInt8](repeating: 7, count: 1 << 20)
    let appended = Mutex(0)
    let writing = Task.detached {
      let writer = try ShardWriter(path: pipe, compression: .none)
      for i in 0..<64 {
        try writer.append(Member(name: Array("\(i).bin".utf8), bytes: block))
        appended.withLock { $0 += 1 }
      }
      try writer.finish()
    }
    // Nobody reads, so the writer comes to a halt: after what libarchive, the queue and the pipe hold.
    var (before, now) = (-1, 0)
    while now != before || now == 0 {
      try await Task.sleep(for: .milliseconds(400))
      (before, now) = (now, appended.withLock { $0 })
    }
    #expect(now <= 5, "\(now) of 64 MiB were taken")

    var (size, buffer) = (0, [UInt8](repeating: 0, count: 1 << 16))
    while true {
      let count = read(reader, &buffer, buffer.count)
      if count == 0, size > 0 { break }
      if count > 0 { size += count } else { try await Task.sleep(for: .milliseconds(1)) }
    }
    try await writing.value
    #expect(size > 64 << 20)
    #expect(size % 10_240 == 0)
  }

  @Test func aWriterThatIsDroppedClosesItsFile() throws {
    let path = scratch.file("a.tar.zst")
    let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    for _ in 0..<200 {
      let writer = try ShardWriter(path: path)
      try writer.append(Member(name: [0x61], bytes: [UInt8](repeating: 1, count: 3 << 20)))
    }
    let after = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    // Other tests open files meanwhile.
    #expect(after < before + 100)
  }

  /// A stack that no address space has room for is refused as a thread above `ulimit -u` is.
  @Test(arguments: [ShardCompression.none, .zstd(level: 3)])
  func aThreadThatIsRefusedIsAnErrorThatNamesTheLimit(compression: ShardCompression) throws {
    let path = scratch.file("a.tar")
    let error = try #require(throws: ShardError.self) {
      _ = try ShardFile(path: path, compression: compression, stackBytes: 1 << 60)
    }
    #expect(
      error
        == .cannotCreate(
          path: path,
          reason: "the system refuses a thread (Resource temporarily unavailable): "
            + "raise `ulimit -u` or the service's TasksMax"))
  }

  @Test(arguments: [ShardCompression.none, .zstd(level: 1)])
  func anErrorOfTheDiskComesBackBeforeEverythingIsHandedOver(compression: ShardCompression) throws {
    let writer = try ShardWriter(path: "/dev/full", compression: compression)
    var random = SystemRandomNumberGenerator()
    // Nothing that zstd makes small.
    let block = (0..<(1 << 17)).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
    var appended = 0
    let error = try #require(throws: ShardError.self) {
      for i in 0..<64 {
        try writer.append(Member(name: Array("\(i).bin".utf8), bytes: block))
        appended += 1
      }
    }
    #expect(error == .cannotWrite(path: "/dev/full", reason: "No space left on device"))
    #expect(appended < 8)
    // It stays the reason.
    #expect(throws: error) { try writer.append(Member(name: [0x61], bytes: [])) }
    #expect(throws: error) { try writer.finish() }
    #expect(throws: error) { try writer.sync() }
  }

  @Test func aSyncedShardIsClosedAndStaysWhole() throws {
    let path = scratch.file("a.tar.zst")
    let writer = try ShardWriter(path: path)
    try writer.append(Member(name: [0x61], bytes: [1, 2, 3]))
    try writer.finish()
    let whole = try scratch.read("a.tar.zst")
    for _ in 0..<2 { try writer.sync() }
    #expect(throws: ShardError.alreadyFinished(path: path)) { try writer.finish() }
    #expect(try scratch.read("a.tar.zst") == whole && !whole.isEmpty)
  }
}
