import ConfidentLearning
import Foundation
import Pipeline

/// What was estimated and how sure it is, in figures and in words; shared by the end of a run and `winnow fit`.
struct NoiseWords {
  let noise: Manifest.Noise

  /// An interval wider than this says that the judges hardly tell.
  private static let unsure = 0.25

  /// Name and value of each figure.
  var figures: [(String, String)] {
    [
      ("estimated noise rate", "\(percent(noise.noiseRate)) (\(range(noise.noiseRateInterval)))"),
      (
        "  cautiously",
        "\(percent(noise.cautiousNoiseRate)) (\(range(noise.cautiousNoiseRateInterval)))"
      ),
      (
        "  left among the kept pairs",
        "\(percent(noise.estimatedNoiseKept)), cautiously \(percent(noise.cautiousNoiseKept))"
      ),
    ]
  }

  var sentences: [String] {
    var lines = [
      """
      Of 100 pairs about \(count(noise.noiseRate)) are mismatched, with 95 % confidence \
      \(count(noise.noiseRateInterval.low)) to \(count(noise.noiseRateInterval.high)), if mismatched captions come \
      from anywhere in the corpus. Captions of the right topic but of another image are hard to tell and counted in \
      part only, so this is a lower bound; if mismatches were as the setting noise.repairing has them, by default a \
      third of them within a topic, it would be \(count(noise.cautiousNoiseRate)) \
      (\(count(noise.cautiousNoiseRateInterval.low)) to \(count(noise.cautiousNoiseRateInterval.high))). \
      The cut goes by the latter.
      """
    ]
    if !noise.isTelling {
      lines = [
        """
        The judges don't tell pairs from re-paired ones (area under the ROC curve \(String(format: "%.2f", noise.separation)), \
        where chance is 0.5), so nothing can be said of the noise and nothing is dropped. Train on more pairs, or bring \
        a pretrained model.
        """
      ]
    } else if noise.noiseRateInterval.high - noise.noiseRateInterval.low > Self.unsure {
      lines.append(
        "That is a wide range: there are few pairs, or the judges hardly tell them from re-paired ones. Train on more "
          + "pairs, or bring a pretrained model.")
    }
    if !noise.reachable {
      lines.append(
        "No cut reaches the noise asked for; the strictest one leaves an estimated "
          + "\(percent(noise.cautiousNoiseKept)).")
    }
    return lines
  }

  private func range(_ interval: Interval) -> String {
    String(format: "95 %%: %.1f to %.1f %%", 100 * interval.low, 100 * interval.high)
  }

  private func percent(_ value: Double) -> String { String(format: "%.1f %%", 100 * value) }

  private func count(_ share: Double) -> String {
    let value = 100 * share
    return String(format: value < 9.95 ? "%.1f" : "%.0f", value)
  }
}
