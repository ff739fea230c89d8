import CXXHash
import Foundation

/// Pretrained models and vocabularies in an ensemble's folder, so that it needs nothing that lies elsewhere: a model in
/// the folder `KIND-pretrained`, a vocabulary in `KIND-vocabulary`.
extension Ensemble {
  /// What stands in ensemble.json: names within the folder instead of the places that a kind was brought from.
  var storedKinds: [MemberConfiguration] {
    kinds.map { kind in
      var kind = kind
      if kind.pretrained != nil {
        kind.pretrained = Self.pretrainedName(kind.name)
        kind.text.vocabulary = nil
      } else if kind.text.vocabulary != nil {
        kind.text.vocabulary = "\(kind.name)-vocabulary"
      }
      return kind
    }
  }

  /// Of a model's folder and of its bank's file; no trained kind's files can be called so.
  static func pretrainedName(_ kind: String) -> String { kind + pretrainedSuffix }

  public static let pretrainedSuffix = "-pretrained"

  /// Copies the files: a link would change with what it was brought from.
  func writeModels(to directory: String) throws {
    for (kind, stored) in zip(kinds.indices, storedKinds) {
      if let model = model(of: kind), let name = stored.pretrained {
        try Self.bring(
          model.files.map { "\(model.folder)/\($0)" }, to: "\(directory)/\(name)")
      } else if let place = kinds[kind].text.vocabulary, let name = stored.text.vocabulary {
        try Self.bring(TokenizerFiles(place).paths, to: "\(directory)/\(name)")
      }
    }
  }

  /// The model of each kind, if it is pretrained, and each kind's tokenizer. `kinds` then say where in `directory` these
  /// lie; a pretrained one is what its folder says.
  static func openModels(
    _ kinds: inout [MemberConfiguration], in directory: String
  ) throws -> (models: [PretrainedModel?], tokenizers: [any CaptionTokenizer]) {
    var models: [PretrainedModel?] = []
    var tokenizers: [any CaptionTokenizer] = []
    for i in kinds.indices {
      if let name = kinds[i].pretrained {
        let model = try PretrainedModel(folder: "\(directory)/\(name)", name: kinds[i].name)
        kinds[i] = model.configuration
        models.append(model)
        tokenizers.append(model.encoder.tokenizer)
      } else {
        if let name = kinds[i].text.vocabulary {
          kinds[i].text.vocabulary = "\(directory)/\(name)"
        }
        models.append(nil)
        tokenizers.append(try makeTokenizer(kinds[i].text))
      }
    }
    return (models, tokenizers)
  }

  /// Of each model and vocabulary, in the order of the kinds.
  func modelDigests() throws -> [String] {
    try kinds.indices.flatMap { kind -> [String] in
      if let model = model(of: kind) { return [model.digest] }
      guard let place = kinds[kind].text.vocabulary else { return [] }
      return try TokenizerFiles(place).paths.map { path in
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        return hexadecimal(data.withUnsafeBytes { XXH3_128bits($0.baseAddress, $0.count) })
      }
    }
  }

  private func model(of kind: Int) -> PretrainedModel? {
    members.first { $0.kind == kind }?.model
  }

  private static func bring(_ paths: [String], to folder: String) throws {
    let files = FileManager.default
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for path in paths {
      // A download folder may hold links to files under other names.
      let source = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
      let target = "\(folder)/\((path as NSString).lastPathComponent)"
      try files.copyItem(atPath: source, toPath: target)
    }
  }
}
