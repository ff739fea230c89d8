import Encoders
import Foundation

/// What a training needs to go on once it was stopped: gathered pairs, features of dictionaries, finished members or a
/// checkpoint. It lies in `.winnow/training/judges` or `.winnow/training/model` until the training is done.
struct TrainingFolder {
  enum Purpose: String { case judges, model }

  let path: String

  /// Makes the folder; what lies there of a training with another key goes.
  /// - Parameter key: `Digest.ofTraining`.
  init(_ purpose: Purpose, key: String, in run: RunContext) throws {
    path = Self.path(purpose, in: run)
    let file = "\(path)/key"
    guard FileManager.default.contents(atPath: file) != Data(key.utf8) else { return }
    Self.remove(purpose, in: run)
    try run.directory.makeFolder(path)
    try run.publishing.publish(Data(key.utf8), to: file)
  }

  /// Once the training is done, or what it was for is there.
  static func remove(_ purpose: Purpose, in run: RunContext) {
    try? FileManager.default.removeItem(atPath: path(purpose, in: run))
    // Unless the other one is there.
    rmdir(run.directory.training)
  }

  private static func path(_ purpose: Purpose, in run: RunContext) -> String {
    "\(run.directory.training)/\(purpose.rawValue)"
  }
}

extension Digest {
  /// Of everything that a training goes on from: what another one left isn't gone on with.
  ///
  /// - Parameters:
  ///   - sections: the settings that decide what is learnt.
  ///   - inputs: digests of the shards, and of the texts where there are any.
  ///   - members: those trained; what lies in the files of their vocabularies counts too.
  static func ofTraining(
    _ sections: [Settings.Section], inputs: [String], members: [MemberConfiguration],
    in run: RunContext
  ) throws -> String {
    let settings = try Settings.digest(run.configuration, sections: sections)
    let text = "\(StateJSON.formatVersion)\n\(settings)\n" + inputs.joined(separator: "\n\n")
    let vocabularies = try members.flatMap(\.text.vocabularyFiles).map {
      "\n" + (try ofFile($0, cancellation: run.cancellation))
    }
    return of(Array((text + vocabularies.joined()).utf8))
  }
}
