import Foundation
import Testing

@testable import Shards

@Suite struct ShardListTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// Expands arguments below the scratch folder and gives what is below it.
  func expand(_ arguments: [String], input: [UInt8]? = nil) throws -> [String] {
    var rest = input?[...]
    let list = try ShardList(arguments) {
      #expect(rest != nil, "standard input was read")
      // In pieces that end anywhere.
      defer { rest = rest?.dropFirst(7) }
      return Data(rest?.prefix(7) ?? [])
    }
    return list.shards.map { $0.path.replacingOccurrences(of: scratch.path + "/", with: "") }
  }

  func touch(_ names: String...) throws { for name in names { try scratch.write([], to: name) } }

  @Test(arguments: [
    ("/data/00007.tar.gz", "00007"), ("00007.tar", "00007"), ("a.b/c.d.tar.zst", "c.d"),
    ("/in/\u{301}x.tar", "\u{301}x"), ("y\u{600}.tar", "y\u{600}"), ("in/\u{200D}.tar", "\u{200D}"),
    ("x.tgz", "x"), ("x.tar.bz2", "x"), ("x.tar.xz", "x"), ("x.bin", "x.bin"), ("d/.tar", ".tar"),
  ])
  func aShardIsCalledByItsBaseName(path: String, name: String) {
    #expect(ShardPath(path: path).name == name)
  }

  @Test func aFolderIsWalkedInTheOrderOfTheBytesOfThePaths() throws {
    try touch(
      "b.tar", "a/2.tar.gz", "a/10.tgz", "a-b/1.tar.zst", "B.tar.bz2", "a/deep/er/x.tar.xz",
      "a/notes.txt", ".hidden.tar", ".hidden/1.tar", "a/tar", "a/.tar", "a/x.tar.zst.tmp")
    let links = FileManager.default
    try links.createSymbolicLink(atPath: scratch.file("link.tar"), withDestinationPath: "b.tar")
    try links.createSymbolicLink(atPath: scratch.file("round"), withDestinationPath: ".")
    let expected = [
      "B.tar.bz2", "a-b/1.tar.zst", "a/10.tgz", "a/2.tar.gz", "a/deep/er/x.tar.xz", "b.tar",
    ]
    #expect(try expand([scratch.path]) == expected)
    #expect(try expand([scratch.path + "/"]) == expected)
  }

  @Test func aFolderWithoutShardsIsAnErrorThatSaysWhatWasLookedFor() throws {
    try touch("d/notes.txt")
    let error = #expect(throws: ShardListError.emptyFolder(path: scratch.file("d"))) {
      try expand([scratch.file("d")])
    }
    let text = try #require(error.map { "\($0)" })
    #expect(text.contains(scratch.file("d")))
    #expect(text.contains("*.tar *.tar.gz *.tgz *.tar.zst *.tar.bz2 *.tar.xz"))
  }

  @Test func argumentsKeepTheirOrderAndJoinsAndPatternsOpen() throws {
    try touch("0.tar", "1.tar", "2.tar", "z.bin", "d/x.tar")
    let root = scratch.path
    #expect(
      try expand(["\(root)/z.bin::\(root)/{2..1}.tar", root + "/d", root + "/0.tar"])
        == ["z.bin", "2.tar", "1.tar", "d/x.tar", "0.tar"])
  }

  @Test func aPathThatExistsIsTakenAsItStands() throws {
    try touch("{0..1}.tar", "a::b.tar", "open{.tar")
    let names = ["{0..1}.tar", "a::b.tar", "open{.tar"]
    #expect(try expand(names.map(scratch.file)) == names)
  }

  @Test func aMissingPathIsAnErrorThatNamesIt() throws {
    try touch("0.tar")
    #expect(throws: ShardListError.missing(path: scratch.file("1.tar"))) {
      try expand([scratch.file("{0..2}.tar")])
    }
  }

  @Test func aPathListedTwiceIsAnErrorThatNamesIt() throws {
    try touch("d/0.tar")
    let again = scratch.file(".//d/./0.tar")
    #expect(throws: ShardListError.duplicate(path: again)) {
      try expand([scratch.file("d"), again])
    }
  }

  @Test func aPathIsTheSameShardRelativeOrAbsolute() throws {
    let here = FileManager.default.currentDirectoryPath
    let root = String(repeating: "../", count: 60)
    for again in [
      "\(here)/missing/0.tar", "missing/x/../0.tar", "./x/../missing//0.tar",
      "\(root)\(here)/missing/0.tar",
    ] {
      #expect(throws: ShardListError.line(2, .duplicate(path: again))) {
        try expand(["-"], input: Array("missing/0.tar\n\(again)\n".utf8))
      }
    }
    let others = ["missing/0.tar", "/missing/0.tar", "missing/..0.tar", "missing/.../0.tar"]
    #expect(try expand(["-"], input: Array(others.joined(separator: "\n").utf8)) == others)
  }

  @Test(arguments: [
    ("a", "/x/y/a"), ("../a", "/x/a"), ("../../../a/.", "/a"), ("/./b//c/../a/", "/b/a"),
    ("..", "/x"),
    ("pipe:cat ./a", "pipe:cat ./a"),
  ])
  func aPathIsToldByItsAbsoluteForm(path: String, plain: String) {
    #expect(plainPath(path, in: Array("/x/y".utf8)) == Array(plain.utf8))
  }

  @Test func whatALinkLeadsBackFromIsWhereTheSystemGoes() throws {
    try touch("x.tar", "real/x.tar", "real/sub/0.tar")
    try FileManager.default.createSymbolicLink(
      atPath: scratch.file("link"), withDestinationPath: "real/sub")
    let resolved = realpath(scratch.path, nil)
    defer { free(resolved) }
    let real = resolved.map { String(cString: $0) } ?? ""
    #expect(
      plainPath(scratch.file("link/../x.tar"), in: []) == Array("\(real)/real/x.tar".utf8))
    #expect(plainPath(scratch.file("link/0.tar"), in: []) == Array(scratch.file("link/0.tar").utf8))
    #expect(
      try expand([scratch.file("x.tar"), scratch.file("link/../x.tar")])
        == ["x.tar", "link/../x.tar"])
    let twice = ["\(real)/real/x.tar", scratch.file("link/../x.tar")]
    #expect(throws: ShardListError.duplicate(path: twice[1])) { try expand(twice) }
  }

  @Test func namesThatDifferInUnicodesNormalFormAreTwoShards() throws {
    let names = ["caf\u{e9}.tar", "cafe\u{301}.tar"]
    let found = try expand(["-"], input: Array(names.joined(separator: "\n").utf8))
    #expect(found.map { Array($0.utf8) } == names.map { Array($0.utf8) })
    let shards = names.map { ShardPath(path: $0) }
    #expect(shards[0] != shards[1])
    #expect(Set(shards + shards).count == 2)
    // A path is the same however the string came about.
    #expect(Set(shards).contains(ShardPath(path: String("/caf\u{e9}.tar".dropFirst()))))
  }

  @Test func aPipeIsTakenFromTheCommandLineAndNeverFromAList() throws {
    let paths = try expand(["pipe:zstd -dc /a/{0..1}.tar.zst | cat"])
    #expect(paths == ["pipe:zstd -dc /a/0.tar.zst | cat", "pipe:zstd -dc /a/1.tar.zst | cat"])
    #expect(paths.map { ShardPath(path: $0).name } == ["0", "1"])
    #expect(ShardPath(path: "pipe:date").name == "pipe")
    #expect(throws: ShardListError.line(2, .pipe(source: "pipe:rm -rf x"))) {
      try expand(["-"], input: Array("a.tar\npipe:rm -rf x\n".utf8))
    }
  }

  @Test func aCommandThatAListHidesInAPatternIsRefusedToo() throws {
    for (line, source) in [
      ("{pipe:x,b}", "pipe:x"), ("{p,q}ipe:x", "pipe:x"), ("pip{e:x,y}", "pipe:x"),
      ("b.tar::pipe:x", "pipe:x"), ("pipe:{x,y}", "pipe:x"), ("b.tar::{b,pipe:x}", "pipe:x"),
    ] {
      #expect(throws: ShardListError.line(2, .pipe(source: source)), "\(line)") {
        try expand(["-"], input: Array("a.tar\n\(line)\n".utf8))
      }
    }
  }

  @Test func standardInputHoldsLinesInTheirOwnOrder() throws {
    try touch("d/0.tar", "1.tar")
    let lines = "# a list\n\(scratch.file("b b.tar"))\r\n\n  \n\(scratch.file("d"))\nx{1,2}.tar\n#x"
    // What is missing is kept: it is the run's business.
    #expect(
      try expand([scratch.file("1.tar"), "-"], input: Array(lines.utf8))
        == ["1.tar", "b b.tar", "d/0.tar", "x1.tar", "x2.tar"])
  }

  @Test func standardInputHoldsNULSeparatedNamesWithAnyCharacterInThem() throws {
    let entries = "#1.tar\0two\nlines.tar\0\0last.tar\0"
    #expect(
      try expand(["-"], input: Array(entries.utf8)) == ["#1.tar", "two\nlines.tar", "last.tar"])
  }

  /// Longer than what is looked through for a NUL, in pieces that end anywhere.
  @Test func aLongListIsReadPieceByPiece() throws {
    let names = (0..<20_000).map { "missing/\($0).tar" }
    #expect(try expand(["-"], input: Array(names.joined(separator: "\n").utf8)) == names)
    #expect(try expand(["-"], input: Array(names.joined(separator: "\0").utf8)) == names)
    let twice = names + ["missing/./7.tar"]
    #expect(throws: ShardListError.line(20_001, .duplicate(path: "missing/./7.tar"))) {
      try expand(["-"], input: Array(twice.joined(separator: "\n").utf8))
    }
    let mixed = names.joined(separator: "\n") + "\nx.tar\0y.tar\n"
    #expect(throws: ShardListError.line(20_001, .lineHoldsNUL)) {
      try expand(["-"], input: Array(mixed.utf8))
    }
  }

  @Test func aLineThatIsTooLongIsRefusedAndNotReadToItsEnd() throws {
    let longest = String(repeating: "x", count: 64 << 10)
    let tooLong = ShardListError.line(2, .lineTooLong(limit: 64 << 10))
    func paths(_ text: String) throws -> [String] {
      var rest = Data(text.utf8)
      let list = try ShardList(["-"]) {
        defer { rest = Data() }
        return rest
      }
      return list.shards.map(\.path)
    }
    #expect(try paths("a.tar\n\(longest)\n") == ["a.tar", longest])
    #expect(throws: tooLong) { try paths("a.tar\n\(longest)x\nb.tar") }
    #expect(throws: tooLong) { try paths("a.tar\0\(longest)x\0b.tar") }
    var pieces = 0
    #expect(throws: ShardListError.line(1, .lineTooLong(limit: 64 << 10))) {
      _ = try ShardList(["-"]) {
        pieces += 1
        return Data(repeating: 0x78, count: pieces > 100 ? 0 : 1 << 16)
      }
    }
    #expect(pieces <= 3)
  }

  @Test func anEmptyStandardInputIsAnEmptyList() throws {
    #expect(try expand(["-"], input: []) == [])
  }

  @Test func aBadLineIsReportedWithItsNumber() throws {
    let cases: [(String, ShardListError)] = [
      ("a.tar\n\nb{.tar\n", .line(3, .unbalancedBrace(pattern: "b{.tar"))),
      ("a.tar\n-\n", .line(2, .listInsideList)),
      ("a.tar\n# c\n./a.tar", .line(3, .duplicate(path: "./a.tar"))),
    ]
    for (input, expected) in cases {
      #expect(throws: expected) { try expand(["-"], input: Array(input.utf8)) }
    }
    let error = #expect(throws: ShardListError.line(2, .lineIsNotUTF8)) {
      try expand(["-"], input: Array("a.tar\n".utf8) + [0xff, 0x0a])
    }
    #expect(error.map { "\($0)" }?.hasPrefix("standard input, line 2: ") == true)
  }

  @Test func standardInputIsListedOnce() {
    #expect(throws: ShardListError.standardInputTwice) { try expand(["-", "-"], input: []) }
  }

  @Test func aFolderHoldsShardsWhateverMarksTheirNamesHaveAndWhateverElseLiesThere() throws {
    let made = try run(
      "sh",
      [
        "-c",
        "printf x > \"$(printf 'caf\\351.txt')\"; touch $(printf '\\314\\201x.tar y\\330\\200.tar')",
      ],
      in: scratch.path)
    #expect(made.status == 0, "\(made.output)")
    #expect(try ShardList([scratch.path]).shards.map(\.name) == ["y\u{600}", "\u{301}x"])
  }

  @Test func aNameBelowAFolderThatIsNotUTF8IsAnError() throws {
    let made = try run("sh", ["-c", "printf x > \"$(printf '\\377').tar\""], in: scratch.path)
    #expect(made.status == 0)
    #expect(throws: ShardListError.nameIsNotUTF8(path: scratch.file("\u{FFFD}.tar"))) {
      try expand([scratch.path])
    }
  }
}
