import Foundation
import Testing

@testable import Pipeline

/// Shards that commands print.
@Suite struct PipeTests {
  private func clean(_ shop: Workshop, _ sources: String..., out: String) throws -> Workshop.Outcome
  {
    try Workshop.run(
      Workshop.binary, ["clean"] + sources + ["--pipeline", "tiny.yaml", "--out", out],
      in: shop.root)
  }

  @Test func aCommandIsReadLikeTheFileThatItPrints() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "files").status == 0)
    let piped = try clean(shop, "pipe:cat in/{000000..000003}.tar", out: "piped")
    #expect(piped.status == 0, "\(piped.errors)")
    // The manifest names the sources.
    #expect(differences(try shop.tree("files"), try shop.tree("piped")) == ["manifest.json"])
    #expect(try shop.shards("piped")[0].path == "pipe:cat in/000000.tar")
    #expect(try shop.manifest("piped").ledger == shop.manifest("files").ledger)
    let again = try clean(shop, "pipe:cat in/{000000..000003}.tar", out: "piped")
    #expect(again.errors.contains("Nothing new"), "\(again.errors)")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: "\(shop.root)/piped/.winnow")
        .filter { $0.hasPrefix("tmp") } == [])
  }

  @Test func aCommandThatFailsIsAFaultOfItsShardAndItsOutputIsNotTrusted() throws {
    let shop = try Workshop(pairs: 200)
    let outcome = try clean(
      shop, "in/{000000..000002}.tar", "pipe:cat in/000003.tar; exit 7", out: "out")
    #expect(outcome.status == 3, "\(outcome.errors)")
    #expect(outcome.errors.contains("the command ended with status 7"))
    #expect(outcome.errors.contains("nothing of what it printed is used"))
    #expect(try shop.manifest().ledger.read == 150)
  }

  @Test func aCommandThatAsksATerminalIsAFaultAndNoWaitForEver() throws {
    let shop = try Workshop(pairs: 200)
    // What the system does with one that reads a terminal from a group in the background.
    let outcome = try clean(
      shop, "in/{000000..000002}.tar", "pipe:kill -STOP $$; cat in/000003.tar", out: "out")
    #expect(outcome.status == 3, "\(outcome.errors)")
    #expect(outcome.errors.contains("the command waited for a terminal"), "\(outcome.errors)")
  }

  @Test func howACommandEndedIsKnownThoughTheParentIgnoresItsChildren() throws {
    let shop = try Workshop(pairs: 200)
    let outcome = try Workshop.run(
      URL(fileURLWithPath: "/bin/sh"),
      [
        "-c",
        "trap '' CHLD; exec '\(Workshop.binary.path)' clean 'in/{000000..000002}.tar' "
          + "'pipe:cat in/000003.tar; exit 7' --pipeline tiny.yaml --out out",
      ], in: shop.root)
    #expect(outcome.status == 3, "\(outcome.errors)")
    #expect(outcome.errors.contains("the command ended with status 7"), "\(outcome.errors)")
  }

  @Test func aCommandThatPrintsOtherBytesTheNextTimeEndsTheRun() throws {
    let shop = try Workshop(pairs: 200)
    let fickle = "pipe:cat in/000003.tar; if [ -e seen ]; then echo more; fi; touch seen"
    let outcome = try clean(shop, "in/{000000..000002}.tar", fickle, out: "out")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("prints other bytes than when it was pinned"))
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/out/clean"))
  }

  @Test func aCommandOfThePipelineFileThatFailsInALaterPassEndsTheRun() throws {
    let shop = try Workshop(pairs: 200)
    // Counts its runs, and fails from the one on that the file `last` names.
    let command =
      "pipe:echo >> runs; cat in/000003.tar; [ $(wc -l < runs) -lt $(cat last) ] || exit 7"
    try (TinyCorpus.pipeline() + "\nin: [in/000000.tar, in/000001.tar, '\(command)']\n")
      .write(toFile: "\(shop.root)/piped.yaml", atomically: true, encoding: .utf8)
    func clean(last: Int) throws -> Workshop.Outcome {
      try? FileManager.default.removeItem(atPath: "\(shop.root)/runs")
      try "\(last)".write(toFile: "\(shop.root)/last", atomically: true, encoding: .utf8)
      return try shop.winnow("clean", "--pipeline", "piped.yaml", "--out", "out")
    }
    // The first run pins. Then pairs are chosen to learn from and decoded, and then they are scored.
    for (last, judges) in [(2, false), (4, true)] {
      let outcome = try clean(last: last)
      #expect(outcome.status == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("the command ended with status 7"), "\(outcome.errors)")
      #expect(shop.exists("out/ensemble") == judges && !shop.exists("out/noise-model.json"))
    }
    let mended = try clean(last: 100)
    #expect(mended.status == 0, "\(mended.errors)")
    #expect(try shop.manifest().ledger.read == 150)
  }

  @Test(arguments: [
    ("exit 7", "the command ended with status 7"),
    ("echo more", "prints other bytes than when it was pinned"),
  ])
  func aCommandIsHeldToWhatItPrintedWhenShardsAreWrittenToo(end: String, told: String) throws {
    let shop = try Workshop(pairs: 200)
    // Once there is a noise model, pairs are read only to be written.
    let command = "pipe:cat in/000003.tar; if [ -e out/noise-model.json ]; then \(end); fi"
    let outcome = try clean(shop, "in/{000000..000002}.tar", command, out: "out")
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains(told), "\(outcome.errors)")
    #expect(shop.exists("out/noise-model.json") && !shop.exists("out/manifest.json"))
    // What the other shards gave may be there, nothing of this one.
    let keys = Set(try shop.samples("in").suffix(50).map(\.key))
    let written = try ["out/clean", "out/rejected"].filter(shop.exists)
      .flatMap { try shop.samples($0) }.map(\.key)
    #expect(keys.isDisjoint(with: written))
  }

  @Test func aCommandThatOnlyTheStateNamesIsNotRun() throws {
    let shop = try Workshop(pairs: 200)
    let pipe = "pipe:touch ran; cat in/000003.tar"
    let scored = try Workshop.run(
      Workshop.binary,
      ["train", "in/{000000..000002}.tar", pipe, "--pipeline", "tiny.yaml", "--out", "out"],
      in: shop.root)
    #expect(scored.status == 0, "\(scored.errors)")
    try FileManager.default.removeItem(atPath: "\(shop.root)/ran")
    let outcome = try shop.clean("in/{000000..000002}.tar", out: "out")
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("runs only where it is named"), "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/ran"))
  }

  /// A crawler's, say: named by itself, found in a folder of such a name, or hidden in a pattern.
  @Test(arguments: [
    ["in", "pipe:touch ran; cat other"], ["in", "pipe:touch ran; cat other/000003.tar"],
    ["in", "{pipe:touch ran; cat other,pipe:touch ran}"],
  ])
  func aFileThatIsCalledLikeACommandIsReadAndNothingRuns(sources: [String]) throws {
    let shop = try Workshop(pairs: 200)
    let folder = "pipe:touch ran; cat other"
    try FileManager.default.createDirectory(
      atPath: "\(shop.root)/\(folder)", withIntermediateDirectories: false)
    try FileManager.default.moveItem(
      atPath: "\(shop.root)/in/000003.tar", toPath: "\(shop.root)/\(folder)/000003.tar")
    // The command would print a shard too.
    try FileManager.default.copyItem(atPath: "\(shop.root)/in", toPath: "\(shop.root)/other")
    try FileManager.default.copyItem(
      atPath: "\(shop.root)/other/000000.tar", toPath: "\(shop.root)/other/000003.tar")
    let isPattern = sources[1].hasPrefix("{")
    for list in isPattern ? [true] : [false, true] {
      let out = list ? "listed" : "named"
      let arguments =
        ["clean"] + (list ? ["-"] : sources) + ["--pipeline", "tiny.yaml", "--out", out]
      let outcome = try Workshop.run(
        Workshop.binary, arguments, in: shop.root,
        input: list ? sources.joined(separator: "\n") : "")
      #expect(!shop.exists("ran"))
      if isPattern {
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("line 2") && outcome.errors.contains("pipe:touch ran"))
      } else {
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try shop.shards(out).last?.path.hasSuffix("/\(folder)/000003.tar") == true)
      }
    }
  }

  /// Waits until the process whose number a file holds is gone; gives up after some seconds.
  private func ends(_ file: String, _ shop: Workshop) throws -> Bool {
    let text = try String(contentsOfFile: "\(shop.root)/\(file)", encoding: .utf8)
    let process = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    for _ in 0..<1000 {
      if kill(process, 0) != 0 { return true }
      usleep(5000)
    }
    kill(process, SIGKILL)
    return false
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
  func aSignalEndsARunThatWaitsForACommandAndWhatThatStarted(signal: Int32) throws {
    let shop = try Workshop(pairs: 3)
    let process = try shop.start(
      "clean", "pipe:sleep 60 & echo $! > pid.new; mv pid.new pid; wait", "--out", "out")
    #expect(shop.appears("pid"))
    let seconds = Workshop.seconds(of: process, toEndAfter: signal)
    #expect(process.terminationStatus == 128 + signal)
    #expect(Workshop.isSanitized || seconds < 3)
    #expect(try ends("pid", shop))
  }

  /// As systemd stops a service, but for KillMode=mixed. The command is gone before the run hears of the signal, while it is
  /// pinned or later; it is the only one, so that its fault alone would end the run too.
  @Test(arguments: ["true", "[ -e out/ensemble ]"])
  func aSignalThatTheCommandGetsTooIsNoFaultOfTheCommand(condition: String) throws {
    let shop = try Workshop(pairs: 200, shards: 200)
    let wait = "if \(condition); then echo $$ > pid.new; mv pid.new pid; sleep 60; fi"
    let process = try shop.start(
      "clean", "pipe:\(wait); cat in/000000.tar", "--pipeline", "tiny.yaml", "--out", "out")
    #expect(shop.appears("pid"))
    let text = try String(contentsOfFile: "\(shop.root)/pid", encoding: .utf8)
    let group = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    // However slow the machine is, both are there when it goes on.
    kill(process.processIdentifier, SIGSTOP)
    kill(-group, SIGTERM)
    usleep(50_000)
    kill(process.processIdentifier, SIGTERM)
    _ = Workshop.seconds(of: process, toEndAfter: SIGCONT)
    #expect(process.terminationStatus == 143)
    #expect(!shop.exists("out/manifest.json"))
  }

  @Test func aCommandThatIgnoresATermIsKilled() throws {
    let shop = try Workshop(pairs: 3)
    let process = try shop.start(
      "clean", "pipe:trap '' TERM; echo $$ > pid.new; mv pid.new pid; while sleep 1; do :; done",
      "--out", "out")
    #expect(shop.appears("pid"))
    let seconds = Workshop.seconds(of: process, toEndAfter: SIGTERM)
    #expect(process.terminationStatus == 143)
    #expect(Workshop.isSanitized || seconds < 3)
    #expect(try ends("pid", shop))
  }

  @Test func aKilledRunLeavesNoCommandBehind() throws {
    let shop = try Workshop(pairs: 3)
    let process = try shop.start(
      "clean", "pipe:echo $$ > pid.new; mv pid.new pid; while echo x; do sleep 0.1; done",
      "--out", "out")
    #expect(shop.appears("pid"))
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(try ends("pid", shop))
  }

  @Test func aRunUnderNohupOutlivesItsTerminal() throws {
    let shop = try Workshop(pairs: 200)
    let command =
      "trap '' HUP; exec '\(Workshop.binary.path)' clean in --pipeline tiny.yaml --out out"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", command]
    process.currentDirectoryURL = URL(fileURLWithPath: shop.root)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    #expect(shop.appears("out/.winnow/increments/000000.json"))
    kill(process.processIdentifier, SIGHUP)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test func inspectWantsFiles() throws {
    let shop = try Workshop(pairs: 3)
    let outcome = try shop.winnow("inspect", "pipe:cat in/000000.tar")
    #expect(outcome.status == 2 && outcome.errors.contains("give a file"), "\(outcome.errors)")
  }
}
