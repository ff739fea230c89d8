import Encoders
import Foundation
import Images
import Shards
import Testing

@testable import Pipeline

/// Nights that take little time, and that a test can step into.
extension Workshop {
  /// Writes judges that learnt nothing: their scores are chance, but always the same.
  func writeJudges(_ folder: String = "judges", seed: UInt64 = 1) throws {
    var image = ImageConfiguration(widths: [8, 16], blocks: [0, 0])
    image.side = 16
    let form = image.thumbnail
    let kind = MemberConfiguration(
      name: "bag", image: image,
      text: TextConfiguration(kind: .bag, buckets: 256, width: 16, maxTokens: 8), dimension: 16)
    let samples = (1000..<1024).map { TinyCorpus.sample($0) }
    let bank = samples.map { sample in
      BankPair(
        hash: ContentHash(image: sample[0].bytes, caption: sample[1].bytes),
        caption: String(decoding: sample[1].bytes, as: UTF8.self))
    }
    let decoder = RunConfiguration().images.decoder
    let thumbnails = try samples.map { sample in
      try decoder.thumbnails(of: sample[0].bytes, forms: [form])[0].pixels
    }
    let member = Ensemble.Member(DualEncoder(kind, seed: seed), kind: 0, fold: 0, bank: bank) {
      thumbnails[$0]
    }
    let path = "\(root)/\(folder)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try Ensemble(kinds: [kind], folds: 1, bank: bank, members: [member], seed: seed)
      .write(to: path)
  }

  /// What a command with `tiny.yaml` works in, for one that runs in this process.
  func context(
    _ out: String = "out", cancellation: Cancellation = Cancellation(),
    observe: @escaping RunObserver
  ) throws -> RunContext {
    try RunContext(
      configuration: PipelineFile.load("\(root)/tiny.yaml"),
      directory: RunDirectory("\(root)/\(out)"), cancellation: cancellation, observe: observe)
  }

  /// Stops a run into `out` in its first training step.
  func stopOnceItTrains(_ body: (RunContext) throws -> RunResult) throws {
    let cancellation = Cancellation()
    let run = try context(cancellation: cancellation) { event in
      if case .progress(.train, _, _, _, _) = event { cancellation.cancel(signal: SIGINT) }
    }
    #expect(throws: RunError.cancelled(signal: SIGINT)) { try body(run) }
  }

  /// Adds these pairs as the shard `in/NAME.tar`, or puts them in its place.
  func add(_ pairs: Range<Int>, _ name: String) throws {
    try TinyCorpus.write(pairs.flatMap { TinyCorpus.sample($0) }, to: "\(root)/in/\(name).tar")
  }

  /// Has a folder say that it was begun with another libzstd.
  func pinOtherLibrary(_ out: String) throws {
    let file = "\(root)/\(out)/.winnow/settings.json"
    let text = try String(contentsOfFile: file, encoding: .utf8)
    let other = text.replacing(
      #/("environment\.libzstd"\s*:\s*)"[^"]*"/#, with: { "\($0.1)\"0.0.1\"" })
    try #require(other != text)
    try other.write(toFile: file, atomically: true, encoding: .utf8)
  }

  /// Of all pairs of an output folder, kept or rejected.
  func keys(_ out: String) throws -> [String] {
    let pairs = try samples("\(out)/clean") + samples("\(out)/rejected")
    return pairs.map { String(decoding: $0.key, as: UTF8.self) }
  }
}
