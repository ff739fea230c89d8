import Foundation
import Testing

@testable import Text

@Suite struct BytePairTrainerTests {
  private let captions = (0..<200).flatMap { index in
    ["a photo of the cat", "the cats sat \(index % 7)", "红苹果", "naïve café", "low lower lowest 🐱"]
  }

  private func learn(_ texts: [String], size: Int, distinctWords: Int = 1 << 20) throws
    -> BytePairTokenizer
  {
    var trainer = BytePairTrainer(distinctWords: distinctWords)
    for text in texts { trainer.add(text) }
    return try trainer.tokenizer(vocabularySize: size)
  }

  @Test func frequentWordsBecomeTokens() throws {
    let tokenizer = try learn(captions, size: 600)
    #expect(tokenizer.vocabularySize <= 600)
    for word in ["the", "cat", "红苹果", "café", "lower"] {
      #expect(tokenizer.encode(word, limit: 77).count == 3, "\(word)")
    }
    #expect(tokenizer.encode("unseen 文字", limit: 77).count > 4)
  }

  @Test func theMostFrequentPairIsMergedFirst() throws {
    let tokenizer = try learn(["hug hug hug hugs", "pug pun pun", "bun bun bun"], size: 518)
    // u,n</w> 5 times; then h,u and u,g</w> 4 times, of which h comes first; then b,un</w> and hu,g</w> 3 times.
    let merges = tokenizer.vocabulary.mergedPairs.map {
      String(decoding: $0.left, as: UTF8.self) + " " + String(decoding: $0.right, as: UTF8.self)
    }
    #expect(merges == ["u n</w>", "h u", "b un</w>"])
  }

  @Test func theMaskIsATokenThatNoTextContains() throws {
    let tokenizer = try learn(captions, size: 600)
    let mask = try #require(tokenizer.maskID)
    #expect(
      Int(mask) < tokenizer.vocabularySize && mask != tokenizer.startID && mask != tokenizer.endID)
    #expect(!tokenizer.encode("<|mask|> <|MASK|>", limit: 77).contains(mask))
    #expect(tokenizer.padID == tokenizer.endID)
  }

  @Test func theFilesGiveTheTokenizerBack() throws {
    let tokenizer = try learn(captions, size: 600)
    let files = tokenizer.files()
    let again = try BytePairTokenizer(vocabulary: files.vocabulary, merges: files.merges)
    let decoded = try JSONDecoder().decode(
      BytePairTokenizer.self, from: try JSONEncoder().encode(tokenizer))
    for text in try captions + TokenizerGoldens.read().texts {
      let ids = tokenizer.encode(text, limit: 200)
      #expect(again.encode(text, limit: 200) == ids)
      #expect(decoded.encode(text, limit: 200) == ids)
    }
    #expect(again.maskID == tokenizer.maskID && again.vocabularySize == tokenizer.vocabularySize)
    #expect(again.files() == files)
  }

  @Test func theSameTextsGiveTheSameFiles() throws {
    let files = try learn(captions, size: 640).files()
    for _ in 0..<3 { #expect(try learn(captions, size: 640).files() == files) }
  }

  /// Counts every pair anew before each merge.
  private func slowMerges(_ texts: [String], count: Int) -> [[Int32]] {
    var counts = WordCounts(limit: 1 << 20)
    for text in texts { BytePairTokenizer.words(of: text) { counts.add($0) } }
    let symbols = Dictionary(
      uniqueKeysWithValues: ByteAlphabet.vocabularyOrder.enumerated().map { ($1, Int32($0)) })
    var words = counts.words.map { word in
      var symbols = word.bytes.compactMap { symbols[$0] }
      symbols[symbols.count - 1] += 256
      return (symbols, word.count)
    }
    return (0..<count).map { merge in
      var pairs: [[Int32]: Int] = [:]
      for (word, weight) in words {
        for (left, right) in zip(word, word.dropFirst()) {
          pairs[[left, right], default: 0] += weight
        }
      }
      let best = pairs.min { ($1.value, $0.key[0], $0.key[1]) < ($0.value, $1.key[0], $1.key[1]) }
      let pair = best?.key ?? [-1, -1]
      for index in words.indices {
        var merged: [Int32] = []
        var rest = words[index].0[...]
        while let first = rest.popFirst() {
          if first == pair[0], rest.first == pair[1] {
            rest.removeFirst()
            merged.append(Int32(512 + merge))
          } else {
            merged.append(first)
          }
        }
        words[index].0 = merged
      }
      return pair
    }
  }

  @Test func incrementalCountsMatchCountingAnew() throws {
    let texts = captions + ["aaaa aaa aaaaaaa abababab bababa", "aaaa abab ba aab"]
    let slow = slowMerges(texts, count: 40)
    var counts = WordCounts(limit: 1 << 20)
    for text in texts { BytePairTokenizer.words(of: text) { counts.add($0) } }
    var fast = try PairCounts(words: counts.words)
    for (merge, pair) in slow.enumerated() {
      let found = fast.mostFrequent()
      let (left, right) = try #require(found)
      #expect([left, right] == pair, "merge \(merge)")
      fast.merge(left, right, into: Int32(512 + merge))
    }
  }

  @Test func rareWordsAreForgottenBeyondTheCap() throws {
    var counts = WordCounts(limit: 100)
    for index in 0..<10_000 {
      counts.add(Array("the".utf8).span)
      counts.add(Array("w\(index)".utf8).span)
    }
    #expect(counts.words.count <= 100)
    #expect(counts.words.first?.bytes == Array("the".utf8) && counts.words.first?.count == 10_000)
  }

  @Test func wordsAsLongAsWordsMayBeAreForgottenBeforeTheyFillTheMemory() throws {
    var counts = WordCounts(limit: 1 << 20, byteLimit: 10_000)
    for index in 0..<10_000 {
      counts.add(Array("the".utf8).span)
      counts.add(Array((String(repeating: "w", count: 200) + "\(index)").utf8).span)
    }
    #expect(counts.words.reduce(0) { $0 + $1.bytes.count } < 10_300)
    #expect(counts.words.count > 20)
    #expect(counts.words.first?.bytes == Array("the".utf8) && counts.words.first?.count == 10_000)
  }

  @Test func noTextsGiveABytesOnlyVocabulary() throws {
    let tokenizer = try learn([], size: 8_192)
    #expect(tokenizer.vocabularySize == BytePairTrainer.smallestVocabulary)
    #expect(tokenizer.encode("ab", limit: 9).count == 4)
  }
}
