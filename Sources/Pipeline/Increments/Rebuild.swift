import Foundation
import Shards

/// An output folder made anew: built beside the old one, which serves until the two are swapped in one step.
enum Rebuild {
  /// Makes `DIR.rebuild` of `shards`, swaps it with `DIR`, and leaves what that was as `DIR.previous`. Call it under the
  /// lock of `DIR`. A killed rebuild goes on where it was.
  /// - Parameter isComplete: it must hold every shard that is published.
  static func run(
    _ shards: ShardSelection, ensemble: String?, isComplete: Bool = false, in run: RunContext
  ) throws -> RunResult {
    // Of nothing, there is nothing to make anew.
    guard FileManager.default.fileExists(atPath: run.directory.increment(0)) else {
      return try Run.cleanIncrements(shards, ensemble: ensemble, in: run)
    }
    let files = FileManager.default
    if !run.directory.isPlanned(0),
      let other = [run.directory.model, "\(run.directory.path)/embeddings.json"]
        .first(where: files.fileExists)
    {
      throw RunError.usage(
        "\(run.directory.path) is no cleaned corpus (it holds \(other)); choose another --out")
    }
    var configuration = run.configuration
    configuration.refresh.onDrift = .report
    let beside = try RunContext(
      configuration: configuration,
      directory: RunDirectory(realPath(run.directory.path) + ".rebuild"),
      cancellation: run.cancellation, observe: run.observe)
    beside.commands.allow(run.commands)
    try shards.checkApart(from: beside.directory)
    try checkSwap(run)
    try settle(beside.directory, in: run)
    let judges = try ensemble.map { try EnsembleStage.judges(at: $0).digest }
    try discardOther(beside, shards, judges, in: run)
    let restored = (try? Manifest(of: run.directory))?.restored.count ?? 0
    if restored > 0 {
      run.observe(
        .note(
          "\(counted(restored, "pair")) restored before: judged anew; restore them again if they are rejected"
        )
      )
    }
    if FileManager.default.fileExists(atPath: previous(of: run)) {
      run.observe(.note("\(previous(of: run)), from an earlier rebuild, is replaced at the end"))
    }
    run.observe(.note("building anew in \(beside.directory.path)"))
    var result = try Run.locked(beside) { () throws -> RunResult in
      try begin(beside, judges, after: run)
      if isComplete {
        // Before hours are spent on it.
        var log = try IncrementLog(of: beside.directory)
        let survey = try log.survey(shards, rescores: true, in: beside)
        if log.open.isEmpty { _ = try log.pin(survey, in: beside) }
        try checkComplete(beside, after: run)
      }
      var built = try Run.cleanIncrements(shards, ensemble: ensemble, in: beside)
      if isComplete { try checkComplete(beside, after: run) }
      try? FileManager.default.removeItem(atPath: beside.directory.temporary)
      // The lock goes with the folder: it is `DIR`'s from here on, until the old one is put away.
      try swap(realPath(run.directory.path), beside.directory.path)
      // From here on it is done, whatever becomes of the old one.
      do {
        built.previous = try putAway(beside.directory, in: run)
        rmdir(run.directory.temporary)
      } catch {
        built.previous = beside.directory.path
        run.observe(.note("the old folder stays where it is: \(error)"))
      }
      return built
    }
    result.cleanShards = result.cleanShards.map {
      run.directory.clean + "/" + ($0 as NSString).lastPathComponent
    }
    return result
  }

  /// By the policy for drift: from all shards that are known, and the new ones.
  /// - Returns: nil, having said why, where it can't be done: the night goes on without.
  static func onDrift(
    _ shards: ShardSelection, ensemble: String?, in run: RunContext
  ) throws -> RunResult? {
    let log = try IncrementLog(of: run.directory)
    let known = log.pinned.flatMap(\.shards)
    // A disk that went away since the list was compared must not take its pairs from the folder.
    let lost = known.first { !$0.digest.isEmpty && !isAsPinned($0, in: run) }
    if let lost {
      run.observe(
        .note("the folder isn't built anew: \(lost.path) changed or went away in this night"))
      return nil
    }
    let copies = Set(try log.copies(in: run).lazy.map(\.place))
    var seen: Set<ShardPath> = []
    let listed = shards.paths.lazy.map { ShardPath(path: absolutePath($0)) }
    let all = (known.map(\.place) + listed.filter { !copies.contains($0) }).filter {
      seen.insert($0).inserted
    }
    let refits = run.configuration.refresh.onDrift == .refit
    do {
      return try Rebuild.run(
        ShardSelection(shards: all), ensemble: ensemble ?? (refits ? run.directory.path : nil),
        isComplete: true, in: run)
    } catch {
      try run.cancellation.check()
      run.observe(.note("the folder isn't built anew: \(error)"))
      let beside = RunDirectory(realPath(run.directory.path) + ".rebuild")
      let isFull = [ENOSPC, EDQUOT].contains {
        "\(error)".contains(String(cString: strerror($0)))
      }
      // The night needs the room; what an earlier rebuild left there isn't this one's.
      if isFull, let new = try? Generation(of: beside).number,
        let now = try? Generation(of: run.directory).number, new > now
      {
        try? discard(beside, in: run)
      }
      return nil
    }
  }

  /// Whether a shard has the bytes that were pinned, wherever its file lies now.
  private static func isAsPinned(_ shard: Increment.Shard, in run: RunContext) -> Bool {
    if ShardPath.isPipe(shard.path) { return true }
    guard let now = try? FileIdentity(of: shard.path) else { return false }
    if now.size == shard.identity?.size, now.modified == shard.identity?.modified { return true }
    return (try? Digest.ofFile(shard.path, cancellation: run.cancellation)) == shard.digest
  }

  /// - Throws: `RunError.shardChanged` for a shard that is published and couldn't be read for the new folder.
  private static func checkComplete(_ beside: RunContext, after run: RunContext) throws {
    let now = Set(
      try IncrementLog(of: beside.directory).pinned.lazy.flatMap(\.shards).map(\.digest))
    let log = try IncrementLog(of: run.directory)
    let published = log.pinned[..<log.finished].lazy.flatMap(\.shards)
    // One that couldn't be read has no digest; it is pinned again once it can be.
    guard let lost = published.first(where: { !$0.digest.isEmpty && !now.contains($0.digest) })
    else { return }
    try discard(beside.directory, in: run)
    throw RunError.shardChanged(path: lost.path, detail: "it couldn't be read, or read as it was")
  }

  /// How often a folder was built anew: tells a rebuild that waits to be swapped in from what was swapped out.
  private struct Generation: Codable {
    var formatVersion = StateJSON.formatVersion
    var number = 0
    /// The digest of the judges that were named to build it with; nil where it trains its own.
    var judges: String?
    /// How many shards the folder knew when it was begun to be built anew.
    var shards: Int?

    static func file(_ directory: RunDirectory) -> String { "\(directory.state)/generation.json" }

    init(of directory: RunDirectory) throws(RunError) {
      let file = Self.file(directory)
      if FileManager.default.fileExists(atPath: file) {
        self = try StateJSON.decode(Generation.self, from: file)
      }
    }
  }

  private static func begin(
    _ beside: RunContext, _ judges: String?, after run: RunContext
  ) throws {
    var generation = try Generation(of: run.directory)
    generation.number &+= 1
    generation.judges = judges
    let begun = try? Generation(of: beside.directory)
    generation.shards =
      begun?.number == generation.number ? begun?.shards : knownShards(in: run)?.count
    try beside.publishing.publish(json: generation, to: Generation.file(beside.directory))
  }

  /// After a kill between the swap and what follows it, the folder beside is the old one.
  private static func settle(_ beside: RunDirectory, in run: RunContext) throws {
    guard FileManager.default.fileExists(atPath: beside.increment(0)) else { return }
    let (old, now) = (try Generation(of: beside).number, try Generation(of: run.directory).number)
    if old < now { _ = try putAway(beside, in: run) }
  }

  /// Tells of what a rebuild that was stopped left beside the folder.
  static func noteLeftover(in run: RunContext) {
    let beside = RunDirectory(realPath(run.directory.path) + ".rebuild")
    let files = FileManager.default
    guard files.fileExists(atPath: beside.state) else { return }
    // What can't be read isn't gone on with either.
    let there = (try? Generation(of: beside).number) ?? -1
    let here = (try? Generation(of: run.directory).number) ?? 0
    let isOld = there < 0 || files.fileExists(atPath: beside.increment(0)) && there < here
    run.observe(
      .note(
        isOld
          ? "\(beside.path) is what the folder was before the last rebuild; delete it, or the next --rebuild does"
          : "\(beside.path) is of a rebuild that was stopped; give --rebuild to finish it, or delete it"
      ))
  }

  private static func previous(of run: RunContext) -> String {
    realPath(run.directory.path) + ".previous"
  }

  /// Looks beforehand for what would fail after hours: a place beside the folder where two folders can be swapped, and no
  /// stranger in the place of the old one.
  /// - Throws: `RunError.usage`, `.file`.
  static func checkSwap(_ run: RunContext) throws {
    let previous = RunDirectory(previous(of: run))
    let files = FileManager.default
    let rebuild = RunDirectory(realPath(run.directory.path) + ".rebuild")
    for (place, sign) in [(previous.path, putAwayMark(previous)), (rebuild.path, rebuild.state)]
    where files.fileExists(atPath: place) && !files.fileExists(atPath: sign) {
      throw RunError.usage("\(place) is in the way, and no rebuild left it there; move it away")
    }
    let folders = (0..<2).map { _ in "\(previous.path)-\(UInt64.random(in: 0 ... .max))" }
    defer { for folder in folders { rmdir(folder) } }
    for folder in folders { try run.directory.makeFolder(folder) }
    try swap(folders[0], folders[1])
    let ids = [run.directory.path, folders[0]].map { path in
      var status = stat()
      return stat(path, &status) == 0 ? status.st_dev : 0
    }
    guard ids[0] == ids[1] else {
      throw RunError.usage(
        "\(run.directory.path) is a disk of its own, so that nothing can be built beside it; give an --out below it"
      )
    }
  }

  /// A rebuild that was begun otherwise, or is damaged, was never output: it is begun again.
  /// Nil where the folder is too damaged to tell, which a rebuild mends.
  private static func knownShards(in run: RunContext) -> [ShardPath]? {
    (try? IncrementLog(of: run.directory)).map { $0.pinned.flatMap { $0.shards.map(\.place) } }
  }

  /// - Parameter judges: the digest of those that it is to be built with.
  private static func discardOther(
    _ beside: RunContext, _ shards: ShardSelection, _ judges: String?, in run: RunContext
  ) throws {
    guard FileManager.default.fileExists(atPath: beside.directory.state) else { return }
    let known = knownShards(in: run) ?? []
    do {
      let pinned = try IncrementLog(of: beside.directory).pinned.lazy.flatMap(\.shards)
      // What came since the folder was cleaned is judged after the others; they make the judges.
      let listed = Set(shards.paths.lazy.map { ShardPath(path: absolutePath($0)) })
      let first = Set(
        try IncrementLog(of: beside.directory).pinned.first?.shards.map(\.place) ?? [])
      let begun = try Generation(of: beside.directory)
      let cleaned = known.prefix(begun.shards ?? known.count)
      guard pinned.allSatisfy({ listed.contains($0.place) }),
        first.isEmpty || cleaned.allSatisfy({ !listed.contains($0) || first.contains($0) }),
        begun.judges == judges
      else { throw RunError.otherShards(directory: beside.directory.path, detail: "") }
      try Settings.compare(Settings.Section.allCases, goesOn: true, in: beside)
    } catch let error as RunError {
      switch error {
      case .otherSettings, .otherShards, .otherFormat, .damagedState, .damagedOutput: break
      default: throw error
      }
      beside.observe(
        .note(
          "\(beside.directory.path) was begun with other settings, libraries, judges or shards, or is damaged; it is begun again"
        ))
      try discard(beside.directory, in: run)
    }
  }

  /// Deletes a folder, whole or not at all: what is left of one mustn't be taken for a state.
  private static func discard(_ directory: RunDirectory, in run: RunContext) throws {
    let place = "\(run.directory.temporary)/\(UInt64.random(in: 0 ... .max))-discarded"
    try run.directory.makeFolder(run.directory.temporary)
    guard rename(directory.path, place) == 0 || errno == ENOENT else {
      throw RunError.file(path: directory.path, operation: "clear away", code: errno)
    }
    try? FileManager.default.removeItem(atPath: place)
  }

  /// Swaps two folders in one step: nobody ever sees neither. glibc's `renameat2`, which Swift's modules leave out.
  private static func swap(_ a: String, _ b: String) throws(RunError) {
    typealias Call =
      @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
    let exchange: UInt32 = 2
    guard let symbol = dlsym(dlopen(nil, RTLD_LAZY), "renameat2") else {
      throw .file(path: a, operation: "swap \(b) with", code: ENOSYS)
    }
    guard unsafeBitCast(symbol, to: Call.self)(AT_FDCWD, a, AT_FDCWD, b, exchange) == 0 else {
      let code = errno
      guard code != EINVAL else {
        throw .usage(
          "the file system of \(a) can't swap two folders in one step, as NFS can't; clean into a new --out, and put that in "
            + "the place of this one yourself")
      }
      throw .file(path: a, operation: "swap \(b) with", code: code)
    }
    // Whoever swaps them goes by what is there; a disk that fails now is told of by what comes next.
    try? Publishing.flush((absolutePath(a) as NSString).deletingLastPathComponent)
  }

  /// Tells what a rebuild put away, and the next one may delete, from a copy that somebody made.
  private static func putAwayMark(_ directory: RunDirectory) -> String {
    "\(directory.state)/put-away"
  }

  /// - Returns: where the old folder lies now.
  private static func putAway(_ old: RunDirectory, in run: RunContext) throws -> String {
    let previous = previous(of: run)
    try discard(RunDirectory(previous), in: run)
    try Data().write(to: URL(fileURLWithPath: putAwayMark(old)))
    guard rename(old.path, previous) == 0 else {
      throw RunError.file(path: previous, operation: "rename into place", code: errno)
    }
    return previous
  }
}
