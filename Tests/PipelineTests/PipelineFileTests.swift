import Encoders
import Foundation
import Shards
import Testing
import Training

@testable import Pipeline

@Suite struct PipelineFileTests {
  private func parse(_ yaml: String) throws -> RunConfiguration {
    try PipelineFile.parse(yaml, file: "x.yaml")
  }

  private func message(_ yaml: String) -> String {
    do {
      _ = try parse(yaml)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  private static func file(_ name: String) -> String {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return folder.appendingPathComponent("../../Pipelines/\(name)").standardizedFileURL.path
  }

  @Test(arguments: ["clean.yaml", "train.yaml"])
  func aFileOfAllKnobsHoldsTheBuiltInDefaults(name: String) throws {
    #expect(try PipelineFile.load(Self.file(name)) == RunConfiguration())
  }

  /// Each file, and the paths that are told in the other one, or that it refuses.
  @Test(arguments: [
    ("clean.yaml", ["train", "text"]),
    ("train.yaml", ["judges", "score", "noise", "write", "refresh", "train.model.pretrained"]),
  ])
  func aFileOfAllKnobsNamesEveryKnobInItsPlace(name: String, others: [String]) throws {
    let text = try String(contentsOfFile: Self.file(name), encoding: .utf8)
    let knobs = try Self.knobs().filter { knob in
      !others.contains { knob == $0 || knob.hasPrefix($0 + ".") }
    }
    let named = Self.paths(text)
    #expect(knobs.subtracting(named) == [], "missing")
    #expect(named.subtracting(knobs) == [], "unknown, or in a wrong place")
  }

  /// `judges.members.image.side` and all others that a pipeline file may name.
  private static func knobs() throws -> Set<String> {
    func paths(_ value: Any, _ path: String) -> Set<String> {
      if let items = value as? [Any] {
        return items.reduce(into: []) { $0.formUnion(paths($1, path)) }
      }
      guard let object = value as? [String: Any] else { return [] }
      return object.reduce(into: []) { result, entry in
        let name = path.isEmpty ? entry.key : "\(path).\(entry.key)"
        result.insert(name)
        result.formUnion(paths(entry.value, name))
      }
    }
    let data = try JSONEncoder().encode(PipelineFile.example)
    let all = paths(try JSONSerialization.jsonObject(with: data), "")
    let members = all.filter { $0.hasPrefix("judges.members.") }
    let model = members.map { "train.model\($0.dropFirst("judges.members".count))" }
    return all.union(model).subtracting(["judges.seed", "train.seed"])
  }

  /// The paths that a file names, in lines that are commented out too: in those a knob is `# key: value`.
  private static func paths(_ text: String) -> Set<String> {
    var result: Set<String> = []
    var open: [(column: Int, path: String)] = []
    for line in text.split(separator: "\n").map(String.init) {
      guard let match = line.prefixMatch(of: /( *)(?:# )?( *(?:- )?)([A-Za-z0-9]+):(?: |$)/) else {
        continue
      }
      let column = match.1.count + match.2.count
      while let last = open.last, last.column >= column { open.removeLast() }
      let path = open.last.map { "\($0.path).\(match.3)" } ?? String(match.3)
      result.insert(path)
      open.append((column, path))
      // What stands in braces behind it, which hold no others.
      guard let braces = line[match.range.upperBound...].prefixMatch(of: /\{([^}]*)\}/) else {
        continue
      }
      for key in braces.1.matches(of: #/([A-Za-z0-9]+): /#) { result.insert("\(path).\(key.1)") }
    }
    return result
  }

  @Test func theNightlyFileChangesOnlyWhatItMust() throws {
    var nightly = try PipelineFile.load(Self.file("nightly.yaml"))
    #expect(nightly.input == ["/data/crawl"] && nightly.output == "/data/clean")
    #expect(nightly.report.log != nil && nightly.report.metrics != nil)
    (nightly.input, nightly.output, nightly.report) = ([], nil, ReportConfiguration())
    #expect(nightly == RunConfiguration())
  }

  @Test func thePretrainedFileNamesAFolderBesideIt() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Pipelines").standardizedFileURL.path
    let members = try PipelineFile.load("\(folder)/pretrained-clip.yaml").judges.members
    #expect(members.map(\.name) == ["clip"])
    #expect(members[0].pretrained == absolutePath("\(folder)/../models/clip-vit-base-patch32"))
  }

  @Test func theFileOfEnsembleConfidentLearningJudgesWhatItLearntFrom() throws {
    let configuration = try PipelineFile.load(Self.file("ecl.yaml"))
    #expect(configuration.judges.folds == 1)
    #expect(configuration.judges.members.map(\.snapshots) == [8])
    #expect(configuration.score.method == .cosine)
    #expect(message("judges: {folds: 1}").contains("folds must lie in 2 ... 1000"))
    #expect(message("judges: {folds: 1, ecl: {keep: 0.9}}").contains("folds must lie in"))
  }

  @Test func aWordThatIsNoneOfAFewIsToldThem() {
    #expect(
      message("noise: {repairing: nope}").contains(
        "noise.repairing must be one of: random, cluster, both"))
    #expect(message("score: {method: nope}").contains("cosine"))
  }

  @Test(arguments: [
    ("image", "kind", "convolutional, transformer, dictionary"),
    ("image", "geometry", "squash, crop, pad"),
    ("image", "alpha", "onWhite, dropped, droppedLast"), ("image", "activation", "gelu, quickGELU"),
    ("text", "kind", "bag, transformer"), ("text", "tokens", "words, bytePairs, wordPieces"),
    ("text", "activation", "gelu, quickGELU"),
  ])
  func soIsOneOfAMemberOrTheModel(tower: String, key: String, words: String) {
    let told = ".\(tower).\(key) must be one of: \(words)"
    #expect(
      message("judges: {members: [{name: a}, {name: b, \(tower): {\(key): nope}}]}")
        == "x.yaml: judges.members[1]" + told)
    #expect(
      message("train: {model: {\(tower): {\(key): nope}}}") == "x.yaml: train.model" + told)
  }

  @Test func anEmptyFileMeansTheDefaults() throws {
    #expect(try parse("") == RunConfiguration())
    #expect(try parse("# nothing\n") == RunConfiguration())
  }

  /// What the library holds by itself, a run holds too.
  @Test func samplesAreHeldToTheReadersOwnLimitsByDefault() {
    let (configuration, limits) = (ReadConfiguration(), ReadLimits())
    #expect(configuration.maxMemberBytes == 64 << 20)
    #expect(configuration.limits.maxMemberBytes == limits.maxMemberBytes)
    #expect(configuration.limits.maxSampleBytes == limits.maxSampleBytes)
  }

  @Test func aValueGoesOverItsDefaultAndLeavesTheOthers() throws {
    var expected = RunConfiguration()
    expected.judges.epochs = 3
    expected.write.plain = true
    expected.noise.maxNoise = 0.05
    expected.read.jsonCaption = "caption"
    let yaml = """
      judges: {epochs: 3}
      write: {plain: true}
      noise: {maxNoise: 0.05}
      read: {jsonCaption: caption}
      """
    #expect(try parse(yaml) == expected)
  }

  @Test func anUnknownKeyIsNamedWithItsLineAndTheNearestKey() {
    let text = message("seed: 1\njudges:\n  epoch: 3\n")
    #expect(text == "x.yaml:3: unknown key judges.epoch; did you mean judges.epochs?")
  }

  @Test func aKeyNearNoneListsTheKnownOnes() {
    let text = message("write:\n  compressionFormat: 3\n")
    #expect(text.contains("x.yaml:2: unknown key write.compressionFormat; known here: "))
    #expect(text.contains("level"))
  }

  @Test func anUnknownKeyInAMemberIsFound() {
    let text = message("judges:\n  members:\n    - {name: a, dimensions: 3}\n")
    #expect(text.contains("did you mean judges.members.dimension?"))
  }

  @Test func whatAMemberLeavesOutTakesTheDefaultOfItsKind() throws {
    let yaml = """
      judges:
        members:
          - {name: a}
          - {name: b, seed: 3, image: {kind: transformer, side: 32}, text: {kind: transformer}}
          - {name: c, text: {kind: transformer, tokens: bytePairs, vocabulary: v, maxTokens: 9}}
      """
    let members = try parse(yaml).judges.members
    #expect(members[0] == MemberConfiguration(name: "a"))
    #expect(members[1].image.width == 128 && members[1].image.side == 32 && members[1].seed == 3)
    #expect(members[1].text == TextConfiguration(kind: .transformer))
    #expect(members[2].text.causal && members[2].text.maxTokens == 9)
    #expect(message("judges: {members: [{name: a, image: {patches: 8}}]}").contains("image.patch?"))
  }

  @Test func theModelMayBeOfAnyKindAndAWrongKeyInItIsFound() throws {
    let image = try parse("train: {model: {image: {kind: transformer, patch: 16}}}").train.model
      .image
    #expect(image.kind == .transformer && image.patch == 16 && image.side == 64)
    let words = try parse("train: {model: {text: {tokens: words, buckets: 99}}}").train.model.text
    #expect(words.tokens == .words && words.buckets == 99 && words.width == 128)
    #expect(
      message("train: {model: {dimensions: 3}}").contains("did you mean train.model.dimension?"))
  }

  @Test func aValueOfTheWrongTypeNamesItsKey() {
    #expect(message("judges: {epochs: many}").contains("judges.epochs"))
    #expect(message("judges: 3").contains("judges holds further keys"))
    #expect(message("[1, 2]").contains("x.yaml"))
  }

  @Test func aFileThatCannotBeReadIsNotMissing() throws {
    let folder = try TemporaryFolder()
    func reason(_ path: String) -> String {
      do {
        _ = try PipelineFile.load(path)
        return "none"
      } catch {
        return "\(error)"
      }
    }
    #expect(reason(folder.path("a.yaml")) == "\(folder.path("a.yaml")): no such file")
    #expect(reason(folder.root).hasSuffix("it is a folder, not a file"))
  }

  @Test func brokenYAMLIsAnErrorWithTheFileName() {
    #expect(message("judges: {").hasPrefix("x.yaml"))
  }

  @Test func hostileFilesAreRefusedBriefly() {
    let laughs = (1..<12).reduce("in:\n  - &a0 [x, x]\n") { text, level in
      let alias = "*a\(level - 1)"
      return text
        + "  - &a\(level) [\(Array(repeating: alias, count: 10).joined(separator: ", "))]\n"
    }
    for yaml in [
      "in: " + String(repeating: "[", count: 100_000), laughs,
      "in: " + String(repeating: "[", count: 900) + String(repeating: "]", count: 900),
      String(repeating: "k", count: 1_000_000) + ": 1",
      "? " + String(repeating: "k", count: 10_000) + "\n: 1",
      "seed: " + String(repeating: "9", count: 1_000_000),
    ] {
      let text = message(yaml)
      #expect(text.hasPrefix("x.yaml") && text.utf8.count < 2100)
    }
  }

  @Test(arguments: [
    "noise: {maxNoise: 0.1, keepFraction: 0.5}", "noise: {maxNoise: 2}", "write: {shardSize: 0}",
    "write: {level: 99}", "judges: {folds: 1}", "judges: {members: [{name: a, image: {side: 30}}]}",
    "judges: {optimiser: {beta2: 1}}", "judges: {optimiser: {clip: 0}}",
    "judges: {optimiser: {peakRate: .nan}}", "judges: {augmentation: {smallestCrop: 0}}",
    "judges: {members: [{name: a, image: {kind: dictionary, patch: 3}}]}",
    "judges: {members: [{name: a, image: {kind: dictionary, grid: 5}}]}",
    "judges: {members: [{name: a, image: {kind: dictionary, atoms: 0}}]}",
    "judges: {members: [{name: a, image: {kind: dictionary, side: 8, grid: 3}}]}",
    "judges: {members: [{name: a, image: {kind: dictionary, dropout: 1}}]}",
    "judges: {augmentation: {mirror: 1.5}}", "judges: {members: []}", "judges: {ecl: {keep: 0}}",
    "train: {lanes: 0}", "train: {mlm: {weight: 0}}", "train: {model: {text: {vocabularySize: 9}}}",
    "train: {model: {pretrained: x}}", "train: {queue: -1}",
    "judges: {folds: 1001}", "judges: {folds: 500}", "judges: {selectionRounds: 101}",
    "judges: {maxPairs: 4611686018427387905}", "judges: {bankSize: 4611686018427387905}",
    "judges: {members: [{name: a, text: {kind: transformer, tokens: bytePairs}}]}",
    "judges: {members: [{name: a, snapshots: 2}, {name: a.1}]}",
    "judges: {members: [{name: clusters}]}", "judges: {members: [{name: round1.a}]}",
    "train: {maxPairs: 4611686018427387905}", "train: {epochs: 4611686018427387905}",
    "train: {checkpointSeconds: 1e300}",
    "read: {imageSuffixes: []}", "workers: -1", "workers: 1025", "out: ''",
  ])
  func senselessValuesAreRefused(yaml: String) {
    #expect(throws: RunError.self) { try parse(yaml) }
  }

  @Test func theSeedStandsAtTheTopOnly() throws {
    #expect(message("judges: {seed: 3}").contains("unknown key judges.seed"))
    #expect(message("train: {seed: 3}").contains("unknown key train.seed"))
    let context = try RunContext(
      configuration: try parse("seed: 7"), directory: RunDirectory("unused"))
    #expect(context.configuration.judges.seed == 7)
    #expect(context.configuration.train.seed == 7)
  }

  @Test func relativePathsAreTakenFromTheFilesFolder() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      "a.yaml", "in: ['a.tar::/b.tar::c.tar', shards, /data/x.tar]\nout: result\ntext: [t]\n")
    let configuration = try PipelineFile.load(folder.path("a.yaml"))
    #expect(
      configuration.input == [
        "\(folder.path("a.tar"))::/b.tar::\(folder.path("c.tar"))", folder.path("shards"),
        "/data/x.tar",
      ])
    #expect(configuration.output == folder.path("result"))
    #expect(configuration.text == [folder.path("t")])
  }

  @Test func aVocabularyLiesInTheFilesFolderForJudgesAndModel() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      "a.yaml",
      """
      judges:
        members:
          - {name: a, text: {kind: transformer, tokens: bytePairs, vocabulary: v}}
      train: {model: {text: {vocabulary: w}}}
      """)
    let configuration = try PipelineFile.load(folder.path("a.yaml"))
    #expect(configuration.judges.members[0].text.vocabulary == folder.path("v"))
    #expect(configuration.train.model.text.vocabulary == folder.path("w"))
  }
}
