import Glibc
import Layers

/// Confident learning with pseudo-classes: the bank's captions are clustered, a caption's cluster is the given label of
/// its image, and softmax(v.c_k/tau) over the clusters' centres its predicted probabilities. The score is the
/// self-confidence of the given label. It tells topics apart, and nothing within them.
struct PseudoClass: PairScorer {
  let bank: EmbeddedBank
  /// Unit rows `[classes, dimension]`.
  private let centres: [Float]
  private let classes: Int
  private let bankClasses: [Int]
  private static let most = 30

  init(_ bank: EmbeddedBank) {
    self.bank = bank
    let clusters = sphericalClusters(
      bank.texts, dimension: bank.dimension, clusters: max(2, min(Self.most, bank.pairs.count / 8)),
      seed: 0)
    centres = clusters.centres
    classes = centres.count / bank.dimension
    bankClasses = clusters.assignment
  }

  func batch(
    images: [Float], texts: [Float], of pairs: [(hash: ContentHash, caption: String)]
  ) -> any BatchScores {
    Batch(scorer: self, images: images, texts: texts, count: pairs.count)
  }

  private struct Batch: BatchScores {
    private let bankClasses: [Int]
    private let given: [Int]
    /// log P(class | image), `[pairs, classes]`.
    private let logProbabilities: [[Float]]

    init(scorer: PseudoClass, images: [Float], texts: [Float], count: Int) {
      let bank = scorer.bank
      bankClasses = scorer.bankClasses
      func logits(_ rows: [Float], _ i: Int) -> [Float] {
        (0..<scorer.classes).map { bank.logit(rows, i, scorer.centres, $0) }
      }
      given = (0..<count).map { i in
        let near = logits(texts, i)
        return near.indices.max { near[$0] < near[$1] } ?? 0
      }
      logProbabilities = (0..<count).map { i in
        let logits = logits(images, i)
        let top = logits.max() ?? 0
        let sum = top + logf(logits.reduce(0) { $0 + expf($1 - top) })
        return logits.map { $0 - sum }
      }
    }

    func observed(_ i: Int) -> Float { logProbabilities[i][given[i]] }

    func repaired(_ i: Int, with r: Int) -> Float { logProbabilities[i][bankClasses[r]] }
  }
}
