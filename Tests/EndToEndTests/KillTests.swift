import Foundation
import Layers
import Testing

@testable import Pipeline

/// `kill -9` at random moments: what the next run with the same arguments ends with is what an uninterrupted one does,
/// byte for byte. WINNOW_KILLS says how many (`make stress-kill`: 100).
@Suite(.serialized) struct KillTests {
  static let kills =
    ProcessInfo.processInfo.environment["WINNOW_KILLS"].flatMap(Int.init) ?? 10

  private static let whole = [["clean", "in"]]
  private static let staged = [
    ["train", "in"], ["score", "in", "--rank", "0", "--world-size", "2"],
    ["score", "in", "--rank", "1", "--world-size", "2"], ["fit"],
    ["filter", "in", "--rank", "0", "--world-size", "2"],
    ["filter", "in", "--rank", "1", "--world-size", "2"], ["publish"],
  ]

  /// Shows that a stage is at work: pairs are gathered, a dictionary learnt, shards scored, decided, written.
  private static let signs = [
    ".winnow/training/judges", ".winnow/training/judges/*/stored.npz",
    ".winnow/scores/000004-000004.record.json", "noise-model.json",
    "clean/000004.tar.zst",
  ]

  @Test func killsAtRandomMomentsLeaveNoTrace() throws {
    // Several shards in and out, a training of a second, an increment behind the first.
    let shop = try Workshop(
      pairs: 240, shards: 20,
      pipeline: TinyCorpus.pipeline(minimumSteps: 60, shardSize: 9, dictionary: true))
    let all = "\(shop.root)/in"
    let later = "\(shop.root)/later"
    try FileManager.default.createDirectory(atPath: later, withIntermediateDirectories: true)
    func move(_ from: String, _ to: String) throws {
      for name in ["000010.tar", "000011.tar"] {
        try FileManager.default.moveItem(atPath: "\(from)/\(name)", toPath: "\(to)/\(name)")
      }
    }
    try move(all, later)
    // How long each command takes by itself, on the first increment and on the second: kills fall all over it.
    var seconds: [Bool: [[String]: Double]] = [:]
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
    func finish(_ command: [String], _ out: String, isSecond: Bool = false) throws {
      let begin = ContinuousClock.now
      let process = try start(command, out)
      process.waitUntilExit()
      seconds[isSecond, default: [:]][command] = (ContinuousClock.now - begin) / .seconds(1)
      try #require(process.terminationStatus == 0, "\(command)")
    }
    for command in Self.whole { try finish(command, "whole") }
    for command in Self.staged { try finish(command, "staged") }
    #expect(differences(try shop.tree("whole"), try shop.tree("staged")) == [])
    let first = try shop.tree("whole")
    try move(later, all)
    for command in Self.whole { try finish(command, "whole", isSecond: true) }
    let both = try shop.tree("whole")
    try move(all, later)

    var random = SeededRandom(seed: UInt64(Self.kills))
    var kills = 0
    var hits: [String: Int] = [:]
    /// In the second half, one that none has hit is waited for: some are over in a moment.
    func isMissed(_ command: [String]) -> Bool {
      kills > Self.kills / 2 && hits[command[0]] == nil
    }
    /// Half of the kills come at any moment; the others shortly after a sign, in turns, so that ten meet them all.
    func waitToKill(_ process: Process, _ command: [String], isSecond: Bool) {
      if kills % 2 == 0, !isSecond, !isMissed(command) {
        let sign = Self.signs[kills / 2 % Self.signs.count]
        while process.isRunning, !shop.exists("cut/\(sign)") { usleep(1000) }
        usleep(UInt32(random.below(30_000)))
      } else {
        let end = isMissed(command) ? 0.9 : 1.1
        let moment = Double(random.uniform()) * end * (seconds[isSecond]?[command] ?? 1)
        usleep(UInt32(moment * 1_000_000))
      }
    }
    while kills < Self.kills {
      try? FileManager.default.removeItem(atPath: "\(shop.root)/cut")
      let isWholeRun = random.below(2) == 0 && !Self.staged.contains(where: isMissed)
      let commands = isWholeRun ? Self.whole : Self.staged
      for (expected, isSecond) in [(first, false), (both, true)] {
        if isSecond { try move(later, all) }
        for command in isSecond ? Self.whole : commands {
          var isWhole = false
          while !isWhole {
            let process = try start(command, "cut")
            if kills < Self.kills { waitToKill(process, command, isSecond: isSecond) }
            if kills < Self.kills, process.isRunning {
              kill(process.processIdentifier, SIGKILL)
              process.waitUntilExit()
              if process.terminationReason == .uncaughtSignal {
                kills += 1
                hits[command[0], default: 0] += 1
                try checkKilled(shop, [first, expected], "\(command), kill \(kills)")
              }
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
    print("kills by command: \(hits.sorted { $0.key < $1.key })")
    if kills >= 100 { #expect(Set(hits.keys) == Set((Self.whole + Self.staged).map { $0[0] })) }
  }

  /// Right after a kill: every file that can be seen, shards and JSON and all, is whole and that of a run which wasn't
  /// killed, of its first increment or of both; and a shard is named by the `sizes.json` beside it.
  private func checkKilled(
    _ shop: Workshop, _ expected: [[String: Data]], _ moment: String
  ) throws {
    guard shop.exists("cut") else { return }
    // The manifest is parsed here; its timings are its own.
    let seen = try shop.tree("cut")
    let others = seen.filter { path, data in !expected.contains { $0[path] == data } }
    #expect(others.keys.sorted() == [], "\(moment)")
    for folder in ["clean", "rejected"] {
      let shards = seen.keys.filter { $0.hasPrefix("\(folder)/") && $0.hasSuffix(".tar.zst") }
      if shards.isEmpty { continue }
      let sizes = try JSONDecoder().decode(
        [String: Int].self, from: try #require(seen["\(folder)/sizes.json"], "\(moment)"))
      #expect(shards.allSatisfy { sizes[($0 as NSString).lastPathComponent] != nil }, "\(moment)")
    }
  }
}
