import VectorMath

/// An image as rows (Dosovitskiy et al. 2021): a learnt class row, then one row a patch, each with its learnt place.
public final class PatchEmbedding {
  private let weight: Parameter
  private let classRow: Parameter
  private let positions: Parameter
  private let patch: Int
  private let grid: Int
  private let width: Int

  /// W is `[patch, patch, 3, width]`, the class row `[width]`, the places `[1 + grid * grid, width]`.
  ///
  /// - Parameters:
  ///   - side: of the images in pixels, a multiple of `patch`.
  ///   - patch: side of a patch in pixels.
  public init(
    _ name: String, side: Int, patch: Int, width: Int, _ random: inout SeededRandom
  ) {
    self.patch = patch
    self.width = width
    grid = side / patch
    let deviation = 1 / Float(width)
    weight = .matrix(
      "\(name).patch.weight", [patch, patch, 3, width], fanIn: patch * patch * 3, gain: 1, &random)
    classRow = .matrix("\(name).class", [width], fanIn: 1, gain: deviation, &random)
    positions = .matrix(
      "\(name).positions", [1 + grid * grid, width], fanIn: 1, gain: deviation, &random)
  }

  public var parameters: [Parameter] { [weight, classRow, positions] }

  /// The rows of an image.
  public var rows: Int { 1 + grid * grid }

  /// `[images, side, side, 3]` to packed `[images * rows, width]`.
  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    let side = grid * patch
    precondition(x.shape[1...] == [side, side, 3], "\(weight.name): input \(x.shape)")
    let images = x.shape[0]
    let patches = unrolled(x, context)
    let embedded = context.pool.tensor([patches.rows, width])
    multiply(
      patches.data, .no, weight.value, .no, into: embedded.data, m: patches.rows, n: width,
      k: patches.columns)
    let y = context.pool.tensor([images * rows, width])
    let patchFloats = (rows - 1) * width
    for image in 0..<images {
      let first = y.data + image * rows * width
      first.update(from: positions.value, count: rows * width)
      vm_add(classRow.value, first, width)
      vm_add(embedded.data + image * patchFloats, first + width, patchFloats)
    }
    context.save(patches)
    return y
  }

  /// The image has no gradient.
  public func backward(_ dy: Tensor, _ context: Context) {
    let patches = context.restore()
    for image in 0..<(dy.rows / rows) {
      let first = dy.data + image * rows * width
      vm_add(first, positions.gradient, rows * width)
      vm_add(first, classRow.gradient, width)
      multiply(
        patches.data + image * (rows - 1) * patches.columns, .yes, first + width, .no,
        into: weight.gradient, m: patches.columns, n: width, k: rows - 1, beta: 1)
    }
  }

  /// `[images * grid * grid, patch * patch * 3]`
  private func unrolled(_ x: Tensor, _ context: Context) -> Tensor {
    let (run, line) = (patch * 3, grid * patch * 3)
    let patches = context.pool.tensor([x.shape[0] * grid * grid, patch * run])
    var target = patches.data
    for band in 0..<(x.shape[0] * grid) {
      for column in 0..<grid {
        for row in 0..<patch {
          target.update(from: x.data + (band * patch + row) * line + column * run, count: run)
          target += run
        }
      }
    }
    return patches
  }
}
