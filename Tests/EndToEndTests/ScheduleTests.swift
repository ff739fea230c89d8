import Foundation
import Testing

@testable import Pipeline

/// What has cron or systemd run Winnow every night: `Pipelines/nightly.*`.
@Suite struct ScheduleTests {
  private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../..").standardizedFileURL

  /// A target of the Makefile, into the folder `the clean`; nothing is built, and another `make` that runs the tests has no
  /// say in it.
  /// - Parameter bin: where the command lies that it runs.
  private func make(
    _ target: String, _ shop: Workshop, corpus: String = "the crawl", bin: String,
    flags: String = ""
  ) throws -> Workshop.Outcome {
    try Workshop.run(
      URL(fileURLWithPath: "/usr/bin/env"),
      [
        "-u", "MAKEFLAGS", "-u", "MFLAGS", "-u", "MAKELEVEL", "make", "-C", Self.repository.path,
        "-o", "build", target, "CORPUS=\(shop.root)/\(corpus)", "OUT=\(shop.root)/the clean",
        "BIN=\(bin)", "WINNOW_FLAGS=\(flags)",
      ], in: shop.root)
  }

  private func text(_ suffix: String) throws -> String {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return try String(
      contentsOf: folder.appendingPathComponent("../../Pipelines/nightly.\(suffix)"),
      encoding: .utf8)
  }

  @Test(.enabled(if: Workshop.program("systemd-analyze") != nil, "needs systemd-analyze"))
  func systemdFindsNothingWrongWithTheUnits() throws {
    let shop = try Workshop()
    for suffix in ["service", "timer"] {
      try text(suffix)
        .replacingOccurrences(of: "/usr/local/bin/winnow", with: "\"\(Workshop.binary.path)\"")
        .write(toFile: "\(shop.root)/winnow-nightly.\(suffix)", atomically: true, encoding: .utf8)
    }
    let verified = try Workshop.run(
      try #require(Workshop.program("systemd-analyze")),
      ["verify", "--man=no", "winnow-nightly.service", "winnow-nightly.timer"], in: shop.root)
    #expect(verified.status == 0, "\(verified.errors)")
    // What it doesn't know, it only warns of.
    #expect(!verified.errors.contains("winnow-nightly"), "\(verified.errors)")
  }

  @Test func aShardThatCannotBeReadToItsEndIsNoFailureOfTheService() throws {
    let line = try text("service").firstMatch(of: #/\nSuccessExitStatus=(.+)/#)?.1
    let statuses = try #require(line).split(separator: " ")
    #expect(statuses.contains("3"))
    // A night that failed is one that must be seen.
    #expect(!statuses.contains("1") && !statuses.contains("2"))
  }

  @Test(.enabled(if: Workshop.program("make") != nil, "needs make"))
  func makeNightlyOverAShardThatCannotBeReadSucceedsWithAWarning() throws {
    let shop = try Workshop()
    let (bin, warning) = (Workshop.binary.deletingLastPathComponent().path, "warning: a shard")
    try TinyCorpus.write(200, size: 50, to: "\(shop.root)/the crawl")
    // The pipeline is the night's own; judges that train in seconds are brought along.
    #expect(
      try shop.winnow("train", "the crawl", "--pipeline", "tiny.yaml", "--out", "judges").status
        == 0)
    try "no tar".write(
      toFile: "\(shop.root)/the crawl/000009.tar", atomically: true, encoding: .utf8)
    let night = try make("nightly", shop, bin: bin, flags: "--ensemble \(shop.root)/judges")
    #expect(night.status == 0, "\(night.errors)")
    #expect(
      night.errors.contains(warning) && night.errors.contains("/the crawl/000009.tar"),
      "\(night.errors)")
    #expect(try shop.manifest("the clean").ledger.read == 200)
    func expectRecord(ofStatus status: Int) throws {
      let log = try String(contentsOfFile: "\(shop.root)/the clean.jsonl", encoding: .utf8)
      #expect(log.split(separator: "\n").last?.contains("\"status\":\(status)") == true, "\(log)")
      let figures = try String(contentsOfFile: "\(shop.root)/the clean.prom", encoding: .utf8)
      #expect(
        figures.split(separator: "\n").contains {
          $0.hasPrefix("winnow_last_run_exit_status{") && $0.hasSuffix(" \(status)")
        }, "\(figures)")
    }
    try expectRecord(ofStatus: 3)
    let second = try make("nightly", shop, bin: bin)
    #expect(second.status == 0 && second.errors.contains("Nothing new"), "\(second.errors)")
    #expect(!second.errors.contains(warning), "\(second.errors)")
    // A corpus that isn't there is no shard that can't be read.
    let missing = try make("nightly", shop, corpus: "nowhere", bin: bin)
    #expect(missing.status == 2 && missing.errors.contains("/nowhere"), "\(missing.errors)")
    #expect(!missing.errors.contains(warning), "\(missing.errors)")
    try expectRecord(ofStatus: 2)
  }

  @Test(
    .enabled(if: Workshop.program("make") != nil, "needs make"),
    arguments: ["nightly", "clean-shards"])
  func makeToleratesAShardThatCannotBeReadAndNoOtherStatus(target: String) throws {
    let shop = try Workshop()
    for status in [0, 1, 2, 3, 75, 139, 143] {
      // In the place of winnow; what stands behind it is given to nobody.
      let outcome = try make(target, shop, bin: "sh -c 'exit \(status)' in-the-place-of")
      #expect((outcome.status == 0) == [0, 3].contains(status), "\(status): \(outcome.errors)")
      #expect(
        outcome.errors.contains("warning: a shard") == (status == 3),
        "\(status): \(outcome.errors)")
    }
  }

  /// As they stand, but for where things lie, and with judges that train in seconds.
  @Test func theCommandsCleanTheCorpusThatThePipelineFileNames() throws {
    let shop = try Workshop()
    try TinyCorpus.write(200, size: 50, to: "\(shop.root)/crawl")
    let pipeline = try text("yaml").replacingOccurrences(of: "/data/", with: "\(shop.root)/")
    try (pipeline + TinyCorpus.pipeline()).write(
      toFile: "\(shop.root)/nightly.yaml", atomically: true, encoding: .utf8)
    func run(_ command: Substring?) throws -> Workshop.Outcome {
      let placed = try #require(command)
        .replacingOccurrences(of: "/etc/winnow/", with: "\(shop.root)/")
        .replacingOccurrences(of: "/usr/local/bin/winnow", with: "'\(Workshop.binary.path)'")
      return try Workshop.run(URL(fileURLWithPath: "/bin/bash"), ["-c", placed], in: shop.root)
    }
    let service = try run(text("service").firstMatch(of: #/\nExecStart=(.+)/#)?.1)
    #expect(service.status == 0, "\(service.errors)")
    #expect(try shop.manifest("clean").ledger.read == 200)
    #expect(shop.exists("clean.jsonl") && shop.exists("clean.prom"))
    let crontab = try run(text("crontab").firstMatch(of: #/\n(?:[0-9*]+ ){5}(.+)/#)?.1)
    #expect(crontab.status == 0 && crontab.errors.contains("Nothing new"), "\(crontab.errors)")
  }
}
