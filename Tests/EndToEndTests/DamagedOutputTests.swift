import Foundation
import Testing

@testable import Pipeline

/// Published files that somebody deleted or cut short are told by the next run, also where nothing is new.
@Suite struct DamagedOutputTests {
  private func remove(_ path: String, _ shop: Workshop) throws {
    try FileManager.default.removeItem(atPath: "\(shop.root)/\(path)")
  }

  @Test func aNightWithNothingNewTellsWhatIsGoneOrCutShort() throws {
    let shop = try Workshop(pairs: 200)
    // A name that a JSON key strategy would change.
    #expect(rename("\(shop.root)/in/000001.tar", "\(shop.root)/in/my_oneShard.tar") == 0)
    #expect(try shop.clean(out: "out", "--keep-fraction", "0.7").status == 0)
    func night() throws -> Workshop.Outcome {
      try shop.clean(out: "out", "--keep-fraction", "0.7", "--metrics", "w.prom")
    }
    let whole = try night()
    #expect(whole.status == 0 && whole.errors.contains("Nothing new"), "\(whole.errors)")
    #expect(!whole.errors.contains("published"))
    for file in ["clean/000001.tar.zst", "decisions/000003-my_oneShard.npz"] {
      try remove("out/\(file)", shop)
    }
    #expect(truncate("\(shop.root)/out/rejected/000000.tar.zst", 100) == 0)
    let sizes = try Data(contentsOf: URL(fileURLWithPath: "\(shop.root)/out/clean/sizes.json"))
    try remove("out/clean/sizes.json", shop)
    let damaged = try night()
    #expect(damaged.status == 3, "\(damaged.errors)")
    #expect(damaged.errors.contains("out/clean/000001.tar.zst is gone"))
    #expect(damaged.errors.contains("out/decisions/000003-my_oneShard.npz is gone"))
    #expect(damaged.errors.contains("out/rejected/000000.tar.zst has 100 bytes, but was published"))
    #expect(damaged.errors.contains("--rebuild"))
    let metrics = try String(contentsOfFile: "\(shop.root)/w.prom", encoding: .utf8)
    #expect(metrics.contains("winnow_damaged_files{out=\"out\"} 3\n"), "\(metrics)")
    #expect(try shop.tree("out")["clean/sizes.json"] == sizes)
    // What is new is cleaned all the same.
    try TinyCorpus.write(
      (200..<230).flatMap { TinyCorpus.sample($0) }, to: "\(shop.root)/in/new.tar")
    let more = try night()
    #expect(more.status == 3 && more.errors.contains("000001.tar.zst is gone"), "\(more.errors)")
    #expect(try shop.manifest().ledger.read == 230)
    #expect(try shop.clean(out: "out", "--keep-fraction", "0.7", "--rebuild").status == 0)
    #expect(try night().status == 0)
  }

  @Test func whatNobodyPublishedAndWhatSomebodyDeletedWholeIsNoDamage() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let stray = "\(shop.root)/out/ensemble/notes.txt"
    #expect(FileManager.default.createFile(atPath: stray, contents: Data("mine".utf8)))
    try TinyCorpus.write(
      (200..<230).flatMap { TinyCorpus.sample($0) }, to: "\(shop.root)/in/new.tar")
    #expect(try shop.clean(out: "out").status == 0)
    try remove("out/ensemble/notes.txt", shop)
    for folder in ["rejected", "decisions"] { try remove("out/\(folder)", shop) }
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 0 && !outcome.errors.contains("is gone"), "\(outcome.errors)")
    // What lies beside is no concern of the night's.
    try FileManager.default.createDirectory(
      atPath: "\(shop.root)/out.rebuild/.winnow", withIntermediateDirectories: true)
    try "{".write(
      toFile: "\(shop.root)/out.rebuild/.winnow/generation.json", atomically: true, encoding: .utf8)
    let beside = try shop.clean(out: "out")
    #expect(beside.status == 0 && beside.errors.contains("out.rebuild is"), "\(beside.errors)")
  }

  @Test func aFolderThatTheUserMadeStaysAfterARunThatCannotBegin() throws {
    let shop = try Workshop(pairs: 3)
    try FileManager.default.createDirectory(
      atPath: "\(shop.root)/out", withIntermediateDirectories: false)
    #expect(try shop.clean(out: "out").status == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(shop.root)/out") == [])
    #expect(try shop.clean(out: "other").status == 1)
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/other"))
  }

  @Test func aLostManifestIsMadeAgainThoughShardsAreGoneOrChanged() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let before = try shop.tree("out")
    try remove("in/000001.tar", shop)
    try TinyCorpus.write(
      (300..<320).flatMap { TinyCorpus.sample($0) }, to: "\(shop.root)/in/000002.tar")
    try remove("out/manifest.json", shop)
    // A shard that is to be written again needs its sources.
    let file = "\(shop.root)/out/clean/000001.tar.zst"
    #expect(rename(file, file + ".away") == 0)
    let refused = try shop.clean(out: "out")
    #expect(refused.status == 1 && refused.errors.contains("it was pinned"), "\(refused.errors)")
    #expect(rename(file + ".away", file) == 0)
    let again = try shop.clean(out: "out")
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.errors.contains("in/000001.tar is gone since it was cleaned"))
    #expect(again.errors.contains("in/000002.tar changed since it was cleaned"))
    #expect(try shop.manifest().increments.map(\.pairs) == [200, 20])
    let rewritten = differences(before, try shop.tree("out")).filter { before[$0] != nil }
    #expect(rewritten.sorted() == ["clean/sizes.json", "manifest.json", "rejected/sizes.json"])
  }

  @Test(arguments: [
    "noise-model.json", "ensemble", "ensemble/ensemble.json", "ensemble/bag-fold0.safetensors",
  ])
  func lostJudgesOrNoiseModelAreAnErrorInEveryCommand(file: String) throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    try FileManager.default.moveItem(
      atPath: "\(shop.root)/out/\(file)", toPath: "\(shop.root)/backup")
    let before = try shop.tree("out")
    let arguments = ["--pipeline", "tiny.yaml", "--out", "out"]
    for command in [
      ["clean", "in"], ["train", "in"], ["score", "in"], ["fit"], ["filter", "in"], ["publish"],
      ["restore", "k"],
    ] {
      let outcome = try Workshop.run(Workshop.binary, command + arguments, in: shop.root)
      #expect(outcome.status == 1, "\(command): \(outcome.errors)")
      #expect(outcome.errors.contains("out/\(file) is gone"), "\(command): \(outcome.errors)")
      #expect(outcome.errors.contains("from a backup"), "\(command): \(outcome.errors)")
    }
    // Nor are judges trained or a model fitted that would be others, where the manifest is lost too.
    let manifest = try Data(contentsOf: URL(fileURLWithPath: "\(shop.root)/out/manifest.json"))
    try remove("out/manifest.json", shop)
    #expect(try shop.clean(out: "out").status == 1)
    try manifest.write(to: URL(fileURLWithPath: "\(shop.root)/out/manifest.json"))
    #expect(differences(before, try shop.tree("out")) == [])
    try FileManager.default.moveItem(
      atPath: "\(shop.root)/backup", toPath: "\(shop.root)/out/\(file)")
    #expect(try shop.clean(out: "out").errors.contains("Nothing new"))
  }
}
