import Foundation
import Shards
import Testing

@testable import Pipeline

/// A shard that could be read when it was pinned, and can't be when it is read again; and the other way round.
@Suite struct PinnedShardTests {
  private func shard(_ path: String, digest: String = "00123456789abcdef0123456789abcde")
    -> Increment.Shard
  {
    Increment.Shard(path: path, name: "a", identity: nil, digest: digest)
  }

  private func run(_ folder: TemporaryFolder) throws -> RunContext {
    try RunContext(configuration: RunConfiguration(), directory: RunDirectory(folder.path("out")))
  }

  /// Four samples.
  private func write(_ path: String) throws {
    let writer = try ShardWriter(path: path, compression: .none)
    for i in 0..<4 {
      try writer.append(Member(name: Array("\(i).txt".utf8), bytes: Array("a cat".utf8)))
    }
    try writer.finish()
  }

  /// What is said where the shard's sample is looked for.
  private func message(_ shard: Increment.Shard, sample: Int) throws -> String {
    let folder = try TemporaryFolder()
    var cursor = ShardCursor(Increment(shards: .init([shard])), in: try run(folder))
    do {
      _ = try cursor.sample(at: Plan.Position(shard: 0, ordinal: sample))
      return "it is there"
    } catch {
      return "\(error)"
    }
  }

  @Test func anErrorOfTheDiskIsNoChangeOfTheShard() throws {
    // Opens, and fails to be read.
    let text = try message(shard("/proc/self/mem"), sample: 0)
    #expect(text.contains("could be read when it was pinned"), "\(text)")
    #expect(text.components(separatedBy: "/proc/self/mem").count == 2, "\(text)")
    #expect(!text.contains("--rebuild") && !text.contains("changed"), "\(text)")
  }

  @Test func aShardThatEndsBeforeItsSampleIsToldByWhatIsWrongWithIt() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.tar")
    try write(path)
    #expect(truncate(path, 2 * 1024 + 256) == 0)
    let text = try message(shard(path), sample: 3)
    #expect(text.contains("changed during the run"), "\(text)")
    #expect(text.contains("fetch the shard again"), "\(text)")
    #expect(text.components(separatedBy: path).count == 2, "\(text)")
  }

  @Test func onlyWhatCouldBeReadBeforeEndsTheRun() {
    let (known, unknown) = (shard("/a.tar"), shard("/a.tar", digest: ""))
    for fault in [ShardFault.cannotOpen, .cannotRead] {
      #expect(known.failure(fault, "/a.tar: no")?.description.contains("(no)") == true)
      #expect(unknown.failure(fault, "/a.tar: no") == nil)
    }
    #expect(known.failure(.truncated, "/a.tar: no") == nil)
    #expect(known.failure(nil, nil) == nil)
  }

  @Test func whatCouldNotBeReadThenHasNoPairsThoughItCanBeReadByNow() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.tar")
    try write(path)
    let reader = try PairReader(shard(path, digest: ""), in: try run(folder))
    #expect(reader.next().map(\.key) == nil)
    #expect(reader.fault == .cannotRead)
    #expect(
      reader.message
        == "\(path): it could not be read when the run began; the next run tries it again")
    #expect(reader.report == ShardReport())
    let text = try message(shard(path, digest: ""), sample: 0)
    #expect(text.contains("couldn't be read when it was pinned"), "\(text)")
    // With another fault of its bytes too, which the next run may find gone.
    #expect(truncate(path, 2 * 1024 + 256) == 0)
    #expect(try PairReader(shard(path, digest: ""), in: try run(folder)).fault == .cannotRead)
  }

  @Test(arguments: [
    ("/proc/self/mem", ShardFault.cannotRead), ("/none.tar", ShardFault.cannotOpen),
  ])
  func whatStillCannotBeReadIsToldByTheSystem(path: String, fault: ShardFault) throws {
    let folder = try TemporaryFolder()
    let reader = try PairReader(shard(path, digest: ""), in: try run(folder))
    #expect(reader.next().map(\.key) == nil)
    #expect(reader.fault == fault)
    #expect(reader.message?.hasPrefix("\(path): ") == true)
    #expect(reader.message?.contains("when the run began") == false)
  }
}
