import Foundation
import Pipeline

extension NoiseModelFile {
  /// The noise model in a few lines, then in words.
  public var text: String {
    let words = NoiseWords(noise: Manifest.Noise(model))
    let figures =
      [("judged pairs", "\(pairs)")] + words.figures
      + [
        ("score threshold", String(format: "%.3f", model.scoreThreshold)),
        ("expected to be kept", String(format: "%.1f %%", 100 * model.expectedKept)),
      ]
    return ([aligned(figures)] + words.sentences).joined(separator: "\n")
  }
}
