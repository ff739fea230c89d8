import Foundation
import Layers
import TensorFiles
import Testing

@testable import Reports

/// The figures of `winnow eval` against scikit-learn and plain numpy.
@Suite(Peer.isThere) struct EvaluationPeerTests {
  /// What the reference prints of its input; here what the two sides have in common.
  private struct Reference: Decodable {
    struct Retrieval: Decodable {
      var recallAt1: Double
      var recallAt5: Double
      var recallAt10: Double
      var medianRank: Double
      var ranks: [Int]

      enum CodingKeys: String, CodingKey {
        case ranks
        case recallAt1 = "recall_at_1"
        case recallAt5 = "recall_at_5"
        case recallAt10 = "recall_at_10"
        case medianRank = "median_rank"
      }
    }
    struct Classes: Decodable {
      var accuracy: Double
      var macroF1: Double
      var predicted: [Int]

      enum CodingKeys: String, CodingKey {
        case accuracy, predicted
        case macroF1 = "macro_f1"
      }
    }
    var imageToText: Retrieval
    var textToImage: Retrieval
    var linearProbe: Classes
    var nearestNeighbours: Classes
    var auroc: Double
    var averagePrecision: Double

    enum CodingKeys: String, CodingKey {
      case auroc
      case imageToText = "image_to_text"
      case textToImage = "text_to_image"
      case linearProbe = "linear_probe"
      case nearestNeighbours = "nearest_neighbours"
      case averagePrecision = "average_precision"
    }
  }

  private func reference(_ arrays: [(name: String, array: NPYArray)]) throws -> Reference {
    let folder = NSTemporaryDirectory() + "winnow-peer-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, array) in arrays {
      try Data(NPY.encode(array)).write(to: URL(fileURLWithPath: "\(folder)/\(name).npy"))
    }
    try Peer.run("evaluate_reference.py", [folder])
    let output = try #require(FileManager.default.contents(atPath: "\(folder)/figures.json"))
    return try JSONDecoder().decode(Reference.self, from: output)
  }

  private func noisyRows(_ centres: [[Float]], _ ids: [Int], _ random: inout SeededRandom)
    -> Embeddings
  {
    let values = ids.flatMap { id in centres[id].map { $0 + 0.6 * random.normal() } }
    return Embeddings(rows: ids.count, columns: centres[0].count, values: values).unitRows()
  }

  @Test func figuresAgreeWithScikitLearn() throws {
    var random = SeededRandom(seed: 7)
    // 300 pairs of 220 different images and 180 different captions.
    let centres = (0..<220).map { _ in (0..<24).map { _ in random.normal() } }
    let imageIDs = (0..<300).map { _ in random.below(220) }
    let textIDs = imageIDs.map { $0 % 180 }
    let oneEach = (0..<220).map { $0 }
    let images = noisyRows(centres, oneEach, &random).taking(imageIDs)
    let texts = noisyRows(centres, oneEach, &random).taking(textIDs)

    let labels = (0..<400).map { _ in random.below(5) }
    let classes = (0..<5).map { _ in (0..<24).map { _ in random.normal() } }
    let x = noisyRows(
      classes.map { $0.map { $0 * 0.7 } }, labels, &random)
    let validation = CrossValidation(labels: labels, groups: Array(0..<400), count: 4, seed: 1)

    let positives = (0..<500).map { _ in random.below(3) == 0 }
    // Rounded, so that there are ties.
    let scores = positives.map { (($0 ? 0.5 : 0) + random.normal() * 8).rounded() / 8 }

    func integers(_ values: [Int]) -> NPYArray {
      .int64(values.map(Int64.init), shape: [values.count])
    }
    func rows(_ it: Embeddings) -> NPYArray { .float32(it.values, shape: [it.rows, it.columns]) }
    let peer = try reference([
      ("images", rows(images)), ("texts", rows(texts)), ("image_ids", integers(imageIDs)),
      ("text_ids", integers(textIDs)), ("x", rows(x)), ("y", integers(labels)),
      ("folds", integers(validation.folds)), ("strength", .float32([10], shape: [1])),
      ("scores", .float32(scores, shape: [500])), ("positives", .bool(positives)),
    ])

    let pairs = RetrievalPairs(imageIDs, textIDs)
    let (there, back) = try pairs.figures(images, texts, workers: 2)
    for (mine, its) in [(there, peer.imageToText), (back, peer.textToImage)] {
      #expect(mine.queries == its.ranks.count)
      #expect(abs(mine.recallAt1 - its.recallAt1) < 1e-9)
      #expect(abs(mine.recallAt5 - its.recallAt5) < 1e-9)
      #expect(abs(mine.recallAt10 - its.recallAt10) < 1e-9)
      #expect(mine.medianRank == its.medianRank)
    }
    #expect(
      try Retrieval.ranks(
        of: images.taking(pairs.firstRows), among: texts.taking(pairs.secondRows),
        right: pairs.secondsOfFirst, workers: 2) == peer.imageToText.ranks)

    let probed = try validation.predictions(workers: 2) { fit, test in
      LogisticRegression(x.taking(fit), labels: fit.map { labels[$0] }, classes: 5, strength: 10)
        .predict(x.taking(test))
    }
    // The optima agree to the tolerance of either search, so a row on a border may differ.
    #expect(zip(probed, peer.linearProbe.predicted).count { $0 != $1 } <= 1)
    let voted = try validation.predictions(workers: 2) { fit, test in
      NearestNeighbours(x.taking(fit), labels: fit.map { labels[$0] }, classes: 5, count: 7)
        .predict(x.taking(test))
    }
    // scikit-learn gives ties to the lower label, Winnow to the nearer one.
    #expect(zip(voted, peer.nearestNeighbours.predicted).count { $0 != $1 } <= 40)
    for (its, predicted) in [
      (peer.linearProbe, peer.linearProbe.predicted),
      (peer.nearestNeighbours, peer.nearestNeighbours.predicted),
    ] {
      let accuracy = ClassificationMetrics.accuracy(predicted: predicted, truth: labels)
      #expect(abs((accuracy ?? 0) - its.accuracy) < 1e-12)
      let f1 = ClassificationMetrics.macroF1(predicted: predicted, truth: labels)
      #expect(abs((f1 ?? 0) - its.macroF1) < 1e-12)
    }

    let auroc = RankingMetrics.auroc(scores: scores, positives: positives)
    #expect(abs((auroc ?? 0) - peer.auroc) < 1e-9)
    let precision = RankingMetrics.averagePrecision(scores: scores, positives: positives)
    #expect(abs((precision ?? 0) - peer.averagePrecision) < 1e-9)
  }
}
