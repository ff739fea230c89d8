import Foundation
import Shards
import Testing

@testable import Pipeline

/// A shard that could be read when it was pinned, and can't be when it is read again.
@Suite struct PinnedShardTests {
  private func shard(_ path: String, digest: String = "00123456789abcdef0123456789abcde")
    -> Increment.Shard
  {
    Increment.Shard(path: path, name: "a", identity: nil, digest: digest)
  }

  /// What is said where the shard's sample is looked for.
  private func message(_ path: String, sample: Int) throws -> String {
    let folder = try TemporaryFolder()
    let run = try RunContext(
      configuration: RunConfiguration(), directory: RunDirectory(folder.path("out")))
    var cursor = ShardCursor(Increment(shards: .init([shard(path)])), in: run)
    do {
      _ = try cursor.sample(at: Plan.Position(shard: 0, ordinal: sample))
      return "it is there"
    } catch {
      return "\(error)"
    }
  }

  @Test func anErrorOfTheDiskIsNoChangeOfTheShard() throws {
    // Opens, and fails to be read.
    let text = try message("/proc/self/mem", sample: 0)
    #expect(text.contains("could be read when it was pinned"), "\(text)")
    #expect(text.components(separatedBy: "/proc/self/mem").count == 2, "\(text)")
    #expect(!text.contains("--rebuild") && !text.contains("changed"), "\(text)")
  }

  @Test func aShardThatEndsBeforeItsSampleIsToldByWhatIsWrongWithIt() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.tar")
    let writer = try ShardWriter(path: path, compression: .none)
    for i in 0..<4 {
      try writer.append(Member(name: Array("\(i).txt".utf8), bytes: Array("a cat".utf8)))
    }
    try writer.finish()
    #expect(truncate(path, 2 * 1024 + 256) == 0)
    let text = try message(path, sample: 3)
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
}
