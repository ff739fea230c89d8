import Testing

@testable import Shards

@Suite struct SampleKeyTests {
  @Test(arguments: [
    ("a/b.c/000.seg.png", "a/b.c/000", "seg.png"),
    ("./000.jpg", "./000", "jpg"),
    ("000.JPG", "000", "JPG"),
    ("000.", "000", ""),
    ("/abs/../x.tar.gz", "/abs/../x", "tar.gz"),
    ("a/__x.txt", "a/__x", "txt"),
    ("__x.txt", "__x", "txt"),
    ("a/__meta__/x.txt", "a/__meta__/x", "txt"),
    ("_.txt", "_", "txt"),
  ])
  func firstDotOfTheBaseNameSplits(name: String, key: String, suffix: String) throws {
    let split = try #require(sampleKey(ofMember: Array(name.utf8)))
    #expect(split.key == Array(key.utf8))
    #expect(split.suffix == Array(suffix.utf8))
  }

  @Test(arguments: [
    "", "noext", ".hidden", "a/.hidden", "a.b/noext", "._000.jpg", "a/._000.jpg", "a/b/",
    "__meta__", "__meta__/x.txt", "__a.b__", "____/x.txt",
  ])
  func namesOfNoSample(name: String) {
    #expect(sampleKey(ofMember: Array(name.utf8)) == nil)
  }

  @Test func bytesThatAreNotUTF8StayAsTheyAre() throws {
    let split = try #require(sampleKey(ofMember: [0xff, 0x2f, 0xfe, 0x2e, 0x80]))
    #expect(split.key == [0xff, 0x2f, 0xfe])
    #expect(split.suffix == [0x80])
  }

  @Test func membersAreFoundInTheOrderOfTheSuffixesWhateverTheirCase() {
    let png = member("000.PNG", "p")
    let jpeg = member("000.Jpeg", "j")
    let segment = member("000.seg.jpg", "s")
    let sample = Sample(key: Array("000".utf8), members: [segment, png, jpeg])
    #expect(sample.member(suffixes: ["jpg", "jpeg", "png"]) == jpeg)
    #expect(sample.member(suffixes: ["png", "jpeg"]) == png)
    #expect(sample.member(suffixes: ["seg.jpg"]) == segment)
    #expect(sample.member(suffixes: ["txt"]) == nil)
  }

  @Test func suffixesThatWebdatasetKeepsForItselfAreTold() {
    for suffix in ["__key__", "__url__", "__bad__", "__LOCAL_path__", "____"] {
      #expect(isReserved(suffix: Array(suffix.utf8)), "\(suffix)")
    }
    for suffix in ["jpg", "__jpg", "jpg__", "__", "___", "_a_", ""] {
      #expect(!isReserved(suffix: Array(suffix.utf8)), "\(suffix)")
    }
  }
}
