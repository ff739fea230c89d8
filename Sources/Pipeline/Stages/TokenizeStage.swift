import Encoders
import Foundation
import Layers
import Shards
import Text
import Training

/// Stage "tokenize": a vocabulary of byte pairs learnt from captions and unpaired text, and the unpaired text cut by it.
enum TokenizeStage {
  struct Result {
    /// Nil for a model that hashes its words.
    var tokenizer: BytePairTokenizer?
    var text: UnpairedText?
    var faults: [GatherStage.Fault] = []

    /// What a folder with the model needs for its captions.
    var files: [String: Data] {
      guard let (vocabulary, merges) = tokenizer?.files() else { return [:] }
      return ["vocab.json": vocabulary, "merges.txt": merges]
    }
  }

  static func run(
    _ corpus: ThumbnailCache, texts: Increment, keptIn folder: TrainingFolder, in run: RunContext,
    interval: Duration = GatherStage.keptEvery
  ) throws -> Result {
    let model = run.configuration.train.model
    guard model.text.tokens == .bytePairs else {
      guard texts.shards.isEmpty else {
        throw RunError.usage(
          "unpaired text needs a text encoder with a vocabulary: train.model.text.tokens bytePairs")
      }
      return Result()
    }
    return try run.stage(.tokenize) {
      let pass = TextPass(texts: texts, interval: interval, run: run)
      let tokenizer = try tokenizer(corpus, pass, folder)
      var result = Result(tokenizer: tokenizer)
      guard !texts.shards.isEmpty else { return result }
      guard let vocabulary = MaskingVocabulary(tokenizer) else {
        throw RunError.usage(
          "\(model.text.vocabulary ?? "the vocabulary") has no token to mask with, or none but special ones; "
            + "leave train.model.text.vocabulary out, and one is learnt")
      }
      let (spool, progress) = try cut(pass, by: tokenizer, keptIn: "\(folder.path)/texts")
      result.faults = progress.faults.map { ($0.path, $0.message) }
      run.observe(.note(summary(progress.report, tokens: spool.kept.tokens)))
      guard spool.count > 0 else {
        throw RunError.usage("--text: there is no passage in it that could be read")
      }
      result.text = UnpairedText(texts: spool, vocabulary: vocabulary)
      return result
    }
  }

  /// How far the cutting is.
  private struct CutTexts: Codable {
    var formatVersion = StateJSON.formatVersion
    var progress = TextPass.Progress()
    var spool = TokenSpool.Kept()
  }

  private static func cut(
    _ pass: TextPass, by tokenizer: BytePairTokenizer, keptIn folder: String
  ) throws -> (TokenSpool, TextPass.Progress) {
    let run = pass.run
    try run.directory.makeFolder(folder)
    let file = "\(folder)/cut.json"
    var state = CutTexts()
    if FileManager.default.fileExists(atPath: file) {
      state = try StateJSON.decode(CutTexts.self, from: file)
      try pass.check(state.progress, keptIn: file)
    }
    let spool = try TokenSpool(directory: folder, after: state.spool)
    func keep(_ progress: TextPass.Progress) throws {
      try spool.flush()
      try run.publishing.publish(json: CutTexts(progress: progress, spool: spool.kept), to: file)
    }
    try pass.go(from: &state.progress, keep: keep) { passages in
      let pieces = stride(from: 0, to: passages.count, by: 16).map {
        Array(passages[$0..<min($0 + 16, passages.count)])
      }
      let cut = try parallelMap(pieces.count, workers: run.workers) { number in
        pieces[number].map { Array(tokenizer.encode($0, limit: .max).dropFirst().dropLast()) }
      }
      for texts in cut { try spool.append(texts) }
    }
    try keep(state.progress)
    try spool.seal()
    return (spool, state.progress)
  }

  private static func summary(_ report: PassageReport, tokens: Int) -> String {
    var parts = ["unpaired text: \(report.passages) passages, \(tokens) tokens"]
    for (count, what) in [
      (report.cut, "cut at \(TextPass.passageBytes) bytes"),
      (report.notUTF8, "left out, not UTF-8"),
      (report.blank, "left out, blank"), (report.unreadable, "left out, without text"),
    ] where count > 0 {
      parts.append("\(count) \(what)")
    }
    return parts.joined(separator: "; ")
  }

  /// The vocabulary given, the one learnt before the run was stopped, or a new one.
  private static func tokenizer(
    _ corpus: ThumbnailCache, _ pass: TextPass, _ folder: TrainingFolder
  ) throws -> BytePairTokenizer {
    let run = pass.run
    let kept = "\(folder.path)/vocabulary"
    if let given = run.configuration.train.model.text.vocabulary {
      return try load(given, remedy: "give a folder with vocab.json and merges.txt")
    }
    if !FileManager.default.fileExists(atPath: kept) {
      let words = "\(folder.path)/words.npz"
      let learnt = try learn(corpus, pass, keptIn: words)
      try run.publishing.publish(folder: kept) { folder in
        for (name, content) in Result(tokenizer: learnt).files {
          try content.write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
      }
      unlink(words)
    }
    return try load(kept, remedy: "delete \(kept) and run the same command again")
  }

  private static func load(_ folder: String, remedy: String) throws -> BytePairTokenizer {
    func content(_ name: String) throws(RunError) -> Data {
      guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else {
        throw .missing(file: "\(folder)/\(name)", remedy: remedy)
      }
      return data
    }
    return try BytePairTokenizer(
      vocabulary: content("vocab.json"), merges: content("merges.txt"))
  }

  /// - Parameter file: where the words are kept while they are counted.
  private static func learn(
    _ corpus: ThumbnailCache, _ pass: TextPass, keptIn file: String
  ) throws -> BytePairTokenizer {
    let run = pass.run
    var trainer = BytePairTrainer()
    var progress = TextPass.Progress()
    func keep(_ progress: TextPass.Progress) throws {
      try run.publishing.publish(file) { try CountedWords.write(trainer, progress, to: $0) }
    }
    if FileManager.default.fileExists(atPath: file) {
      (trainer, progress) = try CountedWords.read(file)
      try pass.check(progress, keptIn: file)
    } else {
      for i in 0..<corpus.count {
        if i % 4096 == 0 { try run.cancellation.check() }
        trainer.add(try corpus.caption(i))
      }
      try keep(progress)
    }
    try pass.go(from: &progress, keep: keep) { for passage in $0 { trainer.add(passage) } }
    try keep(progress)
    return try trainer.tokenizer(
      vocabularySize: run.configuration.train.model.text.vocabularySize,
      check: run.cancellation.check)
  }
}
