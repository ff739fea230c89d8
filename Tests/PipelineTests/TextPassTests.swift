import Foundation
import Testing
import Text

@testable import Pipeline

/// What is made of unpaired text, a vocabulary and tokens, and that whoever was stopped or killed goes on with it.
@Suite struct TextPassTests {
  private let folder: TemporaryFolder
  private let names = ["a.txt", "b.txt", "c.txt"]

  /// The first block of passages ends in the second file.
  init() throws {
    folder = try TemporaryFolder()
    for (name, lines) in zip(names, [100, 6000, 50]) {
      let text = (0..<lines).map { "the \($0 % 7) words of \(name) number \($0)\n" }
      try folder.write(name, text.joined())
    }
  }

  private func context(_ out: String, vocabulary: String? = nil) throws -> RunContext {
    var configuration = RunConfiguration()
    configuration.train.model.text.vocabularySize = 600
    configuration.train.model.text.vocabulary = vocabulary
    let run = try RunContext(
      configuration: configuration, directory: RunDirectory(folder.path(out)))
    try run.directory.prepare()
    return run
  }

  private func texts(in run: RunContext) throws -> Increment {
    try Increment.pin(ShardSelection(names.map(folder.path)), in: run)
  }

  private struct Ended: Error {}

  @Test func afterEveryBlockItCanBeGoneOnWith() throws {
    let run = try context("out")
    let pass = TextPass(texts: try texts(in: run), interval: .zero, run: run)
    /// - Returns: the blocks, and how far it was after each.
    func go(
      from start: TextPass.Progress = .init(), ending end: Int = .max
    ) throws -> (blocks: [[String]], kept: [TextPass.Progress], whole: TextPass.Progress) {
      var (progress, blocks, kept) = (start, [[String]](), [TextPass.Progress]())
      func keep(_ progress: TextPass.Progress) { kept.append(progress) }
      do {
        try pass.go(from: &progress, keep: keep) {
          if blocks.count == end { throw Ended() }
          blocks.append($0)
        }
      } catch is Ended {}
      return (blocks, kept, progress)
    }
    let whole = try go()
    #expect(whole.blocks.map(\.count) == [4096, 2054])
    #expect(whole.whole.report.passages == 6150 && whole.whole.files == 3)
    var first = TextPass.Progress()
    (first.files, first.passages, first.report.passages) = (1, 3996, 100)
    #expect(whole.kept == [first])
    let cut = try go(ending: 1)
    let rest = try go(from: try #require(cut.kept.last))
    #expect(cut.blocks + rest.blocks == whole.blocks)
    #expect(rest.whole == whole.whole)
    #expect(try go(from: whole.whole).blocks == [])
  }

  @Test func howFarItIsComesBackFromItsFile() throws {
    var progress = TextPass.Progress()
    (progress.files, progress.passages) = (3, 7)
    (progress.report.passages, progress.report.notUTF8, progress.report.cut) = (9, 2, 1)
    progress.faults = [.init(path: "a", message: "it is cut short")]
    var trainer = BytePairTrainer()
    for text in ["ein Wort, ein Satz", "\u{0}\u{7}x 漢字 é"] { trainer.add(text) }
    let file = folder.path("words.npz")
    try CountedWords.write(trainer, progress, to: file)
    let (read, kept) = try CountedWords.read(file)
    #expect(kept == progress)
    #expect(read.words.map(\.bytes) == trainer.words.map(\.bytes))
    #expect(read.words.map(\.count) == trainer.words.map(\.count))
  }

  private struct Made: Equatable {
    var vocabulary: [String: Data]
    var tokens: [[Int32]]
  }

  private func tokenize(_ run: RunContext, _ texts: Increment) throws -> Made {
    let corpus = try ThumbnailCache(hashes: [], forms: [], directory: folder.root)
    let result = try TokenizeStage.run(
      corpus, texts: texts, keptIn: try TrainingFolder(.model, key: "k", in: run), in: run,
      interval: .zero)
    let language = try #require(result.text)
    return Made(
      vocabulary: result.files,
      tokens: (0..<language.texts.count).map(language.texts.tokens))
  }

  /// The last file goes away in the middle, and then the first: who reads that again fails.
  private func expectResumes(vocabulary: String?, keptAs kept: String) throws {
    let whole = try context("whole", vocabulary: vocabulary)
    let expected = try tokenize(whole, try texts(in: whole))
    #expect(expected.tokens.count == 6150)
    let run = try context("cut", vocabulary: vocabulary)
    let texts = try texts(in: run)
    let (last, away) = (folder.path("c.txt"), folder.path("away.txt"))
    #expect(rename(last, away) == 0)
    #expect(throws: RunError.self) { try tokenize(run, texts) }
    #expect(
      FileManager.default.fileExists(atPath: folder.path("cut/.winnow/training/model/\(kept)")))
    #expect(rename(away, last) == 0)
    let first = try Data(contentsOf: URL(fileURLWithPath: folder.path("a.txt")))
    try folder.write("a.txt", "something else")
    if vocabulary == nil {
      // Counted it needn't be again; to be cut it must be as it was.
      #expect(throws: RunError.self) { try tokenize(run, texts) }
      let learnt = "cut/.winnow/training/model/vocabulary/merges.txt"
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: folder.path(learnt)))
          == expected.vocabulary["merges.txt"])
      try first.write(to: URL(fileURLWithPath: folder.path("a.txt")))
      // As pinned, but for its time.
      let pinned = try #require(texts.shards[0].identity)
      let time = timespec(
        tv_sec: Int(pinned.modified / 1_000_000_000), tv_nsec: Int(pinned.modified % 1_000_000_000))
      #expect(utimensat(AT_FDCWD, folder.path("a.txt"), [time, time], 0) == 0)
    }
    #expect(try tokenize(run, texts) == expected)
    // And once it is done nothing is read.
    for name in names { try folder.write(name, "something else") }
    #expect(try tokenize(run, texts) == expected)
  }

  @Test func aVocabularyThatIsBeingLearntIsGoneOnWith() throws {
    try expectResumes(vocabulary: nil, keptAs: "words.npz")
  }

  @Test func textThatIsBeingCutIsGoneOnWith() throws {
    let tokenizer = try BytePairTrainer().tokenizer(
      vocabularySize: BytePairTrainer.smallestVocabulary)
    let place = folder.path("vocabulary")
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    for (name, content) in TokenizeStage.Result(tokenizer: tokenizer).files {
      try content.write(to: URL(fileURLWithPath: "\(place)/\(name)"))
    }
    try expectResumes(vocabulary: place, keptAs: "texts/cut.json")
  }

  @Test func whatIsKeptOfOtherTextsIsRefused() throws {
    let run = try context("out")
    let pass = TextPass(texts: try texts(in: run), interval: .zero, run: run)
    var progress = TextPass.Progress()
    progress.files = 4
    let file = folder.path("cut.json")
    #expect(throws: RunError.damagedState(file: file, detail: "it isn't of these texts")) {
      try pass.check(progress, keptIn: file)
    }
  }
}
