import Encoders
import Foundation
import Images
import Shards
import TensorFiles
import Testing

@testable import Pipeline

@Suite struct StateTests {
  private func run(_ folder: TemporaryFolder, seed: UInt64 = 0) throws -> RunContext {
    var configuration = RunConfiguration()
    configuration.seed = seed
    let context = try RunContext(
      configuration: configuration, directory: RunDirectory(folder.path("out")))
    try context.directory.prepare()
    return context
  }

  @Test func whatFailsWhileItIsWrittenNeverAppears() throws {
    struct Failure: Error {}
    let folder = try TemporaryFolder()
    let run = try run(folder)
    let path = folder.path("out/x.json")
    #expect(throws: Failure.self) {
      try run.publishing.publish(path) { draft in
        try Data("half".utf8).write(to: URL(fileURLWithPath: draft))
        throw Failure()
      }
    }
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(try FileManager.default.contentsOfDirectory(atPath: run.directory.temporary) == [])
  }

  @Test func aLockIsHeldUntilItsOwnerGoes() throws {
    let folder = try TemporaryFolder()
    let directory = RunDirectory(folder.path("out"))
    var lock: RunLock? = try RunLock(directory)
    #expect(throws: RunError.lockHeld(directory: directory.path, pid: "\(getpid())")) {
      try RunLock(directory)
    }
    withExtendedLifetime(lock) {}
    lock = nil
    #expect(throws: Never.self) { try RunLock(directory) }
  }

  @Test func otherSettingsAreRefusedAndNamed() throws {
    let folder = try TemporaryFolder()
    try Settings.pin([.judges], in: try run(folder))
    try Settings.pin([.judges, .noise], in: try run(folder))
    #expect {
      try Settings.pin([.judges], in: try run(folder, seed: 3))
    } throws: {
      "\($0)".hasSuffix("\n  seed: 0 (now 3)")
    }
  }

  @Test func aShardChangedAfterItWasPinnedIsNamed() throws {
    let folder = try TemporaryFolder()
    try folder.write("a.tar", "one")
    let shards = ShardSelection(shards: [ShardPath(path: folder.path("a.tar"))])
    let pinned = try Increment.pin(shards, in: try run(folder))
    #expect(try Increment.pin(shards, in: try run(folder)) == pinned)
    try folder.write("a.tar", "other")
    #expect(throws: RunError.self) { try pinned.shards[0].checkUnchanged() }
    #expect {
      try Increment.pin(shards, in: try run(folder))
    } throws: {
      "\($0)".contains("a.tar changed")
    }
  }

  @Test func aShardWrittenToIsNamedThoughItsSizeIsTheSame() throws {
    let folder = try TemporaryFolder()
    try folder.write("a.tar", "one")
    let shards = ShardSelection(shards: [ShardPath(path: folder.path("a.tar"))])
    let pinned = try Increment.pin(shards, in: try run(folder))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: folder.path("a.tar"))
    #expect {
      try pinned.shards[0].checkUnchanged()
    } throws: {
      "\($0)".contains("its size is the same")
    }
  }

  @Test func aShardThatCanBeOpenedByNowIsPinnedUnlessOthersAreOut() throws {
    let folder = try TemporaryFolder()
    let shards = ShardSelection(
      shards: ["a.tar", "b.tar"].map { ShardPath(path: folder.path($0)) })
    let run = try run(folder)
    // Of shards none of which can be opened, nothing is pinned.
    #expect(throws: RunError.self) { try Increment.pin(shards, in: run) }
    #expect(!FileManager.default.fileExists(atPath: run.directory.increment(0)))
    try folder.write("b.tar", "two")
    #expect(try Increment.pin(shards, in: run).shards[0].digest == "")
    try folder.write("out/.winnow/increments/000000.plan.json", "")
    try folder.write("a.tar", "one")
    #expect(try Increment.pin(shards, in: run).shards[0].digest == "")
    try FileManager.default.removeItem(atPath: run.directory.plan(0))
    #expect(try Increment.pin(shards, in: run).shards[0].digest != "")
  }

  @Test func theSecondsOfEarlierProcessesAreAdded() throws {
    let folder = try TemporaryFolder()
    let first = try run(folder)
    first.timings.record(.train, 2, in: first)
    first.timings.record(.score, 1, in: first)
    let second = try run(folder)
    second.timings.resume(in: second.directory)
    second.timings.record(.score, 3, in: second)
    let summary = second.timings.summary(workers: 1)
    #expect(summary.seconds == ["train": 2, "score": 4])
    #expect(summary.total == 6)
  }

  @Test func anErrorNamesTheFileAndNotItsDraft() throws {
    struct Failure: Error, CustomStringConvertible { var description: String }
    let folder = try TemporaryFolder()
    let run = try run(folder)
    let path = folder.path("out/000000.tar.zst")
    #expect(throws: RunError.publishing("\(path): no room")) {
      try run.publishing.publish(path) { throw Failure(description: "\($0): no room") }
    }
  }

  @Test func theEnvironmentNamesVersionsAndTheVectorPath() {
    for name in [
      "winnow", "libzstd", "libwebp", "libspng", "vector-path", "openblas-core",
    ] {
      #expect(Environment.described[name]?.isEmpty == false, "\(name)")
    }
  }

  @Test func theSameBytesCopiedBackAreTheSameShard() throws {
    let folder = try TemporaryFolder()
    try folder.write("a.tar", "one")
    let shards = ShardSelection(shards: [ShardPath(path: folder.path("a.tar"))])
    let first = try Increment.pin(shards, in: try run(folder))
    try FileManager.default.removeItem(atPath: folder.path("a.tar"))
    try folder.write("a.tar", "one")
    let second = try Increment.pin(shards, in: try run(folder))
    #expect(first.shards.map(\.digest) == second.shards.map(\.digest))
  }

  @Test func anIncrementIsReadBackAsItWasWritten() throws {
    let folder = try TemporaryFolder()
    let identity = FileIdentity(size: 7, modified: -3, inode: .max)
    let digest = "00123456789abcdef0123456789abcde"
    let shards = [
      Increment.Shard(path: "/a/0.tar", name: "0", identity: identity, digest: digest),
      Increment.Shard(path: "/a/gone.tar", name: "gone", identity: nil, digest: ""),
      Increment.Shard(path: "/b/moved\n.tar.gz", name: "1", identity: identity, digest: digest),
      Increment.Shard(path: "pipe:cat '/a/2.tar'", name: "2", identity: nil, digest: digest),
      Increment.Shard(path: "/a/3.tar", name: "3", identity: nil, digest: "ABC"),
      Increment.Shard(
        path: "/a/4.tar", name: "4", identity: nil, digest: String(repeating: "0", count: 32)),
    ]
    var table = Increment.ShardTable(shards)
    #expect(Array(table) == shards)
    table[1] = shards[0]
    #expect(Array(table) == [shards[0]] + [shards[0]] + shards[2...])
    for increment in [
      Increment(index: 2, firstShard: 5, shards: table), Increment(shards: .init()),
    ] {
      let file = folder.path("increment.json")
      try increment.write(to: file, for: file)
      #expect(try Increment(at: file) == increment)
      // It is a JSON document like any other; and earlier versions wrote it as such.
      #expect(try StateJSON.decode(Increment.self, from: file) == increment)
      try StateJSON.encode(increment).write(to: URL(fileURLWithPath: file))
      #expect(try Increment(at: file) == increment)
    }
  }

  @Test func anIncrementThatWasCutShortIsDamaged() throws {
    let folder = try TemporaryFolder()
    let shard = Increment.Shard(path: "/a/0.tar", name: "0", identity: nil, digest: "")
    let whole = folder.path("whole.json")
    try Increment(shards: .init([shard, shard])).write(to: whole, for: whole)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: whole))
    for count in 0..<(bytes.count - 2) {
      let file = folder.path("cut.json")
      try bytes.prefix(count).write(to: URL(fileURLWithPath: file))
      #expect("cut to \(count) bytes") {
        try Increment(at: file)
      } throws: {
        if case RunError.damagedState = $0 { true } else { false }
      }
    }
  }

  @Test func anUnknownFormatVersionIsRefused() throws {
    let folder = try TemporaryFolder()
    try folder.write("a.json", "{\"format_version\": 99}")
    #expect(
      throws: RunError.otherFormat(file: folder.path("a.json"), found: 99, expected: 3)
    ) {
      try StateJSON.decode(Increment.self, from: folder.path("a.json"))
    }
    try folder.write("b.json", "{")
    #expect {
      try StateJSON.decode(Increment.self, from: folder.path("b.json"))
    } throws: {
      if case RunError.damagedState = $0 { true } else { false }
    }
  }

  @Test(arguments: [["format_version": Int64(99)], ["other": 3]])
  func aTableOfAnotherFormatVersionIsRefused(columns: [String: Int64]) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.npz")
    try NPZ.write(columns.map { ($0, .int64([$1], shape: [1])) }, to: path)
    for read in [
      { _ = try DecisionTable(path: path) }, { _ = try ScoreTable(path: path) },
      { _ = try ScoreNotes(path: path) },
    ] {
      #expect {
        try read()
      } throws: {
        switch $0 {
        case RunError.otherFormat(path, 99, StateJSON.formatVersion): columns["other"] == nil
        case RunError.damagedState(path, _): columns["other"] != nil
        default: false
        }
      }
    }
  }

  @Test func theLowestHashesAreSelectedWhateverTheOrder() {
    let hashes = (0..<1000).map { ContentHash(high: UInt64($0 * 7919 % 1000), low: 0, image: 0) }
    let (a, b) = (HashSelection(limit: 10), HashSelection(limit: 10))
    for hash in hashes + hashes { a.offer([hash]) }
    b.offer(hashes.reversed())
    #expect(a.selected == (0..<10).map { ContentHash(high: $0, low: 0, image: 0) })
    #expect(b.selected == a.selected)
  }

  @Test func thumbnailsAndCaptionsComeBackInHashOrderWithoutThoseThatFailed() throws {
    let folder = try TemporaryFolder()
    let hashes = (0..<3).map { ContentHash(high: UInt64($0), low: 0, image: 0) }
    let forms = [ThumbnailForm(side: 1), ThumbnailForm(side: 2, geometry: .crop)]
    let cache = try ThumbnailCache(hashes: hashes, forms: forms, directory: folder.root)
    try cache.store(2, thumbnails: [[7, 8, 9], Array(1...12)], caption: "zwei ü")
    try cache.store(0, thumbnails: [[1, 2, 3], Array(21...32)], caption: "null")
    try cache.store(0, thumbnails: [[1, 2, 3], Array(21...32)], caption: "null")
    #expect(cache.slot(of: ContentHash(high: 9, low: 0, image: 0)) == nil)
    cache.seal()
    #expect(cache.count == 2)
    #expect(cache.hash(1) == hashes[2])
    #expect(try (0..<2).map { try cache.caption($0) } == ["null", "zwei ü"])
    #expect(cache.withThumbnail(1, forms[0]) { Array($0) } == [7, 8, 9])
    #expect(cache.withThumbnail(0, forms[1]) { Array($0) } == Array(21...32))
  }

  // Nanoseconds since 1970 fit into 64 bits until 2262.
  private static let late = timespec(tv_sec: 10_413_792_000, tv_nsec: 1)
  private static let keepsLateTimes: Bool = {
    let path = NSTemporaryDirectory() + "winnow-late-\(UUID().uuidString)"
    defer { unlink(path) }
    var info = stat()
    return FileManager.default.createFile(atPath: path, contents: nil)
      && utimensat(AT_FDCWD, path, [late, late], 0) == 0 && stat(path, &info) == 0
      && info.st_mtim.tv_sec == late.tv_sec
  }()

  @Test(.enabled(if: keepsLateTimes, "the file system keeps no times beyond 2262"))
  func aFileMayBeOfAnyTime() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.tar")
    try Data("a".utf8).write(to: URL(fileURLWithPath: path))
    #expect(utimensat(AT_FDCWD, path, [Self.late, Self.late], 0) == 0)
    let identity = try FileIdentity(of: path)
    #expect(try FileIdentity(of: path) == identity)
    #expect(utimensat(AT_FDCWD, path, [timespec(), timespec()], 0) == 0)
    #expect(try FileIdentity(of: path) != identity)
  }

  @Test func decisionTablesComeBackAsTheyWereWritten() throws {
    let folder = try TemporaryFolder()
    var table = DecisionTable(kinds: 2)
    table.keys = [Array("a".utf8), [0xFF, 0x62]]
    table.scores = [1, 2, 3, 4]
    table.mismatch = [0.25, 0.75]
    table.cautiousMismatch = [0.375, 0.875]
    table.kept = [true, false]
    table.reasons = ["", "mismatch"]
    try table.write(to: folder.path("d.npz"))
    #expect(try DecisionTable(path: folder.path("d.npz")) == table)
  }

  @Test func anEmptyShardHasEmptyTables() throws {
    let folder = try TemporaryFolder()
    try ScoreTable(kinds: 2).write(to: folder.path("s.npz"))
    #expect(try ScoreTable(path: folder.path("s.npz")) == ScoreTable(kinds: 2))
  }
}
