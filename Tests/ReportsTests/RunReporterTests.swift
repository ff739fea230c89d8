import Foundation
import Testing

@testable import Pipeline
@testable import Reports

@Suite struct RunReporterTests {
  private let folder = NSTemporaryDirectory() + "winnow-reporter-\(UUID().uuidString)"

  /// The log's events of the run's end, after 30 shards that couldn't be read to their end.
  private func events(isNothingNew: Bool) throws -> [[String: Any]] {
    let files = FileManager.default
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? files.removeItem(atPath: folder) }
    var configuration = ReportConfiguration()
    configuration.log = "\(folder)/run.jsonl"
    let reporter = try RunReporter(
      configuration, of: RunDirectory("\(folder)/out"), command: "clean")
    let result = RunResult(
      isNothingNew: isNothingNew,
      faults: (0..<30).map { i in (path: "/in/\(i).tar", message: "it ends inside a member") })
    #expect(reporter.finish(result, status: result.exitStatus) == nil)
    let log = try String(contentsOfFile: "\(folder)/run.jsonl", encoding: .utf8)
    return try log.split(separator: "\n").map { line in
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
    }
  }

  @Test func theLogHasEveryFaultOfTheRun() throws {
    let faults = try events(isNothingNew: false).filter { $0["event"] as? String == "fault" }
    let paths = faults.compactMap { $0["path"] as? String }
    #expect(paths == (0..<30).map { "/in/\($0).tar" })
  }

  @Test func theLogOfANightWithNothingNewCountsTheFaultsOfEarlierOnes() throws {
    let events = try events(isNothingNew: true)
    let names = events.compactMap { $0["event"] as? String }
    #expect(names == ["run_began", "earlier_faults", "run_ended"])
    let text = try #require(events[1]["text"] as? String)
    #expect(text.contains("30 shards (/in/0.tar, ...)"), "\(text)")
  }
}
