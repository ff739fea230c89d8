import Shards
import Testing

@testable import Pipeline

@Suite struct PairReaderTests {
  private func outcome(
    _ files: [(String, String)], _ configuration: ReadConfiguration = ReadConfiguration()
  ) throws -> String {
    let folder = try TemporaryFolder()
    let writer = try ShardWriter(path: folder.path("a.tar"), compression: .none)
    for (name, content) in files {
      try writer.append(Member(name: Array(name.utf8), bytes: Array(content.utf8)))
    }
    try writer.finish()
    let reader = PairReader(path: folder.path("a.tar"), configuration: configuration)
    let record = try #require(reader.next())
    switch record.outcome {
    case .pair(let image, let caption, _):
      return "\(String(decoding: image, as: UTF8.self))+\(caption)"
    case .rejected(let reason, _), .unreadable(let reason, _): return reason
    }
  }

  @Test func suffixesAreTriedInTheirOrderWhateverTheirCase() throws {
    #expect(try outcome([("a.PNG", "p"), ("a.JPG", "j"), ("a.txt", "cat")]) == "j+cat")
    // open_clip's order: jpg, png, jpeg, webp.
    #expect(try outcome([("a.jpeg", "j"), ("a.png", "p"), ("a.txt", "cat")]) == "p+cat")
    #expect(try outcome([("a.webp", "w"), ("a.jpeg", "j"), ("a.txt", "cat")]) == "j+cat")
  }

  @Test func theCaptionMaySitInTheJSON() throws {
    var configuration = ReadConfiguration()
    configuration.jsonCaption = "caption"
    let json = ("a.json", "{\"caption\": \"dog\"}")
    #expect(try outcome([("a.png", "p"), json], configuration) == "p+dog")
    #expect(try outcome([("a.png", "p"), json, ("a.txt", "cat")], configuration) == "p+dog")
    #expect(try outcome([("a.png", "p"), json]) == "missing-text")
    #expect(
      try outcome([("a.png", "p"), ("a.json", "{"), ("a.txt", "cat")], configuration)
        == "bad-json")
    #expect(
      try outcome([("a.png", "p"), ("a.json", "{}"), ("a.txt", "cat")], configuration)
        == "p+cat")
  }

  @Test func aLoneSurrogateIsNoText() throws {
    var configuration = ReadConfiguration()
    configuration.jsonCaption = "caption"
    for escape in [#"\ud800"#, #"\udc00 a"#, #"\ud800\ud800"#] {
      let json = ("a.json", "{\"caption\": \"a dog \(escape)\"}")
      #expect(try outcome([("a.png", "p"), json, ("a.txt", "cat")], configuration) == "bad-json")
    }
    let pair = ("a.json", #"{"caption": "a \ud83d\udc15"}"#)
    #expect(try outcome([("a.png", "p"), pair], configuration) == "p+a \u{1F415}")
  }

  /// What Python's json writes of a score that is no number.
  @Test(arguments: [
    (#"{"score": NaN, "a": [Infinity, -Infinity], "caption": "dog"}"#, "p+dog"),
    (#"{"caption":"NaN, Infinity and -Infinity","score":NaN}"#, "p+NaN, Infinity and -Infinity"),
    (#"{"score":-Infinity,"caption":"\"NaN\" \\","b":NaN}"#, #"p+"NaN" \"#),
    // No text; the sample's txt has one.
    (#"{"caption": NaN}"#, "p+cat"),
    // Python reads none of these either.
    (#"{"caption": "dog", "score": nan}"#, "bad-json"),
    (#"{"caption": "dog", "score": NaNs}"#, "bad-json"),
    (#"{"caption": "dog", "score": --Infinity}"#, "bad-json"),
    (#"{"caption": "dog", NaN: 1}"#, "bad-json"), (#"{"caption": "dog", "score": NaN"#, "bad-json"),
    ("NaN", "bad-json"), ("[NaN]", "bad-json"),
  ])
  func numbersOfPythonsJSONCostNoCaption(json: String, expected: String) throws {
    var configuration = ReadConfiguration()
    configuration.jsonCaption = "caption"
    let files = [("a.png", "p"), ("a.json", json), ("a.txt", "cat")]
    #expect(try outcome(files, configuration) == expected)
  }

  @Test(arguments: [
    (#"{"a":NaN,"b":[-Infinity,Infinity]}"#, #"{"a":null,"b":[null,null]}"#),
    (#"{"NaN":"-Infinity \" NaN","b":"\\"}"#, #"{"NaN":"-Infinity \" NaN","b":"\\"}"#),
    (#"["\\",NaN,"NaN"]"#, #"["\\",null,"NaN"]"#), (#""NaN"#, #""NaN"#), ("Na", "Na"), ("", ""),
  ])
  func pythonsNumbersAreReplacedOutsideOfStrings(json: String, expected: String) {
    let bytes = withoutPythonNumbers(Array(json.utf8))
    #expect(String(decoding: bytes, as: UTF8.self) == expected)
  }

  /// A dictionary would sort its accents for minutes.
  @Test func aJSONWhoseKeyIsLongIsNotParsed() throws {
    var configuration = ReadConfiguration()
    configuration.jsonCaption = "caption"
    let key =
      String(repeating: "\u{301}", count: 100_000) + String(repeating: "\u{323}", count: 100_000)
    for (json, expected) in [
      (#"{"\#(key)" : 1, "caption": "dog"}"#, "bad-json"),
      (#"{"a\"\#(key)":1}"#, "bad-json"),
      (#"{"caption": "dog", "other": "\#(key)", "a": ["\#(key)"]}"#, "p+dog"),
    ] {
      #expect(try outcome([("a.png", "p"), ("a.json", json)], configuration) == expected)
    }
    let wide = #"{"\#(key)":1}"#.unicodeScalars.map { "\0\($0)" }.joined()
    #expect(try outcome([("a.png", "p"), ("a.json", wide)], configuration) == "bad-json")
  }

  @Test func aJSONOfMoreThanAMebibyteIsNotParsed() throws {
    var configuration = ReadConfiguration()
    configuration.jsonCaption = "caption"
    let start = "{\"caption\": \"dog\"}"
    for (count, expected) in [(1 << 20, "p+dog"), ((1 << 20) + 1, "bad-json")] {
      let json = start + String(repeating: " ", count: count - start.utf8.count)
      #expect(try outcome([("a.png", "p"), ("a.json", json)], configuration) == expected)
    }
  }

  @Test func anOversizedMemberRejectsTheSampleAndAnUnsafeNameGoesBeforeIt() throws {
    var configuration = ReadConfiguration()
    configuration.maxMemberBytes = 3
    for (folder, reason) in [("", Reason.tooLarge), ("../", Reason.unsafeName)] {
      let files = [("\(folder)a.png", "pppp"), ("\(folder)a.txt", "cat")]
      #expect(try outcome(files, configuration) == reason)
      #expect(!Reason.unreadable.contains(reason))
    }
  }

  @Test(arguments: [
    ("/etc/x.png", false), ("../x.png", false), ("a/../x.png", false), ("a/..", false),
    ("a/..b/x.png", true), ("./x.png", true), ("a...b.png", true),
  ])
  func namesThatLeaveTheFolderAreTold(name: String, safe: Bool) {
    #expect(isSafe(Array(name.utf8)) == safe)
  }
}
