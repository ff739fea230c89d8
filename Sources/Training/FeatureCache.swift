import Encoders
import Foundation
import Layers
import TensorFiles
import VectorMath

/// What a dictionary's stem makes of every image of a corpus, as it is and mirrored left to right: since no step changes
/// the stem, it is computed once, and a training step only reads rows. They lie in a file without a name, as float16,
/// which is read and not mapped, so that none of it counts to this process's memory; it goes when the cache goes, and also
/// when the process is killed.
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

  /// - Parameters:
  ///   - stem: what was learnt for it (``DictionaryLearning``).
  ///   - directory: where the file is made; it takes 4 bytes a feature and pair.
  /// - Throws: `TrainingError.featureFile`, `.cancelled`.
  init(
    _ stem: [NamedTensor], of image: ImageConfiguration, on corpus: some TrainingCorpus,
    directory: String, workers: Int, isCancelled: @escaping @Sendable () -> Bool
  ) throws {
    guard let configuration = image.stem else {
      preconditionFailure("\(image.kind) has no dictionary")
    }
    self.stem = stem
    let encoder = DictionaryStem(configuration, stem)
    columns = encoder.count
    path = "\(directory)/features-\(UUID().uuidString).bin"
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw TrainingError.featureFile(path: path, code: errno) }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    unlink(path)
    let bytes = corpus.count * columns * Self.bytesAFeature
    // Taken from the disk now: a full disk is known before an hour of training.
    let code = posix_fallocate(descriptor, 0, off_t(max(1, bytes)))
    guard code == 0 else { throw TrainingError.featureFile(path: path, code: code) }
    let size = Self.imagesAtOnce
    _ = try parallelMap(
      (corpus.count + size - 1) / size, workers: workers, state: BufferPool()
    ) { pool, unit in
      if isCancelled() { throw TrainingError.cancelled }
      let range = (unit * size)..<min((unit + 1) * size, corpus.count)
      try self.fill(range, image, encoder, corpus, pool)
    }
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

  init(
    _ members: [MemberConfiguration], on corpus: some TrainingCorpus, seed: UInt64,
    directory: String?, workers: Int, isCancelled: @escaping @Sendable () -> Bool
  ) throws {
    var caches: [StemConfiguration: FeatureCache] = [:]
    for image in members.filter({ $0.pretrained == nil }).map(\.image) {
      guard let stem = image.stem, caches[stem] == nil else { continue }
      let learning = DictionaryLearning(
        corpus: corpus, image: image, stem: stem, seed: seed, workers: workers,
        isCancelled: isCancelled)
      caches[stem] = try FeatureCache(
        try learning.run(), of: image, on: corpus, directory: directory ?? NSTemporaryDirectory(),
        workers: workers, isCancelled: isCancelled)
    }
    self.caches = caches
  }

  /// Nil for a member that has no stem.
  subscript(member: MemberConfiguration) -> FeatureCache? {
    member.image.stem.flatMap { caches[$0] }
  }
}
