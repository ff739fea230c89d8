import Foundation
import Shards
import Synchronization
import Testing

@testable import Pipeline

/// The policy for drift, where the folder can't be built anew, or not whole: then the night goes on without.
@Suite struct DriftPolicyTests {
  /// A folder of 200 pairs, and a new shard of a hundred that all score alike.
  private func driftedShop() throws -> Workshop {
    let shop = try Workshop(
      pairs: 200, pipeline: TinyCorpus.pipeline() + "\nrefresh: {onDrift: refit}\n")
    try shop.writeJudges()
    let first = try shop.clean(out: "out", "--ensemble", "judges")
    #expect(first.status == 0, "\(first.errors)")
    try TinyCorpus.write(
      (0..<100).flatMap { TinyCorpus.sample(7, key: "alike\($0)") },
      to: "\(shop.root)/in/drifted.tar")
    return shop
  }

  @Test func whatStandsInThePlaceOfTheOldFolderIsToldAndTheNightIsPublished() throws {
    let shop = try driftedShop()
    #expect(mkdir("\(shop.root)/out.previous", 0o755) == 0)
    let night = try shop.clean(out: "out")
    #expect(night.status == 0, "\(night.errors)")
    #expect(night.errors.contains("the 100 new pairs don't score like the 200"), "\(night.errors)")
    let note = night.errors.split(separator: "\n").first {
      $0.contains("the folder isn't built anew by itself: ")
    }
    #expect(note?.contains("out.previous is in the way") == true, "\(night.errors)")
    #expect(try shop.manifest().increments.map(\.pairs) == [200, 100])
    #expect(shop.exists("out.previous") && !shop.exists("out.previous/*"))
    #expect(!shop.exists("out.rebuild") && !shop.exists("out.previous-*"))
  }

  /// After the list was compared: before it is decided what follows from the drift, and when that has begun.
  @Test(arguments: [false, true])
  func aKnownShardThatGoesAwayInTheNightIsNotLost(isBegun: Bool) throws {
    let shop = try driftedShop()
    let shard = "\(shop.root)/in/000001.tar"
    let notes = Mutex<[String]>([])
    let run = try shop.context { event in
      var isTime = false
      switch event {
      case .began(.score): isTime = !isBegun
      case .note(let text):
        notes.withLock { $0.append(text) }
        isTime = isBegun && text.hasPrefix("building anew in ")
      default: break
      }
      if isTime { rename(shard, shard + ".away") }
    }
    let result = try Run.clean(ShardSelection(["\(shop.root)/in"]), in: run)
    let told = notes.withLock { $0 }
    #expect(told.contains { $0.hasSuffix("; the folder is built anew") }, "\(told)")
    #expect(
      told.contains {
        $0.hasPrefix("the folder isn't built anew: ") && $0.contains("/in/000001.tar changed ")
      }, "\(told)")
    #expect(result.exitStatus == 0)
    #expect(result.manifest?.increments.map(\.pairs) == [200, 100])
    #expect(!shop.exists("out.previous"))
    #expect(!shop.exists("out.rebuild"))
    #expect(try Set(shop.keys("out")).count == 300)
    #expect(rename(shard + ".away", shard) == 0)
    guard isBegun else { return }
    // Judges of a part of the corpus aren't gone on with.
    let rebuilt = try shop.clean(out: "out", "--ensemble", "out", "--rebuild")
    #expect(rebuilt.status == 0, "\(rebuilt.errors)")
    #expect(try shop.manifest().increments.map(\.pairs) == [300])
    #expect(try Set(shop.keys("out")).count == 300)
  }

  @Test func aCopyIsNotTakenIntoTheNewFolder() throws {
    let shop = try driftedShop()
    try FileManager.default.copyItem(
      atPath: "\(shop.root)/in/000001.tar", toPath: "\(shop.root)/in/copy.tar")
    for note in ["the folder is built anew", "Nothing new"] {
      let night = try shop.clean(out: "out")
      #expect(night.status == 0 && night.errors.contains(note), "\(night.errors)")
      #expect(try shop.manifest().increments.map(\.pairs) == [300])
    }
  }
}
