import Foundation
import Layers
import Testing

@testable import Pipeline

/// `kill -9` at random moments: what the next run with the same arguments ends with is what an uninterrupted one does,
/// byte for byte. WINNOW_KILLS says how many (`make stress-kill`: 100).
@Suite(.serialized) struct KillTests {
  private static let kills =
    ProcessInfo.processInfo.environment["WINNOW_KILLS"].flatMap(Int.init) ?? 10

  private static let whole = [["clean", "in"]]
  private static let staged = [
    ["train", "in"], ["score", "in"], ["fit"],
    ["filter", "in", "--rank", "0", "--world-size", "2"],
    ["filter", "in", "--rank", "1", "--world-size", "2"], ["publish"],
  ]

  @Test func killsAtRandomMomentsLeaveNoTrace() throws {
    // Several shards in and out, a training of a second, an increment behind the first.
    let shop = try Workshop(
      pairs: 240, shards: 20, pipeline: TinyCorpus.pipeline(epochs: 30, shardSize: 9))
    let all = "\(shop.root)/in"
    let later = "\(shop.root)/later"
    try FileManager.default.createDirectory(atPath: later, withIntermediateDirectories: true)
    func move(_ from: String, _ to: String) throws {
      for name in ["000010.tar", "000011.tar"] {
        try FileManager.default.moveItem(atPath: "\(from)/\(name)", toPath: "\(to)/\(name)")
      }
    }
    try move(all, later)
    var random = SeededRandom(seed: UInt64(Self.kills))
    // How long each command takes by itself, so that kills fall all over it.
    var seconds: [[String]: Double] = [:]
    func start(_ command: [String], _ out: String) throws -> Process {
      let process = Process()
      process.executableURL = Workshop.binary
      process.arguments = command + ["--pipeline", "tiny.yaml", "--out", out, "--quiet"]
      process.currentDirectoryURL = URL(fileURLWithPath: shop.root)
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      return process
    }
    func finish(_ command: [String], _ out: String) throws {
      let begin = ContinuousClock.now
      let process = try start(command, out)
      process.waitUntilExit()
      seconds[command] = (ContinuousClock.now - begin) / .seconds(1)
      try #require(process.terminationStatus == 0, "\(command)")
    }
    for command in Self.whole { try finish(command, "whole") }
    for command in Self.staged { try finish(command, "staged") }
    #expect(differences(try shop.tree("whole"), try shop.tree("staged")) == [])
    let first = try shop.tree("whole")
    try move(later, all)
    for command in Self.whole { try finish(command, "whole") }
    let both = try shop.tree("whole")
    try move(all, later)

    var kills = 0
    while kills < Self.kills {
      try? FileManager.default.removeItem(atPath: "\(shop.root)/cut")
      let commands = random.below(2) == 0 ? Self.whole : Self.staged
      for (expected, isSecond) in [(first, false), (both, true)] {
        if isSecond { try move(later, all) }
        for command in isSecond ? Self.whole : commands {
          var isWhole = false
          while !isWhole {
            let process = try start(command, "cut")
            let moment = Double(random.uniform()) * 1.1 * (seconds[command] ?? 1)
            usleep(UInt32(moment * 1_000_000))
            if kills < Self.kills, process.isRunning {
              kill(process.processIdentifier, SIGKILL)
              process.waitUntilExit()
              if process.terminationReason == .uncaughtSignal { kills += 1 }
            }
            process.waitUntilExit()
            isWhole = process.terminationReason == .exit
            if isWhole {
              try #require(process.terminationStatus == 0, "\(command) after \(kills) kills")
            }
          }
        }
        #expect(differences(expected, try shop.tree("cut")) == [], "after \(kills) kills")
      }
      try move(all, later)
    }
    #expect(kills == Self.kills)
  }
}
