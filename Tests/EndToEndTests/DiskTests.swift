import Foundation
import Shards
import Testing

@testable import Pipeline

/// A disk that fails or is slow: a library preloaded into the real command stands for it.
@Suite struct DiskTests {
  /// Every Swift toolchain has a clang beside `swift`.
  private static let compiler: URL? = {
    let beside = Workshop.program("swift")?.resolvingSymlinksInPath()
      .deletingLastPathComponent().appendingPathComponent("clang")
    if let beside, FileManager.default.isExecutableFile(atPath: beside.path) { return beside }
    return Workshop.program("clang") ?? Workshop.program("cc")
  }()

  /// Reads of the file whose path holds BROKEN_FILE fail from byte BROKEN_FROM on; the file whose path holds UNSYNCED can't
  /// be synced; of the file whose path holds UNWRITTEN the first who waits for it is told of an error, and a sync isn't any
  /// more (as of an error in the background), of that with UNSTARTED the first who has a write begun; the files whose paths
  /// hold SLOW_FOLDER take SLOW_RATE bytes a second, all together, and WAITS is the file that is told the most bytes of
  /// theirs for which a sync, another call, or nobody yet waited until they were on the disk.
  private static let source = """
    #define _GNU_SOURCE
    #include <errno.h>
    #include <fcntl.h>
    #include <limits.h>
    #include <pthread.h>
    #include <stdatomic.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <sys/syscall.h>
    #include <unistd.h>

    static int is_in_path(const char *part, int file) {
      char link[64], path[4096];
      snprintf(link, sizeof link, "/proc/self/fd/%d", file);
      ssize_t length = part ? readlink(link, path, sizeof path - 1) : 0;
      path[length < 0 ? 0 : length] = 0;
      return part && strstr(path, part);
    }

    // Bytes that a read at `start` may have; none where it is to fail.
    static size_t good(int file, off_t start, size_t count) {
      if (!is_in_path(getenv("BROKEN_FILE"), file)) return count;
      off_t left = atol(getenv("BROKEN_FROM")) - start;
      return left <= 0 ? 0 : (size_t)left < count ? (size_t)left : count;
    }

    ssize_t pread(int file, void *bytes, size_t count, off_t start) {
      size_t some = good(file, start, count);
      if (some || !count) return syscall(SYS_pread64, file, bytes, some, start);
      errno = EIO;
      return -1;
    }

    ssize_t read(int file, void *bytes, size_t count) {
      size_t some = good(file, lseek(file, 0, SEEK_CUR), count);
      if (some || !count) return syscall(SYS_read, file, bytes, some);
      errno = EIO;
      return -1;
    }

    static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;
    // Up to where a file is on the disk, by the last digits of its inode.
    static off_t on_disk[1 << 16];

    // Told under the lock.
    static void tell(int call, off_t bytes) {
      static off_t most[3];
      if (!getenv("WAITS") || bytes <= most[call]) return;
      most[call] = bytes;
      int told = open(getenv("WAITS"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
      dprintf(told, "%ld %ld %ld", (long)most[0], (long)most[1], (long)most[2]);
      close(told);
    }

    static void wait_for(int call, int file, off_t start, off_t end) {
      struct stat info;
      if (!is_in_path(getenv("SLOW_FOLDER"), file) || fstat(file, &info)) return;
      pthread_mutex_lock(&disk);
      off_t *done = &on_disk[info.st_ino & 0xffff];
      if (end > info.st_size) end = info.st_size;
      tell(call, end - (start > *done ? start : *done));
      if (start <= *done && end > *done) *done = end;
      pthread_mutex_unlock(&disk);
    }

    // The error of a file, told once.
    static int fails(const char *variable, int file) {
      static atomic_int told;
      if (!is_in_path(getenv(variable), file) || atomic_exchange(&told, 1)) return 0;
      errno = EIO;
      return 1;
    }

    int sync_file_range(int file, off_t start, off_t count, unsigned flags) {
      if (flags & SYNC_FILE_RANGE_WAIT_AFTER) {
        if (fails("UNWRITTEN", file)) return -1;
        wait_for(1, file, start, start + count);
      } else if (fails("UNSTARTED", file)) {
        return -1;
      }
      return syscall(SYS_sync_file_range, file, start, count, flags);
    }

    int fsync(int file) {
      if (fails("UNSYNCED", file)) return -1;
      wait_for(0, file, 0, LONG_MAX);
      return syscall(SYS_fsync, file);
    }

    static void slow(int file, off_t place, size_t count, int is_in_order) {
      struct stat info;
      if (!is_in_path(getenv("SLOW_FOLDER"), file) || fstat(file, &info)) return;
      pthread_mutex_lock(&disk);
      off_t *done = &on_disk[info.st_ino & 0xffff];
      if (place < *done) *done = place;
      if (is_in_order) tell(2, place + count - *done);
      usleep(count * 1000000 / atol(getenv("SLOW_RATE")));
      pthread_mutex_unlock(&disk);
    }

    ssize_t write(int file, const void *bytes, size_t count) {
      slow(file, lseek(file, 0, SEEK_CUR), count, 1);
      return syscall(SYS_write, file, bytes, count);
    }

    ssize_t pwrite(int file, const void *bytes, size_t count, off_t place) {
      slow(file, place, count, 0);
      return syscall(SYS_pwrite64, file, bytes, count, place);
    }
    """

  /// Builds the library, to be preloaded.
  private func library(in shop: Workshop) throws -> String {
    try Self.source.write(toFile: "\(shop.root)/disk.c", atomically: true, encoding: .utf8)
    let compiled = try Workshop.run(
      try #require(Self.compiler), ["-shared", "-fPIC", "-o", "disk.so", "disk.c"], in: shop.root)
    try #require(compiled.status == 0, "\(compiled.errors)")
    return "\(shop.root)/disk.so"
  }

  /// `clean in` into `out` on a disk with this fault.
  private func clean(_ shop: Workshop, _ fault: String, _ flags: [String]) throws
    -> Workshop.Outcome
  {
    let preloaded = ["LD_PRELOAD=\(try library(in: shop))", fault, Workshop.binary.path]
    return try Workshop.run(
      URL(fileURLWithPath: "/usr/bin/env"),
      preloaded + ["clean", "in", "--pipeline", "tiny.yaml", "--out", "out"] + flags, in: shop.root)
  }

  @Test(.disabled(if: Workshop.isSanitized), .enabled(if: compiler != nil, "needs clang or cc"))
  func aReadErrorInsideAShardPublishesNothingOfIt() throws {
    let shop = try Workshop(pairs: 200)
    let preloaded = [
      "LD_PRELOAD=\(try library(in: shop))", "BROKEN_FILE=/in/000003.tar", "BROKEN_FROM=100000",
      Workshop.binary.path,
    ]
    let broken = try Workshop.run(
      URL(fileURLWithPath: "/usr/bin/env"),
      preloaded + ["clean", "in", "--pipeline", "tiny.yaml", "--out", "out"], in: shop.root)
    #expect(broken.status == 3, "\(broken.errors)")
    let told = broken.errors.split(separator: "\n").filter { $0.hasPrefix("not read to its end") }
    #expect(told.count == 1, "\(broken.errors)")
    #expect(told.allSatisfy { $0.contains("/in/000003.tar") && $0.contains("Input/output error") })
    #expect(try shop.manifest().ledger.read == 150)
    let unread = try shop.shards()[3]
    #expect(unread.fault == "cannot-read" && unread.ledger.read == 0)
    // Healed, it is new.
    let healed = try shop.clean(out: "out")
    #expect(healed.status == 0, "\(healed.errors)")
    #expect(try shop.manifest().ledger.read == 200)
    let keys = try (shop.samples("out/clean") + shop.samples("out/rejected")).map(\.key)
    #expect(keys.count == 200 && Set(keys).count == 200)
  }

  /// What the disk didn't take is neither counted nor shown, whoever is told of it.
  @Test(
    .disabled(if: Workshop.isSanitized), .enabled(if: compiler != nil, "needs clang or cc"),
    arguments: [
      ("UNSYNCED", "-000001.tar.zst", "clean/000001.tar.zst"),
      ("UNWRITTEN", "-000001.tar.zst", "clean/000001.tar.zst"),
      ("UNSTARTED", "-000001.tar.zst", "clean/000001.tar.zst"),
      ("UNSYNCED", "-ensemble/ensemble.json", "ensemble"),
      ("UNWRITTEN", "-ensemble/bag-fold1.safetensors", "ensemble"),
      ("UNWRITTEN", "-noise-model.json", "noise-model.json"),
    ])
  func whatCannotBeSyncedIsNotPublished(_ fault: String, _ draft: String, _ file: String) throws {
    let shop = try Workshop(pairs: 200)
    // So few are rejected that no draft of theirs has the number.
    let cut = ["--keep-fraction", "0.9"]
    #expect(try shop.clean(out: "whole", cut[0], cut[1]).status == 0)
    try #require(!shop.exists("whole/rejected/000001.tar.zst"))
    let broken = try clean(shop, "\(fault)=\(draft)", cut)
    #expect(broken.status == 1, "\(broken.errors)")
    #expect(
      broken.errors.contains("out/\(file)") && broken.errors.contains("Input/output error"),
      "\(broken.errors)")
    #expect(!broken.errors.contains(".winnow/tmp"), "\(broken.errors)")
    #expect(!shop.exists("out/\(file)"))
    #expect(!shop.exists("out/.winnow/units/clean-000001.json"))
    #expect(try shop.clean(out: "out", cut[0], cut[1]).status == 0)
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  /// What tells of all nights is replaced in one step: what the first one left serves until the next is on the disk.
  @Test(
    .disabled(if: Workshop.isSanitized), .enabled(if: compiler != nil, "needs clang or cc"),
    arguments: [
      ("UNSYNCED", "clean/sizes.json", "0.9"), ("UNWRITTEN", "clean/sizes.json", "0.9"),
      // Where none is kept, the rejected ones alone have new sizes.
      ("UNWRITTEN", "rejected/sizes.json", "0"),
      ("UNSYNCED", "manifest.json", "0.9"), ("UNWRITTEN", "manifest.json", "0.9"),
    ])
  func whatTellsOfAllNightsStaysWhereTheNextCannotBeSynced(
    _ fault: String, _ file: String, _ fraction: String
  ) throws {
    let shop = try Workshop(pairs: 200)
    let cut = ["--keep-fraction", fraction]
    #expect(try shop.clean(out: "out", cut[0], cut[1]).status == 0)
    try FileManager.default.copyItem(atPath: "\(shop.root)/out", toPath: "\(shop.root)/whole")
    try TinyCorpus.write(
      (200..<230).flatMap { TinyCorpus.sample($0) }, to: "\(shop.root)/in/new.tar")
    #expect(try shop.clean(out: "whole", cut[0], cut[1]).status == 0)
    func contents(_ path: String) -> Data? {
      FileManager.default.contents(atPath: "\(shop.root)/\(path)")
    }
    let (before, manifest) = (contents("out/\(file)"), contents("out/manifest.json"))
    // Else there is nothing to replace.
    try #require(before != nil && before != contents("whole/\(file)"))
    let draft = "-" + (file as NSString).lastPathComponent
    let broken = try clean(shop, "\(fault)=\(draft)", cut)
    #expect(broken.status == 1, "\(broken.errors)")
    #expect(broken.errors.contains(" out/\(file): Input/output error"), "\(broken.errors)")
    #expect(!broken.errors.contains(".winnow/tmp"), "\(broken.errors)")
    #expect(contents("out/\(file)") == before && contents("out/manifest.json") == manifest)
    #expect(!shop.exists("out/.winnow/tmp/*"))
    // Who trains meanwhile finds every shard that there is among the sizes.
    for folder in ["clean", "rejected"] {
      let sizes = try JSONDecoder().decode(
        [String: Int].self, from: contents("out/\(folder)/sizes.json") ?? Data())
      let shards = try FileManager.default.contentsOfDirectory(atPath: "\(shop.root)/out/\(folder)")
        .filter { $0.contains(".tar") }
      #expect(Set(shards).isSubset(of: sizes.keys), "\(folder): \(shards) of \(sizes)")
    }
    let again = try shop.clean(out: "out", cut[0], cut[1])
    #expect(again.status == 0, "\(again.errors)")
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  /// Later passes know the shards by size, time and inode, and are the first to meet the error.
  @Test(.disabled(if: Workshop.isSanitized), .enabled(if: compiler != nil, "needs clang or cc"))
  func aReadErrorInALaterPassEndsTheStageAndOnceItIsGoneTheStageGoesOn() throws {
    let shop = try Workshop(pairs: 200)
    let fault = [
      "LD_PRELOAD=\(try library(in: shop))", "BROKEN_FILE=/in/000002.tar", "BROKEN_FROM=100000",
    ]
    func stage(_ command: String, _ variables: [String] = []) throws -> Workshop.Outcome {
      let arguments = [command] + (command == "fit" ? [] : ["in"])
      return try Workshop.run(
        URL(fileURLWithPath: "/usr/bin/env"),
        variables + [Workshop.binary.path] + arguments
          + ["--pipeline", "tiny.yaml", "--out", "out"], in: shop.root)
    }
    func expectDone(_ command: String) throws {
      let outcome = try stage(command)
      #expect(outcome.status == 0, "\(command): \(outcome.errors)")
    }
    try expectDone("train")
    try FileManager.default.copyItem(atPath: "\(shop.root)/out", toPath: "\(shop.root)/whole")
    #expect(try shop.clean(out: "whole").status == 0)
    let whole = try shop.tree("whole")
    func expectBroken(_ command: String) throws {
      let broken = try stage(command, fault)
      #expect(broken.status == 1, "\(command): \(broken.errors)")
      #expect(
        broken.errors.contains("/in/000002.tar: it could be read when it was pinned")
          && broken.errors.contains("Input/output error"), "\(command): \(broken.errors)")
      #expect(broken.output == "")
      // What is there by then is what it will be.
      let others = try shop.tree("out").filter { $0.value != whole[$0.key] }
      #expect(others.keys.sorted() == [], "\(command)")
      #expect(!shop.exists("out/manifest.json") && !shop.exists("out/.winnow/tmp/*"), "\(command)")
    }
    try expectBroken("score")
    #expect(!shop.exists("out/.winnow/scores/000002-*"))
    try expectDone("score")
    try expectDone("fit")
    try expectBroken("filter")
    #expect(shop.exists("out/.winnow/increments/000000.plan.json"))
    try expectDone("filter")
    #expect(differences(whole, try shop.tree("out")) == [])
  }

  /// The most anonymous memory at a time that a process has until it ends, in bytes.
  private func peak(of process: Process) -> Int {
    let path = "/proc/\(process.processIdentifier)/status"
    var peak = 0
    let start = ContinuousClock.now
    while process.isRunning {
      // A run that hangs mustn't hang the tests.
      if start.duration(to: .now) > .seconds(120) { kill(process.processIdentifier, SIGKILL) }
      let status = FileManager.default.contents(atPath: path) ?? Data()
      let lines = String(decoding: status, as: UTF8.self).split(separator: "\n")
      let fields = lines.first { $0.hasPrefix("RssAnon:") }?.split { $0 == " " || $0 == "\t" } ?? []
      if fields.count > 1, let kilobytes = Int(fields[1]) { peak = max(peak, kilobytes << 10) }
      usleep(10_000)
    }
    process.waitUntilExit()
    return peak
  }

  /// The kept pairs make one shard, 60 MiB that don't compress, which is read in no time; features of the judges' pairs
  /// take 4 MiB.
  @Test(.disabled(if: Workshop.isSanitized), .enabled(if: compiler != nil, "needs clang or cc"))
  func aRunOntoASlowDiskWaitsForItAndHoldsLittleMeanwhile() throws {
    let pipeline = TinyCorpus.pipeline(shardSize: 1000, dictionary: true)
      .replacingOccurrences(of: "atoms: 32, grid: 2", with: "atoms: 256, grid: 4")
    let shop = try Workshop(pipeline: pipeline)
    #expect(mkdir("\(shop.root)/in", 0o755) == 0)
    let noise = try #require(FileHandle(forReadingAtPath: "/dev/urandom"))
    for first in stride(from: 0, to: 120, by: 30) {
      var members: [Member] = []
      for i in first..<first + 30 {
        let bytes = try #require(try noise.read(upToCount: 1 << 19))
        members += TinyCorpus.sample(i, key: "\(i)")
        members.append(Member(name: Array("\(i).bin".utf8), bytes: [UInt8](bytes)))
      }
      try TinyCorpus.write(members, to: "\(shop.root)/in/\(first).tar")
    }
    let rate = 15_000_000
    let process = try shop.start(
      "clean", "in", "--pipeline", "tiny.yaml", "--out", "out", "--keep-fraction", "1",
      "--workers", "2",
      environment: [
        "LD_PRELOAD": try library(in: shop), "SLOW_FOLDER": "/out/", "SLOW_RATE": "\(rate)",
        "WAITS": "\(shop.root)/waits",
      ])
    let peak = peak(of: process)
    #expect(process.terminationStatus == 0)
    // As a failure, 60 MiB would be told byte for byte.
    let isWhole = try shop.samples("out/clean") == shop.samples("in")
    #expect(isWhole)
    let manifest = try shop.manifest()
    let shard = try #require(manifest.clean.first)
    #expect(manifest.clean.count == 1 && shard.bytes > 60 << 20)
    let seconds = try #require(manifest.timings.seconds["write"])
    #expect(seconds >= Double(shard.bytes) / Double(rate))
    #expect(peak > 0 && peak < 40 << 20, "\(peak >> 20) MiB")
    // Nothing ends a process that waits for its bytes to reach the disk before they have.
    let waits = try String(contentsOfFile: "\(shop.root)/waits", encoding: .utf8)
    let most = waits.split(separator: " ").compactMap { Int($0) }
    try #require(most.count == 3)
    // A sync alone is for a log's few lines.
    #expect(most[0] <= 1 << 16, "\(most)")
    #expect(most[1] > 1 << 16 && most[1] <= 1 << 20, "\(most)")
    // A window that is waited for, one that is begun, and a block.
    #expect(most[2] <= 5 << 19, "\(most)")
  }

  @Test(
    .disabled(if: Workshop.isSanitized), .enabled(if: compiler != nil, "needs clang or cc"),
    arguments: [SIGINT, SIGTERM])
  func aStopOnASlowDiskDoesNotWaitForWhatIsToBeWritten(signal: Int32) throws {
    let shop = try Workshop(pairs: 200, shards: 1, pipeline: TinyCorpus.pipeline(shardSize: 1000))
    #expect(try shop.clean(out: "whole", "--keep-fraction", "1").status == 0)
    let process = try shop.start(
      "clean", "in", "--pipeline", "tiny.yaml", "--out", "out", "--keep-fraction", "1",
      environment: [
        // A shard of a hundred kilobytes takes the better part of a minute.
        "LD_PRELOAD": try library(in: shop), "SLOW_FOLDER": ".tar.zst", "SLOW_RATE": "2000",
        "WAITS": "\(shop.root)/waits",
      ])
    #expect(shop.appears("waits") && process.isRunning)
    let seconds = Workshop.seconds(of: process, toEndAfter: signal)
    #expect(process.terminationStatus == 128 + signal)
    #expect(seconds < 3)
    #expect(!shop.exists("out/clean/000000.tar.zst"))
    #expect(try shop.clean(out: "out", "--keep-fraction", "1").status == 0)
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }
}
