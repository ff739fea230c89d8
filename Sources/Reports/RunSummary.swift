import Foundation
import Pipeline

/// The end of a run, told to people: what happened to the pairs, how noisy they were, what to do next.
public struct RunSummary {
  private let result: RunResult
  private let directory: RunDirectory

  public init(_ result: RunResult, in directory: RunDirectory) {
    self.result = result
    self.directory = directory
  }

  /// Several lines, without a newline at the end.
  public var text: String {
    guard let manifest = result.manifest else {
      let scored =
        result.newShards == 0
        ? []
        : ["\(counted(result.newPairs, "pair")) of \(counted(result.newShards, "shard")) scored"]
      return (scored + faults).joined(separator: "\n")
    }
    if result.isNothingNew {
      let sentence =
        "Nothing new: \(directory.path) holds the finished result of these shards "
        + "(\(manifest.ledger.kept) of \(manifest.ledger.read) pairs kept)."
      return ([sentence] + stale + faults).joined(separator: "\n")
    }
    return
      (growth(manifest) + counts(manifest) + noise(manifest) + time(manifest) + stale + faults
      + advice(manifest))
      .joined(separator: "\n")
  }

  /// What this run added to earlier ones.
  private func growth(_ manifest: Manifest) -> [String] {
    var lines: [String] = []
    if let previous = result.previous {
      lines.append("The folder was built anew; what it was is in \(previous), for you to delete.")
    }
    if manifest.increments.count > 1 {
      lines.append(
        "New: \(counted(result.newPairs, "pair")) of \(counted(result.newShards, "shard")); the counts are of all increments, the noise model is of the first."
      )
    }
    if let drift = result.drift { lines.append("warning: \(drift.words).") }
    return lines
  }

  /// Shards that changed or vanished after they were cleaned.
  private var stale: [String] {
    guard !result.stale.isEmpty else { return [] }
    let lines = firstLines(of: result.stale) { shard in
      let what = shard.change == .gone ? "is gone" : "changed"
      let kept = shard.published.values.reduce(0, &+)
      let files = shard.published.keys.sorted().map { "clean/\($0)" }.joined(separator: ", ")
      return "\(Inspection.printable(shard.path, limit: 4096)) \(what) since it was cleaned; "
        + (kept == 0
          ? "no pair of it was kept" : "\(counted(kept, "pair")) kept of it, in \(files)")
    }
    return lines + ["--rebuild makes the output anew from the shards as they are now"]
  }

  private func counts(_ manifest: Manifest) -> [String] {
    let ledger = manifest.ledger
    var lines = [
      line("pairs read", "\(ledger.read)"),
      line("kept", "\(ledger.kept)\(share(ledger.kept, of: ledger.read))"),
      line(
        "rejected", "\(ledger.totalRejected)\(share(ledger.totalRejected, of: ledger.read))"),
    ]
    lines += reasons(ledger.rejected)
    lines.append(line("unreadable", "\(ledger.totalUnreadable)"))
    lines += reasons(ledger.unreadable)
    return lines
  }

  private func noise(_ manifest: Manifest) -> [String] {
    NoiseWords(noise: manifest.noise).figures.map { line($0, $1) }
  }

  private func time(_ manifest: Manifest) -> [String] {
    let timings = manifest.timings
    let pairs = manifest.increments.last?.pairs ?? 0
    let rate = Double(pairs) / max(timings.total, 1e-9)
    var lines = [
      line("seconds", String(format: "%.1f (%.0f pairs/s)", timings.total, rate))
    ]
    for stage in Stage.allCases {
      guard let seconds = timings.seconds[stage.rawValue] else { continue }
      lines.append(line("  \(stage.rawValue)", String(format: "%.1f", seconds)))
    }
    return lines
  }

  private var faults: [String] {
    if let earlier = result.earlierFaults(in: directory) { return [earlier] }
    return firstLines(of: result.faults, faultLine)
  }

  private func advice(_ manifest: Manifest) -> [String] {
    let lines = NoiseWords(noise: manifest.noise).sentences
    guard let command = trainerCommand(for: manifest.clean, in: directory) else {
      return lines + ["No pair was kept, so there is nothing to train on."]
    }
    return lines + ["Train on the result with open_clip:", "  \(command)"]
  }

  private func reasons(_ counts: [String: Int]) -> [String] {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
      line("  \($0.key)", "\($0.value)")
    }
  }

  private func line(_ name: String, _ value: String) -> String {
    name.padding(toLength: max(name.count, 32), withPad: " ", startingAt: 0) + value
  }

  private func share(_ part: Int, of whole: Int) -> String {
    whole == 0 ? "" : String(format: " (%.1f %%)", 100 * Double(part) / Double(whole))
  }
}
