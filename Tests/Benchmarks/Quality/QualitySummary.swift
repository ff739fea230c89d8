import BenchmarkSupport
import Foundation

/// All results as tables: a block for each corpus, kind and level of noise, its rows the means over seeds.
struct QualitySummary {
  private let results: [QualityResult]

  init(_ results: [QualityResult]) { self.results = results }

  var text: String {
    let blocks = results.reduce(into: [String]()) {
      if !$0.contains($1.cell.block) { $0.append($1.cell.block) }
    }
    return (blocks.map(table) + [bars]).joined(separator: "\n\n")
  }

  private func table(_ block: String) -> String {
    let mine = results.filter { $0.cell.block == block }
    let methods = mine[0].rows.map(\.method)
    let head = """
      ### \(block): \(mine[0].pairs) pairs, \(mine.count) seeds, truth \(format(Spread(mine.map(\.truth))))

      | method | AUROC | average precision | precision | recall | dropped | noise rate | error | excess ECE | noise at equal keep |
      |---|---|---|---|---|---|---|---|---|---|
      """
    let lines = methods.map { method -> String in
      let rows = mine.compactMap { result in
        result.rows.first { $0.method == method }.map { (result.truth, $0) }
      }
      func column(_ value: (QualityRow) -> Double?) -> String {
        format(Spread(rows.compactMap { value($0.1) }))
      }
      let errors = rows.compactMap { truth, row in row.noiseRate.map { abs($0 - truth) } }
      let cells = [
        method, column(\.auroc), column(\.averagePrecision), column(\.precision), column(\.recall),
        column(\.dropped), column(\.noiseRate), format(Spread(errors)),
        column(\.excessCalibrationError), column(\.noiseAtEqualKeep),
      ]
      return "| " + cells.joined(separator: " | ") + " |"
    }
    return ([head] + lines).joined(separator: "\n")
  }

  /// What issue and README promise, over all cells with random swaps.
  private var bars: String {
    let random = results.filter { $0.cell.kind == .random }
    let standard = random.compactMap { result in result.rows.first.map { (result, $0) } }
    let errors = standard.compactMap { result, row in row.noiseRate.map { abs($0 - result.truth) } }
    let covered = standard.count { result, row in
      (row.low ?? 0) <= result.truth && result.truth <= (row.high ?? 1)
    }
    let calibration = standard.compactMap(\.1.excessCalibrationError)
    // The corpus' own mismatches are taken to be kept as other pairs are.
    let limits = random.flatMap { result in
      result.limits.filter(\.reachable).map { limit in
        limit.keptNoise + (1 - limit.keptNoise) * result.cell.corpus.naturalNoise - limit.asked
      }
    }
    let broken = limits.count { $0 > 0.02 }
    let clean = results.filter { $0.cell.level == 0 }.compactMap { result in
      result.rows.first?.dropped.map {
        "\(result.cell.name) \(String(format: "%.1f %%", 100 * $0))"
      }
    }
    let checked = results.first { !$0.checked.isEmpty }?.checked ?? [:]
    return """
      ### Default method, all \(random.count) cells with random swaps

      - noise rate: mean error \(format(Spread(errors))), largest \(format(errors.max())); interval holds the truth \
      in \(covered) of \(standard.count)
      - excess calibration error: mean \(format(Spread(calibration))), largest \(format(calibration.max()))
      - --max-noise \(QualityRunner.limits.map { "\($0)" }.joined(separator: ", ")): \(limits.count) of \
      \(random.flatMap(\.limits).count) said to be reachable, \(broken) of them more than 0.02 above
      - dropped of unswapped corpora: \(clean.joined(separator: ", "))
      - hand-checked pairs, dropped of judged: \
      \(checked.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value[1]) of \($0.value[0])" }.joined(separator: ", "))
      """
  }

  private func format(_ spread: Spread?) -> String { spread?.text("%.3f") ?? "" }

  private func format(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "" }
}
