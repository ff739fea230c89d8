import Encoders
import Foundation

/// An ensemble and what identifies it.
struct Judges: Sendable {
  let ensemble: Ensemble
  /// Of everything that decides a score, hex.
  let digest: String
  /// Names of the kinds of member, in score order.
  var kinds: [String] { ensemble.kinds.map(\.name) }

  init(directory: String) throws {
    ensemble = try Ensemble(directory: directory)
    digest = try ensemble.digest()
  }
}

/// The ensemble a run judges with: `DIR/ensemble`, trained there (`TrainStage`) or brought from elsewhere.
enum EnsembleStage {
  /// - Parameter path: an ensemble folder or the output folder that holds one; nil for the run's own.
  static func adopt(_ path: String?, in run: RunContext) throws -> Judges {
    let own = run.directory.ensemble
    guard let path else {
      guard FileManager.default.fileExists(atPath: own) else {
        throw RunError.missing(
          file: own, remedy: "train one with `winnow train`, or name one with --ensemble")
      }
      return try Judges(directory: own)
    }
    let nested = "\(path)/ensemble"
    let source = FileManager.default.fileExists(atPath: nested) ? nested : path
    guard FileManager.default.fileExists(atPath: "\(source)/ensemble.json") else {
      throw RunError.usage("\(path) holds no ensemble.json")
    }
    let judges = try Judges(directory: source)
    if FileManager.default.fileExists(atPath: own) {
      let present = try Judges(directory: own)
      guard present.digest == judges.digest else {
        throw RunError.otherEnsemble(
          directory: run.directory.path, found: judges.digest, expected: present.digest)
      }
      return present
    }
    try run.publishing.publish(folder: own) { try judges.ensemble.write(to: $0) }
    return try Judges(directory: own)
  }
}
