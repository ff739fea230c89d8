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

  /// Refuses to judge a later increment by other judges than those before, whose scores the noise model is of.
  /// - Throws: `RunError.damagedOutput`.
  func checkPublished(before increment: Increment, in run: RunContext) throws(RunError) {
    guard increment.index > 0 else { return }
    let published = try Manifest(of: run.directory).provenance.ensembleDigest
    guard digest == published else {
      throw .damagedOutput(
        "\(run.directory.ensemble) isn't what was published (digest \(digest), not \(published))")
    }
  }

  /// Refuses freshly trained weights that would make every score NaN; reading an ensemble looks for itself.
  /// - Throws: `RunError.badEnsemble`.
  static func check(_ ensemble: Ensemble, of directory: String) throws(RunError) {
    for member in ensemble.members {
      let isFinite =
        member.encoder.isFinite && member.bankImages.allSatisfy(\.isFinite)
        && member.bankTexts.allSatisfy(\.isFinite)
        && member.mean.isFinite && member.deviation.isFinite && member.deviation > 0
      guard isFinite else {
        throw .badEnsemble(
          directory: directory,
          detail: "member \(ensemble.kinds[member.kind].name), fold \(member.fold) has weights or "
            + "a standardisation that are no finite numbers; train again with a lower "
            + "judges.optimiser.peakRate")
      }
    }
  }
}

/// The ensemble a run judges with: `DIR/ensemble`, trained there (`TrainStage`) or brought from elsewhere.
enum EnsembleStage {
  /// - Parameter path: an ensemble folder or the output folder that holds one; nil for the run's own.
  static func adopt(_ path: String?, in run: RunContext) throws -> Judges {
    let judges = try adopted(path, in: run)
    // Of a training that was killed, whose judges aren't needed any more.
    TrainingFolder.remove(.judges, in: run)
    return judges
  }

  private static func adopted(_ path: String?, in run: RunContext) throws -> Judges {
    let own = run.directory.ensemble
    guard let path else {
      try OutputCheck.checkPresent(own, in: run)
      guard FileManager.default.fileExists(atPath: own) else {
        throw RunError.missing(
          file: own, remedy: "train one with `winnow train`, or name one with --ensemble")
      }
      return try Judges(directory: own)
    }
    let judges = try judges(at: path)
    try OutputCheck.checkPresent(own, in: run)
    if FileManager.default.fileExists(atPath: own) {
      let present = try Judges(directory: own)
      guard present.digest == judges.digest else {
        throw otherEnsemble(in: run, present.digest, judges)
      }
      return present
    }
    try Settings.forget(.judges, in: run)
    try run.publishing.publish(folder: own) { try judges.ensemble.write(to: $0) }
    return try Judges(directory: own)
  }

  /// - Parameter path: an ensemble folder or the output folder that holds one.
  static func judges(at path: String) throws -> Judges {
    let nested = "\(path)/ensemble"
    let source = FileManager.default.fileExists(atPath: nested) ? nested : path
    guard FileManager.default.fileExists(atPath: "\(source)/ensemble.json") else {
      throw RunError.usage("--ensemble: \(path) holds no ensemble.json")
    }
    return try Judges(directory: source)
  }

  static func otherEnsemble(in run: RunContext, _ present: String, _ judges: Judges) -> RunError {
    .otherEnsemble(
      file: run.directory.path, has: present, wanted: judges.digest, remedy: "choose another --out")
  }
}
