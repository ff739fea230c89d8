import Foundation
import Shards
import Testing

@testable import Pipeline

@Suite struct RejectionNoteTests {
  private func members(_ key: String, _ suffixes: [String], reason: String) throws -> [Member] {
    let members = suffixes.map { Member(name: Array("\(key).\($0)".utf8), bytes: [1]) }
    return try rejectedMembers(
      of: Sample(key: Array(key.utf8), members: members),
      note: RejectionNote(reason: reason, detail: "", shard: "a"), shard: 3, ordinal: 12)
  }

  private func names(_ members: [Member]) -> [String] {
    members.map { String(decoding: $0.name, as: UTF8.self) }
  }

  @Test func theNoteIsOneMoreMemberOfTheSample() throws {
    let members = try members("a/b", ["png", "txt"], reason: "mismatch")
    #expect(names(members) == ["a/b.png", "a/b.txt", "a/b.winnow.json"])
    let note = try #require(
      try JSONSerialization.jsonObject(with: Data(members[2].bytes)) as? [String: Any])
    #expect(note["reason"] as? String == "mismatch")
    #expect(note["format_version"] as? Int == 3)
    #expect(note["scores"] == nil)
  }

  @Test func anInputMemberOfThatNameIsOrdinaryData() throws {
    let members = try members("a", ["png", "winnow.json"], reason: "mismatch")
    #expect(names(members) == ["a.png", "a.winnow.json", "a.winnow.2.json"])
  }

  @Test func unsafeNamesAreReplacedAndRemembered() throws {
    let members = try members("../a", ["png", "txt"], reason: Reason.unsafeName)
    let key = "unsafe-000003-000012"
    #expect(names(members) == ["\(key).png", "\(key).txt", "\(key).winnow.json"])
    let note = String(decoding: members[2].bytes, as: UTF8.self)
    #expect(note.contains("\"original_names\":[\"../a.png\",\"../a.txt\"]"))
  }
}
