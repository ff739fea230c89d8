import Glibc

/// Slow versions of the forward kernels of VectorMath and of `Convolution`, as the formulas are written, in double precision.
/// Tests hold the fast ones to these; nothing else calls them.
enum Plain {
  static func relu(_ x: [Float]) -> [Float] { x.map { max($0, 0) } }

  /// Adds `bias`, `[columns]`, to each row of `x`.
  static func addBias(_ x: [Float], _ bias: [Float]) -> [Float] {
    x.indices.map { x[$0] + bias[$0 % bias.count] }
  }

  /// The sum of each column of `x`, `[rows, columns]`.
  static func columnSums(_ x: [Float], columns: Int) -> [Float] {
    (0..<columns).map { column in
      Float(stride(from: column, to: x.count, by: columns).reduce(0) { $0 + Double(x[$1]) })
    }
  }

  /// a x + y
  static func axpy(_ a: Float, _ x: [Float], _ y: [Float]) -> [Float] {
    zip(x, y).map { Float(Double(a) * Double($0) + Double($1)) }
  }

  static func dot(_ x: [Float], _ y: [Float]) -> Double {
    zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// One step of an exponential moving average: `keep` of the average stays.
  static func movingAverage(_ value: [Float], _ average: [Float], keep: Float) -> [Float] {
    zip(value, average).map { Float(Double(keep) * Double($1) + (1 - Double(keep)) * Double($0)) }
  }

  static func softmax(_ row: [Float], length: Int) -> [Float] {
    let top = row.prefix(length).map(Double.init).max() ?? 0
    let powers = row.indices.map { $0 < length ? exp(Double(row[$0]) - top) : 0 }
    let sum = powers.reduce(0, +)
    return powers.map { Float($0 / sum) }
  }

  static func quickGELU(_ x: Float) -> Float { Float(Double(x) / (1 + exp(-1.702 * Double(x)))) }

  static func gelu(_ x: Float) -> Float {
    Float(0.5 * Double(x) * erfc(-Double(x) * 0.5.squareRoot()))
  }

  /// One item's rows of queries, keys and values, `[length, 3 * columns]`, to `[length, columns]`.
  static func attention(
    _ qkv: [Float], length: Int, columns: Int, heads: Int, causal: Bool
  ) -> [Float] {
    let size = columns / heads
    var result = [Float](repeating: 0, count: length * columns)
    for head in 0..<heads {
      func row(_ part: Int, _ i: Int) -> ArraySlice<Float> {
        qkv[((i * 3 + part) * columns + head * size)...].prefix(size)
      }
      for i in 0..<length {
        let logits = (0..<length).map { j in
          Float(dot(Array(row(0, i)), Array(row(1, j))) / Double(size).squareRoot())
        }
        let weights = softmax(logits, length: causal ? i + 1 : length)
        for d in 0..<size {
          result[i * columns + head * size + d] = Float(
            (0..<length).reduce(0) { sum, j in
              sum + Double(weights[j]) * Double(row(2, j)[row(2, j).startIndex + d])
            })
        }
      }
    }
    return result
  }

  /// Normalises all of `x` together; gain and bias repeat along it.
  static func norm(_ x: [Float], gain: [Float], bias: [Float], epsilon: Double) -> [Float] {
    let mean = x.reduce(0) { $0 + Double($1) } / Double(x.count)
    let variance = x.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(x.count)
    return x.indices.map { i in
      let normal = (Double(x[i]) - mean) / (variance + epsilon).squareRoot()
      return Float(normal * Double(gain[i % gain.count]) + Double(bias[i % bias.count]))
    }
  }

  /// One image `[height, width, inputs]` under W `[kernel, kernel, inputs, outputs]`, zero-padded by half the kernel.
  static func convolution(
    _ image: [Float], height: Int, width: Int, inputs: Int, weight: [Float], bias: [Float],
    kernel: Int, stride: Int
  ) -> [Float] {
    let (pad, outputs) = (kernel / 2, bias.count)
    var result: [Float] = []
    for top in Swift.stride(from: -pad, through: height + pad - kernel, by: stride) {
      for left in Swift.stride(from: -pad, through: width + pad - kernel, by: stride) {
        for out in 0..<outputs {
          var sum = Double(bias[out])
          for ky in 0..<kernel where (0..<height).contains(top + ky) {
            for kx in 0..<kernel where (0..<width).contains(left + kx) {
              for c in 0..<inputs {
                let w = weight[((ky * kernel + kx) * inputs + c) * outputs + out]
                sum += Double(image[((top + ky) * width + left + kx) * inputs + c]) * Double(w)
              }
            }
          }
          result.append(Float(sum))
        }
      }
    }
    return result
  }

  /// A rectangle of `side * side` RGB pixels, resampled bilinearly to the same side and scaled by `gains` about the middle.
  static func crop(
    _ pixels: [UInt8], side: Int, left: Float, top: Float, width: Float, height: Float,
    mirrored: Bool, gains: [Float]
  ) -> [Float] {
    func tap(_ i: Int, _ start: Float, _ length: Float) -> (Int, Int, Double) {
      let at = Double(start) + (Double(i) + 0.5) * Double(length) / Double(side) - 0.5
      let low = min(max(at, 0), Double(side - 1))
      return (Int(low), min(Int(low) + 1, side - 1), low - low.rounded(.down))
    }
    var result: [Float] = []
    for row in 0..<side {
      let (y0, y1, down) = tap(row, top, height)
      for column in 0..<side {
        let (x0, x1, across) = tap(mirrored ? side - 1 - column : column, left, width)
        for c in 0..<3 {
          let value = { (x: Int, y: Int) in Double(pixels[(y * side + x) * 3 + c]) }
          let upper = value(x0, y0) * (1 - across) + value(x1, y0) * across
          let lower = value(x0, y1) * (1 - across) + value(x1, y1) * across
          result.append(Float((upper * (1 - down) + lower * down - 127.5) * Double(gains[c])))
        }
      }
    }
    return result
  }

  /// One step of AdamW for one weight (Loshchilov & Hutter 2019, algorithm 2).
  static func adamW(
    value: Float, gradient: Float, m: Float, v: Float, step: Int, settings: AdamW.Settings,
    rate: Float, decay: Float
  ) -> (value: Float, m: Float, v: Float) {
    let (b1, b2, g) = (Double(settings.beta1), Double(settings.beta2), Double(gradient))
    let m = b1 * Double(m) + (1 - b1) * g
    let v = b2 * Double(v) + (1 - b2) * g * g
    let mHat = m / (1 - pow(b1, Double(step)))
    let vHat = v / (1 - pow(b2, Double(step)))
    let change = mHat / (vHat.squareRoot() + Double(settings.epsilon))
    let next = Double(value) - Double(rate) * (change + Double(decay) * Double(value))
    return (Float(next), Float(m), Float(v))
  }

  /// The mean negative log-likelihood of `targets`, each an index into its row of `logits`.
  static func crossEntropy(_ logits: [[Double]], targets: [Int]) -> Double {
    zip(logits, targets).reduce(0) { $0 + logSumExp($1.0) - $1.0[$1.1] } / Double(targets.count)
  }

  /// Symmetric InfoNCE over rows of images and texts, as `ContrastiveLoss`; `queue` holds further images.
  static func contrastive(
    images: [[Double]], texts: [[Double]], captions: [Int32], imageGroups: [Int32], scale: Double,
    queue: [(row: [Double], caption: Int32, image: Int32)]
  ) -> Double {
    func cosine(_ a: [Double], _ b: [Double]) -> Double {
      scale * zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }
    var loss = 0.0
    for r in captions.indices {
      let positives = captions.indices.filter { captions[$0] == captions[r] }
      let ofImage = texts.map { cosine(images[r], $0) }
      let more = queue.filter { $0.caption != captions[r] && $0.image != imageGroups[r] }
      let ofText = images.map { cosine($0, texts[r]) } + more.map { cosine($0.row, texts[r]) }
      for p in positives {
        loss +=
          (logSumExp(ofImage) - ofImage[p] + logSumExp(ofText) - ofText[p])
          / Double(positives.count)
      }
    }
    return loss / Double(2 * captions.count)
  }

  private static func logSumExp(_ x: [Double]) -> Double {
    let top = x.max() ?? 0
    return top + log(x.reduce(0) { $0 + exp($1 - top) })
  }
}
