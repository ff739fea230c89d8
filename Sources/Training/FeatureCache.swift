import CGlibc
import Encoders
import Foundation
import Layers
import TensorFiles
import VectorMath

/// What a dictionary's stem makes of every image of a corpus, as it is and mirrored left to right: since no step changes
/// the stem, it is computed once, and a training step only reads rows. They lie in a file as float16, which is read and not
/// mapped, so that none of it counts to this process's memory.
final class FeatureCache: Sendable {
  /// The weights of the stem.
  let stem: [NamedTensor]
  /// Features of an image.
  let columns: Int
  private let path: String
  private let file: FileHandle
  private static let variants = 2
  /// On the disk, for each pair.
  static var bytesAFeature: Int { variants * MemoryLayout<UInt16>.stride }
  private static let imagesAtOnce = 16

  private init(
    _ stem: [NamedTensor], of configuration: StemConfiguration, path: String, flags: Int32
  ) throws(TrainingError) {
    self.stem = stem
    self.path = path
    columns = DictionaryStem.count(configuration)
    let descriptor = open(path, flags | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .featureFile(path: path, code: errno) }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  private func fileBytes(pairs: Int) -> off_t {
    off_t(max(1, pairs * columns * Self.bytesAFeature))
  }

  /// Makes the file, which `fill` is to fill.
  ///
  /// - Parameters:
  ///   - stem: what was learnt for it (``DictionaryLearning``).
  ///   - path: of the file, which takes 4 bytes a feature and pair.
  /// - Throws: `TrainingError.featureFile`.
  convenience init(
    _ stem: [NamedTensor], of configuration: StemConfiguration, pairs: Int, making path: String
  ) throws(TrainingError) {
    try self.init(stem, of: configuration, path: path, flags: O_RDWR | O_CREAT | O_EXCL)
    // Taken from the disk now: a full disk is known before an hour of training.
    let code = posix_fallocate(file.fileDescriptor, 0, fileBytes(pairs: pairs))
    guard code == 0 else {
      // What there was of room was given.
      unlink(path)
      throw .featureFile(path: path, code: code)
    }
  }

  /// Takes up a file that was filled.
  /// - Throws: `TrainingError.featureFile`; `.badCheckpoint` for one that isn't of so many pairs.
  convenience init(
    _ stem: [NamedTensor], of configuration: StemConfiguration, pairs: Int, filled path: String
  ) throws(TrainingError) {
    try self.init(stem, of: configuration, path: path, flags: O_RDONLY)
    var info = stat()
    guard fstat(file.fileDescriptor, &info) == 0 else {
      throw .featureFile(path: path, code: errno)
    }
    guard info.st_size == fileBytes(pairs: pairs) else {
      throw .badCheckpoint(path: path, detail: "it isn't of \(pairs) pairs")
    }
  }

  /// Computes the features.
  /// - Throws: `TrainingError.featureFile`, `.cancelled`.
  func fill(
    from corpus: some TrainingCorpus, _ image: ImageConfiguration, workers: Int,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws {
    guard let configuration = image.stem else {
      preconditionFailure("\(image.kind) has no dictionary")
    }
    let encoder = DictionaryStem(configuration, stem)
    let size = Self.imagesAtOnce
    _ = try parallelMap(
      (corpus.count + size - 1) / size, workers: workers,
      state: (pool: BufferPool(), sent: 0..<0)
    ) { state, unit in
      if isCancelled() { throw TrainingError.cancelled }
      let range = (unit * size)..<min((unit + 1) * size, corpus.count)
      try self.fill(range, image, encoder, corpus, state.pool)
      let bytes = self.offset(range.lowerBound, 0)..<self.offset(range.upperBound, 0)
      try self.send(bytes, waitingFor: state.sent)
      state.sent = bytes
    }
    // Read back without having been written, they would be zeros.
    let code = finish_writeback(file.fileDescriptor, 0, offset(corpus.count, 0))
    guard code == 0 else { throw TrainingError.featureFile(path: path, code: code) }
  }

  /// Sends a part of the file on its way to the disk, and waits for one that was sent before: nothing that waits for the
  /// disk (a sync, a removal), which not even a kill would end, then waits for much.
  private func send(_ bytes: Range<Int>, waitingFor earlier: Range<Int>) throws(TrainingError) {
    var code = start_writeback(file.fileDescriptor, bytes.lowerBound, bytes.count)
    if code == 0 {
      code = finish_writeback(file.fileDescriptor, earlier.lowerBound, earlier.count)
    }
    guard code == 0 else { throw .featureFile(path: path, code: code) }
  }

  private func fill(
    _ range: Range<Int>, _ image: ImageConfiguration, _ stem: DictionaryStem,
    _ corpus: some TrainingCorpus, _ pool: BufferPool
  ) throws {
    let side = image.side
    let pixels = pool.tensor([range.count * Self.variants, side, side, 3])
    var target = pixels.data
    for index in range {
      corpus.withThumbnail(index, image.thumbnail) { image.normalise($0, into: target) }
      mirror(target, into: target + side * side * 3, side: side)
      target += Self.variants * side * side * 3
    }
    let features = stem.forward(pixels, pool)
    var halves = [UInt16](repeating: 0, count: features.count)
    vm_to_halves(features.data, &halves, features.count)
    try halves.withUnsafeBytes { bytes in
      try transfer(bytes.count, at: offset(range.lowerBound, 0)) { done, place in
        pwrite(file.fileDescriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, place)
      }
    }
  }

  private func mirror(
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
  /// - Throws: `TrainingError.featureFile`.
  func read(_ index: Int, mirrored: Bool, into target: UnsafeMutablePointer<Float>) throws {
    try withUnsafeTemporaryAllocation(of: UInt16.self, capacity: columns) { halves in
      let bytes = UnsafeMutableRawBufferPointer(halves)
      try transfer(bytes.count, at: offset(index, mirrored ? 1 : 0)) { done, place in
        pread(file.fileDescriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, place)
      }
      vm_from_halves(halves.baseAddress, target, columns)
    }
  }

  private func offset(_ index: Int, _ variant: Int) -> Int {
    (index * Self.variants + variant) * columns * MemoryLayout<UInt16>.stride
  }

  /// - Parameter body: moves what is left, given what is done and the place in the file; returns how much, as read(2).
  private func transfer(_ count: Int, at offset: Int, _ body: (Int, off_t) -> Int) throws {
    var done = 0
    while done < count {
      let moved = body(done, off_t(offset + done))
      if moved < 0, errno == EINTR { continue }
      guard moved > 0 else {
        throw TrainingError.featureFile(path: path, code: moved < 0 ? errno : EIO)
      }
      done += moved
    }
  }
}

/// The caches of all stems that some members need, each made once.
struct FeatureCaches: Sendable {
  private let caches: [StemConfiguration: FeatureCache]

  /// - Parameters:
  ///   - checkpoints: the path prefix of files that a resumed run takes up, each there once it is whole; nil for none.
  ///   - publish: writes such a file whole or not at all, as in ``trainEnsemble``.
  /// - Throws: `TrainingError.featureFile`, `.badCheckpoint`, `.cancelled`; what `publish` throws.
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
      guard let checkpoints else {
        let path = "\(NSTemporaryDirectory())features-\(UUID().uuidString).bin"
        let cache = try FeatureCache(
          try learning.run(), of: stem, pairs: corpus.count, making: path)
        // It goes when the cache goes, and also when the process is killed.
        unlink(path)
        try cache.fill(from: corpus, image, workers: workers, isCancelled: isCancelled)
        caches[stem] = cache
        continue
      }
      let files = FileManager.default
      let stored = "\(checkpoints)-stem-\(caches.count).safetensors"
      if !files.fileExists(atPath: stored) {
        let weights = try learning.run()
        try publish(stored) { try SafeTensors.write(weights, metadata: [:], to: $0) }
      }
      let weights = try Self.weights(of: stem, in: stored)
      let features = "\(checkpoints)-features-\(caches.count).bin"
      if !files.fileExists(atPath: features) {
        try publish(features) {
          try FeatureCache(weights, of: stem, pairs: corpus.count, making: $0)
            .fill(from: corpus, image, workers: workers, isCancelled: isCancelled)
        }
      }
      caches[stem] = try FeatureCache(weights, of: stem, pairs: corpus.count, filled: features)
    }
    self.caches = caches
  }

  /// - Throws: `TrainingError.badCheckpoint`.
  private static func weights(of stem: StemConfiguration, in path: String) throws -> [NamedTensor] {
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
