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

  /// Three shards of two pairs; the last one is cut short.
  init() throws {
    let folder = try TemporaryFolder()
    let image = Array(try #require(Self.pixel))
    let paths = try (0..<3).map { shard in
      let path = folder.path("\(shard).tar")
      let writer = try ShardWriter(path: path, compression: .none)
      for i in 0..<2 {
        let caption = "caption \(i) of shard \(shard)"
        try writer.append(Member(name: Array("\(i).png".utf8), bytes: image))
        try writer.append(Member(name: Array("\(i).txt".utf8), bytes: Array(caption.utf8)))
      }
      try writer.finish()
      return path
    }
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: paths[2]))
    try file.truncate(atOffset: 3 * 512 + 100)
    try file.close()
    self.folder = folder
    shards = ShardSelection(shards: paths.map { ShardPath(path: $0) })
  }

  /// - Parameter end: the shards after which the run is stopped, over both passes.
  private func gather(
    _ out: String, endingAfter end: Double? = nil, interval: Duration = .zero
  ) throws -> (captions: [String], faults: [String]) {
    let cancellation = Cancellation()
    var configuration = RunConfiguration()
    configuration.workers = 1
    let run = try RunContext(
      configuration: configuration, directory: RunDirectory(folder.path(out)),
      cancellation: cancellation
    ) { event in
      if case .progress(_, let done, _, _, _) = event, done == end {
        cancellation.cancel(signal: SIGINT)
      }
    }
    try run.directory.prepare()
    let increment = try Increment.pin(shards, in: run)
    let (corpus, faults) = try GatherStage.run(
      increment, limit: 100, forms: [ThumbnailForm(side: 2)], in: run, interval: interval)
    return (
      try (0..<corpus.count).map { i in
        let pixels = corpus.withThumbnail(i, ThumbnailForm(side: 2)) { Array($0) }
        return "\(try corpus.caption(i)) \(pixels)"
      }, faults.map { "\($0.path) \($0.message)" }
    )
  }

  @Test(arguments: [1, 2, 3, 4, 5])
  func aRunThatIsStoppedGoesOnAfterTheShardsThatItIsThroughWith(_ end: Double) throws {
    let whole = try gather("whole")
    #expect(whole.captions.count == 5)
    #expect(whole.faults.count == 1)
    #expect(throws: RunError.cancelled(signal: SIGINT)) {
      try gather("cut", endingAfter: end)
    }
    let rest = try gather("cut")
    #expect(rest == whole)
  }

  @Test func nothingIsReadAgainOfAFinishedPass() throws {
    let whole = try gather("out", interval: .seconds(1000))
    // Who opened one of them would find that it isn't what was pinned.
    let run = try RunContext(
      configuration: RunConfiguration(), directory: RunDirectory(folder.path("out")))
    let increment = try Increment.pin(shards, in: run)
    for shard in 0..<3 { try folder.write("\(shard).tar", "other") }
    let (corpus, faults) = try GatherStage.run(
      increment, limit: 100, forms: [ThumbnailForm(side: 2)], in: run)
    #expect(corpus.count == whole.captions.count)
    #expect(faults.count == 1)
  }

  @Test func filesThatDoNotFitAreNamed() throws {
    _ = try gather("out")
    let training = folder.path("out/.winnow/training")
    let pairs = try #require(
      try FileManager.default.contentsOfDirectory(atPath: training).first)
    try Data().write(to: URL(fileURLWithPath: "\(training)/\(pairs)/captions.bin"))
    let error = #expect(throws: RunError.self) { try gather("out") }
    #expect("\(String(describing: error))".contains("stored.npz"))
  }
}
