import Foundation
import Shards
import Testing

@testable import Pipeline

/// Shards made to harm whoever reads them, through the real command: all that is in them is counted with a reason, and
/// memory stays bounded.
@Suite struct HostileInputTests {
  /// Has Python's tarfile write a shard; the script sees `t`, `add(name, bytes, **fields)` and `png`.
  private func makeTar(_ script: String, at path: String, in shop: Workshop) throws {
    try Data(TinyCorpus.sample(1)[0].bytes).write(to: URL(fileURLWithPath: "\(shop.root)/x.png"))
    let prelude = """
      import io, sys, tarfile
      png = open("x.png", "rb").read()
      t = tarfile.open("\(path)", "w", format=tarfile.GNU_FORMAT)
      def add(name, data=b"", **fields):
          i = tarfile.TarInfo(name)
          i.size = len(data)
          for k, v in fields.items(): setattr(i, k, v)
          t.addfile(i, io.BytesIO(data))

      """
    let python = URL(fileURLWithPath: "/usr/bin/env")
    let made = try Workshop.run(
      python, ["LC_ALL=C.UTF-8", "python3", "-c", prelude + script], in: shop.root)
    #expect(made.status == 0, "\(made.errors)")
  }

  /// The clock ticks that a process has worked: fields 14 and 15 of /proc/PID/stat, counted from behind its name.
  private func ticks(of process: Process) throws -> Int {
    let path = "/proc/\(process.processIdentifier)/stat"
    let data = try #require(FileManager.default.contents(atPath: path))
    let text = String(decoding: data, as: UTF8.self)
    let fields = try #require(text.split(separator: ")").last).split(separator: " ")
    try #require(fields.count > 12)
    let user = try #require(Int(fields[11]))
    let system = try #require(Int(fields[12]))
    return user + system
  }

  /// 128 GiB of zeros in 5 MB: only counting them takes a minute.
  @Test func aSignalEndsARunInsideAMemberThatHasNoEnd() throws {
    let shop = try Workshop(pairs: 3)
    try makeTar(
      #"""
      import subprocess
      def zstd(data): return subprocess.run(["zstd", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
      i = tarfile.TarInfo("huge.png")
      i.size = 1 << 37
      with open("in/huge.tar.zst", "wb") as f:
          f.write(zstd(i.tobuf(tarfile.GNU_FORMAT)))
          f.write(zstd(bytes(1 << 26)) * (1 << 11))
      """#, at: "unused.tar", in: shop)
    let process = try shop.start("clean", "in/huge.tar.zst", "--out", "out", "--log", "log")
    func isGathering() throws -> Bool {
      let text = try String(contentsOfFile: "\(shop.root)/log", encoding: .utf8)
      let last = text.split(separator: "\n").last ?? ""
      return last.contains(#""stage_began""#) && last.contains(#""gather""#)
    }
    // The stage that reads the pairs works for longer than all but the member takes, and isn't over.
    #expect(shop.appears("out/.winnow/increments/000000.json"))
    let hasBegun = try shop.waits(until: isGathering)
    #expect(hasBegun)
    let end = try ticks(of: process) + sysconf(Int32(_SC_CLK_TCK)) / 5
    let hasWorked = try shop.waits { try ticks(of: process) >= end }
    let isInside = try isGathering()
    #expect(hasWorked && isInside && process.isRunning)
    let seconds = Workshop.seconds(of: process, toEndAfter: SIGTERM)
    #expect(process.terminationStatus == 143)
    #expect(Workshop.isSanitized || seconds < 3)
  }

  @Test func allThatAHostileShardHoldsIsCountedWithItsReason() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    try makeTar(
      #"""
      def pair(key, caption): add(key + ".png", png); add(key + ".txt", caption)
      pair("good", b"a red square")
      pair("/etc/evil", b"absolute")
      pair("a/../../evil", b"climbs")
      add("dir.d", type=tarfile.DIRTYPE)
      add("link.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")
      add("link.txt", type=tarfile.LNKTYPE, linkname="good.txt")
      add("null.png", type=tarfile.CHRTYPE)
      add("disk.png", type=tarfile.BLKTYPE)
      add("pipe.png", type=tarfile.FIFOTYPE)
      pair("ten-megabytes", b"a red square " * 800000)
      pair("nul", b"a red\0square")
      pair("nuls", b"\0" * 100)
      pair("bidi", "\u202ea red \u2066square\u2069 \u200f".encode())
      pair("surrogates", b"a red \xed\xa0\x80\xed\xb0\x80 square")
      pair("lone", b"a red \xed\xa0\x80 square")
      pair("l" * 3000 + "1", b"a blue square")
      pair("l" * 3000 + "2", b"a blue square")
      pair("n" * 4092, b"a blue square")
      pair("m" * 4093, b"a blue square")
      pair("\udcff\udc80\udced\udca0\udc80", b"a green square")
      for _ in range(1000): add("same.txt", b"a red square")
      i = tarfile.TarInfo("huge.png")
      i.size = 10_000_000_000
      t.fileobj.write(i.tobuf(tarfile.GNU_FORMAT) + b"no ten gigabytes")
      """#, at: "in/bad.tar", in: shop)
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 3, "\(outcome.errors)")
    let shard = try shop.shards()[1]
    #expect(shard.fault == "truncated")
    let ledger = shard.ledger
    #expect(ledger.unreadable == ["cut-short": 1])
    var others = ledger.rejected
    let pairs = ledger.kept + (others.removeValue(forKey: "mismatch") ?? 0)
    // good, nul, bidi, two long names, the longest one, the one that isn't UTF-8
    #expect(pairs == 7)
    #expect(
      others == [
        "unsafe-name": 2, "caption-too-long": 1, "empty-caption": 1, "text-not-utf8": 2,
        "name-too-long": 1, "missing-image": 1000,
      ])
    #expect(ledger.read == 7 + 1007 + 1)
    #expect(shard.report.skippedLinks == 2 && shard.report.skippedOthers == 4)
    #expect(shard.report.repeatedKeys == 999)
    // Names that aren't text, and bytes that are no caption, leave as they came.
    let written = try shop.samples("out/clean") + shop.samples("out/rejected")
    let foreign: [UInt8] = [0xFF, 0x80, 0xED, 0xA0, 0x80]
    for key in [foreign, Array(repeating: UInt8(ascii: "n"), count: 4092)] {
      let sample = try #require(written.first { $0.key == key })
      #expect(sample.members[0].name == key + Array(".png".utf8))
    }
    #expect(written.contains { $0.members.contains { $0.bytes == Array("a red\0square".utf8) } })
    // One long key among a million would make a table of gigabytes.
    let table = try DecisionTable(path: "\(shop.root)/out/decisions/000001-bad.npz")
    let long = table.keys.filter { $0.first == UInt8(ascii: "l") && $0.count > 4 }
    #expect(long.count == 2 && Set(long).count == 2 && long.allSatisfy { $0.count == 256 })
    #expect(table.keys.map(\.count).max() == 256)
    // A thousand times the same key makes no thousand shards: the first of each has it, and the others keys of their own.
    #expect(try shop.manifest().rejected.count < 40)
    let repeated = written.count { $0.key.starts(with: Array("repeated-000001-".utf8)) }
    #expect(repeated > 960 && repeated + written.count { $0.key == Array("same".utf8) } == 1000)
  }

  /// An output shard ends between two of them; a million would make a million.
  @Test func pairsOfOneKeyMakeAThousandShardsAtMost() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    try makeTar(
      #"""
      for i in range(1300): add("same.png", png); add("same.txt", b"a red square")
      t.close()
      """#, at: "in/same.tar", in: shop)
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let ledger = try shop.shards()[1].ledger
    #expect(ledger.read == 1300 && ledger.rejected["repeated-key"] == 299)
    let manifest = try shop.manifest()
    #expect((1001...1030).contains(manifest.clean.count + manifest.rejected.count))
    let written = try shop.samples("out/rejected")
    let dropped = written.filter { $0.key != Array("same".utf8) }.suffix(298)
    #expect(dropped.last?.key == Array("repeated-000001-001299".utf8))
    let note = try #require(dropped.last?.members.last)
    #expect(
      String(decoding: note.bytes, as: UTF8.self).contains("more than 1000 pairs of the shard"))
    // One comes back like any other.
    let restored = try shop.winnow("restore", "repeated-000001-001299", "--out", "out")
    #expect(restored.status == 0, "\(restored.errors)")
  }

  /// Runs `winnow` and measures the most memory that it had at a time.
  private func peak(
    _ shop: Workshop, _ arguments: String...
  ) throws -> (outcome: Workshop.Outcome, bytes: Int) {
    let script = """
      import resource, subprocess, sys
      status = subprocess.run(sys.argv[1:]).returncode
      open("peak", "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
      sys.exit(status)
      """
    let command = ["python3", "-c", script, Workshop.binary.path] + arguments
    let outcome = try Workshop.run(
      URL(fileURLWithPath: "/usr/bin/env"), command, in: shop.root)
    let text = try String(contentsOfFile: "\(shop.root)/peak", encoding: .utf8)
    return (outcome, try #require(Int(text)) << 10)
  }

  /// What a shard of nothing much takes.
  private static let usual = 160 << 20

  @Test(
    .disabled(if: Workshop.isSanitized),
    arguments: [
      (#"b'{"a": [' + b'{},' * (20 << 20) + b'0]}'"#, "more than are read"),
      (#"b"[" * (60 << 20)"#, "nested"),
    ])
  func aJSONOfManyMegabytesIsNotParsed(json: String, what: String) throws {
    let shop = try Workshop()
    try makeTar(
      "add('0.png', png); add('0.txt', b'a'); add('0.json', \(json)); t.close()",
      at: "a.tar", in: shop)
    try "read: {jsonCaption: caption}".write(
      toFile: "\(shop.root)/json.yaml", atomically: true, encoding: .utf8)
    let (outcome, bytes) = try peak(shop, "inspect", "--pipeline", "json.yaml", "a.tar")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect((outcome.output + outcome.errors).contains("bad-json: 1"), "\(what)")
    // Three times the member at most.
    #expect(bytes < Self.usual + 3 * (60 << 20), "\(bytes >> 20) MB")
  }

  @Test(.disabled(if: Workshop.isSanitized)) func aSparseMapOfMillionsOfEntriesTakesNoMemory()
    throws
  {
    let shop = try Workshop()
    try makeTar(
      #"""
      records = b"".join(b"%d %s\n" % (len(r) + 4, r) for r in (
          b"GNU.sparse.major=1", b"GNU.sparse.minor=0", b"GNU.sparse.realsize=2000"))
      add("pax", records, type=tarfile.XHDTYPE)
      add("0.txt", b"10000000\n" + b"0\n0\n" * 10000000)
      t.close()
      """#, at: "a.tar", in: shop)
    let (outcome, bytes) = try peak(shop, "inspect", "a.tar")
    #expect(outcome.status == 3, "\(outcome.errors)")
    #expect((outcome.output + outcome.errors).contains("a tar header is too long"))
    #expect(bytes < Self.usual + (128 << 20), "\(bytes >> 20) MB")
  }
}
