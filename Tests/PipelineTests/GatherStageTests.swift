import Foundation
import Images
import Shards
import Synchronization
import Testing

@testable import Pipeline

@Suite struct GatherStageTests {
  private static let pixel = Data(
    base64Encoded:
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
      + "RU5ErkJggg==")

  private let folder: TemporaryFolder
  private let shards: ShardSelection

  /// Five shards of three pairs, of which one is in all; the fourth shard is cut short.
  init() throws {
    let folder = try TemporaryFolder()
    let image = Array(try #require(Self.pixel))
    let paths = try (0..<5).map { shard in
      let path = folder.path("\(shard).tar")
      let writer = try ShardWriter(path: path, compression: .none)
      for i in 0..<3 {
        let caption = i == 0 ? "everywhere" : "caption \(i) of shard \(shard)"
        try writer.append(Member(name: Array("\(i).png".utf8), bytes: image))
        try writer.append(Member(name: Array("\(i).txt".utf8), bytes: Array(caption.utf8)))
      }
      try writer.finish()
      return path
    }
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: paths[3]))
    try file.truncate(atOffset: 3 * 512 + 100)
    try file.close()
    self.folder = folder
    shards = ShardSelection(shards: paths.map { ShardPath(path: $0) })
  }

  private struct Gathered: Equatable {
    var pairs: [String]
    var faults: [String]
  }

  private static let forms = [ThumbnailForm(side: 2)]

  /// - Parameters:
  ///   - end: the shards after which the run is stopped, over both passes.
  ///   - interval: between two times that it is kept how far it is.
  ///   - changed: shards that are written to before anything is read.
  ///   - withBank: gathers some of the pairs by their hashes, too.
  ///   - then: called with what is done.
  private func gather(
    _ out: String, workers: Int = 4, endingAfter end: Double? = nil, interval: Duration = .zero,
    changed: Range<Int> = 0..<0, withBank: Bool = true,
    then: @escaping @Sendable (_ done: Double, _ pairs: Int) -> Void = { _, _ in }
  ) throws -> Gathered {
    let cancellation = Cancellation()
    var configuration = RunConfiguration()
    configuration.workers = workers
    let run = try RunContext(
      configuration: configuration, directory: RunDirectory(folder.path(out)),
      cancellation: cancellation
    ) { event in
      guard case .progress(.gather, let done, _, let pairs, _) = event else { return }
      if done == end { cancellation.cancel(signal: SIGINT) }
      then(done, pairs)
    }
    try run.directory.prepare()
    let increment = try Increment.pin(shards, in: run)
    for shard in changed { try folder.write("\(shard).tar", "other") }
    let training = try TrainingFolder(.judges, key: "k", in: run)
    let (corpus, faults) = try GatherStage.run(
      increment, limit: 100, forms: Self.forms, to: training, in: run, interval: interval)
    let hashes = (0..<corpus.count).map(corpus.hash).filter { $0.low % 2 == 0 }
    let bank =
      withBank
      ? try GatherStage.run(increment, hashes: hashes, forms: Self.forms, to: training, in: run)
      : nil
    func pairs(_ corpus: ThumbnailCache) throws -> [String] {
      try (0..<corpus.count).map { i in
        let pixels = corpus.withThumbnail(i, Self.forms[0]) { Array($0) }
        return "\(try corpus.caption(i)) \(pixels)"
      }
    }
    return Gathered(
      pairs: try pairs(corpus) + (bank.map(pairs) ?? []),
      faults: faults.map { "\($0.path) \($0.message)" })
  }

  @Test(arguments: [1.0, 4, 5, 6, 9, 10])
  func aRunThatIsStoppedGoesOnWithTheSameResult(_ end: Double) throws {
    let whole = try gather("whole")
    #expect(whole.pairs.count > 9 && whole.faults.count == 1)
    for workers in [1, 4] {
      // With several workers the last shards may be done before the others see that they are to stop.
      let out = "cut\(workers)"
      if workers == 1 {
        #expect(throws: RunError.cancelled(signal: SIGINT)) {
          try gather(out, workers: workers, endingAfter: end)
        }
      } else {
        _ = try? gather(out, workers: workers, endingAfter: end)
      }
      #expect(try gather(out) == whole)
    }
  }

  /// Once nothing but the stop keeps how far it is, and once nothing but the interval. Who opens a shard that was written to
  /// finds that it isn't what was pinned.
  @Test(arguments: [true, false])
  func whatARunWasThroughWithIsNotReadAgain(isStopped: Bool) throws {
    let whole = try gather("whole", withBank: false)
    // The first pass, and three shards of the second.
    let (shard, away) = (folder.path("3.tar"), folder.path("away.tar"))
    #expect(throws: RunError.self) {
      try gather(
        "cut", workers: 1, endingAfter: isStopped ? 8 : nil,
        interval: isStopped ? .seconds(3600) : .zero, withBank: false
      ) { done, _ in
        if !isStopped, done == 8 { rename(shard, away) }
      }
    }
    if !isStopped { #expect(rename(away, shard) == 0) }
    // As after a kill, a file is ahead of what is kept.
    let cut = folder.path("cut")
    let captions = try #require(
      try FileManager.default.subpathsOfDirectory(atPath: cut).first {
        $0.hasSuffix("captions.bin")
      })
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(cut)/\(captions)"))
    try file.seekToEnd()
    try file.write(contentsOf: Data("of a shard in flight".utf8))
    try file.close()
    #expect(try gather("cut", changed: 0..<3, withBank: false) == whole)
  }

  @Test func ofAShardThatIsWrittenToWhileItIsReadNothingIsKept() throws {
    let whole = try gather("whole")
    let shard = URL(fileURLWithPath: folder.path("0.tar"))
    let bytes = try Data(contentsOf: shard)
    let error = #expect(throws: RunError.self) {
      try gather("cut", workers: 1) { done, pairs in
        // The second pass is at its first pair.
        if done == 5, pairs == 1 { try? bytes.prefix(700).write(to: shard) }
      }
    }
    #expect("\(try #require(error))".contains("changed during the run"))
    try bytes.write(to: shard)
    #expect(try gather("cut") == whole)
  }

  @Test func ofAFinishedGatheringNothingIsReadAgain() throws {
    let whole = try gather("out")
    #expect(try gather("out", changed: 0..<5) == whole)
  }

  @Test func filesThatDoNotFitAreNamed() throws {
    _ = try gather("out")
    let training = folder.path("out/.winnow/training/judges")
    for pairs in try FileManager.default.contentsOfDirectory(atPath: training)
    where pairs.hasPrefix("pairs-") {
      try Data().write(to: URL(fileURLWithPath: "\(training)/\(pairs)/captions.bin"))
    }
    let error = #expect(throws: RunError.self) { try gather("out") }
    #expect("\(try #require(error))".contains("stored.npz"))
  }
}
