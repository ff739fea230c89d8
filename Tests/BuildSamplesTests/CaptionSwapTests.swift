import Foundation
import Testing

@testable import build_samples

/// 600 pairs in 6 categories; every tenth has the caption all of them share, as icon sets do.
private let pairs = (0..<600).map { number in
  SourcePair(
    source: "test", category: "category \(number % 6)", path: "\(number).png",
    image: URL(fileURLWithPath: "/nowhere"),
    caption: number % 10 == 0 ? "Part of a set" : "caption \(number)")
}

@Suite struct CaptionSwapTests {
  @Test func swapsTheShareAskedForHalfAndHalf() {
    let swapped = swappingCaptions(of: pairs, share: 0.3, seed: 1)
    #expect(swapped.count { $0.kind == .random } == 90)
    #expect(swapped.count { $0.kind == .category } == 90)
  }

  @Test func oneKindOfSwapAloneIsAsManyAsBoth() {
    for (choice, kind) in [(SwapChoice.random, SwapKind.random), (.category, .category)] {
      let swapped = swappingCaptions(of: pairs, share: 0.3, choice: choice, seed: 1)
      #expect(swapped.count { $0.kind == kind } == 180)
      #expect(swapped.count { $0.kind == .none } == 420)
    }
  }

  @Test func swappedPairsHaveAnotherCaptionAndTheOthersTheirOwn() {
    for (pair, result) in zip(pairs, swappingCaptions(of: pairs, share: 0.5, seed: 2)) {
      #expect((result.kind == .none) == (result.caption == pair.caption))
    }
  }

  @Test func captionsArePermutedNotInvented() {
    let swapped = swappingCaptions(of: pairs, share: 1, seed: 3)
    #expect(swapped.map(\.caption).sorted() == pairs.map(\.caption).sorted())
  }

  @Test func hardSwapsStayInTheirCategory() throws {
    let home = Dictionary(
      pairs.filter { $0.caption != "Part of a set" }.map { ($0.caption, $0.category) },
      uniquingKeysWith: { first, _ in first })
    var seen = 0
    for (pair, result) in zip(pairs, swappingCaptions(of: pairs, share: 0.5, seed: 4))
    where result.kind == .category && home[result.caption] != nil {
      #expect(home[result.caption] == pair.category)
      seen += 1
    }
    #expect(seen > 100)
  }

  @Test func seedDecidesAndCorpusOrderDoesNot() {
    let once = swappingCaptions(of: pairs, share: 0.3, seed: 5)
    #expect(once == swappingCaptions(of: pairs, share: 0.3, seed: 5))
    #expect(once != swappingCaptions(of: pairs, share: 0.3, seed: 6))
    let ordered = pairs.shuffledByHash(of: \.identity)
    let front = swappingCaptions(of: ordered, share: 0.3, seed: 0).prefix(300)
    #expect((60...120).contains(front.count { $0.kind != .none }))
  }

  @Test func loneMemberOfACategoryIsSwappedAtRandom() {
    let lone = (0..<20).map { number in
      SourcePair(
        source: "test", category: "\(number)", path: "\(number).png",
        image: URL(fileURLWithPath: "/nowhere"), caption: "caption \(number)")
    }
    #expect(swappingCaptions(of: lone, share: 0.5, seed: 0).count { $0.kind == .random } == 10)
  }

  @Test func equalCaptionIsNoSwap() {
    var same = Array(pairs.prefix(10))
    for index in same.indices { same[index].caption = "Part of a set" }
    #expect(swappingCaptions(of: same, share: 1, seed: 0).allSatisfy { $0.kind == .none })
    #expect(swappingCaptions(of: [], share: 1, seed: 0).isEmpty)
  }
}
