import Foundation
import Testing

@testable import Pipeline

@Suite struct DryRunTests {
  /// Those of the files below a folder.
  private func bytes(_ folder: String, _ shop: Workshop) -> Double {
    let path = "\(shop.root)/\(folder)"
    let files = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
    return files.reduce(0) { sum, file in
      sum + Double((try? FileIdentity(of: "\(path)/\(file)").size) ?? 0)
    }
  }

  @Test func aDryRunTellsWhatTheRunComesToAndWritesNothing() throws {
    let shop = try Workshop(
      pairs: 3000, shards: 300,
      pipeline: TinyCorpus.pipeline(minimumSteps: 400, shardSize: 500))
    let before = try FileManager.default.subpathsOfDirectory(atPath: shop.root)
    let dry = try shop.clean(out: "out", "--dry-run", "--json", "--log", "log", "--metrics", "prom")
    #expect(dry.status == 0, "\(dry.errors)")
    #expect(try FileManager.default.subpathsOfDirectory(atPath: shop.root) == before)
    let told = try #require(
      try JSONSerialization.jsonObject(with: Data(dry.output.utf8)) as? [String: Any])
    #expect(told["sampled_pairs"] as? Int == 2000)
    // Small shards are read ahead of, so that the estimate is a little low.
    #expect((2400...3100).contains(told["pairs"] as? Int ?? 0))
    let process = try shop.start("clean", "in", "--pipeline", "tiny.yaml", "--out", "out")
    // What training needs is there for the while only.
    var training = 0.0
    while process.isRunning {
      training = max(training, bytes("out/.winnow/training", shop))
      usleep(10_000)
    }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let manifest = try shop.manifest()
    let kept = Double(manifest.ledger.kept) / 3000
    #expect(abs((told["kept"] as? Double ?? 0) - kept) < 0.05)
    let noise = try #require(told["noise"] as? [String: Any])
    #expect(abs((noise["noise_rate"] as? Double ?? 9) - manifest.noise.noiseRate) < 0.1)
    let state = bytes("out/.winnow", shop) + bytes("out/decisions", shop)
    let sizes: [(String, Double, ClosedRange<Double>)] = [
      ("clean_bytes", bytes("out/clean", shop), 0.75...1.25),
      ("rejected_bytes", bytes("out/rejected", shop), 0.5...2),
      ("state_bytes", state, 0.5...2), ("training_bytes", training, 0.5...2),
    ]
    for (figure, found, bounds) in sizes {
      let estimate = told[figure] as? Double ?? 0
      #expect(bounds.contains(estimate / found), "\(figure): \(estimate), \(found) found")
    }
    // Of every stage that the run has.
    let seconds = try #require(told["seconds"] as? [String: Any]).compactMapValues {
      $0 as? Double
    }
    #expect(seconds.keys.sorted() == manifest.timings.seconds.keys.sorted())
    // Most of it is training, of as many steps in both runs; how long those take is the machine's affair, which other
    // tests may keep busier in the one run than in the other.
    let ratio = seconds.values.reduce(0, +) / manifest.timings.total
    #expect((0.1...10).contains(ratio), "\(seconds), \(manifest.timings.seconds) found")
    let text = try shop.clean(out: "other", "--dry-run", "--ensemble", "out")
    #expect(text.status == 0, "\(text.errors)")
    for figure in ["estimated noise rate", "would be kept", "time, about"] {
      #expect(text.output.contains(figure), "\(text.output)")
    }
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/other"))
  }

  @Test func ofAFinishedFolderOnlyWhatIsNewIsTold() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let nothing = try shop.clean(out: "out", "--dry-run")
    #expect(nothing.status == 0 && nothing.output.contains("Nothing new"), "\(nothing.errors)")
    try TinyCorpus.write(
      (200..<230).flatMap { TinyCorpus.sample($0) }, to: "\(shop.root)/in/new.tar")
    let before = try FileManager.default.subpathsOfDirectory(atPath: shop.root)
    let dry = try shop.clean(out: "out", "--dry-run", "--json")
    #expect(dry.status == 0, "\(dry.errors)")
    #expect(try FileManager.default.subpathsOfDirectory(atPath: shop.root) == before)
    let told = try #require(
      try JSONSerialization.jsonObject(with: Data(dry.output.utf8)) as? [String: Any])
    #expect(told["shards"] as? Int == 1 && told["finished_shards"] as? Int == 4)
    #expect(told["pairs"] as? Int == 30)
    #expect(told["training_bytes"] as? Int == 0)
    // Cut by the folder's noise model, as the run itself does.
    #expect(try shop.clean(out: "out").status == 0)
    let kept = Double(try shop.shards().last?.ledger.kept ?? 0) / 30
    #expect(abs((told["kept"] as? Double ?? -1) - kept) < 1e-9)
    let refused = try shop.clean(out: "out", "--dry-run", "--plain")
    #expect(refused.status == 1 && refused.errors.contains("write.plain"), "\(refused.errors)")
  }

  @Test func commandsAreSampledToo() throws {
    let shop = try Workshop(pairs: 200)
    try (TinyCorpus.pipeline() + "\nin: ['pipe:cat in/{000000..000003}.tar']\n")
      .write(toFile: "\(shop.root)/piped.yaml", atomically: true, encoding: .utf8)
    let files = try shop.clean(out: "out", "--dry-run", "--json")
    let piped = try shop.winnow(
      "clean", "--pipeline", "piped.yaml", "--out", "out", "--dry-run", "--json")
    #expect(piped.status == 0, "\(piped.errors)")
    func told(_ outcome: Workshop.Outcome) throws -> [String: Double] {
      let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
      return (json as? [String: Any] ?? [:]).compactMapValues { $0 as? Double }
    }
    let (a, b) = (try told(files), try told(piped))
    for key in ["shards", "bytes", "sampled_pairs", "pairs", "kept", "clean_bytes"] {
      #expect(a[key] != nil && a[key] == b[key], "\(key)")
    }
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/out"))
  }

  @Test(arguments: [["--json"], ["--dry-run", "--rebuild"]])
  func flagsThatDoNotGoTogetherAreRefused(flags: [String]) throws {
    let shop = try Workshop(pairs: 3)
    let outcome = try Workshop.run(
      Workshop.binary, ["clean", "in", "--out", "out"] + flags, in: shop.root)
    #expect(outcome.status == 2)
  }
}
