import ConfidentLearning
import Encoders
import Foundation
import Images
import Layers
import Shards

/// What the run knows of one judged shard beside its scores: `.winnow/scores/000003-NAME.record.json`.
struct ShardScores: Codable {
  var formatVersion = StateJSON.formatVersion
  var shard: String
  /// The shard's bytes, the ensemble and the settings that these scores were made with.
  var shardDigest: String
  var ensembleDigest: String
  var settingsDigest: String
  var scoring: ScoringMethod
  var kinds: [String]
  var read: Int
  /// Samples without a verdict, by reason (a mismatch isn't known yet).
  var rejected: [String: Int]
  var unreadable: [String: Int]
  /// Set when the shard couldn't be read to its end.
  var fault: String?
  var message: String?
  var report: ShardReport

  /// Why the shard couldn't be read to its end, as people are told.
  var faultText: String? { fault.map { message ?? $0 } }

  /// Pairs with scores.
  var judged: Int { read &- rejected.values.reduce(0, &+) &- unreadable.values.reduce(0, &+) }
}

/// Stage "score": every shard of this process' share read, decoded and judged; one score table and one record a shard.
/// Shards already judged are skipped.
enum ScoreStage {
  /// What decides which samples are pairs, and what decides their scores.
  static let readingSections: [Settings.Section] = [.read, .images]
  static let sections = readingSections + [.score]
  /// Pairs decoded before they are judged; bounds the memory. Only the in-batch score depends on it.
  private static let batch = 192

  /// - Returns: what came of this process' share.
  static func run(
    _ increment: Increment, judges: Judges, in run: RunContext
  ) throws -> ScoreSummary {
    try judges.checkPublished(before: increment, in: run)
    try Settings.pin(sections, in: run)
    noteLearnt(increment, by: judges, in: run)
    let settings = try Settings.digest(run.configuration, sections: sections)
    let share = run.rank.share(of: increment.shards.count)
    let progress = ProgressCounter(.score, total: share.count, observe: run.observe)
    let judged = try parallelMap(
      share.count, workers: run.workers,
      state: Judge(judges.ensemble, scoring: run.configuration.score.method, explains: true)
    ) { judge, place -> (pairs: Int, fault: String?) in
      let i = share[place]
      let shard = increment.shards[i]
      let files = ScoreFiles(i, of: increment, in: run.directory)
      let isPlanned = run.directory.isPlanned(increment.index)
      if let done = try finished(files, shard, judges, settings, isPlanned: isPlanned) {
        progress.add(done: 1, pairs: done.read)
        return (done.read, done.faultText)
      }
      var scoring = ShardScoring(shard, judges: judges, settings: settings, run: run)
      defer { if scoring.isLarge { run.largeShards.end() } }
      try scoring.score(with: judge, progress: progress)
      let table = scoring.table
      if !isPlanned {
        // By earlier scores.
        try? FileManager.default.removeItem(atPath: run.decisionPath(i, increment))
      }
      try run.publishing.publish(files.table) { try table.write(to: $0) }
      try run.publishing.publish(json: scoring.statistics, to: files.statistics)
      try run.publishing.publish(json: scoring.record, to: files.record)
      progress.add(done: 1)
      return (scoring.record.read, scoring.record.faultText)
    }
    var summary = ScoreSummary(kinds: judges.kinds, shards: share.count)
    for (i, shard) in zip(share, judged) {
      summary.pairs &+= shard.pairs
      if let fault = shard.fault { summary.faults.append((increment.shards[i].path, fault)) }
    }
    return summary
  }

  /// Judges trained for a run judge what they held out; a model that `winnow train` left held nothing out.
  private static func noteLearnt(_ increment: Increment, by judges: Judges, in run: RunContext) {
    if judges.ensemble.folds == 1, judges.ensemble.members.contains(where: { $0.model == nil }) {
      run.observe(.note("judges of a single fold judge the pairs that they learnt from"))
    }
    for member in judges.ensemble.members {
      guard let shards = member.model?.trainedOn else { continue }
      let doubt =
        shards == increment.digest
        ? "on these very shards: it judges pairs that it learnt from"
        : "by winnow train: it may judge pairs that it learnt from"
      run.observe(.note("\(judges.kinds[member.kind]) was trained \(doubt)"))
    }
  }

  /// The record of a shard judged earlier, under the same conditions. One that couldn't be read is tried again, as long
  /// as no shard that lacks it has been published.
  private static func finished(
    _ files: ScoreFiles, _ shard: Increment.Shard, _ judges: Judges, _ settings: String,
    isPlanned: Bool
  ) throws(RunError) -> ShardScores? {
    guard files.exist else { return nil }
    let record = try StateJSON.decode(ShardScores.self, from: files.record)
    let isCurrent =
      record.shardDigest == shard.digest && record.ensembleDigest == judges.digest
      && record.settingsDigest == settings
    let mayHeal = [ShardFault.cannotOpen, .cannotRead].map(\.rawValue).contains(record.fault)
    return isCurrent && (!mayHeal || isPlanned) ? record : nil
  }

  private struct ShardScoring {
    let shard: Increment.Shard
    let run: RunContext
    let forms: [ThumbnailForm]
    let bankCaptions: [String]
    let bankParts: [Int]
    var table: ScoreTable
    var record: ShardScores
    var statistics = PairStatistics()
    /// It has the turn of ``LargeShards``.
    var isLarge = false
    /// Decoded pairs that wait for the judge, and the rows they will fill.
    var waiting: [JudgedPair] = []
    var rows: [Int] = []

    init(_ shard: Increment.Shard, judges: Judges, settings: String, run: RunContext) {
      self.shard = shard
      self.run = run
      forms = judges.ensemble.forms
      bankCaptions = judges.ensemble.bank.map { shortened($0.caption) }
      bankParts = judges.ensemble.bank.map {
        PairStatistics.part(ofCaption: captionHash($0.caption))
      }
      table = ScoreTable(kinds: judges.kinds.count)
      record = ShardScores(
        shard: shard.name, shardDigest: shard.digest, ensembleDigest: judges.digest,
        settingsDigest: settings, scoring: run.configuration.score.method, kinds: judges.kinds,
        read: 0, rejected: [:], unreadable: [:],
        report: ShardReport())
    }

    mutating func score(with judge: Judge, progress: ProgressCounter) throws {
      try shard.checkUnchanged()
      let reader = try PairReader(shard, in: run)
      let decoder = run.configuration.images.decoder
      while let pair = next(of: reader) {
        try run.cancellation.check()
        record.read += 1
        switch pair.outcome {
        case .pair(let image, let caption, let hash):
          do {
            let thumbnails = try decoder.thumbnails(of: image, forms: forms)
            append(pair.key)
            rows.append(table.count - 1)
            waiting.append(
              JudgedPair(
                hash: hash, thumbnails: thumbnails.map(\.pixels), caption: caption))
          } catch {
            append(pair.key, reason: error.reason, detail: "\(error)")
            record.rejected[error.reason, default: 0] += 1
          }
        case .rejected(let reason, let detail):
          append(pair.key, reason: reason, detail: detail)
          record.rejected[reason, default: 0] += 1
        case .unreadable(let reason, let detail):
          append(pair.key, reason: reason, detail: detail)
          record.unreadable[reason, default: 0] += 1
        }
        if waiting.count == ScoreStage.batch { try judgeWaiting(judge, progress) }
      }
      try judgeWaiting(judge, progress)
      try shard.checkUnchanged()
      if let failure = shard.failure(reader.fault, reader.message) { throw failure }
      record.fault = reader.fault?.rawValue
      record.message = reader.message
      record.report = reader.report
    }

    /// Who waits for the turn of large shards holds no sample: the one that has it may wait for room to read a large one.
    private mutating func next(of reader: PairReader) -> PairRecord? {
      if !isLarge, table.count > run.largeShards.rows {
        run.largeShards.begin()
        isLarge = true
      }
      return reader.next()
    }

    /// A row, not judged as yet.
    private mutating func append(_ key: [UInt8], reason: String = "", detail: String = "") {
      let nothing = repeatElement(Float.nan, count: table.kinds)
      table.keys.append(key)
      table.reasons.append(reason)
      // An error's text may hold what the file says, however long.
      table.details.append(shortened(detail).utf8)
      table.observed += nothing
      table.randomRepaired += nothing
      table.clusterRepaired += nothing
      table.combined.append(.nan)
      table.bestCaptions.append("")
      table.bestScores.append(.nan)
      table.parts.append(-1)
    }

    private mutating func judgeWaiting(
      _ judge: Judge, _ progress: ProgressCounter
    ) throws(RunError) {
      let verdicts = judge.score(waiting)
      for ((row, pair), scores) in zip(zip(rows, waiting), verdicts) {
        let columns = (row * table.kinds)..<((row + 1) * table.kinds)
        table.observed.replaceSubrange(columns, with: scores.observed)
        table.randomRepaired.replaceSubrange(columns, with: scores.randomRepaired)
        table.clusterRepaired.replaceSubrange(columns, with: scores.clusterRepaired)
        let combined = mean(scores.observed)
        let (random, cluster) = (mean(scores.randomRepaired), mean(scores.clusterRepaired))
        guard [combined, random, cluster].allSatisfy(\.isFinite) else {
          throw notFinite(scores, row)
        }
        let part = PairStatistics.part(ofCaption: captionHash(pair.caption))
        table.combined[row] = combined
        table.parts[row] = Int64(part)
        if let best = scores.best {
          table.bestCaptions[row] = bankCaptions[best.pair]
          table.bestScores[row] = best.score
        }
        statistics.add(observed: combined, part: part)
        statistics.add(randomRepaired: random, part: bankParts[scores.randomCaption])
        statistics.add(clusterRepaired: cluster, part: bankParts[scores.clusterCaption])
      }
      progress.add(pairs: waiting.count)
      waiting.removeAll(keepingCapacity: true)
      rows.removeAll(keepingCapacity: true)
    }

    /// Weights may be finite, and yet too large to calculate with.
    private func notFinite(_ scores: PairScores, _ row: Int) -> RunError {
      let kind = scores.observed.indices.first { i in
        ![scores.observed[i], scores.randomRepaired[i], scores.clusterRepaired[i]]
          .allSatisfy(\.isFinite)
      }
      let who = kind.map { "member \(record.kinds[$0]) scores" } ?? "its members score"
      let key = shortened(String(decoding: table.keys[row], as: UTF8.self))
      return .badEnsemble(
        directory: run.directory.ensemble,
        detail:
          "\(who) \(key) of \(shard.path) with no finite number; train the ensemble again, or give "
          + "another one with --ensemble")
    }

    private func mean(_ values: [Float]) -> Float {
      values.reduce(0, +) / Float(max(1, values.count))
    }
  }
}

/// The first 300 bytes: a score table holds what people wrote, however long.
private func shortened(_ text: String) -> String {
  text.utf8.count <= 300 ? text : String(decoding: text.utf8.prefix(300), as: UTF8.self)
}
