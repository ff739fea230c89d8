import Encoders
import Foundation
import Images
import Layers

/// A trained model to encode with, as any number of threads share it.
public struct TrainedEncoder: Sendable {
  private let encoder: FrozenEncoder
  /// Of the ensemble that the model is a member of, which may judge the pairs of its own fold only; 1 for a model that
  /// stands alone.
  public let folds: Int

  /// What `winnow train` left, a pretrained model, or a member of an ensemble.
  /// - Parameters:
  ///   - path: a model's folder, an ensemble's, or the output folder that holds one.
  ///   - kind: an ensemble member's name; nil for the first one.
  ///   - fold: the fold that the member held out.
  /// - Throws: `RunError.usage` where there is no such member; what reading the files throws.
  public init(_ path: String, kind name: String? = nil, fold: Int = 0) throws {
    let exists = { (path: String) in FileManager.default.fileExists(atPath: path) }
    let directory = RunDirectory(path)
    guard !exists(directory.model) else {
      self.init(try PretrainedModel(folder: directory.model).encoder, folds: 1)
      return
    }
    guard exists("\(path)/ensemble.json") || exists("\(directory.ensemble)/ensemble.json") else {
      self.init(try PretrainedModel(folder: path).encoder, folds: 1)
      return
    }
    let ensemble = try EnsembleStage.judges(at: path).ensemble
    let names = ensemble.kinds.map(\.name)
    guard let kind = name.map({ names.firstIndex(of: $0) }) ?? 0 else {
      throw RunError.usage(
        "\(path) has no member '\(name ?? "")', only \(names.joined(separator: ", "))")
    }
    guard (0..<ensemble.folds).contains(fold) else {
      throw RunError.usage("\(path) has the folds 0 to \(ensemble.folds - 1), no \(fold)")
    }
    self.init(FrozenEncoder(ensemble.encoder(kind: kind, fold: fold)), folds: ensemble.folds)
  }

  private init(_ encoder: FrozenEncoder, folds: Int) {
    (self.encoder, self.folds) = (encoder, folds)
  }

  /// What it sees of an image.
  public var form: ThumbnailForm { encoder.configuration.image.thumbnail }
  /// Columns of the rows that it gives.
  public var dimension: Int { encoder.configuration.dimension }

  /// For one thread.
  public func pairEncoder() -> PairEncoder { PairEncoder(encoder) }

  /// Encodes texts, in pieces of fixed size that threads share out.
  /// - Returns: unit rows `[texts.count, dimension]`
  public func encode(texts: [String], workers: Int) throws -> [Float] {
    let piece = 512
    return try parallelMap(
      (texts.count + piece - 1) / piece, workers: workers, state: pairEncoder()
    ) { encoder, i in
      encoder.texts(Array(texts[(i * piece)..<min(texts.count, (i + 1) * piece)]))
    }.flatMap { $0 }
  }
}
