import Foundation
import Testing

@testable import Encoders

@Suite struct MemberFolderTests {
  @Test func aModelComesBackFromItsFolderWithTheSameEmbeddings() throws {
    let folder = NSTemporaryDirectory() + "winnow-member-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let encoder = DualEncoder(EncoderGradientTests.tiny(.transformer), seed: 4)
    try MemberFolder.write(encoder, tokenizer: [:], trainedOn: "shards", to: folder)
    let model = try PretrainedModel(folder: folder)
    #expect(model.files.sorted() == ["member.json", "model.safetensors"])
    #expect(model.configuration.text == encoder.configuration.text)
    #expect(model.trainedOn == "shards")
    let captions = ["a red fish", "鳥", ""]
    #expect(
      PairEncoder(model.encoder.encoder).texts(captions) == PairEncoder(encoder).texts(captions))

    let document = "\(folder)/member.json"
    let text = try String(contentsOfFile: document, encoding: .utf8)
    try text.replacingOccurrences(of: "\"format_version\" : 1", with: "\"format_version\" : 9")
      .write(toFile: document, atomically: true, encoding: .utf8)
    #expect(throws: PretrainedError.self) { try PretrainedModel(folder: folder) }
  }

  /// A dictionary would sort the accents of the key, which takes the square of their number.
  @Test func aKeyWithoutEndIsRefusedBeforeItIsParsed() throws {
    let folder = NSTemporaryDirectory() + "winnow-member-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let encoder = DualEncoder(EncoderGradientTests.tiny(.transformer), seed: 4)
    try MemberFolder.write(encoder, tokenizer: [:], to: folder)
    let document = "\(folder)/member.json"
    let text = try String(contentsOfFile: document, encoding: .utf8)
    let key = String(repeating: "\u{301}", count: 9000) + String(repeating: "\u{323}", count: 9000)
    try "{\"\(key)\" : 1,\(text.dropFirst())"
      .write(toFile: document, atomically: true, encoding: .utf8)
    let reason = "it has a name of more than 1024 bytes"
    let error = #expect(throws: PretrainedError.unreadable(file: document, reason: reason)) {
      try PretrainedModel(folder: folder)
    }
    #expect("\(try #require(error))".contains(document))
  }

  @Test func aMemberSeesNoLargerImagesThanAThumbnailMayBe() throws {
    var member = MemberConfiguration(name: "a")
    member.image.side = 2048
    try member.check()
    member.image.side = 2064
    let error = #expect(throws: MemberConfigurationError.self) { try member.check() }
    #expect(error?.description == "member 'a': image.side must lie in 1 ... 2048")
  }
}
