import Testing

@testable import Text

@Suite struct HashedTokenizerTests {
  private let tokenizer = HashedTokenizer(buckets: 4096, maxTokens: 32)

  private func texts(_ caption: String) -> [String] { words(of: caption).map(\.text) }

  @Test func wordsAreCaseFoldedRunsOfLettersAndDigits() {
    #expect(texts("The Orca, swimming (1998)!") == ["the", "orca", "swimming", "1998"])
  }

  @Test func compatibilityFormsAreComposed() {
    #expect(texts("ｆｕｌｌ") == ["full"])
    #expect(texts("cafe\u{301}") == texts("café"))
  }

  @Test func ideographsGiveThemselvesAndTheirPairs() {
    #expect(texts("红苹果 x") == ["红", "苹", "红苹", "果", "苹果", "x"])
  }

  @Test func unspacedScriptsAndEmojiAreCutByCharacter() {
    #expect(texts("ねこ") == ["ね", "こ", "ねこ"])
    #expect(texts("a🐱b") == ["a", "🐱", "b"])
  }

  @Test func hangulAndArabicKeepTheirWords() {
    #expect(texts("사과 나무") == ["사과", "나무"])
    #expect(texts("قطة سوداء") == ["قطة", "سوداء"])
  }

  @Test func aTokenHoldsItsWordAndItsCharacterGrams() {
    let tokens = tokenizer.tokens(of: "orca")
    #expect(tokens.count == 1)
    // <orca> has 6 characters: 4 trigrams, 3 of four, 2 of five, and the word itself.
    #expect(tokens.token(0).count == 1 + 4 + 3 + 2)
    let plural = Set(tokenizer.tokens(of: "orcas").ids)
    #expect(!plural.isDisjoint(with: tokens.ids), "related words share grams")
  }

  @Test func idsAreStableAndInRange() {
    let tokens = tokenizer.tokens(of: "Orca 红苹果 🐱")
    #expect(tokens == tokenizer.tokens(of: "orca 红苹果 🐱"))
    #expect(tokens.ids.allSatisfy { (0..<4096).contains($0) })
    #expect(tokens.ids.first == 2286, "the hash decides what trained weights mean: never change it")
  }

  @Test func captionsAreCutAtTheTokenLimit() {
    let long = Array(repeating: "word", count: 100).joined(separator: " ")
    #expect(tokenizer.tokens(of: long).count == 32)
  }

  @Test(arguments: ["", "  ", "!?", "\u{0}\u{7}", "\u{202E}"])
  func captionsWithoutWordsShareATokenOfTheirOwn(caption: String) {
    #expect(tokenizer.tokens(of: caption).count == 1)
    #expect(tokenizer.tokens(of: caption) == tokenizer.tokens(of: ""))
    #expect(tokenizer.tokens(of: caption).ids != tokenizer.tokens(of: "a").ids)
  }

  @Test func ofAnEndlessCaptionOnlyTheBeginningIsRead() {
    // The boundary falls inside the three bytes of an ideograph.
    let many = HashedTokenizer(buckets: 4096, maxTokens: 1 << 20)
    for (unit, kept) in [("word ", 16_384 / 5 + 1), ("a", 1), ("\u{82f9}", 2 * (16_384 / 3) - 1)] {
      let endless = String(repeating: unit, count: (16 << 20) / unit.utf8.count)
      let beginning = String(decoding: Array(endless.utf8.prefix(16_384 + 2)), as: UTF8.self)
      #expect(many.tokens(of: endless) == many.tokens(of: beginning))
      #expect(many.tokens(of: endless).count == kept)
      #expect(tokenizer.tokens(of: endless).count == min(32, kept))
    }
  }

  @Test func anEndlessWordHasTheGramsOfItsBeginning() {
    let word = String(repeating: "ab", count: 40)
    let tokens = tokenizer.tokens(of: word)
    // 64 scalars with the mark before them: 62 trigrams, 61 of four, 60 of five, and the word itself.
    #expect(tokens.count == 1 && tokens.ids.count == 1 + 62 + 61 + 60)
    #expect(tokens.ids.dropFirst() == tokenizer.tokens(of: word + "c").ids.dropFirst())
    #expect(
      tokens.ids.first != tokenizer.tokens(of: word + "c").ids.first, "the word is read whole")
  }
}
