import Encoders
import Layers
import TensorFiles
import VectorMath

/// Learns a dictionary's stem from the images of a corpus: whitening, then spherical k-means over whitened patches in
/// which an atom also stands for its negative (Coates & Ng 2012, section 3), then what each feature is standardised
/// with. No caption is looked at, so images of the bank and of every fold are among them. The result depends on
/// corpus, configuration and seed, and not on the number of threads.
struct DictionaryLearning<Corpus: TrainingCorpus>: Sendable {
  let corpus: Corpus
  /// Of kind `dictionary`.
  let image: ImageConfiguration
  let stem: StemConfiguration
  let seed: UInt64
  let workers: Int
  let isCancelled: @Sendable () -> Bool
  /// The images that are looked at, those of lowest content hash.
  private let chosen: [Int]

  private static var mostImages: Int { 3000 }
  private static var iterations: Int { 12 }
  /// Added to the variance along each direction of patches before it is divided out.
  private static var regulariser: Double { 0.1 }
  /// Share of the deviation of all features that is added to each one's.
  private static var leastDeviation: Double { 0.05 }
  /// Rows that one worker takes at a time.
  private static var unit: Int { 4096 }
  private static var imagesAtOnce: Int { 32 }

  init(
    corpus: Corpus, image: ImageConfiguration, stem: StemConfiguration, seed: UInt64, workers: Int,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) {
    self.corpus = corpus
    self.image = image
    self.stem = stem
    self.seed = seed
    self.workers = workers
    self.isCancelled = isCancelled
    let hashes = (0..<corpus.count).map(corpus.hash)
    chosen = Array(
      hashes.indices.sorted { hashes[$0] < hashes[$1] }.prefix(Self.mostImages))
  }

  /// - Returns: the stem's weights, for `DictionaryStem`.
  /// - Throws: `TrainingError.cancelled`.
  func run() throws -> [NamedTensor] {
    var patches = try patches()
    let whitening = Whitening(centring: &patches, values: values, Self.regulariser)
    let atoms = try atoms(of: try whitened(patches, whitening))
    let (filters, bias) = whitening.folded(into: atoms, count: stem.atoms)
    let shapes = DictionaryStem.shapes(stem)
    let pooled = stem.grid * stem.grid * 2 * stem.atoms
    func tensors(_ mean: [Float], _ scale: [Float]) -> [NamedTensor] {
      zip(shapes, [filters, bias, mean, scale]).map {
        NamedTensor(name: $0.name, shape: $0.shape, values: $1)
      }
    }
    let raw = tensors(
      [Float](repeating: 0, count: pooled), [Float](repeating: 1, count: pooled))
    let (mean, scale) = try standardisation(DictionaryStem(stem, raw), pooled)
    return tensors(mean, scale)
  }

  private var values: Int { stem.patch * stem.patch * 3 }

  private func normalised(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    corpus.withThumbnail(index, image.thumbnail) { image.normalise($0, into: target) }
  }

  /// Calls `body` with ranges of `0..<count` that depend on `count` alone.
  private func units<R: Sendable>(
    _ count: Int, of size: Int, _ body: @escaping @Sendable (Range<Int>) throws -> R
  ) throws -> [R] {
    try parallelMap((count + size - 1) / size, workers: workers) { [isCancelled] in
      if isCancelled() { throw TrainingError.cancelled }
      return try body(($0 * size)..<min(($0 + 1) * size, count))
    }
  }

  /// Normalised patches from random places of each image, flat ones left out.
  private func patches() throws -> [Float] {
    let (side, values) = (image.side, values)
    let across = (side - stem.patch) / stem.stride + 1
    let perImage = max(10, min(40, 6000 / values))
    return try units(chosen.count, of: Self.imagesAtOnce) { range in
      let pool = BufferPool()
      let pixels = pool.tensor([side, side, 3])
      let all = pool.tensor([across * across, values])
      var places = [Int32](repeating: 0, count: across * across)
      var result: [Float] = []
      for i in range {
        normalised(chosen[i], into: pixels.data)
        let found = vm_normalised_patches(
          pixels.data, side, stem.patch, stem.stride, across, 0, across,
          DictionaryStem.regulariser, all.data, &places)
        // Of all places as many are drawn from every image, so an image that is mostly flat gives few patches.
        var random = SeededRandom(seed, .dictionary, i)
        for _ in 0..<perImage {
          let row = random.below(across * across)
          guard row < found else { continue }
          result += UnsafeBufferPointer(
            start: all.data + random.below(found) * values, count: values)
        }
      }
      return result
    }.flatMap { $0 }
  }

  private func whitened(_ patches: [Float], _ whitening: Whitening) throws -> [Float] {
    let values = values
    return try units(patches.count / values, of: Self.unit) { range in
      patches.withUnsafeBufferPointer { patches in
        [Float](unsafeUninitializedCapacity: range.count * values) { result, count in
          count = range.count * values
          guard let from = patches.baseAddress, let to = result.baseAddress else { return }
          multiply(
            from + range.lowerBound * values, .no, whitening.matrix, .no, into: to, m: range.count,
            n: values, k: values)
        }
      }
    }.flatMap { $0 }
  }

  /// Spherical k-means: a patch belongs to the atom that it lies along most, in either direction.
  ///
  /// - Parameter patches: whitened, `[count, values]`.
  /// - Returns: unit rows `[atoms, values]`.
  private func atoms(of patches: [Float]) throws -> [Float] {
    let (values, atoms) = (values, stem.atoms)
    let count = patches.count / values
    var random = SeededRandom(seed, .dictionary, -1)
    var centres = (0..<(atoms * values)).map { _ in random.normal() }
    unitRows(&centres, columns: values)
    for _ in 0..<Self.iterations where count > 0 {
      let old = centres
      let parts = try units(count, of: Self.unit) { nearest(patches, $0, old) }
      // A little of the old one, so that an atom never vanishes.
      for i in centres.indices { centres[i] *= 0.001 }
      var sizes = [Int](repeating: 0, count: atoms)
      for part in parts {
        vm_add(part.sums, &centres, centres.count)
        for atom in 0..<atoms { sizes[atom] += part.sizes[atom] }
      }
      for atom in 0..<atoms where sizes[atom] == 0 {
        let row = random.below(count) * values
        for d in 0..<values { centres[atom * values + d] = patches[row + d] }
      }
      unitRows(&centres, columns: values)
    }
    return centres
  }

  /// For each atom, the sum of its patches' components along it times the patches, and their number.
  private func nearest(
    _ patches: [Float], _ range: Range<Int>, _ centres: [Float]
  ) -> (sums: [Float], sizes: [Int]) {
    let (values, atoms) = (values, stem.atoms)
    var sums = [Float](repeating: 0, count: atoms * values)
    var sizes = [Int](repeating: 0, count: atoms)
    let pool = BufferPool()
    patches.withUnsafeBufferPointer { patches in
      sums.withUnsafeMutableBufferPointer { sums in
        guard let from = patches.baseAddress, let to = sums.baseAddress else { return }
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 512) {
          let rows = min(512, range.upperBound - start)
          let products = pool.tensor([rows, atoms])
          multiply(
            from + start * values, .no, centres, .yes, into: products.data, m: rows, n: atoms,
            k: values)
          for row in 0..<rows {
            let along = products.data + row * atoms
            let atom = Int(vm_farthest(along, atoms))
            vm_axpy(along[atom], from + (start + row) * values, to + atom * values, values)
            sizes[atom] += 1
          }
        }
      }
    }
    return (sums, sizes)
  }

  private func unitRows(_ rows: inout [Float], columns: Int) {
    for start in stride(from: 0, to: rows.count, by: columns) {
      let length = (start..<(start + columns)).reduce(Float(0)) { $0 + rows[$1] * rows[$1] }
      let scale = 1 / max(length, 1e-20).squareRoot()
      for i in start..<(start + columns) { rows[i] *= scale }
    }
  }

  /// Mean of each pooled feature, and one over its deviation.
  private func standardisation(
    _ stem: DictionaryStem, _ pooled: Int
  ) throws -> (mean: [Float], scale: [Float]) {
    let (side, imagesAtOnce) = (image.side, Self.imagesAtOnce)
    let parts = try units(chosen.count, of: imagesAtOnce) { range in
      let pool = BufferPool()
      let pixels = pool.tensor([range.count, side, side, 3])
      for (row, i) in range.enumerated() {
        normalised(chosen[i], into: pixels.data + row * side * side * 3)
      }
      let features = stem.forward(pixels, pool)
      var (sums, squares) = (
        [Double](repeating: 0, count: pooled), [Double](repeating: 0, count: pooled)
      )
      for row in 0..<range.count {
        let values = features.data + row * stem.count
        for i in 0..<pooled {
          let value = Double(values[i])
          sums[i] += value
          squares[i] += value * value
        }
      }
      return (sums, squares)
    }
    var (mean, square) = (
      [Double](repeating: 0, count: pooled), [Double](repeating: 0, count: pooled)
    )
    for (sums, squares) in parts {
      for i in 0..<pooled {
        mean[i] += sums[i] / Double(chosen.count)
        square[i] += squares[i] / Double(chosen.count)
      }
    }
    func deviation(_ mean: Double, _ square: Double) -> Double {
      max(0, square - mean * mean).squareRoot()
    }
    let n = Double(pooled)
    let whole = deviation(mean.reduce(0, +) / n, square.reduce(0, +) / n)
    return (
      mean.map { Float($0) },
      mean.indices.map {
        Float(1 / max(1e-6, deviation(mean[$0], square[$0]) + Self.leastDeviation * whole))
      }
    )
  }
}
