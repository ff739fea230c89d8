import Encoders
import Foundation
import Layers
import Text

@testable import Training

/// Times a training step of a member and inference by parts.
func profile(_ member: MemberConfiguration, batch: Int = 96, side: Int = 64) {
  let configuration = TrainingConfiguration()
  let encoder = DualEncoder(member, seed: 1)
  var random = SeededRandom(seed: 2)
  let words = (0..<3000).map { _ in
    String(
      (0..<(3 + random.below(8))).map { _ in Character(UnicodeScalar(UInt8(97 + random.below(26))))
      })
  }
  let captions = (0..<batch).map { _ in
    encoder.tokenizer.tokens(
      of: (0..<(3 + random.below(8))).map { _ in words[random.below(words.count)] }.joined(
        separator: " "))
  }
  let thumbnails = (0..<batch).map { _ in
    (0..<(side * side * 3)).map { _ in UInt8(random.below(256)) }
  }
  let contexts = (0..<3).map { _ in Context(training: true) }
  let textContext = Context(training: true)
  let optimiser = AdamW(encoder.parameters, steps: 1000, settings: configuration.optimiser)
  let still = Context(training: false)
  func timed(_ name: String, _ count: Int = 5, _ body: () -> Void) {
    body()
    var best = Double.infinity
    for _ in 0..<count {
      let start = clock(CLOCK_THREAD_CPUTIME_ID)
      body()
      best = min(best, clock(CLOCK_THREAD_CPUTIME_ID) - start)
    }
    print("\(name): \(String(format: "%.2f", best * 1e3)) ms")
  }
  print("== \(member.name)")
  func pieces() -> [Tensor] {
    (0..<3).map { piece in
      let size = side * side * 3
      let tensor = contexts[piece].pool.tensor([batch / 3, side, side, 3])
      for row in 0..<(batch / 3) {
        thumbnails[piece * batch / 3 + row].withUnsafeBufferPointer {
          configuration.augmentation.image($0, side: side, into: tensor.data + row * size, &random)
        }
      }
      return tensor
    }
  }
  timed("augment") { _ = pieces() }
  timed("augment captions") { _ = captions.map { configuration.augmentation.caption($0, &random) } }
  let images = pieces()
  timed("images forward") { for p in images { _ = encoder.encodeImages(p, still) } }
  timed("texts forward") { _ = encoder.encodeTexts(captions, still) }
  timed("gradients") {
    _ = encoder.accumulateGradients(
      images: images, captions: captions, groups: (0..<Int32(batch)).map { $0 },
      imageContexts: contexts,
      textContext: textContext)
  }
  timed("update") { optimiser.update() }
  let n = 768
  let a = still.pool.zeros([n, n])
  let c = still.pool.zeros([n, n])
  timed("sgemm \(n)") { multiply(a.data, .no, a.data, .no, into: c.data, m: n, n: n, k: n) }
  timed("step") {
    _ = encoder.accumulateGradients(
      images: pieces(), captions: captions.map { configuration.augmentation.caption($0, &random) },
      groups: (0..<Int32(batch)).map { $0 }, imageContexts: contexts,
      textContext: textContext)
    optimiser.update()
  }
}

func clock(_ kind: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(kind, &time)
  return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}
