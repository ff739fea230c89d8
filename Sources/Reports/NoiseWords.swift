import ConfidentLearning
import Foundation
import Pipeline

/// What was estimated and how sure it is, in figures and in words; shared by the end of a run and `winnow fit`.
struct NoiseWords {
  let noise: Manifest.Noise

  /// An interval wider than this says that the judges hardly tell.
  private static let unsure = 0.25
  /// Below this area under the ROC curve many matches score as low as mismatches do, and the estimate errs upwards.
  private static let weak = 0.85

  /// Name and value of each figure.
  var figures: [(String, String)] {
    var lines = [
      ("estimated noise rate", "\(percent(noise.noiseRate)) (\(range(noise.noiseRateInterval)))")
    ]
    var left = percent(noise.estimatedNoiseKept)
    if let share {
      lines.append(
        (
          "  if \(share) is within topics",
          "\(percent(noise.cautiousNoiseRate)) (\(range(noise.cautiousNoiseRateInterval)))"
        ))
      left += ", then \(percent(noise.cautiousNoiseKept))"
    }
    return lines + [("  left among the kept pairs", left)]
  }

  /// What share of the mismatches the cautious estimate takes for captions of the right topic.
  private var share: String? {
    switch noise.repairing {
    case .random: nil
    case .cluster: "all"
    case .both: "a third"
    }
  }

  var sentences: [String] {
    guard noise.isTelling else {
      let remains =
        if case .keepFraction = noise.cut {
          "The share asked for is kept, but which pairs they are is chance."
        } else {
          "Nothing is dropped."
        }
      let area = String(format: "%.2f", noise.separation)
      return [
        """
        The judges don't tell pairs from re-paired ones (area under the ROC curve \(area), where chance is 0.5): they \
        know too little, or nearly all captions are wrong. Nothing can be said of the noise. \(remains) Train on more \
        pairs, or bring a pretrained model.
        """
      ]
    }
    var lines = [
      """
      Of 100 pairs about \(count(noise.noiseRate)) are mismatched, with 95 % confidence \
      \(count(noise.noiseRateInterval)), if mismatched captions come from anywhere in the corpus. Captions of the right \
      topic but of another image are hard to tell and counted in part only, so for them this is a lower bound.
      """
    ]
    if let share {
      lines[0] +=
        " If \(share) of the mismatches were of the right topic, it would be \(count(noise.cautiousNoiseRate)) "
        + "(\(count(noise.cautiousNoiseRateInterval)))"
        + (noise.cut.goesByNoiseRate ? "; the cut goes by that. " : ". ")
        + "Neither is an upper bound."
    }
    if noise.noiseRateInterval.high - noise.noiseRateInterval.low > Self.unsure {
      lines.append(
        "That is a wide range: there are few pairs, or the judges hardly tell them from re-paired ones. Train on more "
          + "pairs, or bring a pretrained model.")
    }
    if matchSeparation < Self.weak {
      let area = String(format: "%.2f", matchSeparation)
      lines.append(
        """
        The judges tell matches from re-paired captions only weakly (area under the ROC curve about \(area)): the estimate \
        takes it that few matches score as low as those, and is too high where many do.
        """)
    }
    if case .maxNoise(let limit) = noise.cut { lines.append(limitWords(limit)) }
    return lines
  }

  /// What is known of the noise among the kept pairs, where that was asked for.
  private func limitWords(_ limit: Double) -> String {
    let left = "an estimated \(percent(noise.cautiousNoiseKept))"
    guard noise.reachable else {
      return noise.cautiousNoiseKept > limit
        ? "No cut reaches the noise asked for; the surest one leaves \(left)."
        : """
        There are too few pairs to be sure of the noise asked for; the surest cut leaves \(left), and perhaps up to \
        \(percent(noise.cautiousNoiseKeptBound ?? 1)).
        """
    }
    let premise =
      switch noise.repairing {
      case .random: "if mismatched captions come from anywhere in the corpus"
      case .cluster:
        "if mismatched captions are of the right topic as captions of its text cluster are"
      case .both: "if at most a third of the mismatches are of the right topic"
      }
    return
      "With 95 % confidence the noise asked for is kept to, within 2 percentage points, \(premise)."
  }

  /// The area under the ROC curve of matches alone: the observed pairs' is lowered by the mismatches among them, which score
  /// like re-paired ones.
  private var matchSeparation: Double {
    let rate = min(noise.noiseRate, 0.99)
    return min(1, (noise.separation - rate / 2) / (1 - rate))
  }

  private func range(_ interval: Interval) -> String {
    String(format: "95 %%: %.1f to %.1f %%", 100 * interval.low, 100 * interval.high)
  }

  private func percent(_ value: Double) -> String { String(format: "%.1f %%", 100 * value) }

  private func count(_ interval: Interval) -> String {
    "\(count(interval.low)) to \(count(interval.high))"
  }

  private func count(_ share: Double) -> String {
    let value = 100 * share
    return String(format: value < 9.95 ? "%.1f" : "%.0f", value)
  }
}
