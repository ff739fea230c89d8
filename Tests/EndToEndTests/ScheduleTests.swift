import Foundation
import Testing

@testable import Pipeline

/// What has cron or systemd run Winnow every night: `Pipelines/nightly.*`.
@Suite struct ScheduleTests {
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
