import Foundation
import Shards
import Testing

@testable import Pipeline

/// What is said of state files that can't be used.
@Suite struct DamagedStateTests {
  private let shard = Increment.Shard(path: "/a/0.tar", name: "0", identity: nil, digest: "")

  @Test func aPinThatIsGoneOrDoesNotFollowIsNotMadeAgain() throws {
    let folder = try TemporaryFolder()
    let directory = RunDirectory(folder.path("out"))
    try directory.makeFolder(directory.increments)
    try Increment(shards: .init([shard])).write(
      to: directory.increment(0), for: directory.increment(0))
    #expect(try IncrementLog(of: directory).pinned.count == 1)
    try folder.write("out/.winnow/increments/000001.plan.json", "{}")
    #expect {
      try IncrementLog(of: directory)
    } throws: {
      "\($0)".contains("increments/000001.json is gone") && "\($0)".contains("--rebuild")
    }
    for firstShard in [9, Int.max] {
      try Increment(index: 1, firstShard: firstShard, shards: .init([shard]))
        .write(to: directory.increment(1), for: directory.increment(1))
      #expect {
        try IncrementLog(of: directory)
      } throws: {
        "\($0)".contains("increments/000001.json can't be used") && "\($0)".contains("--rebuild")
      }
    }
    try Increment(index: 1, firstShard: 1, shards: .init([shard])).write(
      to: directory.increment(1), for: directory.increment(1))
    #expect(try IncrementLog(of: directory).pinned.count == 2)
  }

  @Test(arguments: [
    ("/out/.winnow/increments/000000.json", true, false),
    ("/out/.winnow/increments/000000.plan.json", true, false), ("/out/manifest.json", true, false),
    ("/out/decisions/000000-a.npz", true, true), ("/out/noise-model.json", true, true),
    ("/out/.winnow/scores/000000-a.npz", false, true),
  ])
  func theRemedyIsOneThatMends(file: String, comesBack: Bool, mayGo: Bool) {
    let text = "\(RunError.damagedState(file: file, detail: "cut"))"
    #expect(text.contains("from a backup") == comesBack, "\(text)")
    #expect(text.contains("--rebuild") == comesBack, "\(text)")
    #expect(text.contains("delete it") == mayGo, "\(text)")
  }

  @Test func aTableThatIsEmptyOrCutShortIsDamagedAndNoWantOfSpace() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("decisions/a.npz")
    try RunDirectory(folder.root).makeFolder(folder.path("decisions"))
    #expect {
      try DecisionTable(path: path)
    } throws: {
      if case RunError.file(path, _, ENOENT) = $0 { true } else { false }
    }
    var table = DecisionTable(kinds: 1)
    table.keys = [Array("a".utf8)]
    (table.scores, table.mismatch, table.cautiousMismatch) = ([1], [0], [0])
    (table.kept, table.reasons) = ([true], [""])
    try table.write(to: path)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for count in [0, whole.count / 2] {
      try whole.prefix(count).write(to: URL(fileURLWithPath: path))
      #expect("cut to \(count) bytes") {
        try DecisionTable(path: path)
      } throws: {
        let text = "\($0)"
        return text.contains("decisions/a.npz can't be used") && text.contains("--rebuild")
          && !text.contains("free space") && !text.contains("multibyte")
      }
    }
  }

  @Test func aStateFileThatCannotBeReadIsNotMissing() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("manifest.json")
    #expect(throws: RunError.missing(file: path, remedy: "r")) {
      try StateJSON.decode(Increment.self, from: path, remedy: "r")
    }
    // What opens and can't be read, whoever runs the test.
    try RunDirectory(folder.root).makeFolder(path)
    #expect(throws: RunError.file(path: path, operation: "read", code: EIO)) {
      try StateJSON.decode(Increment.self, from: path)
    }
    #expect(throws: RunError.file(path: path, operation: "read", code: EISDIR)) {
      try Increment(at: path)
    }
    #expect(throws: RunError.missing(file: path + ".other", remedy: "run the same command again")) {
      try Increment(at: path + ".other")
    }
    #expect(
      StateJSON.unreadable(path, EACCES, remedy: "r").description.contains("Permission denied"))
  }

  @Test func recordsOfMorePairsThanThereCanBeAreReadToTheirEnd() throws {
    let folder = try TemporaryFolder()
    let run = try RunContext(
      configuration: RunConfiguration(), directory: RunDirectory(folder.path("out")))
    try run.directory.prepare()
    let increment = Increment(shards: .init([shard, shard]))
    try increment.publish(to: run.directory.increment(0), in: run)
    for i in 0..<2 {
      let record = ShardScores(
        shard: "0", shardDigest: "", ensembleDigest: "", settingsDigest: "", scoring: .cosine,
        kinds: [], read: .max, rejected: [:], unreadable: [:], report: ShardReport())
      try run.publishing.publish(
        json: record, to: ScoreFiles(i, of: increment, in: run.directory).record)
    }
    let statistics = ScoreFiles(0, of: increment, in: run.directory).statistics
    #expect(throws: RunError.missing(file: statistics, remedy: "run the same command again")) {
      try FitStage.run([run.directory], in: run)
    }
  }

  @Test func aLongNameIsCutBetweenItsScalars() {
    #expect(RunDirectory.stem(3, "a") == "000003-a")
    let name = "x" + String(repeating: "ü", count: 120)
    let stem = RunDirectory.stem(3, name)
    #expect(stem == "000003-x" + String(repeating: "ü", count: 74))
    #expect(RunDirectory.stem(4, name) != stem)
  }
}
