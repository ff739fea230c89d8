import Encoders
import Testing

@testable import Pipeline

@Suite struct TrainingKeyTests {
  @Test func aTrainingIsAnotherOneOnceAFileOfItsVocabularyChanges() throws {
    let folder = try TemporaryFolder()
    try folder.write("vocab.json", "{}")
    try folder.write("merges.txt", "#version: 0.2\n")
    try folder.write("notes.txt", "a")
    let run = try RunContext(
      configuration: RunConfiguration(), directory: RunDirectory(folder.path("out")))
    let member = MemberConfiguration(
      name: "a",
      text: TextConfiguration(
        kind: .transformer, tokens: .bytePairs, vocabulary: folder.path(".")))
    func key(_ members: [MemberConfiguration]) throws -> String {
      try Digest.ofTraining([.judges], inputs: ["shard"], members: members, in: run)
    }
    let words = try key([MemberConfiguration(name: "a")])
    let first = try key([member])
    #expect(first != words)
    try folder.write("notes.txt", "b")
    #expect(try key([member]) == first, "no file of a tokenizer")
    try folder.write("merges.txt", "#version: 0.2\na b\n")
    #expect(try key([member]) != first)
    #expect(try key([MemberConfiguration(name: "a")]) == words)
  }
}
