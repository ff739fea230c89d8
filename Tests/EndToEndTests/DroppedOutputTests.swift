import Foundation
import Shards
import Testing

@testable import Pipeline

@Suite struct DroppedOutputTests {
  @Test func foldersThatSomebodyDeletedWholeComeAgainWithWhatIsNew() throws {
    let shop = try Workshop(pairs: 200)
    try shop.writeJudges()
    @discardableResult
    func night() throws -> String {
      let outcome = try shop.clean(out: "out", "--ensemble", "judges", "--keep-fraction", "0.7")
      #expect(outcome.status == 0, "\(outcome.errors)")
      for damage in ["is gone", "it is written again"] {
        #expect(!outcome.errors.contains(damage), "\(outcome.errors)")
      }
      return outcome.errors
    }
    try night()
    let before = try shop.manifest().rejected.count
    try #require(before > 1)
    for folder in ["rejected", "decisions"] {
      try FileManager.default.removeItem(atPath: "\(shop.root)/out/\(folder)")
    }
    for (name, first) in [("000004", 200), ("000005", 230)] {
      try shop.add(first..<first + 30, name)
      try night()
    }
    #expect(try shop.manifest().increments.map(\.pairs) == [200, 30, 30])
    let new = try shop.manifest().rejected.dropFirst(before)
    let file = URL(fileURLWithPath: "\(shop.root)/out/rejected/sizes.json")
    let sizes = try JSONDecoder().decode([String: Int].self, from: Data(contentsOf: file))
    #expect(sizes == Dictionary(uniqueKeysWithValues: new.map { ($0.file, $0.pairs) }))
    #expect(!sizes.isEmpty && sizes.keys.allSatisfy { shop.exists("out/rejected/\($0)") })
    #expect(shop.exists("out/decisions/000004-*") && !shop.exists("out/decisions/000003-*"))

    let rejected = try #require(try shop.samples("out/rejected").first)
    let key = String(decoding: rejected.key, as: UTF8.self)
    let restored = try shop.winnow("restore", key, "--out", "out")
    #expect(restored.status == 0, "\(restored.errors)")
    #expect(try shop.manifest().restored.map(\.key) == [key])
    #expect(try night().contains("Nothing new"))
    // What came since is missed.
    #expect(unlink("\(shop.root)/out/decisions/000004-000004.npz") == 0)
    let damaged = try shop.clean(out: "out", "--ensemble", "judges", "--keep-fraction", "0.7")
    #expect(damaged.status == 3, "\(damaged.errors)")
    #expect(damaged.errors.contains("decisions/000004-000004.npz is gone"), "\(damaged.errors)")
  }
}
