import Foundation
import Shards
import Testing

@testable import Pipeline

/// Samples with a member above the limit are rejected and copied.
@Suite struct OversizedTests {
  /// 2,000 bytes a member at most; `TinyCorpus`'s images have some 1,900.
  private static let pipeline = TinyCorpus.pipeline() + "\nread: {maxMemberBytes: 2000}\n"

  private func big(_ key: String) -> [Member] {
    let noise = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
    return TinyCorpus.sample(700, key: key) + [
      Member(name: Array("\(key).mp4".utf8), bytes: noise),
      Member(name: Array("\(key).winnow.json".utf8), bytes: Array("{}".utf8)),
    ]
  }

  @Test func theyPassToRejectedByteForByteWhateverTheWorkers() throws {
    let shop = try Workshop(pairs: 120, shards: 40, pipeline: Self.pipeline)
    // Two of one key beside each other, one whose name must be replaced, one at the shard's end.
    let oversized = [big("b"), big("b"), big("../c"), big("d")]
    try TinyCorpus.write(
      TinyCorpus.sample(500) + oversized[0] + oversized[1] + TinyCorpus.sample(501) + oversized[2]
        + oversized[3], to: "\(shop.root)/in/big.tar")
    for (out, workers) in [("one", "1"), ("seven", "7")] {
      let outcome = try shop.clean(out: out, "--workers", workers)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(differences(try shop.tree("one"), try shop.tree("seven")) == [])

    let ledger = try #require(try shop.shards("one").last).ledger
    #expect(ledger.read == 6)
    #expect(ledger.unreadable == [:])
    #expect(ledger.rejected["member-too-large"] == 3)
    #expect(ledger.rejected["unsafe-name"] == 1)

    let samples = try shop.samples("one/rejected").filter { sample in
      sample.members.contains { $0.path.hasSuffix(".mp4") }
    }
    #expect(samples.map { $0.members.dropLast().map(\.bytes) } == oversized.map { $0.map(\.bytes) })
    #expect(samples[1].members[0].path == "repeated-000003-000002.png")
    for (sample, members) in zip(samples, oversized).enumerated().filter({
      [0, 3].contains($0.offset)
    })
    .map(\.element) {
      #expect(Array(sample.members.dropLast()) == members)
      #expect(sample.members.last?.path.hasSuffix(".winnow.2.json") == true)
    }
    #expect(samples[2].members.allSatisfy { isSafe($0.name) })
    let notes = samples.compactMap(\.members.last).map { String(decoding: $0.bytes, as: UTF8.self) }
    #expect(notes[0].contains("b.mp4: 70000 bytes are more than"))
    #expect(notes[2].contains("\"../c.mp4\""))
  }

  @Test func oneThatIsCutShortStaysUnreadable() throws {
    let shop = try Workshop(pairs: 120, shards: 120, pipeline: Self.pipeline)
    let path = "\(shop.root)/in/big.tar"
    try TinyCorpus.write(TinyCorpus.sample(500) + big("b"), to: path)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    try bytes.prefix(40_000).write(to: URL(fileURLWithPath: path))
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 3, "\(outcome.errors)")
    let ledger = try #require(try shop.shards().last).ledger
    #expect(ledger.read == 2)
    #expect(ledger.unreadable == ["cut-short": 1])
    #expect(ledger.rejected["member-too-large"] == nil)
  }
}
