import Encoders
import Images
import Layers
import TensorFiles
import Text

@testable import Pipeline
@testable import Training

/// Training steps of a small member: augmentation, forward, loss, backward, AdamW and its average, in two lanes.
final class StepBenchmark: Benchmark {
  private static let batch = 96
  private static let steps = 4
  let items = batch * steps
  private let member: MemberConfiguration
  private let corpus: BenchmarkCorpus
  private let trainer: Trainer<BenchmarkCorpus>

  init(_ member: MemberConfiguration, shards: [String]) throws {
    self.member = member
    corpus = try BenchmarkCorpus(shards, form: member.image.thumbnail)
    var recipe = TrainingConfiguration().recipe(epochs: 1000, minimumSteps: 0)
    (recipe.batchSize, recipe.lanes) = (Self.batch, threads)
    trainer = Trainer(
      recipe, member: member, seed: 1, on: corpus, pairs: Array(0..<corpus.count),
      groups: try PairGroups(corpus), workers: threads)
  }

  func run() throws { for _ in 0..<Self.steps { _ = try trainer.advance() } }

  /// The first pairs as they are, not augmented: what the loss and its slopes are compared on.
  private struct Batch {
    var encoder: DualEncoder
    var images: [Float]
    var captions: [CaptionTokens]
  }

  private func batch() -> Batch {
    let encoder = DualEncoder(member, seed: 1)
    let size = member.image.thumbnail.byteCount
    var images = [Float](repeating: 0, count: Self.batch * size)
    for i in 0..<Self.batch {
      images.withUnsafeMutableBufferPointer { target in
        guard let base = target.baseAddress else { return }
        corpus.withThumbnail(i, member.image.thumbnail) {
          member.image.normalise($0, into: base + i * size)
        }
      }
    }
    return Batch(
      encoder: encoder, images: images,
      captions: (0..<Self.batch).map { encoder.tokenizer.tokens(of: corpus.caption($0)) })
  }

  func exports() -> [NamedTensor] {
    let batch = batch()
    let side = member.image.side
    var (ids, tokenEnds, captionEnds) = ([Float](), [Float](), [Float]())
    for caption in batch.captions {
      let count = min(caption.count, member.text.maxTokens)
      let before = Float(ids.count)
      let used = member.text.kind == .bag ? caption.ids.count : Int(caption.ends[count - 1])
      ids += caption.ids[..<used].map(Float.init)
      tokenEnds += caption.ends[..<count].map { Float($0) + before }
      captionEnds.append(member.text.kind == .bag ? Float(ids.count) : Float(tokenEnds.count))
    }
    return batch.encoder.weights + [
      NamedTensor(name: "x", shape: [Self.batch, side, side, 3], values: batch.images),
      NamedTensor(name: "ids", shape: [ids.count], values: ids),
      NamedTensor(name: "token_ends", shape: [tokenEnds.count], values: tokenEnds),
      NamedTensor(name: "caption_ends", shape: [captionEnds.count], values: captionEnds),
    ]
  }

  /// The loss of that batch, and the length of its gradient.
  var output: [NamedTensor] {
    let batch = batch()
    let (image, text) = (Context(training: true), Context(training: true))
    let side = member.image.side
    let encoder = batch.encoder
    let v = encoder.encodeImages(
      image.pool.tensor([Self.batch, side, side, 3], batch.images), image)
    let t = encoder.encodeTexts(batch.captions, text)
    let (loss, dv, dt) = encoder.loss(
      images: v, texts: t, groups: (0..<Int32(Self.batch)).map { $0 }, text)
    encoder.backwardTexts(dt, text)
    encoder.backwardImages(dv, image)
    var squares = 0.0
    for parameter in batch.encoder.parameters {
      for i in 0..<parameter.count {
        squares += Double(parameter.gradient[i]) * Double(parameter.gradient[i])
      }
    }
    return [NamedTensor(name: "loss", shape: [2], values: [loss, Float(squares.squareRoot())])]
  }
}

/// The pairs of some shards, no caption twice, in memory.
struct BenchmarkCorpus: TrainingCorpus {
  private var hashes: [ContentHash] = []
  private var captions: [String] = []
  private var thumbnails: [[UInt8]] = []

  init(_ shards: [String], form: ThumbnailForm) throws {
    let decoder = ThumbnailConfiguration().decoder
    var seen: Set<String> = []
    for shard in shards {
      let reader = PairReader(path: shard, configuration: ReadConfiguration())
      while let pair = reader.next() {
        guard case .pair(let bytes, let caption, let hash) = pair.outcome,
          seen.insert(caption).inserted
        else { continue }
        hashes.append(hash)
        captions.append(caption)
        thumbnails.append(try decoder.thumbnails(of: bytes, forms: [form])[0].pixels)
      }
    }
  }

  var count: Int { hashes.count }
  func hash(_ index: Int) -> ContentHash { hashes[index] }
  func caption(_ index: Int) -> String { captions[index] }

  func withThumbnail<R>(
    _ index: Int, _ form: ThumbnailForm, _ body: (UnsafeBufferPointer<UInt8>) -> R
  ) -> R {
    thumbnails[index].withUnsafeBufferPointer(body)
  }
}
