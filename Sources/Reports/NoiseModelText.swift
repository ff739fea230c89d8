import Foundation
import Pipeline

extension NoiseModelFile {
  /// The noise model in a few lines.
  public var text: String {
    String(
      format: """
        judged pairs                    %d
        estimated noise rate            %.1f %%
          tail estimate (a lower bound) %.1f %%
        score threshold                 %.3f
          noise left above it           %.1f %%
        """, pairs, 100 * model.noiseRate, 100 * model.tailNoiseRate, model.scoreThreshold,
      100 * model.estimatedNoiseKept)
  }
}
