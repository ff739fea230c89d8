import Testing

@testable import Pipeline

@Suite struct NearestWordTests {
  @Test func distancesAreLevenshteins() {
    #expect(editDistance("kitten", "sitting") == 3)
    #expect(editDistance("", "abc") == 3)
    #expect(editDistance("abc", "abc") == 0)
  }

  @Test func onlyANearWordIsSuggested() {
    #expect(nearestWord(to: "epoch", among: ["epochs", "folds"]) == "epochs")
    #expect(nearestWord(to: "Maxpairs", among: ["maxPairs"]) == "maxPairs")
    #expect(nearestWord(to: "compression", among: ["level", "plain"]) == nil)
  }
}
