import Testing

@testable import Shards

@Suite struct BracePatternTests {
  /// The right-hand sides are what bash prints.
  @Test(arguments: [
    ("{000..003}.tar", "000.tar 001.tar 002.tar 003.tar"),
    ("{8..11}", "8 9 10 11"),
    ("{08..11}", "08 09 10 11"),
    ("{3..1}", "3 2 1"),
    ("{0..10..5}", "0 5 10"),
    ("{0..9..4}", "0 4 8"),
    ("{9..0..-4}", "9 5 1"),
    ("{-01..1}", "-01 000 001"),
    ("{a..c}x", "ax bx cx"),
    ("{c..a..2}", "c a"),
    ("{a,b}{1,2}", "a1 a2 b1 b2"),
    ("{a,b{1..2},c}", "a b1 b2 c"),
    ("x{,.bak}", "x x.bak"),
    ("{a}", "{a}"),
    ("{{1,2}}", "{1} {2}"),
    ("{1..}", "{1..}"),
    ("\u{e9}{1,2}", "\u{e9}1 \u{e9}2"),
    ("plain.tar", "plain.tar"),
  ])
  func expandsAsBashDoes(pattern: String, expected: String) throws {
    #expect(try BracePattern.expand(pattern) == expected.split(separator: " ").map(String.init))
  }

  @Test(arguments: ["a{", "a}", "{1..3", "{a,b}}", "}{"])
  func aBraceWithoutItsPartnerIsAnError(pattern: String) {
    #expect(throws: ShardListError.unbalancedBrace(pattern: pattern)) {
      try BracePattern.expand(pattern)
    }
  }

  @Test(arguments: [
    "{0..10000000}", "{0..99999}{0..99999}", "{-9223372036854775807..9223372036854775807}",
    "{1..9}{1..9999}{1..9999}", "{0..9999999}{0..9999999}{0..9999999}", "{0..9223372036854775807}",
    "{{0..9999999},{0..9999999}}",
  ])
  func aPatternBeyondAllReasonIsAnError(pattern: String) {
    #expect(throws: ShardListError.tooManyPaths(pattern: pattern, limit: BracePattern.limit)) {
      try BracePattern.expand(pattern)
    }
  }

  /// One line of a list may have 64 KB.
  @Test func pathsOfGigabytesAreAnErrorHoweverFewTheyAre() {
    for pattern in [
      String(repeating: "x", count: 60_000) + "{0..99999}",
      "{\(String(repeating: "0", count: 60_000))..9999}",
    ] {
      #expect(throws: ShardListError.self) { try BracePattern.expand(pattern) }
    }
  }

  @Test func aPatternOfManyGroupsIsAnErrorHoweverTheyStand() throws {
    for pattern in [
      String(repeating: "{", count: 100_000) + String(repeating: "}", count: 100_000),
      String(repeating: "{a}", count: 100_000),
    ] {
      #expect(throws: ShardListError.tooManyBraces(pattern: pattern, limit: 100)) {
        try BracePattern.expand(pattern)
      }
    }
    let deepest = String(repeating: "{", count: 100) + String(repeating: "}", count: 100)
    #expect(try BracePattern.expand(deepest) == [deepest])
  }
}
