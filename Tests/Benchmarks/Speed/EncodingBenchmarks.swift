import Encoders
import Layers
import TensorFiles
import Text

/// Images through an encoder, `[count, side, side, 3]` in -1...1; each thread encodes its share.
final class ImageBenchmark: Benchmark {
  let items: Int
  private let encoder: DualEncoder
  private let encoders: [PairEncoder]
  private let inputs: [Float]
  private let size: Int
  private var rows: [[Float]] = []

  init(_ image: ImageConfiguration, dimension: Int, count: Int) {
    let member = MemberConfiguration(
      name: "bench", image: image, text: TextConfiguration(buckets: 1), dimension: dimension)
    items = count
    encoder = DualEncoder(member, seed: 1)
    encoders = (0..<threads).map { [encoder] _ in PairEncoder(encoder) }
    size = image.thumbnail.byteCount
    var random = SeededRandom(seed: 2)
    inputs = (0..<(count * size)).map { _ in random.uniform(-1...1) }
  }

  var operations: Double? { encoder.configuration.image.operations * Double(items) }

  func exports() -> [NamedTensor] {
    let side = encoder.configuration.image.side
    return encoder.weights + [
      NamedTensor(name: "x", shape: [items, side, side, 3], values: inputs)
    ]
  }

  func run() throws {
    let shared = Shared(value: (encoders, inputs))
    rows = try parallelMap(threads, workers: threads) { [items, size] thread in
      let (encoders, inputs) = shared.value
      let first = items * thread / threads
      return encoders[thread].images(count: items * (thread + 1) / threads - first) { i, target in
        inputs.withUnsafeBufferPointer { source in
          guard let base = source.baseAddress else { return }
          target.update(from: base + (first + i) * size, count: size)
        }
      }
    }
  }

  var output: [NamedTensor] {
    [NamedTensor(name: "y", shape: [items, encoders[0].dimension], values: rows.flatMap { $0 })]
  }
}

/// Captions, as tokens, through a text encoder; each thread encodes its share.
final class TextBenchmark: Benchmark {
  let items: Int
  private let encoder: DualEncoder
  private let contexts = (0..<threads).map { _ in Context(training: false) }
  private let captions: [CaptionTokens]
  private var rows: [[Float]] = []
  /// Captions pass through the encoder this many at a time, like a ``PairEncoder``'s.
  private static let batch = 64

  /// - Parameter captions: the ids of each.
  init(_ text: TextConfiguration, dimension: Int, captions: [[Int32]]) {
    let member = MemberConfiguration(
      name: "bench", image: ImageConfiguration(widths: [16], blocks: [0]), text: text,
      dimension: dimension)
    encoder = DualEncoder(member, seed: 1, tokenizer: NoTokenizer())
    self.captions = captions.map { CaptionTokens(ids: $0) }
    items = captions.count
  }

  func exports() -> [NamedTensor] { encoder.weights }

  func run() throws {
    let shared = Shared(value: (encoder, contexts, captions))
    rows = try parallelMap(threads, workers: threads) { [items] thread in
      let (encoder, contexts, captions) = shared.value
      let mine = (items * thread / threads)..<(items * (thread + 1) / threads)
      return stride(from: mine.lowerBound, to: mine.upperBound, by: Self.batch).flatMap { start in
        let batch = captions[start..<min(start + Self.batch, mine.upperBound)]
        return encoder.encodeTexts(Array(batch), contexts[thread]).values
      }
    }
  }

  var output: [NamedTensor] {
    let dimension = encoder.configuration.dimension
    return [NamedTensor(name: "y", shape: [items, dimension], values: rows.flatMap { $0 })]
  }
}

/// Stands where the tokens are given.
private struct NoTokenizer: CaptionTokenizer {
  func tokens(of caption: String) -> CaptionTokens { CaptionTokens(ids: []) }
}

extension ImageConfiguration {
  /// Floating-point operations of one image.
  var operations: Double {
    switch kind {
    case .convolutional:
      var (side, channels, products) = (side, 3, 0)
      for (stage, width) in widths.enumerated() {
        side = (side + 1) / 2
        let blocks = stage < blocks.count ? blocks[stage] : 0
        products += side * side * 9 * (channels + blocks * width) * width
        channels = width
      }
      return 2 * Double(products)
    case .transformer:
      let patches = (side / patch) * (side / patch)
      let rows = patches + 1
      let dense = rows * width * (4 * width + 2 * (hidden ?? 4 * width))
      let products = depth * (dense + 2 * rows * rows * width) + patches * patch * patch * 3 * width
      return 2 * Double(products)
    case .dictionary:
      let across = (side - patch) / stride + 1
      return 2 * Double(across * across * patch * patch * 3 * atoms)
    }
  }
}
