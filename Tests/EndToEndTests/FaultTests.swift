import Foundation
import Shards
import TensorFiles
import Testing

@testable import Pipeline

/// What fails outside: the disk, a limit, a shard that goes away. The run ends with an error that names the path, nothing
/// half-written stands under a final name, and once the cause is gone the same command ends as if nothing had been.
@Suite struct FaultTests {
  private static let canMount: Bool = {
    let folder = NSTemporaryDirectory() + "winnow-mount-\(UUID().uuidString)"
    defer { rmdir(folder) }
    guard mkdir(folder, 0o700) == 0, shell("mount -t tmpfs -o size=64k none '\(folder)'") == 0
    else {
      return false
    }
    return shell("umount '\(folder)'") == 0
  }()

  private static func shell(_ command: String) -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", command]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return -1 }
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Runs `winnow clean` within a shell command.
  private func clean(
    _ shop: Workshop, _ before: String, out: String, _ more: String = ""
  ) throws -> Workshop.Outcome {
    let command =
      "\(before) exec '\(Workshop.binary.path)' clean in --pipeline tiny.yaml --out \(out) \(more)"
    return try Workshop.run(
      URL(fileURLWithPath: "/bin/bash"), ["-c", command], in: shop.root)
  }

  /// Every file under a final name is whole: what a manifest or a reader would see.
  private func expectNothingHalfWritten(_ shop: Workshop, _ out: String) throws {
    let folder = "\(shop.root)/\(out)"
    for path in (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
    where !path.hasPrefix(".winnow/tmp") {
      let file = "\(folder)/\(path)"
      if path.hasSuffix(".zst") {
        #expect(Self.shell("zstd -tq '\(file)'") == 0, "\(path)")
      } else if path.hasPrefix("decisions/") && path.hasSuffix(".npz") {
        #expect(throws: Never.self, "\(path)") { try DecisionTable(path: file) }
      } else if path.hasSuffix(".safetensors") {
        #expect(throws: Never.self, "\(path)") { try SafeTensors.read(file) }
      } else if path.hasSuffix(".json") {
        let data = FileManager.default.contents(atPath: file) ?? Data()
        let isWhole = (try? JSONSerialization.jsonObject(with: data)) != nil
        #expect(isWhole, "\(path)")
      }
    }
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/manifest.json"))
  }

  /// Runs a stage, with `--pipeline` and `--out out`.
  private func stage(
    _ shop: Workshop, _ arguments: String..., by command: [String] = ["/usr/bin/env"]
  ) throws -> Workshop.Outcome {
    let options = ["--pipeline", "tiny.yaml", "--out", "out"]
    return try Workshop.run(
      URL(fileURLWithPath: command[0]),
      Array(command.dropFirst()) + [Workshop.binary.path] + arguments + options, in: shop.root)
  }

  /// Runs the stages before those that write shards, in `out`.
  private func judge(_ shop: Workshop) throws {
    for outcome in try [
      stage(shop, "train", "in"), stage(shop, "score", "in"), stage(shop, "fit"),
    ] {
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  /// Goes on from there in `whole`, as if nothing had been.
  private func goOn(_ shop: Workshop) throws {
    try FileManager.default.copyItem(atPath: "\(shop.root)/out", toPath: "\(shop.root)/whole")
    let whole = try shop.clean(out: "whole")
    #expect(whole.status == 0, "\(whole.errors)")
  }

  /// A corpus whose output shards take a kilobyte a pair: a member of each is noise, which doesn't compress.
  private func noisyShop(pairs: Int, shardSize: Int = 40) throws -> Workshop {
    let shop = try Workshop(pipeline: TinyCorpus.pipeline(shardSize: shardSize))
    #expect(mkdir("\(shop.root)/in", 0o755) == 0)
    let noise = try #require(FileHandle(forReadingAtPath: "/dev/urandom"))
    for first in stride(from: 0, to: pairs, by: 50) {
      var members: [Member] = []
      for i in first..<first + 50 {
        let bytes = try #require(try noise.read(upToCount: 1024))
        members += TinyCorpus.sample(i, key: "\(i)")
        members.append(Member(name: Array("\(i).bin".utf8), bytes: [UInt8](bytes)))
      }
      try TinyCorpus.write(members, to: "\(shop.root)/in/\(first).tar")
    }
    return shop
  }

  /// What a finished run wrote before its first shard, in KiB of a disk whose files take whole pages.
  private func kilobytesBeforeShards(_ shop: Workshop, _ out: String) throws -> Int {
    let folder = "\(shop.root)/\(out)"
    var pages = 0
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder) {
      // Folders take nothing.
      guard let identity = try? FileIdentity(of: "\(folder)/\(path)") else { continue }
      let isOfShard = path.hasSuffix(".tar.zst") || path.hasPrefix(".winnow/units/")
      if !isOfShard, path != "manifest.json" { pages += (Int(identity.size) + 4095) / 4096 }
    }
    return 4 * pages
  }

  @Test(.enabled(if: canMount, "needs the right to mount")) func aFullDisk() throws {
    let shop = try noisyShop(pairs: 400, shardSize: 30)
    #expect(try shop.clean(out: "whole").status == 0)
    let judges = ["--ensemble", "whole"].joined(separator: " ")
    #expect(try shop.clean(out: "expected", "--ensemble", "whole").status == 0)
    let disk = "\(shop.root)/disk"
    #expect(mkdir(disk, 0o700) == 0)
    let before = try kilobytesBeforeShards(shop, "expected")
    var errors: [String] = []
    // Beside what comes before them there is room for half of a shard, and for some shards.
    for size in [16, 200, before + 16, before + 128] {
      #expect(Self.shell("mount -t tmpfs -o size=\(size)k none '\(disk)'") == 0)
      defer { _ = Self.shell("umount '\(disk)'") }
      let full = try clean(shop, "", out: "disk/out", judges)
      errors.append(full.errors)
      #expect(full.status == 1, "\(full.errors)")
      #expect(
        full.errors.contains("disk/out/") && full.errors.contains("No space left"), "\(full.errors)"
      )
      try expectNothingHalfWritten(shop, "disk/out")
      #expect(Self.shell("mount -o remount,size=64m '\(disk)'") == 0)
      let again = try clean(shop, "", out: "disk/out", judges)
      #expect(again.status == 0, "\(again.errors)")
      #expect(differences(try shop.tree("expected"), try shop.tree("disk/out")) == [])
    }
    // Under the name that the shard would have had.
    #expect(
      errors.contains {
        $0.contains("disk/out/clean/0") && $0.contains("cannot write the shard: No space left")
      }, "\(errors)")
  }

  @Test(.enabled(if: canMount, "needs the right to mount"))
  func aDiskThatIsFullBeforeJudgesAreTrained() throws {
    let shop = try Workshop(pairs: 400, pipeline: TinyCorpus.pipeline(dictionary: true))
    #expect(try shop.clean(out: "whole").status == 0)
    let disk = "\(shop.root)/disk"
    #expect(mkdir(disk, 0o700) == 0)
    var errors: [String] = []
    for size in [300, 1400] {
      #expect(Self.shell("mount -t tmpfs -o size=\(size)k none '\(disk)'") == 0)
      defer { _ = Self.shell("umount '\(disk)'") }
      let full = try clean(shop, "", out: "disk/out")
      if full.status == 0 { continue }
      #expect(full.status == 1, "\(full.errors)")
      #expect(
        full.errors.contains("No space left") && full.errors.contains("make room"),
        "\(full.errors)")
      errors.append(full.errors)
      try expectNothingHalfWritten(shop, "disk/out")
      if full.errors.contains("/thumbnails.bin") {
        // The room it got before the disk was full is given back.
        let left = try FileManager.default.subpathsOfDirectory(atPath: "\(disk)/out")
        #expect(!left.contains { $0.hasSuffix("thumbnails.bin") }, "\(left)")
      }
      #expect(Self.shell("mount -o remount,size=64m '\(disk)'") == 0)
      let again = try clean(shop, "", out: "disk/out")
      #expect(again.status == 0, "\(again.errors)")
      #expect(differences(try shop.tree("whole"), try shop.tree("disk/out")) == [])
    }
    for file in ["/thumbnails.bin", "-features-0.bin"] {
      #expect(
        errors.contains {
          $0.contains("disk/out/.winnow/training/judges/") && $0.contains(file)
        }, "\(file): \(errors)")
    }
  }

  /// The thread sanitizer itself writes a file, and dies of the limit.
  @Test(.disabled(if: Workshop.isSanitized)) func aLimitOnTheSizeOfFiles() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "whole").status == 0)
    let limited = try clean(shop, "ulimit -f 16;", out: "out")
    #expect(limited.status == 1, "\(limited.errors)")
    #expect(limited.errors.contains("out/") && limited.errors.contains("File too large"))
    try expectNothingHalfWritten(shop, "out")
    #expect(try clean(shop, "", out: "out").status == 0)
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  /// As above, once all that is small is written.
  @Test(.disabled(if: Workshop.isSanitized)) func aLimitOnTheSizeOfFilesThatShardsMeet() throws {
    let shop = try noisyShop(pairs: 200)
    try judge(shop)
    try goOn(shop)
    let limit = ["/bin/bash", "-c", #"ulimit -f 16; exec "$0" "$@""#]
    let limited = try stage(shop, "filter", "in", by: limit)
    #expect(limited.status == 1, "\(limited.errors)")
    #expect(
      limited.errors.contains("out/clean/0")
        && limited.errors.contains("cannot write the shard: File too large"), "\(limited.errors)")
    try expectNothingHalfWritten(shop, "out")
    let healed = try stage(shop, "filter", "in")
    #expect(healed.status == 0, "\(healed.errors)")
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test(.disabled(if: Workshop.isSanitized)) func tooLittleAddressSpaceIsSaidAndNotWaitedFor()
    throws
  {
    let shop = try Workshop(pairs: 120)
    let limited = try clean(shop, "ulimit -v 1000000;", out: "out")
    #expect(limited.status == 2 && limited.errors.contains("ulimit -v"), "\(limited.errors)")
  }

  @Test func anOutputFolderThatCannotBeMade() throws {
    let shop = try Workshop(pairs: 3)
    let outcome = try shop.clean(out: "tiny.yaml/out")
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains("tiny.yaml/out") && outcome.errors.contains("Not a directory"))
  }

  @Test func aShardThatGoesAwayBetweenThePasses() throws {
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(epochs: 150))
    #expect(try shop.clean(out: "whole").status == 0)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = [
      "-c", "exec '\(Workshop.binary.path)' clean in --pipeline tiny.yaml --out out 2> errors",
    ]
    process.currentDirectoryURL = URL(fileURLWithPath: shop.root)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    // The pairs are gathered; judging is the pass that finds it gone.
    #expect(shop.appears("out/.winnow/training/judges/*.safetensors"))
    let shard = "\(shop.root)/in/000002.tar"
    #expect(rename(shard, shard + ".away") == 0)
    process.waitUntilExit()
    let errors = try String(contentsOfFile: "\(shop.root)/errors", encoding: .utf8)
    #expect(process.terminationStatus == 1, "\(errors)")
    #expect(errors.contains("/in/000002.tar"), "\(errors)")
    try expectNothingHalfWritten(shop, "out")
    #expect(rename(shard + ".away", shard) == 0)
    #expect(try shop.clean(out: "out").status == 0)
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test func aShardThatIsGoneWhenItIsToBeWrittenIsNamedAndOnceItIsBackTheRunGoesOn() throws {
    let shop = try Workshop(pairs: 200)
    // Once there is a noise model, pairs are read only to be written, and one writer reads the shards in order: the first
    // takes the last one away.
    let first =
      "pipe:if [ -e out/noise-model.json ] && [ ! -e away ]; then mkdir away; "
      + "mv in/000003.tar away; fi; cat in/000000.tar"
    func run(_ out: String) throws -> Workshop.Outcome {
      try shop.winnow(
        "clean", first, "in/{000001..000003}.tar", "--pipeline", "tiny.yaml", "--out", out,
        "--workers", "1")
    }
    let whole = try run("whole")
    #expect(whole.status == 0, "\(whole.errors)")
    let refused = try run("out")
    #expect(refused.status == 1, "\(refused.errors)")
    #expect(
      refused.errors.contains("/in/000003.tar: No such file or directory"), "\(refused.errors)")
    try expectNothingHalfWritten(shop, "out")
    #expect(rename("\(shop.root)/away/000003.tar", "\(shop.root)/in/000003.tar") == 0)
    let healed = try run("out")
    #expect(healed.status == 0, "\(healed.errors)")
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test func aShardThatIsGoneBeforeThePlanIsNamedAndFilteredOnceItIsBack() throws {
    let shop = try Workshop(pairs: 200)
    try judge(shop)
    try goOn(shop)
    let shard = URL(fileURLWithPath: "\(shop.root)/in/000002.tar")
    let pin = URL(fileURLWithPath: "\(shop.root)/out/.winnow/increments/000000.json")
    let (bytes, pinned) = (try Data(contentsOf: shard), try Data(contentsOf: pin))
    try FileManager.default.removeItem(at: shard)
    let refused = try stage(shop, "filter", "in")
    #expect(refused.status == 1, "\(refused.errors)")
    #expect(
      refused.errors.contains("/in/000002.tar changed during the run (it isn't what was scored)"),
      "\(refused.errors)")
    try expectNothingHalfWritten(shop, "out")
    // It is still wanted.
    #expect(try Data(contentsOf: pin) == pinned)
    // From a backup: another file, of another time.
    try bytes.write(to: shard)
    let healed = try stage(shop, "filter", "in")
    #expect(healed.status == 0, "\(healed.errors)")
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test func aShardThatChangesOrGoesAwayBetweenTheStagesIsNamedAndOnceItIsBackTheyGoOn() throws {
    let shop = try Workshop(pairs: 200)
    try judge(shop)
    try goOn(shop)
    let shard = "\(shop.root)/in/000002.tar"
    let others = (300..<350).flatMap { TinyCorpus.sample($0) }
    func expectRefused(_ outcome: Workshop.Outcome) throws {
      #expect(outcome.status == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("/in/000002.tar changed during the run"), "\(outcome.errors)")
      try expectNothingHalfWritten(shop, "out")
    }
    // After it was scored.
    #expect(rename(shard, shard + ".away") == 0)
    try TinyCorpus.write(others, to: shard)
    try expectRefused(try stage(shop, "filter", "in"))
    #expect(rename(shard + ".away", shard) == 0)
    let half = try stage(shop, "filter", "in", "--rank", "0", "--world-size", "2")
    #expect(half.status == 0, "\(half.errors)")
    // After part of what is made of it was published.
    #expect(rename(shard, shard + ".away") == 0)
    try expectRefused(try stage(shop, "filter", "in", "--rank", "1", "--world-size", "2"))
    try TinyCorpus.write(others, to: shard)
    try expectRefused(try stage(shop, "filter", "in", "--rank", "1", "--world-size", "2"))
    #expect(rename(shard + ".away", shard) == 0)
    for outcome in try [
      stage(shop, "filter", "in", "--rank", "1", "--world-size", "2"), stage(shop, "publish"),
    ] {
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  /// Runs a command that permissions hold for; nil where that can't be had.
  static let unprivileged: [String]? = {
    guard getuid() == 0 else { return ["/usr/bin/env"] }
    let command = [
      "/usr/bin/env", "setpriv", "--bounding-set", "-dac_override,-dac_read_search",
    ]
    let path = NSTemporaryDirectory() + "winnow-denied-\(UUID().uuidString)"
    defer { unlink(path) }
    guard FileManager.default.createFile(atPath: path, contents: Data()) else { return nil }
    let cat = command.joined(separator: " ") + " cat '\(path)'"
    return shell(cat) == 0 && chmod(path, 0) == 0 && shell(cat) == 1 ? command : nil
  }()

  @Test(.enabled(if: unprivileged != nil, "needs setpriv"))
  func aShardThatCannotBeOpenedOneNightIsCleanedTheNext() throws {
    let shop = try Workshop(pairs: 200)
    func run(_ command: String) throws -> Workshop.Outcome {
      try stage(shop, command, "in", by: try #require(Self.unprivileged))
    }
    #expect(try run("train").status == 0)
    let shard = "\(shop.root)/in/000002.tar"
    #expect(chmod(shard, 0) == 0)
    let refused = try run("clean")
    #expect(refused.status == 1, "\(refused.errors)")
    #expect(
      refused.errors.contains("in/000002.tar: it could be read when it was pinned"),
      "\(refused.errors)")
    try expectNothingHalfWritten(shop, "out")
    #expect(
      !FileManager.default.fileExists(
        atPath: "\(shop.root)/out/.winnow/increments/000000.plan.json"))
    #expect(chmod(shard, 0o644) == 0)
    let healed = try run("clean")
    #expect(healed.status == 0, "\(healed.errors)")
    #expect(try shop.manifest().ledger.read == 200)
  }

  @Test(.enabled(if: unprivileged != nil, "needs setpriv"))
  func anOutputFolderWithoutWritePermissionIsLeftAsItIsAndServesOnceItHasIt() throws {
    let shop = try Workshop(pairs: 200)
    let command = try #require(Self.unprivileged)
    func clean() throws -> Workshop.Outcome {
      let arguments = ["clean", "in", "--pipeline", "tiny.yaml", "--out", "closed/out"]
      return try Workshop.run(
        URL(fileURLWithPath: command[0]),
        Array(command.dropFirst()) + [Workshop.binary.path] + arguments, in: shop.root)
    }
    // It can't be made; then it is there, and nothing can be made in it.
    for folder in ["closed", "closed/out"] {
      let path = "\(shop.root)/\(folder)"
      #expect(mkdir(path, 0o555) == 0)
      let refused = try clean()
      #expect(refused.status == 1, "\(refused.errors)")
      #expect(
        refused.errors.contains(" closed/out") && refused.errors.contains("Permission denied"),
        "\(refused.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
      #expect(chmod(path, 0o755) == 0)
    }
    let healed = try clean()
    #expect(healed.status == 0, "\(healed.errors)")
    #expect(try shop.manifest("closed/out").ledger.read == 200)
  }

  @Test(.enabled(if: unprivileged != nil, "needs setpriv"))
  func anOutputFolderThatCannotBeWrittenBetweenTheStages() throws {
    let shop = try Workshop(pairs: 200)
    try judge(shop)
    try goOn(shop)
    #expect(mkdir("\(shop.root)/out/clean", 0o755) == 0)
    for folder in ["out/.winnow", "out/clean"] {
      #expect(chmod("\(shop.root)/\(folder)", 0o555) == 0)
      let refused = try stage(shop, "filter", "in", by: try #require(Self.unprivileged))
      #expect(chmod("\(shop.root)/\(folder)", 0o755) == 0)
      #expect(refused.status == 1, "\(refused.errors)")
      #expect(
        refused.errors.contains(" \(folder)/") && refused.errors.contains("Permission denied"),
        "\(refused.errors)")
      try expectNothingHalfWritten(shop, "out")
    }
    let healed = try stage(shop, "filter", "in")
    #expect(healed.status == 0, "\(healed.errors)")
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test func aReadErrorIsAFaultOfItsShard() throws {
    let shop = try Workshop(pairs: 200)
    // Opens, and fails to be read.
    let outcome = try shop.winnow(
      "clean", "-", "--pipeline", "tiny.yaml", "--out", "out", input: "in\n/proc/self/mem\n")
    #expect(outcome.status == 3, "\(outcome.errors)")
    // Once.
    let lines = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("not read to its end") }
    #expect(lines.count == 1 && lines[0].components(separatedBy: "/proc/self/mem").count == 2)
    #expect(try shop.manifest().ledger.read == 200)
  }
}
