import Encoders
import Foundation
import Images
import Layers

/// A trained member to encode with, as any number of threads can share it.
public struct TrainedEncoder: Sendable {
  private let ensemble: Ensemble
  private let kind: Int
  private let fold: Int

  /// One member of an ensemble.
  /// - Parameters:
  ///   - path: an ensemble folder or the output folder that holds one.
  ///   - kind: the member's name; nil for the first one.
  /// - Throws: `RunError.usage` where the ensemble has no such member; what reading the files throws.
  public init(ensemble path: String, kind name: String?, fold: Int) throws {
    ensemble = try EnsembleStage.judges(at: path).ensemble
    let names = ensemble.kinds.map(\.name)
    guard let kind = name.map({ names.firstIndex(of: $0) }) ?? 0 else {
      throw RunError.usage(
        "\(path) has no member '\(name ?? "")', only \(names.joined(separator: ", "))")
    }
    guard (0..<ensemble.folds).contains(fold) else {
      throw RunError.usage("\(path) has the folds 0 to \(ensemble.folds - 1), no \(fold)")
    }
    (self.kind, self.fold) = (kind, fold)
  }

  /// Folds of its ensemble: it may judge the pairs of its own only.
  public var folds: Int { ensemble.folds }
  /// What it sees of an image.
  public var form: ThumbnailForm { ensemble.kinds[kind].image.thumbnail }
  /// Columns of the rows that it gives.
  public var dimension: Int { ensemble.kinds[kind].dimension }

  /// For one thread.
  public func encoder() -> PairEncoder { PairEncoder(ensemble.encoder(kind: kind, fold: fold)) }

  /// Encodes texts, in pieces of fixed size that threads share out.
  /// - Returns: unit rows `[texts.count, dimension]`
  public func encode(texts: [String], workers: Int) throws -> [Float] {
    let piece = 512
    return try parallelMap(
      (texts.count + piece - 1) / piece, workers: workers, state: encoder()
    ) { encoder, i in
      encoder.texts(Array(texts[(i * piece)..<min(texts.count, (i + 1) * piece)]))
    }.flatMap { $0 }
  }
}
