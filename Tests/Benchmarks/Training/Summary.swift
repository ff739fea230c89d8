import BenchmarkSupport
import Foundation

/// All seeds of a set, with or without unpaired text.
struct SummaryRow: Codable, Sendable, Equatable {
  var set: TrainingSet
  var text: Bool
  var seeds: [UInt64]
  /// In the set; the mean, where seeds differ.
  var pairs: Double
  var imageToTextR1: Spread?
  var imageToTextR5: Spread?
  var imageToTextR10: Spread?
  var imageToTextMedianRank: Spread?
  var textToImageR1: Spread?
  var textToImageR5: Spread?
  var textToImageR10: Spread?
  var textToImageMedianRank: Spread?
  var meanRecall: Spread?
  /// Where the mean recall lies between (a), 0, and (e), 1; against the cells of the same seed.
  var wayFromNoisyToClean: Spread?
  /// Pairs seen until the best mean recall of (a) of the same seed, over what (a) itself took.
  var computeToNoisyBest: Spread?
  /// Of the seeds, how many never reached it.
  var neverReached: Int
  var probeAccuracy: Spread?
  var probeMacroF1: Spread?
  var seconds: Spread?
}

/// The benchmark's outcome: `summary.json` and a table.
struct Summary: Codable, Sendable, Equatable {
  var formatVersion = 1
  var heldOut: Int
  var trainingNoiseRate: Double
  var keptNoiseRate: Double
  var rows: [SummaryRow]

  init(_ results: [CellResult], heldOut: Int, trainingNoiseRate: Double, keptNoiseRate: Double) {
    self.heldOut = heldOut
    self.trainingNoiseRate = trainingNoiseRate
    self.keptNoiseRate = keptNoiseRate
    let byCell = Dictionary(results.map { ($0.cell, $0) }) { a, _ in a }
    rows = [false, true].flatMap { text in
      TrainingSet.allCases.compactMap { set in
        let mine = results.filter { $0.cell.set == set && $0.cell.text == text }
          .sorted { $0.cell.seed < $1.cell.seed }
        return mine.isEmpty ? nil : Self.row(mine, byCell)
      }
    }
  }

  private static func row(_ mine: [CellResult], _ byCell: [Cell: CellResult]) -> SummaryRow {
    func spread(_ value: (CellResult) -> Double?) -> Spread? { Spread(mine.compactMap(value)) }
    func other(_ set: TrainingSet, _ result: CellResult) -> CellResult? {
      byCell[Cell(set: set, text: result.cell.text, seed: result.cell.seed)]
    }
    let compute = mine.map { result -> (known: Bool, ratio: Double?) in
      guard let best = other(.noisy, result)?.best, best.pairsSeen > 0 else { return (false, nil) }
      return (true, result.pairsSeen(untilRecall: best.recall).map { $0 / best.pairsSeen })
    }
    return SummaryRow(
      set: mine[0].cell.set, text: mine[0].cell.text, seeds: mine.map(\.cell.seed),
      pairs: Double(mine.reduce(0) { $0 + $1.pairs }) / Double(mine.count),
      imageToTextR1: spread { $0.final?.imageToText.recallAt1 },
      imageToTextR5: spread { $0.final?.imageToText.recallAt5 },
      imageToTextR10: spread { $0.final?.imageToText.recallAt10 },
      imageToTextMedianRank: spread { $0.final?.imageToText.medianRank },
      textToImageR1: spread { $0.final?.textToImage.recallAt1 },
      textToImageR5: spread { $0.final?.textToImage.recallAt5 },
      textToImageR10: spread { $0.final?.textToImage.recallAt10 },
      textToImageMedianRank: spread { $0.final?.textToImage.medianRank },
      meanRecall: spread { $0.final?.meanRecall },
      wayFromNoisyToClean: way(
        mine.compactMap { result in
          guard let here = result.final?.meanRecall,
            let a = other(.noisy, result)?.final?.meanRecall,
            let e = other(.clean, result)?.final?.meanRecall
          else { return nil }
          return (here - a, e - a)
        }),
      computeToNoisyBest: Spread(compute.compactMap(\.ratio)),
      neverReached: compute.count { $0.known && $0.ratio == nil },
      probeAccuracy: spread { $0.classification.linearProbe.accuracy },
      probeMacroF1: spread { $0.classification.linearProbe.macroF1 },
      seconds: spread { $0.seconds })
  }

  /// The way gone over the whole way: of their means over seeds, since a whole way may be small by chance; the deviation
  /// is of the seeds' own quotients.
  private static func way(_ seeds: [(gone: Double, whole: Double)]) -> Spread? {
    let whole = seeds.reduce(0) { $0 + $1.whole }
    guard whole != 0, var spread = Spread(seeds.filter { $0.whole != 0 }.map { $0.gone / $0.whole })
    else { return nil }
    spread.mean = seeds.reduce(0) { $0 + $1.gone } / whole
    return spread
  }

  /// Markdown.
  var text: String {
    let header = [
      "trained on", "text", "pairs", "i→t R@1", "R@5", "R@10", "median", "t→i R@1", "R@5", "R@10",
      "median", "mean recall", "way a→e", "compute to a's best", "probe acc.", "macro-F1", "s",
    ]
    let names: [TrainingSet: String] = [
      .noisy: "noisy", .kept: "kept by Winnow", .random: "random subset",
      .top: "top by one cosine", .clean: "truly clean",
    ]
    let lines = rows.map { row -> [String] in
      func percent(_ spread: Spread?) -> String { spread?.text("%.1f", times: 100) ?? "-" }
      func plain(_ spread: Spread?) -> String { spread?.text("%.1f") ?? "-" }
      let never = row.neverReached > 0 ? " (\(row.neverReached)× never)" : ""
      return [
        "(\(row.set.letter)) \(names[row.set] ?? "")", row.text ? "yes" : "no",
        String(format: "%.0f", row.pairs), percent(row.imageToTextR1), percent(row.imageToTextR5),
        percent(row.imageToTextR10), plain(row.imageToTextMedianRank), percent(row.textToImageR1),
        percent(row.textToImageR5), percent(row.textToImageR10), plain(row.textToImageMedianRank),
        percent(row.meanRecall), row.wayFromNoisyToClean?.text("%.0f %%", times: 100) ?? "-",
        (row.computeToNoisyBest?.text("%.2f") ?? "-") + never, percent(row.probeAccuracy),
        percent(row.probeMacroF1), row.seconds?.text("%.0f") ?? "-",
      ]
    }
    let rule = header.map { _ in "---" }
    return ([header, rule] + lines).map { "| " + $0.joined(separator: " | ") + " |" }
      .joined(separator: "\n")
      + String(
        format: "\n\n%d held-out pairs; recalls, accuracy and F1 in percent; ± is the standard "
          + "deviation over seeds.\nNoise: %.1f %% of the training pairs, %.1f %% of what Winnow kept.",
        heldOut, 100 * trainingNoiseRate, 100 * keptNoiseRate)
  }
}
