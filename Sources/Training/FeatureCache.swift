import Encoders
import Foundation
import Layers
import TensorFiles
import VectorMath

/// What a dictionary's stem makes of every image of a corpus, as it is and mirrored left to right: since no step changes
/// the stem, it is computed once, as float16, and a training step only reads rows.
final class FeatureCache: Sendable {
  /// The weights of the stem.
  let stem: [NamedTensor]
  /// Features of an image.
  let columns: Int
  private let rows: KeptRows
  private static let variants = 2
  /// On the disk, for each pair.
  static var bytesAFeature: Int { variants * MemoryLayout<UInt16>.stride }

  /// Computes the features, or takes up those that were kept.
  ///
  /// - Parameters:
  ///   - stem: what was learnt for it (``DictionaryLearning``).
  ///   - image: of kind `dictionary`.
  ///   - path: of the file, which takes 4 bytes a feature and pair; as ``KeptRows`` has it.
  /// - Throws: `TrainingError.file`, `.badCheckpoint`, `.cancelled`.
  init(
    _ stem: [NamedTensor], of corpus: some TrainingCorpus, _ image: ImageConfiguration,
    keptAt path: String?, workers: Int, isCancelled: @escaping @Sendable () -> Bool
  ) throws {
    guard let configuration = image.stem else {
      preconditionFailure("\(image.kind) has no dictionary")
    }
    let encoder = DictionaryStem(configuration, stem)
    self.stem = stem
    columns = DictionaryStem.count(configuration)
    rows = try KeptRows.computed(
      corpus.count, bytes: columns * Self.bytesAFeature, keptAt: path, unit: 16,
      workers: workers, isCancelled: isCancelled, state: BufferPool()
    ) { pool, range, target in
      let features = Self.features(range, image, encoder, corpus, pool)
      vm_to_halves(
        features.data, target.baseAddress?.assumingMemoryBound(to: UInt16.self), features.count)
    }
  }

  /// `[images * variants, columns]`
  private static func features(
    _ range: Range<Int>, _ image: ImageConfiguration, _ stem: DictionaryStem,
    _ corpus: some TrainingCorpus, _ pool: BufferPool
  ) -> Tensor {
    let side = image.side
    let pixels = pool.tensor([range.count * variants, side, side, 3])
    var target = pixels.data
    for index in range {
      corpus.withThumbnail(index, image.thumbnail) { image.normalise($0, into: target) }
      mirror(target, into: target + side * side * 3, side: side)
      target += variants * side * side * 3
    }
    return stem.forward(pixels, pool)
  }

  private static func mirror(
    _ image: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, side: Int
  ) {
    for row in 0..<side {
      for column in 0..<side {
        let (from, to) = ((row * side + column) * 3, (row * side + side - 1 - column) * 3)
        for c in 0..<3 { target[to + c] = image[from + c] }
      }
    }
  }

  /// Writes the features of a pair's image, `columns` of them.
  ///
  /// - Throws: `TrainingError.file`.
  func read(_ index: Int, mirrored: Bool, into target: UnsafeMutablePointer<Float>) throws {
    try withUnsafeTemporaryAllocation(of: UInt16.self, capacity: columns) { halves in
      let bytes = UnsafeMutableRawBufferPointer(halves)
      try rows.read(index, at: mirrored ? bytes.count : 0, into: bytes)
      vm_from_halves(halves.baseAddress, target, columns)
    }
  }
}

/// The caches of all stems that some members need, each made once.
struct FeatureCaches: Sendable {
  private let caches: [StemConfiguration: FeatureCache]

  /// - Parameters:
  ///   - checkpoints: the path prefix of files that a resumed run takes up; nil for none.
  ///   - publish: writes a file whole or not at all, as in ``trainEnsemble``.
  /// - Throws: `TrainingError.file`, `.badCheckpoint`, `.cancelled`; what `publish` throws.
  init(
    _ members: [MemberConfiguration], on corpus: some TrainingCorpus, seed: UInt64,
    checkpoints: String?,
    publish: (_ path: String, _ write: (String) throws -> Void) throws -> Void,
    workers: Int, isCancelled: @escaping @Sendable () -> Bool
  ) throws {
    var caches: [StemConfiguration: FeatureCache] = [:]
    for image in members.filter({ $0.pretrained == nil }).map(\.image) {
      guard let stem = image.stem, caches[stem] == nil else { continue }
      let learning = DictionaryLearning(
        corpus: corpus, image: image, stem: stem, seed: seed, workers: workers,
        isCancelled: isCancelled)
      let number = caches.count
      let stored = checkpoints.map { "\($0)-stem-\(number).safetensors" }
      let weights =
        try stored.map { try Self.weights(of: stem, in: $0, or: learning.run, publish) }
        ?? learning.run()
      caches[stem] = try FeatureCache(
        weights, of: corpus, image, keptAt: checkpoints.map { "\($0)-features-\(number).bin" },
        workers: workers, isCancelled: isCancelled)
    }
    self.caches = caches
  }

  /// - Parameter learn: gives what the file is to hold, where there is none.
  /// - Throws: `TrainingError.badCheckpoint`; what `learn` and `publish` throw.
  private static func weights(
    of stem: StemConfiguration, in path: String, or learn: () throws -> [NamedTensor],
    _ publish: (_ path: String, _ write: (String) throws -> Void) throws -> Void
  ) throws -> [NamedTensor] {
    if !FileManager.default.fileExists(atPath: path) {
      let weights = try learn()
      try publish(path) { try SafeTensors.write(weights, metadata: [:], to: $0) }
    }
    let found: [String: NamedTensor]
    do {
      found = try SafeTensors.read(path).tensors
    } catch {
      throw TrainingError.badCheckpoint(path: path, detail: "\(error)")
    }
    return try DictionaryStem.shapes(stem).map { name, shape in
      guard let tensor = found[name], tensor.shape == shape else {
        throw TrainingError.badCheckpoint(
          path: path, detail: "\(name) is missing or of another shape")
      }
      return tensor
    }
  }

  /// Nil for a member that has no stem.
  subscript(member: MemberConfiguration) -> FeatureCache? {
    member.image.stem.flatMap { caches[$0] }
  }
}
