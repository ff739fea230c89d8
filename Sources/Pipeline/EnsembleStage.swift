import Encoders
import Foundation

/// The ensemble a run judges with: `DIR/ensemble`, trained there (`TrainStage`) or brought from elsewhere.
enum EnsembleStage {
  /// - Parameter path: an ensemble folder or the output folder that holds one; nil for the run's own.
  static func adopt(_ path: String?, in run: RunContext) throws -> Ensemble {
    let own = run.directory.ensemble
    guard let path else {
      guard FileManager.default.fileExists(atPath: own) else {
        throw RunError.missing(
          file: own, remedy: "train one with `winnow train`, or name one with --ensemble")
      }
      return try Ensemble(directory: own)
    }
    let nested = "\(path)/ensemble"
    let source = FileManager.default.fileExists(atPath: nested) ? nested : path
    guard FileManager.default.fileExists(atPath: "\(source)/ensemble.json") else {
      throw RunError.usage("\(path) holds no ensemble.json")
    }
    let ensemble = try Ensemble(directory: source)
    if FileManager.default.fileExists(atPath: own) {
      let present = try Ensemble(directory: own)
      guard present.digest == ensemble.digest else {
        throw RunError.otherEnsemble(
          directory: run.directory.path, found: ensemble.digest, expected: present.digest)
      }
      return present
    }
    try run.publishing.publish(own) { try ensemble.write(to: $0) }
    return try Ensemble(directory: own)
  }
}
