import Foundation
import TensorFiles

/// A trained member on its own, as a folder: `member.json`, `model.safetensors`, and the files of its tokenizer if it has
/// a vocabulary.
public enum MemberFolder {
  public static let formatVersion = 1
  public static let documentName = "member.json"
  public static let weightsName = "model.safetensors"

  /// `member.json`.
  struct Document: Codable {
    var formatVersion: Int
    var member: MemberConfiguration
    var trainedOn: String?

    enum CodingKeys: String, CodingKey {
      case formatVersion = "format_version"
      case member
      case trainedOn = "trained_on"
    }
  }

  /// Writes into `directory`, which must exist; the caller publishes it whole.
  ///
  /// - Parameters:
  ///   - tokenizer: names and contents of the tokenizer's files.
  ///   - trainedOn: what identifies the shards that it learnt from.
  /// - Throws: `TensorFileError`, or Foundation's error for the other files.
  public static func write(
    _ encoder: DualEncoder, tokenizer: [String: Data], trainedOn: String? = nil,
    to directory: String
  ) throws {
    let json = JSONEncoder()
    json.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    let document = Document(
      formatVersion: formatVersion, member: encoder.configuration, trainedOn: trainedOn)
    let files = tokenizer.merging([documentName: try json.encode(document) + Data("\n".utf8)]) {
      $1
    }
    for (name, content) in files {
      try content.write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
    }
    try SafeTensors.write(
      encoder.weights, metadata: ["format_version": "\(formatVersion)"],
      to: "\(directory)/\(weightsName)")
  }
}
