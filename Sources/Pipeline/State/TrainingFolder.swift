import Encoders
import Foundation

/// What a training needs to go on once it was stopped: gathered pairs, features of dictionaries, finished members or a
/// checkpoint. It lies in `.winnow/training/judges` or `.winnow/training/model` until the training is done.
struct TrainingFolder {
  /// Of the files in it: what another version left isn't gone on with.
  static let formatVersion = 2

  enum Purpose: String, CaseIterable { case judges, model }

  let path: String

  /// Makes the folder; what lies there of a training with another key goes.
  /// - Parameter key: `Digest.ofTraining`.
  init(_ purpose: Purpose, key: String, in run: RunContext) throws {
    path = Self.path(purpose, in: run)
    let file = "\(path)/key"
    let files = FileManager.default
    let found = files.contents(atPath: file)
    if found == Data(key.utf8) { return }
    if found == nil, !isMissing(unreadableCode(file)) {
      throw RunError.file(path: file, operation: "read", code: unreadableCode(file))
    }
    // With the snapshots of another training, which its numbers wouldn't tell from this one's. Those of nobody that is known
    // aren't ours to delete.
    let snapshots = purpose == .model ? [run.directory.snapshots].filter(files.fileExists) : []
    if found == nil, let stranger = snapshots.first {
      throw RunError.usage(
        "\(stranger) is in the way, and no training that is under way left it; move it away")
    }
    for old in [path] + snapshots where files.fileExists(atPath: old) {
      // Whole or not at all: what is left of another training mustn't be taken for this one's.
      let discarded = "\(run.directory.temporary)/\(UInt64.random(in: 0 ... .max))-\(purpose)"
      guard rename(old, discarded) == 0 else {
        throw RunError.file(path: old, operation: "clear away", code: errno)
      }
      try? files.removeItem(atPath: discarded)
    }
    try run.directory.makeFolder(path)
    try run.publishing.publish(Data(key.utf8), to: file)
  }

  /// Once the training is done, or what it was for is there.
  static func remove(_ purpose: Purpose, in run: RunContext) {
    let files = FileManager.default
    let folder = run.directory.training
    let others = Purpose.allCases.filter { $0 != purpose }.map(\.rawValue)
    // Also what Winnow kept there before each purpose had a folder.
    for name in (try? files.contentsOfDirectory(atPath: folder)) ?? []
    where !others.contains(name) {
      // The key first: a folder without it is begun anew.
      unlink("\(folder)/\(name)/key")
      try? files.removeItem(atPath: "\(folder)/\(name)")
    }
    rmdir(folder)
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
    let versions = "\(StateJSON.formatVersion) \(TrainingFolder.formatVersion)"
    let text = "\(versions)\n\(settings)\n" + inputs.joined(separator: "\n\n")
    let vocabularies = try members.flatMap(\.text.vocabularyFiles).map {
      "\n" + (try ofFile($0, cancellation: run.cancellation))
    }
    return of(Array((text + vocabularies.joined()).utf8))
  }
}
