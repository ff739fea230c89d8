import Foundation
import Shards
import Testing

@testable import Pipeline

/// A first night whose pairs no noise model can be fitted on.
@Suite struct FirstNightTests {
  @Test(arguments: [
    (60, "", "the noise model needs 100 scored pairs and has 60"),
    (120, "a picture", "the captions of all pairs fall into part "),
  ])
  func itsPairsAreJudgedTogetherWithTomorrows(
    pairs: Int, caption: String, problem: String
  ) throws {
    let shop = try Workshop()
    try shop.writeJudges()
    #expect(mkdir("\(shop.root)/in", 0o755) == 0)
    var members = (0..<pairs).flatMap { TinyCorpus.sample($0) }
    for i in members.indices where !caption.isEmpty && members[i].path.hasSuffix(".txt") {
      members[i].bytes = Array(caption.utf8)
    }
    try TinyCorpus.write(members, to: "\(shop.root)/in/first.tar")
    let early = try shop.clean(out: "out", "--ensemble", "judges")
    #expect(early.status == 1, "\(early.errors)")
    #expect(early.errors.contains(problem), "\(early.errors)")
    #expect(!shop.exists("out/.winnow/increments/*"))
    try shop.add(200..<320, "second")
    for out in ["out", "fresh"] {
      let night = try shop.clean(out: out, "--ensemble", "judges")
      #expect(night.status == 0, "\(night.errors)")
      #expect(try shop.manifest(out).increments.map(\.pairs) == [pairs + 120])
    }
    #expect(differences(try shop.tree("fresh"), try shop.tree("out")) == [])
  }
}
