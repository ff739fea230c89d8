import Foundation
import Pipeline

extension DryRunReport {
  public var json: String { get throws { try reportJSON(self) } }

  /// What a run would come to, in a few lines.
  public var text: String {
    func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
    if shards == 0 {
      return "Nothing new: the output folder holds the finished result of these shards."
    }
    let words = NoiseWords(noise: noise)
    var lines = [
      ("sampled pairs", "\(sampledPairs)"),
      ("all pairs, about", "\(pairs) in \(counted(shards, "shard")), \(size(bytes))"),
    ]
    lines += words.figures
    lines.append(("would be kept", "\(percent(kept)), about \(Int(kept * Double(pairs)))"))
    for (reason, share) in rejected.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      lines.append(("  rejected as \(reason)", percent(share)))
    }
    lines += [
      ("disk for clean shards", size(cleanBytes)), ("  for rejected ones", size(rejectedBytes)),
      ("  for scores and decisions", size(stateBytes)),
      ("  while judges are trained", size(trainingBytes)),
      ("time, about", time(totalSeconds)),
    ]
    for stage in Stage.allCases {
      guard let value = seconds[stage.rawValue], value >= 0.5 else { continue }
      lines.append(("  \(stage.rawValue)", time(value)))
    }
    let learnt =
      finishedShards == 0
      ? ", whose judges learnt from less than the whole's would"
      : " of the new shards alone, by the judges and the noise model that are there (\(counted(finishedShards, "shard")) finished)"
    let note = "Estimated from a sample\(learnt); nothing was written."
    return aligned(lines, width: 32) + "\n" + note
  }

  private func size(_ bytes: Int64) -> String {
    let units = ["bytes", "KB", "MB", "GB", "TB", "PB"]
    var (value, unit) = (Double(bytes), 0)
    while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
    return unit == 0 ? "\(bytes) bytes" : String(format: "%.1f %@", value, units[unit])
  }

  private func time(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole < 120 { return "\(whole) s" }
    if whole < 7200 { return "\((whole + 30) / 60) min" }
    return String(format: "%.1f h", seconds / 3600)
  }
}
