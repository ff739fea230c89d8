import Foundation
import Testing

@testable import ConfidentLearning

@Suite struct PairStatisticsTests {
  @Test func mergesToTheSameInAnyOrderAndAnySplit() {
    let pairs = Mixture(noise: 0.3, hard: 0.5, pairs: 1000).draw()
    let whole = PairStatistics(pairs)
    var generator = SplitMix64(state: 5)
    for shards in [1, 2, 7, 100] {
      var split = (0..<shards).map { shard in
        PairStatistics(pairs.enumerated().filter { $0.offset % shards == shard }.map(\.element))
      }
      split.shuffle(using: &generator)
      // From the left, and as a balanced tree.
      #expect(split.reduce(into: PairStatistics()) { $0.merge($1) } == whole)
      while split.count > 1 {
        let last = split.removeLast()
        split[split.count / 2].merge(last)
      }
      #expect(split[0] == whole)
    }
    #expect(whole.pairs == 1000)
  }

  @Test func comesBackEqualFromJSON() throws {
    let statistics = Mixture(noise: 0.1, pairs: 1000).statistics()
    let data = try JSONEncoder().encode(statistics)
    #expect(try JSONDecoder().decode(PairStatistics.self, from: data) == statistics)
    let empty = try JSONEncoder().encode(PairStatistics())
    #expect(try JSONDecoder().decode(PairStatistics.self, from: empty) == PairStatistics())
  }

  @Test func refusesOtherVersionsAndUnevenParts() throws {
    let part = #"{"observed":[],"random_repaired":[],"cluster_repaired":[]}"#
    let uneven = #"{"observed":[[1,1]],"random_repaired":[],"cluster_repaired":[]}"#
    func decode(version: Int, _ parts: [String]) throws -> PairStatistics {
      let text = #"{"format_version":\#(version),"parts":[\#(parts.joined(separator: ","))]}"#
      return try JSONDecoder().decode(PairStatistics.self, from: Data(text.utf8))
    }
    let sound = Array(repeating: part, count: PairStatistics.partCount)
    #expect(try decode(version: PairFormat.version, sound) == PairStatistics())
    #expect(throws: DecodingError.self) { try decode(version: 9, sound) }
    #expect(throws: DecodingError.self) { try decode(version: PairFormat.version, sound + [part]) }
    #expect(throws: DecodingError.self) { try decode(version: PairFormat.version, []) }
    #expect(throws: DecodingError.self) {
      try decode(version: PairFormat.version, sound.dropLast() + [uneven])
    }
  }
}
