import Foundation
import Shards
import Testing

@testable import Pipeline

/// Seven nights of a corpus that grows, with what goes wrong in a week.
@Suite struct NightlyTests {
  private static let settings =
    TinyCorpus.pipeline(epochs: 12) + """

      in: [crawl]
      out: clean
      report: {log: nightly.jsonl, metrics: nightly.prom, progress: false}
      """

  private func add(
    _ range: Range<Int>, _ name: String, _ shop: Workshop, mismatched: Bool = false
  ) throws {
    var members: [Member] = []
    for i in range {
      var sample = TinyCorpus.sample(i)
      if mismatched { sample[1].bytes = TinyCorpus.sample(i + 7 + i % 5)[1].bytes }
      members += sample
    }
    try TinyCorpus.write(members, to: "\(shop.root)/crawl/\(name).tar")
  }

  private func metrics(_ shop: Workshop) throws -> [String: Double] {
    let text = try String(contentsOfFile: "\(shop.root)/nightly.prom", encoding: .utf8)
    var values: [String: Double] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let parts = line.split(separator: " ")
      let name = parts[0].split(separator: "{")[0]
      values[String(name), default: 0] += Double(parts[1]) ?? .nan
    }
    return values
  }

  @Test func aWeekWithACrashADriftAndADeletedShard() throws {
    let shop = try Workshop(pipeline: Self.settings)
    try FileManager.default.createDirectory(
      atPath: "\(shop.root)/crawl", withIntermediateDirectories: true)
    func night() throws -> Workshop.Outcome { try shop.winnow("clean", "--pipeline", "tiny.yaml") }

    try add(0..<600, "monday", shop)
    let first = try night()
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.errors.hasPrefix("pairs read"))
    #expect(try metrics(shop)["winnow_pairs_read"] == 600)

    let second = try night()
    #expect(second.status == 0 && second.errors.contains("Nothing new"), "\(second.errors)")
    #expect(second.output == "")

    // The third night's run dies in the middle.
    try add(600..<900, "wednesday", shop)
    let process = try shop.start("clean", "--pipeline", "tiny.yaml")
    #expect(shop.appears("clean/.winnow/increments/000001.json"))
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()

    try add(900..<950, "thursday", shop)
    let fourth = try night()
    #expect(fourth.status == 0, "\(fourth.errors)")
    #expect(try shop.manifest("clean").increments.map(\.pairs) == [600, 300, 50])
    #expect(!fourth.errors.contains("don't score like"), "\(fourth.errors)")

    try add(950..<1150, "friday", shop, mismatched: true)
    let fifth = try night()
    #expect(fifth.status == 0, "\(fifth.errors)")
    #expect(fifth.errors.contains("the 200 new pairs don't score like the 600"))
    let drift = try metrics(shop)
    #expect((drift["winnow_score_drift"] ?? 0) > (drift["winnow_score_drift_threshold"] ?? 1))
    #expect((drift["winnow_score_drift_threshold"] ?? 0) >= 0.1)
    // The seconds are the night's: the judges were trained on Monday.
    let seconds = try shop.manifest("clean").timings.seconds
    #expect(seconds["train"] == nil && seconds["score"] != nil, "\(seconds)")
    #expect(!fifth.errors.contains("  train  "), "\(fifth.errors)")
    let figures = try String(contentsOfFile: "\(shop.root)/nightly.prom", encoding: .utf8)
    #expect(!figures.contains("stage=\"train\""))
    for stage in ["score", "write"] {
      let line = figures.split(separator: "\n").first {
        $0.hasPrefix("winnow_stage_seconds{") && $0.contains("stage=\"\(stage)\"")
      }
      let value = line?.split(separator: " ").last.flatMap { Double($0) }
      #expect((value ?? 0) > 0, "\(stage): \(figures)")
    }
    let success = drift["winnow_last_success_timestamp_seconds"] ?? 0
    let age = Date.now.timeIntervalSince1970 - success
    #expect(abs(age) < 300, "\(age)")

    try FileManager.default.removeItem(atPath: "\(shop.root)/crawl/wednesday.tar")
    try add(1150..<1200, "saturday", shop)
    let sixth = try night()
    #expect(sixth.status == 0, "\(sixth.errors)")
    #expect(sixth.errors.contains("crawl/wednesday.tar is gone since it was cleaned"))
    #expect(try metrics(shop)["winnow_stale_shards"] == 1)

    // The seventh night's shard ends inside its first member; the rest is cleaned.
    try add(1200..<1210, "sunday", shop)
    #expect(truncate("\(shop.root)/crawl/sunday.tar", 600) == 0)
    let seventh = try night()
    #expect(seventh.status == 3, "\(seventh.errors)")
    #expect(!seventh.errors.contains("fitted-scores.json is missing"))
    let last = try metrics(shop)
    #expect(last["winnow_last_run_exit_status"] == 3)
    #expect(last["winnow_shards_not_read_to_end"] == 1)
    #expect(last["winnow_pairs_read"] == 1201)
    #expect(last["winnow_pairs_unreadable"] == 1)
    #expect(last["winnow_noise_rate"] == (try shop.manifest("clean").noise.noiseRate))
    let lines = try String(contentsOfFile: "\(shop.root)/nightly.prom", encoding: .utf8)
      .split(separator: "\n")
    for (family, label) in [
      ("pairs_rejected", "reason=\"mismatch\""), ("pairs_unreadable", "reason=\"cut-short\""),
      ("shards_not_read_to_end", "reason=\"truncated\""),
    ] {
      #expect(lines.contains { $0.hasPrefix("winnow_\(family){") && $0.contains(label) })
    }
    #expect(
      last["winnow_pairs_read"]
        == (last["winnow_pairs_kept"] ?? 0) + (last["winnow_pairs_rejected"] ?? 0) + 1)

    let log = try String(contentsOfFile: "\(shop.root)/nightly.jsonl", encoding: .utf8)
    let events = try log.split(separator: "\n").map { line in
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
    }
    #expect(events.count { $0["event"] as? String == "run_began" } == 7)
    #expect(events.count { $0["event"] as? String == "run_ended" } == 6)
    #expect(events.contains { $0["event"] as? String == "stale_shard" })
    #expect(events.contains { $0["event"] as? String == "fault" })
    #expect(events.allSatisfy { $0["time"] is String })
    // By nights, each from its beginning on.
    let nights = events.reduce(into: [[[String: Any]]]()) { nights, event in
      if event["event"] as? String == "run_began" { nights.append([]) }
      if !nights.isEmpty { nights[nights.count - 1].append(event) }
    }
    try #require(nights.count == 7)
    func told(_ event: String, night: Int) -> [[String: Any]] {
      nights[night - 1].filter { $0["event"] as? String == event }
    }
    let drifts = told("drift", night: 5)
    #expect(drifts.count == 1 && told("drift", night: 4).isEmpty)
    let statistic = drifts.first?["drift"] as? Double ?? -1
    #expect(abs(statistic - (drift["winnow_score_drift"] ?? 0)) < 1e-9)
    let words = drifts.first?["text"] as? String ?? ""
    #expect(words.contains("don't score like"), "\(words)")
    let ended = told("stage_ended", night: 5)
    let stages = Set(ended.compactMap { $0["stage"] as? String })
    #expect(stages == ["pin", "score", "fit", "decide", "write"])
    #expect(ended.allSatisfy { ($0["seconds"] as? Double ?? -1) >= 0 })
    #expect(told("stage_ended", night: 1).contains { $0["stage"] as? String == "train" })

    // A week's output is whole: numbered without gaps, every pair once.
    let manifest = try shop.manifest("clean")
    #expect(
      manifest.clean.map(\.file)
        == manifest.clean.indices.map { RunDirectory.padded($0) + ".tar.zst" })
    let keys = try (shop.samples("clean/clean") + shop.samples("clean/rejected")).map(\.key)
    #expect(Set(keys).count == 1200 && keys.count == 1200)
  }

  /// The list of a corpus that isn't there: nothing fails, and yet it is to be seen.
  @Test func anEmptyListLeavesTheTimeOfTheLastSuccess() throws {
    let shop = try Workshop(pairs: 120)
    try shop.writeJudges()
    let file = "\(shop.root)/w.prom"
    /// - Returns: the line of the last success.
    func night(_ list: String) throws -> String? {
      let outcome = try shop.winnow(
        "clean", "-", "--pipeline", "tiny.yaml", "--out", "out", "--ensemble", "judges",
        "--metrics", "w.prom", input: list)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
      #expect(lines.contains { $0.hasPrefix("winnow_last_run_exit_status{") && $0.hasSuffix(" 0") })
      return lines.first { $0.hasPrefix("winnow_last_success_timestamp_seconds{") }
        .map { String($0) }
    }
    #expect(try night("") == nil)
    #expect(!shop.exists("out"))
    let line = try #require(try night("in\n"))
    // As if that had been another night, and somebody had let his node_exporter read it.
    let early = "winnow_last_success_timestamp_seconds{out=\"out\"} 5"
    try String(contentsOfFile: file, encoding: .utf8).replacingOccurrences(of: line, with: early)
      .write(toFile: file, atomically: true, encoding: .utf8)
    #expect(chmod(file, 0o644) == 0)
    #expect(try night("") == early)
    #expect(try night("in\n") != early)
    var status = stat()
    let isThere = stat(file, &status) == 0
    let mode = status.st_mode & 0o777
    #expect(isThere && mode == 0o644)
  }

  @Test func aNightWithNothingNewCountsTheFaultsOfEarlierOnes() throws {
    let shop = try Workshop(pairs: 120)
    try shop.writeJudges()
    for i in 10..<35 {
      try "no tar \(i)".write(
        toFile: "\(shop.root)/in/bad\(i).tar", atomically: true, encoding: .utf8)
    }
    func night(_ more: String...) throws -> Workshop.Outcome {
      let arguments = [
        "clean", "in", "--pipeline", "tiny.yaml", "--out", "out", "--ensemble", "judges", "--log",
        "w.jsonl",
      ]
      return try Workshop.run(Workshop.binary, arguments + more, in: shop.root)
    }
    func told(_ outcome: Workshop.Outcome) -> Int {
      outcome.errors.split(separator: "\n").count { $0.hasPrefix("not read to its end: ") }
    }
    /// - Returns: how many lines of the log are of this event.
    func logged(_ event: String) throws -> Int {
      try String(contentsOfFile: "\(shop.root)/w.jsonl", encoding: .utf8)
        .split(separator: "\n").count { $0.contains("\"event\":\"\(event)\"") }
    }
    let first = try night()
    #expect(first.status == 3 && told(first) == 20, "\(first.errors)")
    #expect(first.errors.contains("\n... and 5 more\n"), "\(first.errors)")
    #expect(try logged("fault") == 25)
    #expect(try logged("earlier_faults") == 0)

    let second = try night()
    #expect(second.status == 0 && second.errors.contains("Nothing new"), "\(second.errors)")
    #expect(told(second) == 0, "\(second.errors)")
    let lines = second.errors.split(separator: "\n").filter { $0.contains("25 shards") }
    #expect(lines.count == 1, "\(second.errors)")
    #expect(lines.allSatisfy { $0.contains("/in/bad10.tar") && $0.contains("out/manifest.json") })
    #expect(try logged("fault") == 25)
    #expect(try logged("earlier_faults") == 1)
    let quiet = try night("--quiet")
    #expect(quiet.status == 0 && quiet.errors == "", "\(quiet.errors)")
  }

  @Test func aFailedRunLeavesTheTimeOfTheLastSuccess() throws {
    let shop = try Workshop(pairs: 200)
    let arguments = [
      "--pipeline", "tiny.yaml", "--out", "out", "--metrics", "w.prom", "--log", "w.jsonl",
    ]
    func run(_ more: [String]) throws -> Workshop.Outcome {
      try Workshop.run(Workshop.binary, ["clean", "in"] + arguments + more, in: shop.root)
    }
    func line(_ name: String) throws -> Substring? {
      try String(contentsOfFile: "\(shop.root)/w.prom", encoding: .utf8)
        .split(separator: "\n").first { $0.hasPrefix("winnow_\(name){") }
    }
    // As a full disk cut the last line of an earlier run.
    try #"{"event":"run_beg"#.write(
      toFile: "\(shop.root)/w.jsonl", atomically: true, encoding: .utf8)
    #expect(try run([]).status == 0)
    let success = try line("last_success_timestamp_seconds")
    #expect(success != nil)
    #expect(try run(["--seed", "4"]).status == 1)
    #expect(try line("last_success_timestamp_seconds") == success)
    #expect(try line("last_run_exit_status")?.hasSuffix(" 1") == true)
    #expect(try line("pairs_read")?.hasSuffix(" 200") == true)
    let log = try String(contentsOfFile: "\(shop.root)/w.jsonl", encoding: .utf8)
    #expect(log.contains("was begun with other settings"))
    for line in log.split(separator: "\n").dropFirst() {
      #expect(throws: Never.self, "\(line)") {
        try JSONSerialization.jsonObject(with: Data(line.utf8))
      }
    }
    #expect(try shop.clean(out: "out", "--log", "nowhere/w.jsonl").status == 2)
    for bad in ["in/000000.tar", "out/clean/000000.tar.zst", "w.txt"] {
      #expect(try shop.clean(out: "out", "--metrics", bad).status == 2)
    }
    #expect(rename("\(shop.root)/in", "\(shop.root)/away") == 0)
    #expect(try run([]).status == 2)
    #expect(try line("last_run_exit_status")?.hasSuffix(" 2") == true)
  }
}
