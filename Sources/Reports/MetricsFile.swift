import Foundation
import Pipeline

/// Figures of a folder and its last run in Prometheus' text format, for node_exporter's textfile collector.
struct MetricsFile {
  var directory: RunDirectory
  /// Nil where no run has been finished yet.
  var manifest: Manifest?
  /// Nil where the last run failed.
  var result: RunResult?
  /// Of the last run, by stage.
  var seconds: [String: Double]
  var status: Int32
  /// What the folder is for lies there: else it was no success that anybody could rely on.
  var endsNight = true

  /// Writes the file whole or not at all.
  func write(to path: String, now: Date = .now) throws {
    let before = try? String(contentsOfFile: path, encoding: .utf8)
    let text = text(now: now, lastSuccess: before.flatMap(lastSuccess))
    var info = stat()
    let isThere = stat(path, &info) == 0
    try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    // Whoever let node_exporter read the file before did it for good.
    if isThere { chmod(path, info.st_mode & 0o777) }
  }

  func text(now: Date, lastSuccess: Double?) -> String {
    var families: [String] = []
    func add(_ name: String, _ help: String, _ samples: [(labels: [String: String], value: Double)])
    {
      guard !samples.isEmpty else { return }
      let lines = samples.map { "winnow_\(name)\(labels($0.labels)) \(number($0.value))" }
      families.append(
        "# HELP winnow_\(name) \(help)\n# TYPE winnow_\(name) gauge\n"
          + lines.joined(separator: "\n"))
    }
    func add(_ name: String, _ help: String, _ value: Double?) {
      add(name, help, value.map { [([:], $0)] } ?? [])
    }
    func add(_ name: String, _ help: String, by label: String, _ values: [String: Double]) {
      add(name, help, values.sorted { $0.key < $1.key }.map { ([label: $0.key], $0.value) })
    }
    if let manifest {
      let ledger = manifest.ledger
      add("pairs_read", "Pairs read, over all runs.", Double(ledger.read))
      add("pairs_kept", "Pairs kept, over all runs.", Double(ledger.kept))
      add("pairs_restored", "Rejected pairs put back.", Double(manifest.restored.count))
      add(
        "pairs_rejected", "Pairs rejected, over all runs.", by: "reason",
        ledger.rejected.mapValues(Double.init))
      add(
        "pairs_unreadable", "Pairs whose bytes couldn't be had.", by: "reason",
        ledger.unreadable.mapValues(Double.init))
      add(
        "shards_not_read_to_end", "Shards that couldn't be read to their end.", by: "reason",
        ledger.faults.mapValues(Double.init))
      add("noise_rate", "Estimated share of mismatched pairs.", manifest.noise.noiseRate)
      add(
        "cautious_noise_rate", "The same if mismatches are as noise.repairing has them.",
        manifest.noise.cautiousNoiseRate)
      add(
        "score_drift", "Distance of the last new pairs' scores from those fitted on, 0 to 1.",
        manifest.increments.last?.drift?.statistic)
      add(
        "score_drift_threshold", "Above it, that distance counts as drift.",
        manifest.increments.last?.drift?.threshold)
    }
    if let result {
      add(
        "last_run_new_pairs", "Pairs that the last run judged or embedded.",
        Double(result.newPairs))
      add(
        "stale_shards", "Shards that changed or vanished after they were cleaned.", by: "change",
        Dictionary(grouping: result.stale, by: \.change.rawValue).mapValues { Double($0.count) })
      add(
        "damaged_files", "Published files that are gone or of another size.",
        Double(result.damaged.count))
    }
    add("stage_seconds", "Seconds of the last run.", by: "stage", seconds)
    add(
      "last_run_exit_status", "0 done, 3 done but for a shard or a damaged file; see --help.",
      Double(status))
    let time = now.timeIntervalSince1970.rounded()
    add("last_run_timestamp_seconds", "When the last run ended.", time)
    add(
      "last_success_timestamp_seconds",
      "When a run that publishes, or finds nothing new, last ended with status 0 or 3.",
      [0, 3].contains(status) && endsNight ? time : lastSuccess)
    return families.joined(separator: "\n") + "\n"
  }

  /// What the file says before it is replaced.
  private func lastSuccess(_ text: String) -> Double? {
    text.split(separator: "\n").first { $0.hasPrefix("winnow_last_success_timestamp_seconds") }
      .flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }
  }

  private func labels(_ labels: [String: String]) -> String {
    let all = labels.merging(["out": directory.path]) { first, _ in first }
    let pairs = all.sorted { $0.key < $1.key }.map { name, value in
      let escaped = value.replacingOccurrences(of: "\\", with: "\\\\")
        .replacingOccurrences(of: "\"", with: "\\\"").replacingOccurrences(of: "\n", with: "\\n")
      return "\(name)=\"\(escaped)\""
    }
    return "{\(pairs.joined(separator: ","))}"
  }

  private func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  }
}
