import BenchmarkSupport
import Encoders
import Foundation
import Shards
import Testing

@testable import bench_training

@Suite struct HeldOutSplitTests {
  private func pair(
    _ key: Int, _ caption: String, image: UInt64? = nil, swapped: Bool = false,
    signature: [Float]? = nil
  ) -> SamplePair {
    var axis = [Float](repeating: 0, count: 32)
    axis[key] = 1
    return SamplePair(
      key: "\(key)", hash: ContentHash(high: UInt64(key), low: 0, image: image ?? UInt64(key)),
      caption: caption, category: "", isSwapped: swapped, signature: signature ?? axis)
  }

  @Test func onlyTruePairsWithImageAndCaptionOfTheirOwnAreHeldOut() {
    let split = HeldOutSplit(
      [
        pair(0, "a swapped one", swapped: true), pair(1, "star 1"), pair(2, "Star, 2!"),
        pair(3, "the moon", image: 77), pair(4, "the sun", image: 77), pair(5, "a tree"),
        pair(6, "a house"),
      ], heldOut: 5)
    #expect(split.heldOut == [5, 6])
    #expect(split.training == [0, 1, 2, 3, 4])
  }

  @Test func nearlyEqualImagesAreNeitherHeldOutTwiceNorTrainedOn() {
    let near: [Float] = [0.99, 0.14] + [Float](repeating: 0, count: 30)
    let split = HeldOutSplit(
      [
        pair(0, "a tree"), pair(1, "an oak", signature: near),
        pair(2, "an elm", swapped: true, signature: near), pair(3, "a house"),
      ], heldOut: 4)
    #expect(split.heldOut == [0, 3])
    #expect(split.training == [])
    #expect(split.nearDuplicates == 2)
  }

  @Test func subsetsKeepEveryByteAndTheOrder() throws {
    let folder = NSTemporaryDirectory() + "winnow-bench-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func members(_ key: Int) -> [Member] {
      ["png", "txt", "json"].map {
        Member(name: Array("00\(key).\($0)".utf8), bytes: Array("\($0) of \(key)".utf8))
      }
    }
    for shard in 0..<2 {
      let writer = try ShardWriter(path: "\(folder)/\(shard).tar", compression: .none)
      for key in 0..<4 { for member in members(4 * shard + key) { try writer.append(member) } }
      try writer.finish()
    }
    let writer = SubsetWriter(shards: ["\(folder)/0.tar", "\(folder)/1.tar"], shardSize: 2)
    try writer.write(["001", "006", "004"], to: "\(folder)/subset")
    var found: [[Member]] = []
    for name in ["000000.tar", "000001.tar"] {
      let reader = ShardReader(path: "\(folder)/subset/\(name)")
      while case .sample(let sample)? = reader.next() { found.append(sample.members) }
    }
    #expect(found == [1, 4, 6].map(members))
    #expect(throws: BenchError.self) { try writer.write(["009"], to: "\(folder)/other") }
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/other"))
  }
}
