import Foundation
import Testing

@testable import build_samples

@Suite struct HarvestTests {
  private func drawing(_ title: String) -> String {
    "<svg><metadata><Work><title>\(title)</title></Work></metadata></svg>"
  }

  @Test func openClipArtPairsImagesWithDrawingsAndCountsTheRest() throws {
    let folder = try TemporaryFolder()
    try folder.write("an owl", to: "png/animals/birds/owl.png")
    try folder.write(drawing("Owl"), to: "svg/animals/birds/owl.svg")
    try folder.write("no drawing", to: "png/animals/ghost.png")
    try folder.write("no words", to: "png/food/plain.png")
    try folder.write(drawing(" "), to: "svg/food/plain.svg")
    try folder.write("not an image", to: "png/food/readme.txt")

    let harvest = harvestOpenClipArt(folder.url)
    #expect(harvest.pairs.map(\.path) == ["animals/birds/owl.png"])
    #expect(harvest.pairs.map(\.caption) == ["Owl"])
    #expect(harvest.pairs.map(\.category) == ["animals"])
    #expect(
      harvest.skipped == [
        "PNG without an SVG": 1, "SVG without title, description or keyword": 1,
      ])
  }

  @Test func drawingsOfATitleThatNamesACollectionAreLeftOut() throws {
    let folder = try TemporaryFolder()
    for (name, title) in ["a": "Icons", "b": "icons ", "c": "Icons", "d": "Owl", "e": "Owl"] {
      try folder.write("an image", to: "png/\(name).png")
      try folder.write(drawing(title), to: "svg/\(name).svg")
    }
    let harvest = harvestOpenClipArt(folder.url, maxTitleUses: 2)
    #expect(harvest.pairs.map(\.path) == ["d.png", "e.png"])
    #expect(harvest.skipped == ["title used more than 2 times": 3])
  }

  @Test func linkIsAFileOfItsOwnOnlyWithinThePackage() throws {
    let folder = try TemporaryFolder()
    try folder.write("an owl", to: "png/owl.png")
    try folder.write("a secret", to: "secret.png")
    try folder.link("png/copy.png", to: "owl.png")
    try folder.link("png/outside.png", to: "../secret.png")
    try folder.link("png/dangling.png", to: "nowhere.png")
    for name in ["owl", "copy", "outside", "dangling"] {
      try folder.write(drawing(name), to: "svg/\(name).svg")
    }

    let harvest = harvestOpenClipArt(folder.url)
    #expect(harvest.pairs.map(\.caption) == ["copy", "owl"])
    #expect(try Data(contentsOf: harvest.pairs[0].image) == Data("an owl".utf8))
    #expect(harvest.skipped.values.reduce(0, +) == 2)
  }

  @Test func everyThirdBilingualStampIsChinese() throws {
    let folder = try TemporaryFolder()
    for number in 0..<7 {
      try folder.write("stamp", to: "animals/\(number).png")
      let chinese = number == 0 ? "" : "zh_CN.utf8=第\(number)\n"
      try folder.write("number \(number)\n\(chinese)", to: "animals/\(number).txt")
    }
    try folder.write("mirrored", to: "animals/1_mirror.png")

    let harvest = harvestStamps(folder.url)
    #expect(
      harvest.pairs.map(\.caption)
        == ["number 0", "number 1", "number 2", "第3", "number 4", "number 5", "第6"])
    #expect(
      harvestStamps(folder.url, language: .chinese).pairs.map(\.caption)
        == (1..<7).map { "第\($0)" })
    #expect(
      harvestStamps(folder.url, language: .english).pairs.map(\.caption)
        == (0..<7).map { "number \($0)" })
    #expect(Set(harvest.pairs.map(\.category)) == ["stamps/animals"])
    #expect(harvest.skipped.values.reduce(0, +) == 1)
  }
}
