import ConfidentLearning
import Encoders
import Foundation
import Images
import Training

/// The members that are not trained but brought: each is fitted to the corpus' bank, which judges its scores.
struct PretrainedMembers {
  /// For each kind of member its model, nil for those to be trained: one for each snapshot.
  private let models: [PretrainedModel?]

  /// Reads the models.
  ///
  /// - Throws: `PretrainedError` and the errors of the files it is about; `RunError.usage` for two of one name.
  init(_ members: [MemberConfiguration]) throws {
    models = try members.flatMap { member -> [PretrainedModel?] in
      guard let folder = member.pretrained else {
        return Array(repeating: nil, count: member.snapshots)
      }
      return [try PretrainedModel(folder: folder, name: member.name)]
    }
  }

  var isEmpty: Bool { models.allSatisfy { $0 == nil } }

  /// - Parameters:
  ///   - trained: the members that were trained; nil where there are none, and the bank is yet to be found.
  ///   - folder: where the bank's pairs are gathered.
  /// - Returns: the whole ensemble, and the shards that couldn't be read to their end.
  func join(
    _ trained: Ensemble?, from increment: Increment, to folder: TrainingFolder, in run: RunContext
  ) throws -> (ensemble: Ensemble, faults: [GatherStage.Fault]) {
    let judges = run.configuration.judges
    let forms = models.compactMap { $0?.configuration }.thumbnailForms
    let pairs: ThumbnailCache
    var faults: [GatherStage.Fault] = []
    let bank: [BankPair]
    if let trained {
      // The bank, in the forms that the models see.
      pairs = try GatherStage.run(
        increment, hashes: trained.bank.map(\.hash).sorted(), forms: forms, to: folder, in: run)
      bank = trained.bank
    } else {
      // More than are needed: some may not decode.
      (pairs, faults) = try GatherStage.run(
        increment, limit: max(2 * judges.bankSize, 10 * NoiseModel.minimumPairs), forms: forms,
        to: folder, in: run)
      // Before judges appear that the noise model couldn't be fitted with.
      guard pairs.count >= NoiseModel.minimumPairs else {
        throw TrainingError.tooFewPairs(have: pairs.count, need: NoiseModel.minimumPairs)
      }
      bank = try (0..<min(judges.bankSize, pairs.count)).map {
        BankPair(hash: pairs.hash($0), caption: try pairs.caption($0))
      }
    }
    let places = try bank.map { pair in
      guard let place = (0..<pairs.count).first(where: { pairs.hash($0) == pair.hash }) else {
        throw RunError.badEnsemble(
          directory: run.directory.ensemble, detail: "a pair of its bank is gone from the shards")
      }
      return place
    }
    return try run.stage(.train) {
      let members = try models.enumerated().map { kind, model in
        try model.map { try member($0, kind, bank, places, in: pairs, folder, run) }
      }
      return (
        Ensemble(pretrained: members, trained: trained, bank: bank, seed: judges.seed), faults
      )
    }
  }

  /// Encodes the bank with a model, or goes on with that.
  /// - Parameter places: of the bank's pairs.
  private func member(
    _ model: PretrainedModel, _ kind: Int, _ bank: [BankPair], _ places: [Int],
    in pairs: ThumbnailCache, _ folder: TrainingFolder, _ run: RunContext
  ) throws -> Ensemble.Member {
    let form = model.configuration.image.thumbnail
    let columns = model.configuration.dimension
    let rows = try KeptRows.computed(
      bank.count, bytes: 2 * columns * MemoryLayout<Float>.stride,
      keptAt: "\(folder.path)/bank-\(kind)-\(model.digest).bin", unit: 4, workers: run.workers,
      isCancelled: { run.cancellation.isCancelled }, state: PairEncoder(model.encoder)
    ) { encoder, range, target in
      let images = encoder.images(count: range.count) { row in
        pairs.withThumbnail(places[range.lowerBound + row], form) { Array($0) }
      }
      let texts = encoder.texts(bank[range].map(\.caption))
      let values = target.bindMemory(to: Float.self)
      for row in 0..<range.count {
        for column in 0..<columns {
          values[2 * row * columns + column] = images[row * columns + column]
          values[(2 * row + 1) * columns + column] = texts[row * columns + column]
        }
      }
    }.all(as: Float.self)
    func half(_ number: Int) -> [Float] {
      bank.indices.flatMap { pair in
        let start = (2 * pair + number) * columns
        return rows[start..<(start + columns)]
      }
    }
    return Ensemble.Member(model, kind: kind, bank: bank, images: half(0), texts: half(1))
  }
}
