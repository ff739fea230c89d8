import Foundation
import Shards
import Testing

@testable import Pipeline

@Suite struct RejectedSampleTests {
  /// The members of a rejected sample as they are written.
  private func members(
    _ key: String, _ suffixes: [String], reason: String, asBlocks: Bool = false
  ) throws -> [Member] {
    let members = suffixes.map { Member(name: Array("\(key).\($0)".utf8), bytes: [1]) }
    let folder = try TemporaryFolder()
    let writer = try ShardWriter(path: folder.path("a.tar"), compression: .none)
    var neighbours = NeighbouringKeys()
    let replacement = neighbours.add(Array(key.utf8), reason: reason, 3, 12)
    let rejected = RejectedSample(
      note: RejectionNote(reason: reason, detail: "", shard: "a"), replacement: replacement,
      to: writer, cancellation: Cancellation())
    if asBlocks {
      for member in members {
        try rejected.begin(name: member.name, size: Int64(member.bytes.count))
        try member.bytes.withUnsafeBytes { try rejected.write($0) }
        try rejected.end()
      }
    } else {
      try rejected.append(Sample(key: Array(key.utf8), members: members))
    }
    try rejected.finish(key: Array(key.utf8))
    try writer.finish()
    guard case .sample(let sample)? = ShardReader(path: folder.path("a.tar")).next() else {
      return []
    }
    return sample.members
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

  /// webdataset fails on two equal ones.
  @Test func aSuffixThatIsReplacedIsNoOtherMembersOwn() throws {
    let key = "unsafe-000003-000012"
    for (suffixes, written) in [
      (["1", "__key__"], ["1", "1-"]), (["__key__", "0"], ["0", "0-"]), (["__url__"], ["0"]),
    ] {
      let members = try members("a", suffixes, reason: Reason.unsafeName)
      #expect(names(members) == (written + ["winnow.json"]).map { "\(key).\($0)" })
    }
    let large = try members("a", ["png", "__bad__", "1"], reason: Reason.tooLarge)
    #expect(names(large) == ["a.png", "a.1", "a.1-", "a.winnow.json"])
    let note = String(decoding: large[3].bytes, as: UTF8.self)
    #expect(note.contains("\"original_names\":[\"a.__bad__\",\"a.1\"]"))
  }

  @Test func unsafeNamesAreReplacedAndRemembered() throws {
    let members = try members("../a", ["png", "txt"], reason: Reason.unsafeName)
    let key = "unsafe-000003-000012"
    #expect(names(members) == ["\(key).png", "\(key).txt", "\(key).winnow.json"])
    let note = String(decoding: members[2].bytes, as: UTF8.self)
    #expect(note.contains("\"original_names\":[\"../a.png\",\"../a.txt\"]"))
  }

  @Test(arguments: ["mismatch", Reason.unsafeName])
  func whatIsCopiedInBlocksIsWrittenAsWhatIsHeld(reason: String) throws {
    let suffixes = ["png", "winnow.json", "winnow.2.json"]
    let key = reason == Reason.unsafeName ? "../a" : "a"
    let held = try members(key, suffixes, reason: reason)
    #expect(held.count == 4)
    #expect(names(held)[3].hasSuffix(".winnow.3.json"))
    #expect(try members(key, suffixes, reason: reason, asBlocks: true) == held)
  }
}
