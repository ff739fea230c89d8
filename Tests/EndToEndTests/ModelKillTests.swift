import Foundation
import Layers
import Testing

/// As `KillTests`, over the training of a model on clean pairs and unpaired text.
@Suite(.serialized) struct ModelKillTests {
  /// Shows what it is at: pairs are chosen and decoded, words counted, text is cut, steps are made, an epoch's pairs judged.
  private static let signs = [
    "pairs-*/selected.npz", "pairs-*/stored.npz", "words.npz", "texts/cut.json",
    "model.checkpoint", "model.checkpoint.epoch*",
  ]

  @Test func killsAtRandomMomentsLeaveNoTrace() throws {
    let shop = try ModelTrainingTests.shop(epochs: 12)
    func start(_ out: String) throws -> Process {
      let process = Process()
      process.executableURL = Workshop.binary
      process.arguments = ModelTrainingTests.train + ["--out", out, "--quiet"]
      process.currentDirectoryURL = URL(fileURLWithPath: shop.root)
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      return process
    }
    func finish(_ out: String) throws -> [String: Data] {
      let process = try start(out)
      process.waitUntilExit()
      try #require(process.terminationStatus == 0)
      return try ModelTrainingTests.model(shop, out)
    }
    let whole = try finish("whole")
    var random = SeededRandom(seed: UInt64(KillTests.kills))
    var (kills, rounds, hits) = (0, 0, [String: Int]())
    while kills < KillTests.kills {
      rounds += 1
      try #require(rounds <= KillTests.kills, "only \(kills) processes were hit")
      for sign in Self.signs {
        let process = try start("cut")
        while process.isRunning, !shop.exists("cut/.winnow/training/model/\(sign)") { usleep(500) }
        usleep(UInt32(random.below(20_000)))
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        guard process.terminationReason == .uncaughtSignal else { continue }
        kills += 1
        hits[sign, default: 0] += 1
        let seen = try ModelTrainingTests.model(shop, "cut")
        #expect(seen.allSatisfy { whole[$0] == $1 }, "kill \(kills), \(sign)")
      }
      #expect(differences(whole, try finish("cut")) == [], "after \(kills) kills")
      try FileManager.default.removeItem(atPath: "\(shop.root)/cut")
    }
    print("kills by sign: \(hits.sorted { $0.key < $1.key })")
    if kills >= 100 { #expect(Set(hits.keys) == Set(Self.signs)) }
  }
}
