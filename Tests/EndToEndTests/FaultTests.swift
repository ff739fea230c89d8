import Foundation
import Shards
import Testing

@testable import Pipeline

/// What fails outside: a disk, a limit, a folder. The run ends with an error that names the path,
/// nothing half-written stands under a final name, and once the cause is gone the same command ends
/// as if nothing had been. (Of shards that go away: `VanishedShardTests`.)
@Suite struct FaultTests {
  private static let canMount: Bool = {
    let folder = NSTemporaryDirectory() + "winnow-mount-\(UUID().uuidString)"
    defer { rmdir(folder) }
    guard mkdir(folder, 0o700) == 0,
      Workshop.shell("mount -t tmpfs -o size=64k none '\(folder)'") == 0
    else {
      return false
    }
    return Workshop.shell("umount '\(folder)'") == 0
  }()

  /// Runs `winnow clean` within a shell command.
  private func clean(
    _ shop: Workshop, _ before: String, out: String, _ more: String = ""
  ) throws -> Workshop.Outcome {
    let command =
      "\(before) exec '\(Workshop.binary.path)' clean in --pipeline tiny.yaml --out \(out) \(more)"
    return try Workshop.run(
      URL(fileURLWithPath: "/bin/bash"), ["-c", command], in: shop.root)
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

  /// What lies in a folder, in KiB of a disk whose files take whole pages.
  /// - Parameter counts: whether a file does.
  private func kilobytes(
    _ shop: Workshop, _ out: String, _ counts: (String) -> Bool = { _ in true }
  ) throws -> Int {
    let folder = "\(shop.root)/\(out)"
    var pages = 0
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder) where counts(path) {
      // Folders take nothing.
      guard let identity = try? FileIdentity(of: "\(folder)/\(path)") else { continue }
      pages += (Int(identity.size) + 4095) / 4096
    }
    return 4 * pages
  }

  /// What a finished run wrote before its first shard.
  private func kilobytesBeforeShards(_ shop: Workshop, _ out: String) throws -> Int {
    try kilobytes(shop, out) {
      !$0.hasSuffix(".tar.zst") && !$0.hasPrefix(".winnow/units/") && $0 != "manifest.json"
    }
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
      #expect(Workshop.shell("mount -t tmpfs -o size=\(size)k none '\(disk)'") == 0)
      defer { _ = Workshop.shell("umount '\(disk)'") }
      let full = try clean(shop, "", out: "disk/out", judges)
      errors.append(full.errors)
      #expect(full.status == 1, "\(full.errors)")
      #expect(
        full.errors.contains("disk/out/") && full.errors.contains("No space left"), "\(full.errors)"
      )
      try shop.expectNothingHalfWritten("disk/out")
      #expect(Workshop.shell("mount -o remount,size=64m '\(disk)'") == 0)
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
      #expect(Workshop.shell("mount -t tmpfs -o size=\(size)k none '\(disk)'") == 0)
      defer { _ = Workshop.shell("umount '\(disk)'") }
      let full = try clean(shop, "", out: "disk/out")
      if full.status == 0 { continue }
      #expect(full.status == 1, "\(full.errors)")
      #expect(
        full.errors.contains("No space left") && full.errors.contains("make room"),
        "\(full.errors)")
      errors.append(full.errors)
      try shop.expectNothingHalfWritten("disk/out")
      if full.errors.contains("/thumbnails.bin") {
        // The room it got before the disk was full is given back.
        let left = try FileManager.default.subpathsOfDirectory(atPath: "\(disk)/out")
        #expect(!left.contains { $0.hasSuffix("thumbnails.bin") }, "\(left)")
      }
      #expect(Workshop.shell("mount -o remount,size=64m '\(disk)'") == 0)
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

  enum OtherCommand: CaseIterable { case train, embed }

  @Test(.enabled(if: canMount, "needs the right to mount"), arguments: OtherCommand.allCases)
  func aDiskThatIsFullUnderATrainingOrAnEmbedding(command: OtherCommand) throws {
    let shop = try ModelTrainingTests.shop()
    /// One thread writes the same files one after the other each time.
    func run(_ command: OtherCommand, out: String) throws -> Workshop.Outcome {
      let arguments =
        command == .train
        ? ModelTrainingTests.train : ["embed", "in", "--member", "trained/model"]
      return try Workshop.run(
        Workshop.binary, arguments + ["--out", out, "--workers", "1"], in: shop.root)
    }
    func made(_ out: String) throws -> [String: Data] {
      guard shop.exists(out) else { return [:] }
      return try command == .train ? ModelTrainingTests.model(shop, out) : shop.tree(out)
    }
    #expect(try run(.train, out: "trained").status == 0)
    if command == .embed { #expect(try run(.embed, out: "embedded").status == 0) }
    let whole = command == .train ? "trained" : "embedded"
    let (expected, end) = (try made(whole), try kilobytes(shop, whole))
    let model = "\(shop.root)/trained/model/model.safetensors"
    let weights = Int(try FileIdentity(of: model).size) / 1024
    let sizes: [Int] =
      switch command {
      // While pairs are gathered and text is cut, at the first checkpoint and, with four times the weights in that, at the
      // second one beside it.
      case .train:
        [16, end / 4] + Array(stride(from: end / 2, to: end * 3 / 4, by: 16))
          + [end, end + 4 * weights]
      // Of a shard each of its files has a page, the last of which lie shortly before the end.
      case .embed: [16] + (3...6).map { end - 4 * $0 }
      }
    let disk = "\(shop.root)/disk"
    #expect(mkdir(disk, 0o700) == 0)
    var errors: [String] = []
    for size in sizes {
      #expect(Workshop.shell("mount -t tmpfs -o size=\(size)k none '\(disk)'") == 0)
      defer { _ = Workshop.shell("umount '\(disk)'") }
      let full = try run(command, out: "disk/out")
      errors.append(full.errors)
      #expect(full.status == 1, "\(size): \(full.errors)")
      for text in ["disk/out/", "No space left", "make room"] {
        #expect(full.errors.contains(text), "\(size): \(full.errors)")
      }
      #expect(!full.errors.contains(".winnow/tmp"), "\(size): \(full.errors)")
      try shop.expectNothingHalfWritten("disk/out")
      let left = try made("disk/out")
      #expect(left.keys.filter { left[$0] != expected[$0] } == [], "\(size)")
      #expect(Workshop.shell("mount -o remount,size=64m '\(disk)'") == 0)
      let again = try run(command, out: "disk/out")
      #expect(again.status == 0, "\(size): \(again.errors)")
      #expect(differences(expected, try made("disk/out")) == [], "\(size)")
    }
    let files =
      command == .train
      ? ["/thumbnails.bin", "/model.checkpoint"]
      : ["/img_emb/img_emb_", "/text_emb/text_emb_", "/metadata/metadata_"]
    for file in files {
      let isNamed = errors.contains { $0.contains("disk/out/") && $0.contains(file) }
      #expect(isNamed, "\(file): \(errors)")
    }
  }

  /// The thread sanitizer itself writes a file, and dies of the limit.
  @Test(.disabled(if: Workshop.isSanitized)) func aLimitOnTheSizeOfFiles() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "whole").status == 0)
    let limited = try clean(shop, "ulimit -f 16;", out: "out")
    #expect(limited.status == 1, "\(limited.errors)")
    #expect(limited.errors.contains("out/") && limited.errors.contains("File too large"))
    try shop.expectNothingHalfWritten("out")
    #expect(try clean(shop, "", out: "out").status == 0)
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  /// As above, once all that is small is written.
  @Test(.disabled(if: Workshop.isSanitized)) func aLimitOnTheSizeOfFilesThatShardsMeet() throws {
    let shop = try noisyShop(pairs: 200)
    try shop.judge()
    try shop.goOn()
    let limit = ["/bin/bash", "-c", #"ulimit -f 16; exec "$0" "$@""#]
    let limited = try shop.stage("filter", "in", by: limit)
    #expect(limited.status == 1, "\(limited.errors)")
    #expect(
      limited.errors.contains("out/clean/0")
        && limited.errors.contains("cannot write the shard: File too large"), "\(limited.errors)")
    try shop.expectNothingHalfWritten("out")
    let healed = try shop.stage("filter", "in")
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

  @Test(.enabled(if: Workshop.unprivileged != nil, "needs setpriv"))
  func anOutputFolderWithoutWritePermissionIsLeftAsItIsAndServesOnceItHasIt() throws {
    let shop = try Workshop(pairs: 200)
    let command = try #require(Workshop.unprivileged)
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

  @Test(.enabled(if: Workshop.unprivileged != nil, "needs setpriv"))
  func anOutputFolderThatCannotBeWrittenBetweenTheStages() throws {
    let shop = try Workshop(pairs: 200)
    try shop.judge()
    try shop.goOn()
    #expect(mkdir("\(shop.root)/out/clean", 0o755) == 0)
    for folder in ["out/.winnow", "out/clean"] {
      #expect(chmod("\(shop.root)/\(folder)", 0o555) == 0)
      let refused = try shop.stage("filter", "in", by: try #require(Workshop.unprivileged))
      #expect(chmod("\(shop.root)/\(folder)", 0o755) == 0)
      #expect(refused.status == 1, "\(refused.errors)")
      #expect(
        refused.errors.contains(" \(folder)/") && refused.errors.contains("Permission denied"),
        "\(refused.errors)")
      try shop.expectNothingHalfWritten("out")
    }
    let healed = try shop.stage("filter", "in")
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
