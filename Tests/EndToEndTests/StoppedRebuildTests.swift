import Foundation
import Testing

@testable import Pipeline

/// A rebuild that was stopped, and the next one.
@Suite struct StoppedRebuildTests {
  /// Stops a rebuild of `out` once the pairs are judged.
  private func stopRebuild(_ shop: Workshop, by judges: String) throws {
    let cancellation = Cancellation()
    let run = try shop.context(cancellation: cancellation) { event in
      if case .began(.fit) = event { cancellation.cancel(signal: SIGINT) }
    }
    #expect(throws: RunError.cancelled(signal: SIGINT)) {
      try Run.clean(
        ShardSelection(["\(shop.root)/in"]), ensemble: "\(shop.root)/\(judges)", rebuilds: true,
        in: run)
    }
    #expect(shop.exists("out.rebuild/ensemble/ensemble.json"))
  }

  @Test func itIsGoneOnWithOrBegunAgainByWhatItWasBegunWith() throws {
    let shop = try Workshop(pairs: 200)
    try shop.writeJudges()
    try shop.writeJudges("others", seed: 2)
    let digests = try ["judges", "others"].map {
      try Judges(directory: "\(shop.root)/\($0)").digest
    }
    #expect(try shop.clean(out: "out", "--ensemble", "judges").status == 0)
    func expectRebuilt(by judges: String?, isBegunAgain: Bool) throws {
      let ensemble = judges.map { ["--ensemble", $0] } ?? []
      let outcome = try Workshop.run(
        Workshop.binary,
        ["clean", "in", "--pipeline", "tiny.yaml", "--out", "out", "--rebuild"] + ensemble,
        in: shop.root)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("it is begun again") == isBegunAgain, "\(outcome.errors)")
      #expect(!shop.exists("out.rebuild"))
    }
    func digest() throws -> String { try shop.manifest().provenance.ensembleDigest }

    // The libraries have been upgraded since.
    try stopRebuild(shop, by: "others")
    try shop.pinOtherLibrary("out.rebuild")
    try expectRebuilt(by: "others", isBegunAgain: true)
    #expect(try digest() == digests[1])
    #expect(try shop.manifest().increments.map(\.pairs) == [200])

    // The list has grown since.
    try stopRebuild(shop, by: "judges")
    try shop.add(200..<220, "000004")
    // And a night has cleaned what came, in the folder that serves meanwhile.
    #expect(try shop.clean(out: "out").status == 0)
    try expectRebuilt(by: "judges", isBegunAgain: false)
    #expect(try digest() == digests[0])
    #expect(try shop.manifest().increments.map(\.pairs) == [200, 20])
    #expect(try Set(shop.keys("out")).count == 220)

    // Other judges are asked for.
    try stopRebuild(shop, by: "others")
    try expectRebuilt(by: nil, isBegunAgain: true)
    #expect(try !digests.contains(digest()))
    #expect(try shop.manifest().increments.map(\.pairs) == [220])
  }
}
