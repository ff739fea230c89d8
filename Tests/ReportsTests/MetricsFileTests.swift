import Foundation
import Pipeline
import Testing

@testable import Reports

@Suite struct MetricsFileTests {
  private func file(status: Int32, _ out: String = "/data/a \"b\"\\c") -> MetricsFile {
    MetricsFile(
      directory: RunDirectory(out), manifest: nil, result: nil,
      seconds: ["score": 1.5, "pin": 2], status: status)
  }

  private let now = Date(timeIntervalSince1970: 1_700_000_000)

  @Test func labelsAreEscapedAndEveryFamilyHasItsType() {
    let text = file(status: 0).text(now: now, lastSuccess: nil)
    #expect(
      text.contains(#"winnow_stage_seconds{out="/data/a \"b\"\\c",stage="score"} 1.5"#))
    #expect(text.contains("winnow_last_run_timestamp_seconds{"))
    let names = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
      .compactMap { $0.split(separator: "{").first }
    for name in Set(names) {
      #expect(text.contains("# TYPE \(name) gauge\n") && text.contains("# HELP \(name) "))
    }
    #expect(text.hasSuffix("\n"))
  }

  @Test(arguments: [(Int32(0), true), (3, true), (1, false), (75, false), (143, false)])
  func onlyARunThatIsDoneIsASuccess(status: Int32, isSuccess: Bool) {
    let text = file(status: status).text(now: now, lastSuccess: 5)
    let line = text.split(separator: "\n").last { !$0.hasPrefix("#") } ?? ""
    #expect(line.hasPrefix("winnow_last_success_timestamp_seconds"))
    #expect(line.hasSuffix(isSuccess ? " 1700000000" : " 5"))
  }

  @Test(arguments: [nil, 5] as [Double?])
  func aRunThatEndsNoNightIsNone(lastSuccess: Double?) {
    var stage = file(status: 0)
    stage.endsNight = false
    let text = stage.text(now: now, lastSuccess: lastSuccess)
    #expect(text.contains("winnow_last_run_timestamp_seconds{"))
    let line = text.split(separator: "\n").first { $0.hasPrefix("winnow_last_success_") }
    #expect((line == nil) == (lastSuccess == nil))
    #expect(line?.hasSuffix(" 5") ?? true)
  }

  @Test(arguments: [0o600, 0o640, 0o666] as [mode_t])
  func aFileThatIsReplacedKeepsItsPermissions(mode: mode_t) throws {
    let path = NSTemporaryDirectory() + "winnow-\(UUID().uuidString).prom"
    defer { unlink(path) }
    try file(status: 1).write(to: path)
    #expect(chmod(path, mode) == 0)
    try file(status: 0).write(to: path)
    var status = stat()
    let isThere = stat(path, &status) == 0
    #expect(isThere && status.st_mode & 0o777 == mode)
    #expect(try String(contentsOfFile: path, encoding: .utf8).contains("_exit_status{"))
  }
}
