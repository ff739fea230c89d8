import Testing

@testable import Reports

@Suite struct TrainerCommandTests {
  @Test(arguments: [
    ("/data/clean", "/data/clean"), ("/my data/x", "'/my data/x'"), ("", "''"),
    ("it's", "'it'\\''s'"), ("{0..3}.tar", "'{0..3}.tar'"), ("$HOME", "'$HOME'"),
  ])
  func aShellReadsTheTextAsOneWord(text: String, word: String) {
    #expect(shellQuoted(text) == word)
  }
}
