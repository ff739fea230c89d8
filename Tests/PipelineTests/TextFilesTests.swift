import Foundation
import Testing
import Text
import Training

@testable import Pipeline

@Suite struct TextFilesTests {
  @Test func aFolderGivesItsTextsInOrderAndNothingElse() throws {
    let folder = try TemporaryFolder()
    for name in ["b.txt", "a.txt.gz", "c.tar", "d.jpg", ".hidden.txt"] {
      try folder.write(name, "")
    }
    let selection = try TextSelection([folder.path("b.txt"), folder.root])
    #expect(
      selection.files.map(\.path)
        == ["b.txt", "a.txt.gz", "b.txt", "c.tar"].map { folder.path($0) })
    #expect(throws: RunError.self) { try TextSelection([folder.path("nowhere.txt")]) }
    try FileManager.default.createDirectory(
      atPath: folder.path("empty"), withIntermediateDirectories: true)
    #expect(throws: RunError.self) { try TextSelection([folder.path("empty")]) }
  }

  @Test func aFolderMayBeALinkAndOneThatIsCalledLikeATextIsNone() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path("texts/x.txt"), withIntermediateDirectories: true)
    try folder.write("texts/x.txt/a.txt", "")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("link"), withDestinationPath: "texts")
    try folder.write("b", "")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("texts/b.txt"), withDestinationPath: "../b")
    for name in ["link", "texts"] {
      let selection = try TextSelection([folder.path(name)])
      #expect(
        selection.files.map(\.path)
          == ["b.txt", "x.txt/a.txt"].map { folder.path("\(name)/\($0)") })
    }
  }

  /// The stage waits in the middle of the file, until somebody takes the tokens from where it spools them.
  @Test func aTextThatIsWrittenToWhileItIsReadIsNotTakenForWhatWasPinned() throws {
    let folder = try TemporaryFolder()
    var configuration = RunConfiguration()
    configuration.train.model.text.vocabulary = folder.path("vocabulary")
    let run = try RunContext(
      configuration: configuration, directory: RunDirectory(folder.path("out")))
    try run.directory.prepare()
    // One that has no token of more than a byte.
    let tokenizer = try BytePairTrainer().tokenizer(
      vocabularySize: BytePairTrainer.smallestVocabulary)
    try run.directory.makeFolder(folder.path("vocabulary"))
    for (name, content) in TokenizeStage.Result(tokenizer: tokenizer).files {
      try content.write(to: URL(fileURLWithPath: folder.path("vocabulary/\(name)")))
    }
    // The first block of passages is more than the mebibyte of tokens that is written at a time.
    let line = String(repeating: "bcdfghjk ", count: 12) + "\n"
    try folder.write("a.txt", String(repeating: line, count: 5000))
    let (path, size) = (folder.path("a.txt"), 5000 * line.utf8.count)
    let texts = try Increment.pin(ShardSelection([path]), in: run)

    let kept = try TrainingFolder(.model, key: "k", in: run)
    let spool = "\(kept.path)/texts"
    try run.directory.makeFolder(spool)
    try #require(mkfifo("\(spool)/tokens.bin", 0o600) == 0)
    Thread.detachNewThread {
      let tokens = open("\(spool)/tokens.bin", O_RDONLY | O_CLOEXEC)
      var block = [UInt8](repeating: 0, count: 1 << 16)
      while read(tokens, &block, block.count) > 0 { truncate(path, size + 1) }
      close(tokens)
    }
    let corpus = try ThumbnailCache(hashes: [], forms: [], directory: folder.root)
    let change = "it had \(size) bytes, now it has \(size + 1)"
    #expect(throws: RunError.shardChanged(path: path, detail: change)) {
      try TokenizeStage.run(corpus, texts: texts, keptIn: kept, in: run)
    }
  }

  @Test func spooledTextsComeBackAndAnotherSpoolGoesOnWithThem() throws {
    let folder = try TemporaryFolder()
    var kept = TokenSpool.Kept()
    do {
      let spool = try TokenSpool(directory: folder.root)
      try spool.append([[1, 2, 3], [], [4]])
      try spool.flush()
      kept = spool.kept
      // As after a kill, the files are ahead of what is kept.
      try spool.append([[5, 6]])
      try spool.flush()
    }
    let spool = try TokenSpool(directory: folder.root, after: kept)
    try spool.append((0..<1000).map { [Int32($0), 7] })
    try spool.seal()
    #expect(spool.count == 1002 && spool.kept.tokens == 2004)
    #expect(spool.tokens(0) == [1, 2, 3] && spool.tokens(1) == [4])
    #expect(spool.tokens(2) == [0, 7] && spool.tokens(1001) == [999, 7])
    kept.tokens = 5000
    let file = folder.path("cut.json")
    #expect(
      throws: RunError.damagedState(file: file, detail: "the files beside it aren't what it says")
    ) { try TokenSpool(directory: folder.root, after: kept) }
  }

  @Test func theLogForgetsTheStepsThatAreMadeAgain() throws {
    let folder = try TemporaryFolder()
    func report(_ step: Int) -> StepReport {
      StepReport(
        step: step, epoch: 1, loss: 2, contrastive: 1, mlm: step > 2 ? 3 : nil, learningRate: 0.5,
        logitScale: 14, pairs: 8)
    }
    func steps() throws -> [[String: Any]] {
      try String(contentsOfFile: folder.path("train.jsonl"), encoding: .utf8)
        .split(separator: "\n").map {
          try #require(
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }
    let first = TrainingLog(path: folder.path("train.jsonl"))
    try first.begin(after: 0)
    for step in 1...5 { try first.add(report(step), isDue: step != 2) }
    #expect(try steps().map { $0["step"] as? Int } == [1, 3, 4, 5])
    let second = TrainingLog(path: folder.path("train.jsonl"))
    try second.begin(after: 3)
    try second.add(report(4), isDue: true)
    let lines = try steps()
    #expect(lines.map { $0["step"] as? Int } == [1, 3, 4])
    #expect(lines[0]["mlm"] == nil && lines[2]["mlm"] as? Double == 3)
    #expect(
      Set(lines[2].keys) == [
        "step", "epoch", "loss", "contrastive", "mlm", "learning_rate", "logit_scale",
        "pairs_per_second", "seconds",
      ])
    let seconds = lines.compactMap { $0["seconds"] as? Double }
    #expect(seconds.count == 3 && seconds == seconds.sorted())
  }
}
