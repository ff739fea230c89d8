import Encoders
import Foundation
import Layers
import Shards
import Text
import Training

/// Stage "tokenize": a vocabulary of byte pairs learnt from captions and unpaired text, and the unpaired text cut by it.
enum TokenizeStage {
  /// Bytes of a passage; what is longer is cut.
  private static let passageBytes = 64 << 10
  /// Passages that are tokenized at a time; bounds the memory, decides nothing.
  private static let block = 4096
  /// Bytes of text after which fewer passages are a block too.
  private static let blockBytes = 4 << 20

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
    _ corpus: ThumbnailCache, texts: Increment, keptIn folder: TrainingFolder, in run: RunContext
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
      let tokenizer = try tokenizer(corpus, texts, folder, in: run)
      var result = Result(tokenizer: tokenizer)
      guard !texts.shards.isEmpty else { return result }
      guard let vocabulary = MaskingVocabulary(tokenizer) else {
        throw RunError.usage(
          "\(model.text.vocabulary ?? "the vocabulary") has no token to mask with, or none but special ones; "
            + "leave train.model.text.vocabulary out, and one is learnt")
      }
      let spool = try TokenSpool(directory: "\(run.directory.temporary)/texts")
      var report = PassageReport()
      result.faults = try read(texts, report: &report, in: run) { passages in
        let pieces = stride(from: 0, to: passages.count, by: 16).map {
          Array(passages[$0..<min($0 + 16, passages.count)])
        }
        let cut = try parallelMap(pieces.count, workers: run.workers) { number in
          pieces[number].map { Array(tokenizer.encode($0, limit: .max).dropFirst().dropLast()) }
        }
        for texts in cut { try spool.append(texts) }
      }
      try spool.seal()
      run.observe(.note(summary(report, tokens: spool.tokenCount)))
      guard spool.count > 0 else {
        throw RunError.usage("--text: there is no passage in it that could be read")
      }
      result.text = UnpairedText(texts: spool, vocabulary: vocabulary)
      return result
    }
  }

  private static func summary(_ report: PassageReport, tokens: Int) -> String {
    var parts = ["unpaired text: \(report.passages) passages, \(tokens) tokens"]
    for (count, what) in [
      (report.cut, "cut at \(passageBytes) bytes"), (report.notUTF8, "left out, not UTF-8"),
      (report.blank, "left out, blank"), (report.unreadable, "left out, without text"),
    ] where count > 0 {
      parts.append("\(count) \(what)")
    }
    return parts.joined(separator: "; ")
  }

  /// All passages of all files, in order, in blocks.
  private static func read(
    _ texts: Increment, report: inout PassageReport, in run: RunContext,
    _ body: ([String]) throws -> Void
  ) throws -> [GatherStage.Fault] {
    var faults: [GatherStage.Fault] = []
    var (waiting, bytes): ([String], Int) = ([], 0)
    for file in texts.shards {
      try file.checkUnchanged()
      let reader = PassageReader(path: file.path, limit: passageBytes)
      guard !file.digest.isEmpty else {
        _ = reader.next()
        let message = reader.message ?? "\(file.path): it could not be read when the run began"
        faults.append((file.path, message))
        continue
      }
      while let passage = reader.next() {
        waiting.append(passage)
        bytes += passage.utf8.count
        guard waiting.count == block || bytes >= blockBytes else { continue }
        try run.cancellation.check()
        try body(waiting)
        waiting.removeAll(keepingCapacity: true)
        bytes = 0
      }
      // What was written to it meanwhile isn't what was pinned.
      try file.checkUnchanged()
      if let failure = file.failure(reader.fault, reader.message) { throw failure }
      report.add(reader.report)
      if let fault = reader.fault { faults.append((file.path, reader.message ?? fault.rawValue)) }
    }
    try body(waiting)
    return faults
  }

  /// The vocabulary given, the one learnt before the run was stopped, or a new one.
  private static func tokenizer(
    _ corpus: ThumbnailCache, _ texts: Increment, _ folder: TrainingFolder, in run: RunContext
  ) throws -> BytePairTokenizer {
    let kept = "\(folder.path)/vocabulary"
    if let given = run.configuration.train.model.text.vocabulary {
      return try load(given, remedy: "give a folder with vocab.json and merges.txt")
    }
    if !FileManager.default.fileExists(atPath: kept) {
      let learnt = try learn(corpus, texts, in: run)
      try run.publishing.publish(folder: kept) { folder in
        for (name, content) in Result(tokenizer: learnt).files {
          try content.write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
      }
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

  private static func learn(
    _ corpus: ThumbnailCache, _ texts: Increment, in run: RunContext
  ) throws -> BytePairTokenizer {
    var trainer = BytePairTrainer()
    for i in 0..<corpus.count {
      if i % block == 0 { try run.cancellation.check() }
      trainer.add(try corpus.caption(i))
    }
    var report = PassageReport()
    _ = try read(texts, report: &report, in: run) { for passage in $0 { trainer.add(passage) } }
    return try trainer.tokenizer(
      vocabularySize: run.configuration.train.model.text.vocabularySize)
  }
}
