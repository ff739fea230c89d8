import Encoders
import Foundation
import Images

/// A trained or pretrained model to encode with.
public struct EmbeddingMember: Sendable {
  /// As it is told to people.
  public let name: String
  public let encoder: FrozenEncoder
  /// Of what decides an embedding.
  let digest: String

  /// - Parameters:
  ///   - path: a pretrained model's folder; an ensemble's; the output folder that holds a model or an ensemble; or one of
  ///     the ensemble's `KIND-foldK.safetensors` or `KIND-pretrained.safetensors`.
  ///   - kind: of an ensemble's member; its only one by default.
  ///   - fold: of a trained member: the one that held this fold out.
  /// - Throws: `RunError.usage`, `PretrainedError`, `EnsembleError`.
  public init(_ path: String, kind: String? = nil, fold: Int? = nil) throws {
    let exists = { (file: String) in FileManager.default.fileExists(atPath: file) }
    if path.hasSuffix(".safetensors") {
      let file = (path as NSString).lastPathComponent.dropLast(".safetensors".count)
      let folder = (path as NSString).deletingLastPathComponent
      let parts = file.components(separatedBy: "-fold")
      let number = parts.count > 1 ? Int(parts[parts.count - 1]) : nil
      let suffix = Ensemble.pretrainedSuffix
      let brought = String(file.hasSuffix(suffix) ? file.dropLast(suffix.count) : file)
      let name = number == nil ? brought : parts.dropLast().joined(separator: "-fold")
      guard kind ?? name == name, fold == nil || fold == number else {
        throw RunError.usage("--kind and --fold name another member than \(path); leave them out")
      }
      try self.init(ensemble: folder.isEmpty ? "." : folder, kind: name, fold: number)
    } else if exists("\(path)/ensemble.json") || exists("\(path)/ensemble/ensemble.json") {
      try self.init(ensemble: path, kind: kind, fold: fold)
    } else {
      guard kind == nil, fold == nil else {
        throw RunError.usage("--kind and --fold are of an ensemble's members; \(path) is none")
      }
      let own = RunDirectory(path).model
      let model = try PretrainedModel(folder: exists(own) ? own : path)
      self.init(
        name: model.configuration.name, encoder: model.encoder, digest: model.digest)
    }
  }

  private init(name: String, encoder: FrozenEncoder, digest: String) {
    (self.name, self.encoder, self.digest) = (name, encoder, digest)
  }

  private init(ensemble path: String, kind: String?, fold: Int?) throws {
    let judges = try EnsembleStage.judges(at: path)
    let ensemble = judges.ensemble
    let names = judges.kinds.joined(separator: ", ")
    guard let kind = kind ?? (ensemble.kinds.count == 1 ? ensemble.kinds[0].name : nil) else {
      throw RunError.usage("--kind: \(path) has members of several kinds; choose one of \(names)")
    }
    guard let index = ensemble.kinds.firstIndex(where: { $0.name == kind }) else {
      throw RunError.usage("--kind: \(path) has no \(kind); it has \(names)")
    }
    let isTrained = ensemble.kinds[index].pretrained == nil
    if isTrained, !(0..<ensemble.folds).contains(fold ?? -1) {
      throw RunError.usage(
        "--fold: \(kind) has a member for each fold, 0 to \(ensemble.folds - 1); choose one")
    }
    let member = ensemble.member(kind: index, fold: fold ?? 0)
    let name = isTrained ? "\(kind)-fold\(member.fold)" : kind
    self.init(
      name: name, encoder: member.encoder, digest: "\(judges.digest)-\(name)")
  }
}
