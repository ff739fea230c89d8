import Layers
import Testing
import Text

@testable import Encoders

@Suite struct MaskedLanguageTests {
  private static func encoder() -> DualEncoder {
    let member = EncoderGradientTests.tinyTransformers(.bytePairs)
    let encoder = DualEncoder(
      member, seed: 5, tokenizer: EncoderGradientTests.LengthTokenizer())
    // Small weights would leave gradients that drown in rounding.
    for parameter in encoder.parameters where parameter.name.hasPrefix("text.tokens") {
      for i in 0..<parameter.count { parameter.value[i] *= 20 }
    }
    return encoder
  }

  @Test func theGradientsOfHeadAndTowerMatchFiniteDifferences() throws {
    let encoder = Self.encoder()
    let head = try #require(MaskedLanguageHead(encoder, seed: 3))
    let texts = [[10, 9, 3, 11], [10, 4, 11]].map { CaptionTokens(ids: $0.map(Int32.init)) }
    func loss() -> Double {
      Double(
        head.accumulateGradients(
          texts, rows: [1, 2, 5], targets: [2, 3, 7], weight: 1 / 3, Context(training: true)))
    }
    _ = loss()
    let tower = encoder.parameters.filter {
      $0.name.hasPrefix("text.") && !$0.name.hasPrefix("text.norm_out")
        && !$0.name.hasPrefix("text.projection")
    }
    let gradients = (head.parameters + tower).map {
      ($0, Array(UnsafeBufferPointer(start: $0.gradient, count: $0.count)))
    }
    for (parameter, gradient) in gradients {
      let strongest = gradient.indices.sorted { abs(gradient[$0]) > abs(gradient[$1]) }.prefix(4)
      let size = strongest.first.map { abs(Double(gradient[$0])) } ?? 0
      #expect(size > 1e-4, "\(parameter.name): the gradient is zero")
      for i in strongest {
        let original = parameter.value[i]
        let step: Float = 2e-3
        parameter.value[i] = original + step
        let above = loss()
        parameter.value[i] = original - step
        let below = loss()
        parameter.value[i] = original
        let numeric = (above - below) / Double(2 * step)
        #expect(
          abs(numeric - Double(gradient[i])) < 0.02 * size + 2e-4,
          "\(parameter.name)[\(i)]: backward gives \(gradient[i]), differences give \(numeric)")
      }
    }
  }

  @Test func aReplicaSharesTheWeightsAndHasGradientsOfItsOwn() throws {
    let encoder = Self.encoder()
    let head = try #require(MaskedLanguageHead(encoder, seed: 3))
    let copy = encoder.replica()
    let second = try #require(head.replica(for: copy))
    let texts = [CaptionTokens(ids: [10, 9, 11])]
    let context = Context(training: true)
    let before = second.accumulateGradients(texts, rows: [1], targets: [2], weight: 1, context)
    #expect(head.parameters.allSatisfy { p in (0..<p.count).allSatisfy { p.gradient[$0] == 0 } })
    #expect(second.parameters.contains { p in (0..<p.count).contains { p.gradient[$0] != 0 } })
    // One weight: a norm behind it forgets what all of them share.
    head.parameters[2].value[0] += 0.5
    #expect(
      second.accumulateGradients(texts, rows: [1], targets: [2], weight: 1, context) != before)
  }

  @Test func hashedWordsHaveNoRowsToGuessFrom() {
    let words = DualEncoder(EncoderGradientTests.tiny(.transformer), seed: 1)
    #expect(MaskedLanguageHead(words, seed: 1) == nil)
  }
}
