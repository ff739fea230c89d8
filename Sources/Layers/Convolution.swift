import VectorMath

/// A square convolution over `[images, height, width, channels]`, zero-padded by half the kernel, as a matrix product
/// of unrolled patches (im2col), one image at a time so that the patches stay in cache.
public final class Convolution: Layer {
  private let weight: Parameter
  private let bias: Parameter
  private let kernel: Int
  private let stride: Int
  private let inputs: Int
  private let outputs: Int
  private var pad: Int { kernel / 2 }

  /// W is `[kernel, kernel, inputs, outputs]`. With `inputGradient` false (the first layer) `backward` gives an empty
  /// tensor and saves the work.
  public init(
    _ name: String, kernel: Int, stride: Int, inputs: Int, outputs: Int, gain: Float = 2,
    inputGradient: Bool = true, _ random: inout SeededRandom
  ) {
    self.kernel = kernel
    self.stride = stride
    self.inputs = inputs
    self.outputs = outputs
    self.inputGradient = inputGradient
    weight = .matrix(
      "\(name).weight", [kernel, kernel, inputs, outputs], fanIn: kernel * kernel * inputs,
      gain: gain, &random)
    bias = .vector("\(name).bias", outputs, 0)
  }

  private let inputGradient: Bool
  public var parameters: [Parameter] { [weight, bias] }

  private func output(_ side: Int) -> Int { (side + 2 * pad - kernel) / stride + 1 }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    precondition(x.shape.count == 4 && x.columns == inputs, "\(weight.name): input \(x.shape)")
    let (images, height, width) = (x.shape[0], x.shape[1], x.shape[2])
    let (outHeight, outWidth) = (output(height), output(width))
    let positions = outHeight * outWidth
    let depth = kernel * kernel * inputs
    let y = context.pool.tensor([images, outHeight, outWidth, outputs])
    let patches = context.pool.tensor([positions, depth])
    for image in 0..<images {
      unroll(x.data + image * height * width * inputs, height, width, patches.data)
      multiply(
        patches.data, .no, weight.value, .no, into: y.data + image * positions * outputs,
        m: positions, n: outputs, k: depth)
    }
    vm_add_bias(y.data, bias.value, y.rows, outputs)
    context.save(x)
    return y
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let x = context.restore()
    let (images, height, width) = (x.shape[0], x.shape[1], x.shape[2])
    let positions = dy.shape[1] * dy.shape[2]
    let depth = kernel * kernel * inputs
    let dx = inputGradient ? context.pool.zeros(x.shape) : context.pool.tensor([0])
    let patches = context.pool.tensor([positions, depth])
    vm_add_column_sums(dy.data, bias.gradient, dy.rows, outputs)
    for image in 0..<images {
      let slope = dy.data + image * positions * outputs
      unroll(x.data + image * height * width * inputs, height, width, patches.data)
      multiply(
        patches.data, .yes, slope, .no, into: weight.gradient, m: depth, n: outputs, k: positions,
        beta: 1)
      guard inputGradient else { continue }
      multiply(
        slope, .no, weight.value, .yes, into: patches.data, m: positions, n: depth, k: outputs)
      addRolled(patches.data, height, width, dx.data + image * height * width * inputs)
    }
    return dx
  }

  /// Calls `body(patch row start, image row start, pixels)` for each run of pixels inside the image, and `blank` for
  /// each run outside it; both offsets count floats.
  @inline(__always)
  private func forEachRun(
    _ height: Int, _ width: Int, _ body: (_ patch: Int, _ image: Int, _ count: Int) -> Void,
    blank: (_ patch: Int, _ count: Int) -> Void
  ) {
    let run = kernel * inputs
    var patch = 0
    for oy in 0..<output(height) {
      for ox in 0..<output(width) {
        let left = ox * stride - pad
        let skipped = max(0, -left)
        let inside = min(kernel, width - left) - skipped
        for ky in 0..<kernel {
          let y = oy * stride - pad + ky
          if y < 0 || y >= height || inside <= 0 {
            blank(patch, run)
          } else {
            if skipped > 0 { blank(patch, skipped * inputs) }
            body(patch + skipped * inputs, (y * width + left + skipped) * inputs, inside * inputs)
            let end = skipped + inside
            if end < kernel { blank(patch + end * inputs, (kernel - end) * inputs) }
          }
          patch += run
        }
      }
    }
  }

  /// image `[height, width, inputs]` to patches `[positions, kernel * kernel * inputs]`
  private func unroll(
    _ image: UnsafePointer<Float>, _ height: Int, _ width: Int,
    _ patches: UnsafeMutablePointer<Float>
  ) {
    forEachRun(height, width) { patch, source, count in
      (patches + patch).update(from: image + source, count: count)
    } blank: { patch, count in
      (patches + patch).update(repeating: 0, count: count)
    }
  }

  /// The transpose of `unroll`: adds every patch to the pixels that it came from.
  private func addRolled(
    _ patches: UnsafePointer<Float>, _ height: Int, _ width: Int,
    _ image: UnsafeMutablePointer<Float>
  ) {
    forEachRun(height, width) { patch, target, count in
      vm_add(patches + patch, image + target, count)
    } blank: { _, _ in
    }
  }
}
