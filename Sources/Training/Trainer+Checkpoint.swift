import Encoders
import Foundation
import Layers
import TensorFiles

/// Where a model in training is kept, and how often.
struct Checkpoint: Sendable {
  static let formatVersion = 2

  let path: String
  /// Seconds between two of them; one is also kept when training is stopped.
  let seconds: Double
  /// What the run was begun with: a checkpoint of another one is not gone on with.
  let key: String
  /// Writes a file whole or not at all: calls the closure with a temporary path, then renames it.
  let publish: @Sendable (_ path: String, _ write: (String) throws -> Void) throws -> Void

  var exists: Bool { FileManager.default.fileExists(atPath: path) }

  /// Where the cosines are kept that pairs are left out of this epoch by.
  func cosines(epoch: Int) -> String { "\(path).epoch\(epoch)" }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// What of a checkpoint is no tensor. Everything drawn at random is derived from seed and step, so the step is the state
/// of the random numbers, of the epoch's order and of the place in it.
private struct CheckpointState: Codable {
  var formatVersion = Checkpoint.formatVersion
  var key: String
  var step: Int
  /// How many epochs' snapshots pairs are trusted by, of those that are over.
  var trustedEpochs: Int
  /// The queue's captions and images, as numbers that equal ones share.
  var queueCaptions: [Int32]
  var queueImages: [Int32]
  var queueNext: Int
}

extension Trainer {
  /// Trains to the end, from the checkpoint if there is one.
  ///
  /// - Parameters:
  ///   - began: told the steps that are made already.
  ///   - saved: told the step of a checkpoint before it is kept.
  ///   - onStep: called after each step.
  /// - Throws: `TrainingError.cancelled` once `isCancelled`, after a last checkpoint; `.diverged` before a step or a
  ///   checkpoint that holds no finite numbers is told of or kept.
  func run(
    _ checkpoint: Checkpoint?, isCancelled: @escaping @Sendable () -> Bool,
    began: (Int) throws -> Void = { _ in }, saved: (Int) throws -> Void = { _ in },
    onStep: (StepReport) throws -> Void
  ) throws {
    if let checkpoint, checkpoint.exists { try restore(from: checkpoint) }
    try began(step)
    var last = (step: step, time: ContinuousClock.now)
    while !isFinished {
      let isStopped = isCancelled()
      let isDue = checkpoint.map { ContinuousClock.now - last.time >= .seconds($0.seconds) }
      if let checkpoint, step > last.step, isStopped || isDue == true {
        guard isFinite else { throw TrainingError.diverged(step: step) }
        try saved(step)
        try checkpoint.publish(checkpoint.path) { try write(to: $0, key: checkpoint.key) }
        last = (step, .now)
      }
      if isStopped { throw TrainingError.cancelled }
      do {
        try judgeEpoch(keptAt: checkpoint?.cosines, isCancelled: isCancelled)
      } catch TrainingError.cancelled {
        continue  // To the checkpoint above.
      }
      let report = try advance()
      guard report.loss.isFinite else { throw TrainingError.diverged(step: step) }
      try onStep(report)
    }
    if let checkpoint { KeptRows.remove(checkpoint.cosines(epoch: plan.sizes.count - 1)) }
  }

  /// Whether all weights still are finite numbers.
  private var isFinite: Bool { parameters.allSatisfy { $0.values.allSatisfy(\.isFinite) } }

  /// Writes everything that the steps to come depend on, as one safetensors file whose metadata holds a small JSON.
  func write(to path: String, key: String) throws {
    let moments = optimiser.state
    var tensors: [NamedTensor] = []
    for (i, parameter) in parameters.enumerated() {
      for (kind, values) in [
        (Kind.weights, parameter.values), (.first, moments.first[i]), (.second, moments.second[i]),
        (.average, moments.averages[i]),
      ] {
        tensors.append(
          NamedTensor(
            name: kind.name(of: parameter), shape: parameter.shape, values: values))
      }
    }
    tensors.append(
      NamedTensor(
        name: "queue.images", shape: [queue.count, queue.columns], values: queue.rows))
    if recipe.ecl != nil {
      tensors += [
        NamedTensor(name: "trust.kept", shape: [trust.kept.count, 2], values: trust.places),
        NamedTensor(name: "trust.scores", shape: [trust.kept.count], values: trust.scores),
      ]
    }
    let state = CheckpointState(
      key: key, step: step, trustedEpochs: trust.epochs, queueCaptions: queue.captions,
      queueImages: queue.images,
      queueNext: queue.next)
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(state), as: UTF8.self)
    try SafeTensors.write(
      tensors, metadata: ["format_version": "\(Checkpoint.formatVersion)", "state": text],
      to: path)
  }

  /// Goes back to what was kept.
  /// - Throws: `TrainingError.badCheckpoint`.
  func restore(from checkpoint: Checkpoint) throws {
    let path = checkpoint.path
    func bad(_ detail: String) -> TrainingError { .badCheckpoint(path: path, detail: detail) }
    let (tensors, metadata): ([String: NamedTensor], [String: String])
    do {
      (tensors, metadata) = try SafeTensors.read(path)
    } catch {
      throw bad("\(error)")
    }
    guard metadata["format_version"] == "\(Checkpoint.formatVersion)" else {
      throw bad("it has another format version")
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard
      let state = try? decoder.decode(
        CheckpointState.self, from: Data((metadata["state"] ?? "").utf8))
    else { throw bad("its state can't be read") }
    guard state.key == checkpoint.key else { throw bad("it belongs to another run") }
    func values(_ name: String, _ shape: [Int]?) throws -> [Float] {
      guard let tensor = tensors[name], shape == nil || tensor.shape == shape else {
        throw bad("tensor \(name) is missing or has another shape")
      }
      return tensor.values
    }
    func all(_ kind: Kind) throws -> [[Float]] {
      try parameters.map { try values(kind.name(of: $0), $0.shape) }
    }
    let weights = try all(.weights)
    let moments = AdamW.State(
      step: state.step, first: try all(.first), second: try all(.second),
      averages: try all(.average))
    guard (0...plan.steps).contains(state.step),
      let queue = FeatureQueue(
        capacity: queue.capacity, columns: queue.columns, rows: try values("queue.images", nil),
        captions: state.queueCaptions, images: state.queueImages, next: state.queueNext)
    else { throw bad("its step or queue doesn't fit") }
    if recipe.ecl != nil {
      let (epoch, number) = plan.place(of: state.step)
      let (last, epochs) = (min(epoch, plan.sizes.count - 1), state.trustedEpochs)
      // Of the epoch that has just ended perhaps not yet.
      guard plan.sizes.indices.contains(epochs),
        epochs == last || (epochs == epoch - 1 && number == 0)
      else {
        throw bad("its pairs are trusted by \(epochs) epochs")
      }
      let count = plan.sizes[epochs]
      guard
        let trust = SnapshotTrust(
          epochs: epochs,
          places: try values("trust.kept", [count, 2]),
          scores: try values("trust.scores", [count]), of: pairs.count)
      else { throw bad("the pairs that it learns from are no list of this run's") }
      self.trust = trust
    }
    for (parameter, values) in zip(parameters, weights) { parameter.values = values }
    optimiser.state = moments
    self.queue = queue
  }

  /// What is kept of a parameter.
  private enum Kind: String {
    case weights, first, second, average
    func name(of parameter: Parameter) -> String { "\(rawValue).\(parameter.name)" }
  }
}
