import Foundation
import Layers
import Shards

/// The increments of an output folder, oldest first. The last may be open: begun by a run that
/// was stopped. A run finishes what is open, and then pins what is new.
struct IncrementLog {
  private(set) var pinned: [Increment]
  /// Those that the manifest tells of.
  private(set) var finished: Int
  /// Which open increments have all their output shards.
  private var written: [Int: Bool] = [:]
  /// Which folders of shards that are gone hold something.
  var folders: Set<String> = []
  /// The number of shards before the next increment.
  private var shardCount: Int { pinned.reduce(0) { $0 + $1.shards.count } }

  /// - Throws: `RunError.damagedState`, `.damagedOutput`, `.otherFormat`, `.file`.
  init(of directory: RunDirectory) throws(RunError) {
    (pinned, finished) = ([], 0)
    let files = FileManager.default
    while case let file = directory.increment(pinned.count), files.fileExists(atPath: file) {
      let increment = try Increment(at: file)
      guard increment.index == pinned.count, increment.firstShard == shardCount else {
        throw .damagedState(file: file, detail: "it doesn't follow those before it")
      }
      pinned.append(increment)
    }
    // Pinned anew, others than it was made for would be written by its plan.
    guard !directory.isPlanned(pinned.count) else {
      throw .damagedOutput("\(directory.increment(pinned.count)) is gone")
    }
    finished =
      files.fileExists(atPath: directory.manifest)
      ? try Manifest(of: directory).increments.count : 0
    guard finished <= pinned.count else {
      throw .damagedState(
        file: directory.manifest,
        detail: "it tells of \(finished) increments, \(directory.increments) of \(pinned.count)")
    }
  }

  var open: ArraySlice<Increment> { pinned[finished...] }

  /// The shards that no finished increment holds, told by path, size, time and inode, and commands by their text: nothing
  /// is read.
  func filterNew(_ selection: ShardSelection) -> ShardSelection {
    let known = Dictionary(
      pinned[..<finished].flatMap(\.shards).map { ($0.place, $0) }, uniquingKeysWith: { $1 })
    return ShardSelection(
      shards: selection.shards.filter { shard in
        let place = ShardPath(path: absolutePath(shard.path))
        guard let old = known[place] else { return true }
        guard let now = try? FileIdentity(of: place.path) else { return false }
        return now != old.identity
      })
  }

  /// What of `survey` is new, pinned as the next increment; nil when nothing is.
  mutating func pin(_ survey: ShardSurvey, in run: RunContext) throws -> Increment? {
    guard !survey.new.isEmpty else {
      DigestJournal.remove(in: run)
      return nil
    }
    let increment = Increment(
      index: pinned.count, firstShard: shardCount, shards: survey.new)
    if increment.index == 0 { try increment.checkReadable() }
    // Before it is pinned: an increment that is open is held to the libraries that it was begun with.
    if increment.index > 0 {
      try Settings.renewEnvironment(in: run)
    } else {
      // Of one that was taken out whole, what was computed may lie there.
      try forgetLeftovers(of: increment, in: run)
    }
    try increment.publish(to: run.directory.increment(increment.index), in: run)
    DigestJournal.remove(in: run)
    pinned.append(increment)
    return increment
  }

  mutating func close(_ increment: Increment) { finished = increment.index + 1 }

  /// Compares the shards of a list with those known: one with the path, size, time and inode of a known one isn't opened;
  /// any other is hashed, and is a known one, moved or touched, if its bytes are that one's.
  ///
  /// A copy of a known shard, one of an equal digest beside it, isn't judged again. Copies that are new in one and the same
  /// list are told from each other by their paths alone: each is pinned and judged.
  ///
  /// Pins anew what is known by another path or time now. An open increment of which nothing was published yet loses what
  /// vanished from it, and takes what changed in it as it is now.
  ///
  /// - Parameter rescores: what changed in an open increment is scored by this run; else it is an error.
  /// - Throws: `RunError.shardChanged` for a shard of an open increment that was published in part.
  mutating func survey(
    _ selection: ShardSelection, rescores: Bool, in run: RunContext
  ) throws -> ShardSurvey {
    let known = Increment.ShardTable(pinned.lazy.flatMap(\.shards))
    // The latest of a path counts: the ones before it changed into it.
    let latest = Dictionary(known.indices.map { (known[$0].place, $0) }) { $1 }
    let copies = try copies(in: run)
    let copied = Dictionary(copies.indices.map { (copies[$0].place, $0) }) { $1 }
    let now = try Increment.look(at: selection.shards, run) { _, place in
      latest[place].map { known[$0] } ?? copied[place].map { copies[$0] }
    }
    if known.isEmpty { return ShardSurvey(new: now) }
    try checkReadable(now, in: run)

    // Which known shard each listed one is.
    var match = now.map { shard -> Int? in
      latest[shard.place].flatMap { known[$0].digest == shard.digest ? $0 : nil }
    }
    var free: [String: [Int]] = [:]
    let matched = Set(match.compactMap { $0 })
    for k in known.indices.reversed() where !known[k].digest.isEmpty && !matched.contains(k) {
      free[known[k].digest, default: []].append(k)
    }
    for i in match.indices where match[i] == nil && !now[i].digest.isEmpty {
      match[i] = free[now[i].digest]?.popLast()
    }

    // The known shards that have the bytes of one that isn't known.
    let wanted = Set(match.indices.lazy.filter { match[$0] == nil }.map { now[$0].digest })
    var digests: [String: String] = [:]
    if !wanted.isEmpty {
      for shard in known where wanted.contains(shard.digest) {
        digests[shard.digest] = digests[shard.digest] ?? shard.path
      }
    }
    var survey = ShardSurvey()
    var updates: [Int: Increment.Shard?] = [:]
    var unreadable: Set<Int> = []
    var copiesNow: [ShardPath: Increment.Shard] = [:]
    for i in match.indices {
      if let k = match[i] {
        // Under the name that its state goes by.
        var shard = now[i]
        shard.name = known[k].name
        if known[k] != shard { updates[k] = shard }
      } else if let k = latest[now[i].place], now[i].digest.isEmpty {
        // A disk that isn't mounted tonight makes no new shards.
        unreadable.insert(k)
      } else if let k = latest[now[i].place], try adopts(k, known[k], rescores, in: run) {
        survey.notes.append("\(now[i].path) changed since it was pinned; it is judged as it is now")
        updates[k] = now[i]
      } else if let original = digests[now[i].digest], !now[i].digest.isEmpty {
        if copied[now[i].place].map({ copies[$0].digest }) != now[i].digest {
          survey.notes.append("\(now[i].path) has the bytes of \(original); it isn't judged again")
        }
        copiesNow[now[i].place] = now[i]
      } else {
        survey.new.append(now[i])
      }
    }
    let seen = Set(match.compactMap { $0 })
    try noteUnmatched(
      &survey, &updates, known.indices.filter { !seen.contains($0) && updates[$0] == nil }, known,
      latest, unreadable, Set(now.lazy.map(\.place)), rescores, in: run)
    try update(updates, in: run)
    try keep(copiesNow, after: copies, in: run)
    return survey
  }

  /// Looks after the known shards, of these numbers, that the list doesn't name as they were.
  private mutating func noteUnmatched(
    _ survey: inout ShardSurvey, _ updates: inout [Int: Increment.Shard?], _ unmatched: [Int],
    _ known: Increment.ShardTable, _ latest: [ShardPath: Int], _ unreadable: Set<Int>,
    _ listed: Set<ShardPath>, _ rescores: Bool, in run: RunContext
  ) throws {
    for k in unmatched {
      let shard = known[k]
      let isThere = Self.isThere(shard)
      if shard.digest.isEmpty {
        // It couldn't be read when it was pinned, so nothing of it is published.
        if !listed.contains(shard.place) { survey.unlisted += 1 }
      } else if latest[shard.place] != k || listed.contains(shard.place) && !unreadable.contains(k)
      {
        survey.stale.append(StaleShard(index: k, path: shard.path, change: .changed))
      } else if isThere, !unreadable.contains(k) {
        survey.unlisted += 1
      } else {
        try checkDeleted(k, shard, in: run)
        guard try adopts(k, shard, rescores, in: run) else {
          survey.stale.append(StaleShard(index: k, path: shard.path, change: .gone))
          continue
        }
        survey.notes.append(
          "\(shard.path) \(isThere ? "can't be opened" : "is gone") before it was cleaned; it is left out"
        )
        updates[k] = .some(nil)
      }
    }
  }

  /// Whether a shard that is no longer as it was pinned belongs to an open increment that can still be pinned otherwise.
  private mutating func adopts(
    _ k: Int, _ shard: Increment.Shard, _ rescores: Bool, in run: RunContext
  ) throws(RunError) -> Bool {
    guard
      let increment = open.first(where: {
        ($0.firstShard..<$0.firstShard + $0.shards.count).contains(k)
      })
    else { return false }
    guard run.directory.isPlanned(increment.index) else {
      guard rescores || shard.digest.isEmpty else {
        throw .shardChanged(path: shard.path, detail: "it isn't what was scored")
      }
      return true
    }
    // Of one that couldn't be read when it was pinned nothing is published: as it is now, it is a new one.
    if shard.digest.isEmpty { return false }
    // Only the manifest is missing, which is made without the shards.
    if try isWritten(increment.index, in: run) { return false }
    if rescores, run.rank.isWhole, try WriteStage.takeBackPlan(increment.index, in: run) {
      return true
    }
    throw .shardChanged(
      path: shard.path,
      detail: "it was pinned, and what is written of its increment may be published")
  }

  /// Looked up once for each increment, which may have many shards that are gone.
  private mutating func isWritten(_ index: Int, in run: RunContext) throws(RunError) -> Bool {
    if let known = written[index] { return known }
    let isWritten = try WriteStage.isWritten(index, in: run)
    written[index] = isWritten
    return isWritten
  }

  /// The shards that have the bytes of known ones, as they were when that was found: they aren't opened again.
  func copies(in run: RunContext) throws(RunError) -> Increment.ShardTable {
    FileManager.default.fileExists(atPath: run.directory.copies)
      ? try Increment(at: run.directory.copies).shards : .init()
  }

  /// Those of a list that doesn't name all stay.
  private func keep(
    _ now: [ShardPath: Increment.Shard], after old: Increment.ShardTable, in run: RunContext
  ) throws {
    var all = Dictionary(old.lazy.map { ($0.place, $0) }) { $1 }
    all.merge(now) { $1 }
    let table = Increment.ShardTable(
      all.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) })
    guard table != old else { return }
    try Increment(shards: table).publish(to: run.directory.copies, in: run)
  }

  /// Those of shards that were pinned otherwise, or are to be scored again.
  func removeDecisions(of increment: Increment, in run: RunContext) {
    for i in increment.shards.indices {
      try? FileManager.default.removeItem(atPath: run.decisionPath(i, increment))
    }
  }

  /// Shards by number; nil takes one out.
  private mutating func update(_ updates: [Int: Increment.Shard?], in run: RunContext) throws {
    guard !updates.isEmpty else { return }
    var first = 0
    for i in pinned.indices {
      let before = pinned[i]
      let range = before.firstShard..<before.firstShard + before.shards.count
      pinned[i].firstShard = first
      pinned[i].shards = Increment.ShardTable(
        range.lazy.compactMap { k -> Increment.Shard? in
          updates[k] ?? before.shards[k - range.lowerBound]
        })
      first += pinned[i].shards.count
      if pinned[i] != before {
        let isSame =
          pinned[i].firstShard == before.firstShard && pinned[i].digests == before.digests
        // Ranks may name a shard by paths of their own, for themselves; its bytes are what counts.
        if isSame, !run.rank.isWhole { continue }
        if !isSame, i >= finished { removeDecisions(of: before, in: run) }
        try pinned[i].publish(to: run.directory.increment(i), in: run)
      }
    }
    // Only the last can be open, and so be empty now.
    if let last = pinned.last, last.shards.isEmpty {
      try? FileManager.default.removeItem(atPath: run.directory.increment(last.index))
      if last.index == 0 { WriteStage.takeBackFolders(in: run) }
      pinned.removeLast()
    }
  }
}
