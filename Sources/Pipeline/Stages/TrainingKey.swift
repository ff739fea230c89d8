import Encoders
import Foundation

extension Digest {
  /// Of everything that a training goes on from: a checkpoint of another key isn't gone on with.
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
    let text = "\(settings)\n" + inputs.joined(separator: "\n\n")
    let vocabularies = try members.flatMap(\.text.vocabularyFiles).map {
      "\n" + (try ofFile($0, cancellation: run.cancellation))
    }
    return of(Array((text + vocabularies.joined()).utf8))
  }
}
