import Images
import Layers
import TensorFiles
import VectorMath

/// What decides a stem: members that agree in it share one.
public struct StemConfiguration: Sendable, Hashable {
  public var thumbnail: ThumbnailForm
  var mean: [Float]
  var deviation: [Float]
  public var patch: Int
  public var stride: Int
  public var atoms: Int
  public var grid: Int
}

extension ImageConfiguration {
  /// The stem of a dictionary encoder; nil for other kinds.
  public var stem: StemConfiguration? {
    kind != .dictionary
      ? nil
      : StemConfiguration(
        thumbnail: thumbnail, mean: mean, deviation: deviation, patch: patch, stride: stride,
        atoms: atoms, grid: grid)
  }
}

/// Single-layer unsupervised features (Coates, Lee & Ng 2011; Coates & Ng 2012): patches, contrast-normalised and
/// whitened, against a dictionary of unit atoms, rectified on both sides, averaged over the cells of a grid, square root,
/// standardised; and the image's 8 x 8 area means.
///
/// Nothing of it is trained: it is learnt from images alone, never sees a caption or which caption came with which image,
/// and so knows nothing of what the judges are asked. That is why the members of all folds may share it.
public final class DictionaryStem: @unchecked Sendable {
  // Unchecked: the weights are filled before anybody shares them, and only read from then on.

  /// Cells a side of the area means.
  static let coarseSide = 8
  /// Half the width of the band in which an atom's response counts nothing (Coates & Ng 2012).
  static let threshold: Float = 0.5
  /// Added to the variance of a patch: 1000, on bytes.
  public static let regulariser: Float = 1000 / (127.5 * 127.5)

  public let configuration: StemConfiguration
  /// Whitening and atoms in one: `[patch * patch * 3, atoms]`.
  let filters: Parameter
  /// Minus the response to the mean patch, `[atoms]`.
  let bias: Parameter
  /// Of each pooled feature's root, `[grid * grid * 2 * atoms]`.
  let mean: Parameter
  /// One over its deviation.
  let scale: Parameter
  /// Patches in a row.
  private let across: Int
  /// The cell of each patch.
  private let cells: [Int32]
  /// Patches in each cell.
  private let sizes: [Int]
  /// Rows of patches that are worked on together: about 256 patches, whose responses stay in cache.
  private let rowsAtOnce: Int

  /// Random atoms, no whitening: for whoever fills in the weights.
  init(_ configuration: StemConfiguration, _ random: inout SeededRandom) {
    self.configuration = configuration
    let shapes = Self.shapes(configuration)
    func parameter(_ i: Int, _ value: @escaping () -> Float) -> Parameter {
      Parameter(shapes[i].name, shapes[i].shape, decays: false) { _ in value() }
    }
    var own = SeededRandom(seed: random.next())
    let size = 1 / Float(shapes[0].shape[0]).squareRoot()
    filters = parameter(0) { own.normal() * size }
    bias = parameter(1) { 0 }
    mean = parameter(2) { 0 }
    scale = parameter(3) { 1 }
    let grid = configuration.grid
    let across = (configuration.thumbnail.side - configuration.patch) / configuration.stride + 1
    self.across = across
    rowsAtOnce = max(1, 256 / across)
    let ends = (1...grid).map { across * $0 / grid }
    let cell = (0..<across).map { place in ends.count { $0 <= place } }
    cells = (0..<(across * across)).map { Int32(cell[$0 / across] * grid + cell[$0 % across]) }
    var sizes = [Int](repeating: 0, count: grid * grid)
    for cell in cells { sizes[Int(cell)] += 1 }
    self.sizes = sizes
  }

  /// - Parameter tensors: all of `parameters`, with their shapes.
  public convenience init(_ configuration: StemConfiguration, _ tensors: [NamedTensor]) {
    var random = SeededRandom(seed: 0)
    self.init(configuration, &random)
    adopt(tensors)
  }

  var parameters: [Parameter] { [filters, bias, mean, scale] }

  /// Names and shapes of `tensors`: filters, bias, mean and scale.
  public static func shapes(
    _ configuration: StemConfiguration
  ) -> [(name: String, shape: [Int])] {
    let (atoms, pooled) = (
      configuration.atoms, configuration.grid * configuration.grid * 2 * configuration.atoms
    )
    let values = configuration.patch * configuration.patch * 3
    return [
      ("filters", [values, atoms]), ("bias", [atoms]), ("mean", [pooled]), ("scale", [pooled]),
    ]
    .map { ("image.stem.\($0)", $1) }
  }

  /// A copy of the weights: what members share.
  public var tensors: [NamedTensor] { parameters.map(\.tensor) }

  func adopt(_ tensors: [NamedTensor]) {
    for parameter in parameters {
      guard let tensor = tensors.first(where: { $0.name == parameter.name }) else {
        preconditionFailure("no weights for \(parameter.name)")
      }
      parameter.values = tensor.values
    }
  }

  /// Features of an image that are pooled; the others are its area means.
  var pooled: Int { mean.count }
  /// As `count`, told from a configuration alone.
  public static func count(_ configuration: StemConfiguration) -> Int {
    configuration.grid * configuration.grid * 2 * configuration.atoms + coarseSide * coarseSide * 3
  }

  /// Features of an image.
  public var count: Int { pooled + Self.coarseSide * Self.coarseSide * 3 }

  /// `[images, side, side, 3]`, normalised, to `[images, count]`. An image's features don't depend on the others.
  public func forward(_ x: Tensor, _ pool: BufferPool) -> Tensor {
    let y = pool.tensor([x.shape[0], count])
    let pixels = x.count / max(1, x.shape[0])
    for i in 0..<x.shape[0] { features(of: x.data + i * pixels, into: y.data + i * count, pool) }
    return y
  }

  private func features(
    of image: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, _ pool: BufferPool
  ) {
    let (atoms, values) = (configuration.atoms, filters.shape[0])
    let patches = pool.tensor([rowsAtOnce * across, values])
    let responses = pool.tensor([rowsAtOnce * across, atoms])
    target.update(repeating: 0, count: pooled)
    var left = sizes
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: rowsAtOnce * across) { places in
      guard let places = places.baseAddress else { return }
      for first in stride(from: 0, to: across, by: rowsAtOnce) {
        let found = vm_normalised_patches(
          image, configuration.thumbnail.side, configuration.patch, configuration.stride, across,
          first, min(rowsAtOnce, across - first), Self.regulariser, patches.data, places)
        guard found > 0 else { continue }
        multiply(
          patches.data, .no, filters.value, .no, into: responses.data, m: found, n: atoms,
          k: values)
        vm_two_sided_pool(
          responses.data, found, atoms, bias.value, Self.threshold, places, cells, target)
        for i in 0..<found { left[Int(cells[Int(places[i])])] -= 1 }
      }
    }
    addFlat(left, to: target, pool)
    standardise(target)
    coarse(image, into: target + pooled)
  }

  /// A flat patch is 0, so its response is the bias: no need to multiply it.
  private func addFlat(
    _ counts: [Int], to sums: UnsafeMutablePointer<Float>, _ pool: BufferPool
  ) {
    let atoms = configuration.atoms
    let none = pool.zeros([atoms])
    let flat = pool.zeros([2 * atoms])
    vm_two_sided_pool(none.data, 1, atoms, bias.value, Self.threshold, [0], [0], flat.data)
    for (cell, count) in counts.enumerated() where count > 0 {
      vm_axpy(Float(count), flat.data, sums + cell * 2 * atoms, 2 * atoms)
    }
  }

  private func standardise(_ sums: UnsafeMutablePointer<Float>) {
    let (mean, scale) = (mean.value, scale.value)
    var i = 0
    for size in sizes {
      let share = 1 / Float(size)
      for _ in 0..<(2 * configuration.atoms) {
        sums[i] = ((sums[i] * share).squareRoot() - mean[i]) * scale[i]
        i += 1
      }
    }
  }

  /// Area means of 8 x 8 cells, which overlap by a pixel where 8 doesn't divide the side.
  private func coarse(_ image: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
    let (side, cells) = (configuration.thumbnail.side, Self.coarseSide)
    let ranges = (0..<cells).map { ($0 * side / cells)..<(($0 + 1) * side + cells - 1) / cells }
    var to = target
    for rows in ranges {
      for columns in ranges {
        for channel in 0..<3 {
          var sum: Float = 0
          for y in rows { for x in columns { sum += image[(y * side + x) * 3 + channel] } }
          to[channel] = sum / Float(rows.count * columns.count)
        }
        to += 3
      }
    }
  }
}

extension DictionaryStem: Equatable {
  /// Whether both make the same of every image.
  public static func == (a: DictionaryStem, b: DictionaryStem) -> Bool {
    a.configuration == b.configuration
      && zip(a.parameters, b.parameters).allSatisfy { $0.values == $1.values }
  }
}

/// A frozen stem and a trained head: dropout, linear, LayerNorm, ReLU, linear, unit length.
final class DictionaryImageEncoder: ImageEncoder {
  let stem: DictionaryStem
  private let head: Sequential

  init(_ configuration: ImageConfiguration, dimension: Int, _ random: inout SeededRandom) {
    guard let stemConfiguration = configuration.stem else {
      preconditionFailure("\(configuration.kind) has no dictionary")
    }
    stem = DictionaryStem(stemConfiguration, &random)
    let hidden = configuration.hidden ?? 256
    head = Sequential([
      Dropout(configuration.dropout),
      Linear("image.hidden", inputs: stem.count, outputs: hidden, inputGradient: false, &random),
      LayerNorm("image.norm", hidden), ReLU(),
      Linear("image.projection", inputs: hidden, outputs: dimension, &random), UnitLength(),
    ])
  }

  var parameters: [Parameter] { head.parameters }
  var frozen: [Parameter] { stem.parameters }

  func forward(_ x: Tensor, _ context: Context) -> Tensor {
    let features = x.shape.count == 2 ? x : stem.forward(x, context.pool)
    return head.forward(features, context)
  }

  func backward(_ dy: Tensor, _ context: Context) { _ = head.backward(dy, context) }
}
