import ConfidentLearning
import Foundation

extension Drift {
  /// A sentence without its full stop.
  public var words: String {
    let way = shift < 0 ? "worse" : "better"
    return String(
      format:
        "the %d new pairs don't score like the %d that the noise model was fitted on: their scores' "
        + "distributions are %.2f apart (%.2f counts as drift), and the new pairs fit %@ on the average",
      pairs, fittedPairs, statistic, threshold, way)
  }
}
