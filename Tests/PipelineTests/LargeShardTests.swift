import Encoders
import Foundation
import Shards
import Synchronization
import Testing

@testable import Pipeline

@Suite struct LargeShardTests {
  private let folder: TemporaryFolder
  private let shards: ShardSelection

  /// Two shards of five samples, none of them a pair.
  init() throws {
    let folder = try TemporaryFolder()
    let paths = try (0..<2).map { shard in
      let path = folder.path("\(shard).tar")
      let writer = try ShardWriter(path: path, compression: .none)
      for i in 0..<5 {
        try writer.append(Member(name: Array("\(i).txt".utf8), bytes: Array("a wall".utf8)))
      }
      try writer.finish()
      return path
    }
    self.folder = folder
    shards = ShardSelection(shards: paths.map { ShardPath(path: $0) })
  }

  /// Untrained ones.
  private func judges() throws -> Judges {
    var kind = MemberConfiguration(
      name: "bag", image: ImageConfiguration(widths: [4, 6], blocks: [1, 1]),
      text: TextConfiguration(kind: .bag, buckets: 32, width: 8, maxTokens: 4), dimension: 6)
    kind.image.side = 8
    let images = (0..<6).map { i in
      (0..<kind.image.thumbnail.byteCount).map { UInt8(truncatingIfNeeded: $0 * (7 + 2 * i)) }
    }
    let bank = images.enumerated().map { i, image in
      let caption = "caption number \(i)"
      return BankPair(
        hash: ContentHash(image: image, caption: Array(caption.utf8)), caption: caption)
    }
    let member = Ensemble.Member(DualEncoder(kind, seed: 1), kind: 0, fold: 0, bank: bank) {
      images[$0]
    }
    let path = folder.path("judges")
    try RunDirectory(folder.root).makeFolder(path)
    try Ensemble(kinds: [kind], folds: 1, bank: bank, members: [member], seed: 1).write(to: path)
    return try Judges(directory: path)
  }

  /// Who has read a shard stays for a while, holding its rows, for the other one to come.
  @Test(arguments: [(4, 1), (5, 2)])
  func ofShardsWithMoreRowsOneIsHeldAtATime(rows: Int, expected: Int) throws {
    let held = Mutex((threads: Set<pthread_t>(), most: 0))
    var configuration = RunConfiguration()
    configuration.workers = 2
    var run = try RunContext(
      configuration: configuration, directory: RunDirectory(folder.path("out"))
    ) { event in
      guard case .progress(.score, _, _, _, _) = event else { return }
      // Told of a shard's pairs, and of its end.
      let comes = held.withLock { held in
        let comes = held.threads.insert(pthread_self()).inserted
        if !comes { held.threads.remove(pthread_self()) }
        held.most = max(held.most, held.threads.count)
        return comes
      }
      // Where nobody is to come, long enough to read the other shard a hundred times.
      let patience: Duration = expected > 1 ? .seconds(60) : .milliseconds(300)
      let end = ContinuousClock.now + patience
      while comes, held.withLock({ $0.most }) < 2, ContinuousClock.now < end { usleep(1000) }
    }
    run.largeShards = LargeShards(rows: rows)
    try run.directory.prepare()
    let increment = try Increment.pin(shards, in: run)
    let summary = try ScoreStage.run(increment, judges: try judges(), in: run)
    #expect(summary.pairs == 10)
    #expect(held.withLock { $0.most } == expected)
  }
}
