import ArgumentParser
import Foundation

@main
struct BuildSamples: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build-samples",
    abstract: "Build a WebDataset corpus from Debian's clip art.",
    discussion: """
      Reads the unpacked packages openclipart-png, openclipart-svg and tuxpaint-stamps-default and writes shards
      with KEY.png, KEY.txt and KEY.json. With --swap, a known share of the captions stands at the wrong image,
      and truth.tsv beside the shards says which.

      Example:
        build-samples --openclipart usr/share/openclipart --stamps usr/share/tuxpaint/stamps \\
          --swap 0.3 --out swap-0.3
      """)

  @Option(help: "The folder that holds png/ and svg/ of Open Clip Art.")
  var openclipart: String?

  @Option(help: "The folder of the Tux Paint stamps.")
  var stamps: String?

  @Option(help: "The folder to create; it appears when it is whole.")
  var out: String

  @Option(help: "The language of the stamps: \(StampLanguage.names).")
  var stampLanguage: StampLanguage = .mixed

  @Option(help: "Leave out drawings of Open Clip Art whose title more than N of them share.")
  var maxTitleUses: Int?

  @Option(help: "Share of captions to swap, 0 to 1.")
  var swap: Double?

  @Option(help: "Which swaps: at random, within a category, or half of each (\(SwapChoice.names)).")
  var swapKind: SwapChoice = .both

  @Option(help: "Decides which captions are swapped.")
  var seed: UInt64 = 0

  @Option(help: "Samples a shard.")
  var shardSize = 1000

  @Option(help: "Take only the first N pairs of the shuffled order.")
  var limit: Int?

  func validate() throws {
    if openclipart == nil && stamps == nil {
      throw ValidationError("Give --openclipart, --stamps or both.")
    }
    if let swap, !(0...1).contains(swap) {
      throw ValidationError("--swap is a share between 0 and 1, not \(swap).")
    }
    if shardSize < 1 || [limit, maxTitleUses].contains(where: { ($0 ?? 1) < 1 }) {
      throw ValidationError("--shard-size, --limit and --max-title-uses are at least 1.")
    }
  }

  func run() throws {
    let destination = URL(fileURLWithPath: out)
    guard !FileManager.default.fileExists(atPath: destination.path) else {
      throw BuildError.alreadyThere(path: out)
    }
    let pairs = try harvestAll()
    let partial = destination.deletingLastPathComponent()
      .appendingPathComponent(".\(destination.lastPathComponent).partial")
    do {
      try? FileManager.default.removeItem(at: partial)
      try FileManager.default.createDirectory(at: partial, withIntermediateDirectories: true)
      try write(pairs, to: CorpusFolder(folder: partial, shardSize: shardSize))
      try FileManager.default.moveItem(at: partial, to: destination)
    } catch {
      try? FileManager.default.removeItem(at: partial)
      throw error
    }
  }

  private func harvestAll() throws -> [SourcePair] {
    var pairs: [SourcePair] = []
    if let openclipart {
      pairs += try report(
        harvestOpenClipArt(URL(fileURLWithPath: openclipart), maxTitleUses: maxTitleUses ?? .max),
        of: openclipart)
    }
    if let stamps {
      pairs += try report(
        harvestStamps(URL(fileURLWithPath: stamps), language: stampLanguage), of: stamps)
    }
    let shuffled = pairs.shuffledByHash(of: \.identity)
    return limit.map { Array(shuffled.prefix($0)) } ?? shuffled
  }

  private func report(_ harvest: Harvest, of folder: String) throws -> [SourcePair] {
    say("\(folder): \(harvest.pairs.count) pairs")
    for (reason, count) in harvest.skipped.sorted(by: { $0.key < $1.key }) {
      say("  skipped \(count): \(reason)")
    }
    if harvest.pairs.isEmpty { throw BuildError.noImages(folder: folder) }
    return harvest.pairs
  }

  private func write(_ pairs: [SourcePair], to corpus: CorpusFolder) throws {
    var swapped: [SwappedCaption]?
    if let swap { swapped = swappingCaptions(of: pairs, share: swap, choice: swapKind, seed: seed) }
    let captions = swapped?.map(\.caption) ?? pairs.map(\.caption)
    let shards = try corpus.write(pairs, captions: captions)
    say("\(out): \(pairs.count) pairs in \(shards) shards")
    if let kinds = swapped?.map(\.kind) {
      try corpus.writeTruth(kinds)
      let random = kinds.count { $0 == .random }
      let category = kinds.count { $0 == .category }
      say("  swapped \(random + category): \(random) at random, \(category) within their category")
    }
  }

  private func say(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}

extension StampLanguage: ExpressibleByArgument {
  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension SwapChoice: ExpressibleByArgument {
  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
