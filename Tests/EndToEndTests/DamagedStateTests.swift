import Foundation
import TensorFiles
import Testing

@testable import Pipeline

/// State and judges that somebody or something changed: no trap, no other output, and a remedy that mends it.
@Suite struct DamagedStateTests {
  private func add(_ shop: Workshop) throws {
    try TinyCorpus.write(
      (200..<230).flatMap { TinyCorpus.sample($0) }, to: "\(shop.root)/in/new.tar")
  }

  @Test func aDamagedPinOrManifestIsPutBackOrTheFolderMadeAnew() throws {
    let shop = try Workshop(pairs: 200)
    let increments = "\(shop.root)/out/.winnow/increments"
    #expect(try shop.clean(out: "out").status == 0)
    try add(shop)
    #expect(try shop.clean(out: "out").status == 0)
    func expectRefused(_ problem: String) throws {
      let outcome = try shop.clean(out: "out")
      #expect(outcome.status == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains(problem), "\(outcome.errors)")
      #expect(outcome.errors.contains("from a backup") && outcome.errors.contains("--rebuild"))
      #expect(!outcome.errors.contains("delete it"), "\(outcome.errors)")
    }
    let second = URL(fileURLWithPath: "\(increments)/000001.json")
    let whole = try Data(contentsOf: second)
    #expect(truncate(second.path, 40) == 0)
    try expectRefused("increments/000001.json can't be used")
    try FileManager.default.removeItem(at: second)
    try expectRefused("increments/000001.json is gone")
    try whole.write(to: second)
    #expect(try shop.clean(out: "out").errors.contains("Nothing new"))
    let manifest = URL(fileURLWithPath: "\(shop.root)/out/manifest.json")
    for length in [3, 500, 4000] {
      #expect(truncate(manifest.path, Int(try FileIdentity(of: manifest.path).size) - length) == 0)
      try expectRefused("manifest.json can't be used")
    }
    #expect(truncate("\(increments)/000000.json", 40) == 0)
    try expectRefused("increments/000000.json can't be used")
    let rebuilt = try shop.clean(out: "out", "--ensemble", "out", "--rebuild")
    #expect(rebuilt.status == 0, "\(rebuilt.errors)")
    #expect(try shop.manifest().ledger.read == 230)
  }

  @Test func aManifestThatIsDamagedInAShardIsNotHandedOn() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    try add(shop)
    let manifest = "\(shop.root)/out/manifest.json"
    let whole = try String(contentsOfFile: manifest, encoding: .utf8)
    var lines = whole.split(separator: "\n", omittingEmptySubsequences: false)
    let third = try #require(lines.firstIndex { $0.contains("in/000002.tar") })
    func expectRefused(_ problem: String) throws {
      try lines.joined(separator: "\n").write(toFile: manifest, atomically: true, encoding: .utf8)
      let outcome = try shop.clean(out: "out")
      #expect(outcome.status == 1, "\(outcome.errors)")
      #expect(
        outcome.errors.contains("manifest.json can't be used") && outcome.errors.contains(problem),
        "\(outcome.errors)")
    }
    let line = lines[third]
    lines[third] = "\(line.prefix(20))\u{0}\(line.dropFirst(21))"
    try expectRefused("dataCorrupted")
    lines.remove(at: third)
    try expectRefused("it tells of 3 shards, its increments of 4")
    try whole.write(toFile: manifest, atomically: true, encoding: .utf8)
    #expect(try shop.clean(out: "out").status == 0)
    #expect(try shop.shards().count == 5)
  }

  @Test func aJudgeWithAChangedByteJudgesNothingNew() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    try add(shop)
    let file = URL(fileURLWithPath: "\(shop.root)/out/ensemble/bag-fold0.safetensors")
    let whole = try Data(contentsOf: file)
    var changed = whole
    // The lowest bit of the last number.
    changed[changed.count - 4] ^= 1
    try changed.write(to: file)
    let refused = try shop.clean(out: "out")
    #expect(refused.status == 1, "\(refused.errors)")
    #expect(refused.errors.contains("out/ensemble isn't what was published"), "\(refused.errors)")
    #expect(refused.errors.contains("from a backup") && !refused.errors.contains("winnow fit"))
    #expect(
      !FileManager.default.fileExists(
        atPath: "\(shop.root)/out/.winnow/scores/000004-new.record.json"))
    try whole.write(to: file)
    let again = try shop.clean(out: "out")
    #expect(again.status == 0, "\(again.errors)")
    #expect(try shop.manifest().increments.map(\.pairs) == [200, 30])
  }

  @Test func judgesThatScoreWithNoFiniteNumberAreNamed() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    #expect(
      try shop.winnow("train", "in", "--pipeline", "tiny.yaml", "--out", "judges").status == 0)
    for fold in 0..<2 {
      let path = "\(shop.root)/judges/ensemble/words-fold\(fold).safetensors"
      let content = try SafeTensors.read(path)
      let tensors = content.tensors.values.map { tensor in
        let isBank = tensor.name.hasPrefix("bank.")
        return NamedTensor(
          name: tensor.name, shape: tensor.shape,
          values: isBank ? tensor.values : tensor.values.map { _ in Float(3e38) })
      }
      try SafeTensors.write(tensors, metadata: content.metadata, to: path)
    }
    let outcome = try shop.clean(out: "out", "--ensemble", "judges")
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains("out/ensemble can't judge: member words scores 00"))
    #expect(outcome.errors.contains("in/000000.tar with no finite number"), "\(outcome.errors)")
  }
}
