import BenchmarkSupport
import Foundation
import Pipeline

/// The corpus, its split, and the shards of every set, made where they are missing.
struct PreparedSets {
  /// In order of their content hashes.
  var heldOut: [SamplePair]
  var nearDuplicates: Int
  private let folder: String
  private let keys: [String: Set<String>]
  private let swapped: Set<String>

  /// - Parameter out: its folder `sets` is for one corpus and number of held-out pairs; delete it to change them.
  init(
    corpus: String, out: String, heldOut count: Int, seeds: [UInt64], winnow: Tool,
    cleaning: String?
  ) throws {
    let corpus = try SampleCorpus(corpus)
    let split = HeldOutSplit(corpus.pairs, heldOut: count)
    guard split.heldOut.count == count else {
      throw BenchError("only \(split.heldOut.count) pairs qualify for holding out")
    }
    heldOut = split.heldOut.map { corpus.pairs[$0] }
    nearDuplicates = split.nearDuplicates
    folder = "\(out)/sets"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let training = split.training.map { corpus.pairs[$0] }
    swapped = Set(training.filter(\.isSwapped).map(\.key))

    let writer = SubsetWriter(shards: corpus.shards)
    let all = training.map(\.key)
    try writer.write(Set(heldOut.map(\.key)), to: "\(folder)/held-out")
    try writer.write(Set(all), to: "\(folder)/noisy")
    let cleaned = RunDirectory("\(folder)/cleaned")
    if !FileManager.default.fileExists(atPath: cleaned.manifest) {
      say("cleaning \(all.count) pairs")
      try winnow.run(
        ["clean", "\(folder)/noisy", "--out", cleaned.path]
          + (cleaning.map { ["--pipeline", $0] } ?? []))
    }
    let kept = try keptKeys(cleaned)
    var keys = ["noisy": Set(all), "kept": kept]
    keys["clean"] = Set(all).subtracting(swapped)
    for seed in seeds { keys["random-\(seed)"] = randomKeys(kept.count, of: all, seed: seed) }
    keys["top"] = try Self.top(kept.count, "\(folder)/noisy", cleaned, list: "\(folder)/top.txt")
    for (name, keys) in keys { try writer.write(keys, to: "\(folder)/\(name)") }
    self.keys = keys
  }

  /// From the list, where it has been made.
  private static func top(
    _ count: Int, _ noisy: String, _ run: RunDirectory, list: String
  ) throws -> Set<String> {
    if let text = try? String(contentsOfFile: list, encoding: .utf8) {
      return Set(text.split(separator: "\n").map(String.init))
    }
    say("ranking by one member's cosine")
    let keys = try topKeys(count, of: ShardSelection([noisy]), judgedBy: run)
    try keys.sorted().joined(separator: "\n").write(toFile: list, atomically: true, encoding: .utf8)
    return keys
  }

  var heldOutFolder: String { "\(folder)/held-out" }

  private func name(_ set: TrainingSet, seed: UInt64) -> String {
    set == .random ? "random-\(seed)" : set.rawValue
  }

  func folder(_ cell: Cell) -> String { "\(folder)/\(name(cell.set, seed: cell.seed))" }

  func keys(_ cell: Cell) -> Set<String> { keys[name(cell.set, seed: cell.seed)] ?? [] }

  /// The share of a set (of no seed's own) that is swapped.
  func noiseRate(of set: TrainingSet) -> Double {
    let keys = keys[set.rawValue] ?? []
    return Double(keys.intersection(swapped).count) / Double(max(1, keys.count))
  }

  var description: String {
    let sets = keys.sorted { $0.key < $1.key }.map { name, keys in
      let noise = Double(keys.intersection(swapped).count) / Double(max(1, keys.count))
      return String(format: "  %@: %d pairs, %.1f %% swapped", name, keys.count, 100 * noise)
    }
    return "held out: \(heldOut.count) pairs; \(nearDuplicates) near-duplicates of them left out\n"
      + sets.joined(separator: "\n")
  }
}
