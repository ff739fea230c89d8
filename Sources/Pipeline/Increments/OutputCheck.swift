import Foundation

/// A published file that doesn't lie there as it was published.
public struct DamagedFile: Sendable, Equatable {
  /// Below the output folder.
  public var file: String
  /// As it was published.
  public var bytes: Int64
  /// Nil where there is no such file.
  public var found: Int64?

  var words: String {
    found.map { "\(file) has \($0) bytes, but was published with \(bytes)" } ?? "\(file) is gone"
  }
}

/// Holds what the manifest names against what lies in the output folder, by size alone: nothing is opened or hashed.
enum OutputCheck {
  /// Tells of every damaged file. Call it before anything is made of what is published.
  ///
  /// - Returns: the damaged ones; nothing where no increment is finished.
  /// - Throws: `RunError.damagedOutput` where the noise model or a judge is damaged: nothing new can be cut or scored as
  ///   what is published was.
  @discardableResult
  static func run(_ log: IncrementLog, in run: RunContext) throws -> [DamagedFile] {
    guard log.finished > 0 else { return [] }
    let manifest = try Manifest(of: run.directory)
    try ManifestFile(path: run.directory.manifest).checkShards(of: manifest)
    try Restoring.check(manifest, in: run)
    let shards = log.pinned[..<log.finished].reduce(0) { $0 + $1.shards.count }
    try DroppedOutput.note(manifest, shards: shards, in: run)
    let damaged = try checkVital(manifest, in: run)
    for line in firstLines(of: damaged, { "\(run.directory.path)/\($0.words)" }) {
      run.observe(.note(line))
    }
    if !damaged.isEmpty { run.observe(.note("to mend that, \(RunError.damagedOutputRemedy)")) }
    if log.open.isEmpty, run.rank.isWhole { try restoreSizes(manifest, in: run) }
    return damaged
  }

  /// - Returns, throws: as `run`.
  @discardableResult
  static func checkVital(_ manifest: Manifest, in run: RunContext) throws -> [DamagedFile] {
    try checkPresent(run.directory.ensemble, in: run)
    try checkPresent(run.directory.noiseModel, in: run)
    let damaged = try damaged(manifest, in: run)
    let vital = damaged.first { $0.file == "noise-model.json" || $0.file.hasPrefix("ensemble/") }
    if let vital { throw RunError.damagedOutput("\(run.directory.path)/\(vital.words)") }
    return damaged
  }

  /// Refuses to make the judges or the noise model again once shards that they decided are published: they would be others.
  /// - Throws: `RunError.damagedOutput`.
  static func checkPresent(_ path: String, in run: RunContext) throws(RunError) {
    guard run.directory.isPlanned(0), !FileManager.default.fileExists(atPath: path) else { return }
    throw .damagedOutput("\(path) is gone")
  }

  /// What an increment publishes beside its shards, path below the folder and bytes: judges, noise model and decisions.
  static func forEachFile(
    of increment: Increment, in run: RunContext, _ body: (String, Int64) throws -> Void
  ) throws {
    func tell(_ path: String) throws {
      guard let identity = try? FileIdentity(of: path) else { return }
      try body(String(path.dropFirst(run.directory.path.count + 1)), identity.size)
    }
    let judges: [String]
    do {
      judges = try FileManager.default.contentsOfDirectory(atPath: run.directory.ensemble)
    } catch {
      throw RunError.file(
        path: run.directory.ensemble, operation: "read", code: systemCode(of: error))
    }
    for name in judges.sorted()
    where name == "ensemble.json" || name.hasSuffix(".safetensors") && !name.hasPrefix(".") {
      try tell("\(run.directory.ensemble)/\(name)")
    }
    try tell(run.directory.noiseModel)
    for i in increment.shards.indices { try tell(run.decisionPath(i, increment)) }
  }

  /// Folders that no later run needs: who deletes a whole one means it.
  private static let dispensable = ["rejected", "decisions"]

  private static func damaged(
    _ manifest: Manifest, in run: RunContext
  ) throws -> [DamagedFile] {
    let gone = dispensable.filter {
      !FileManager.default.fileExists(atPath: "\(run.directory.path)/\($0)")
    }
    let dropped = try DroppedOutput(of: run.directory)
    var damaged: [DamagedFile] = []
    func check(_ file: String, _ bytes: Int64) throws {
      guard !gone.contains(where: { file.hasPrefix($0 + "/") }), !dropped.holds(decision: file)
      else { return }
      let found = try size(of: "\(run.directory.path)/\(file)")
      if found != bytes { damaged.append(DamagedFile(file: file, bytes: bytes, found: found)) }
    }
    for output in manifest.clean { try check("clean/\(output.file)", output.bytes) }
    for output in manifest.rejected.dropFirst(dropped.rejected) {
      try check("rejected/\(output.file)", output.bytes)
    }
    try ManifestFile(path: run.directory.manifest).forEachFile(check)
    return damaged
  }

  /// Nil where there is no such file.
  /// - Throws: `RunError.file` where that can't be told.
  private static func size(of path: String) throws(RunError) -> Int64? {
    do throws(RunError) {
      return try FileIdentity(of: path).size
    } catch {
      if case .file(_, _, ENOENT) = error { return nil }
      if case .file(_, _, ENOTDIR) = error { return nil }
      throw error
    }
  }

  /// `sizes.json` follows from the manifest.
  private static func restoreSizes(_ manifest: Manifest, in run: RunContext) throws {
    for destination in Plan.Destination.allCases
    where FileManager.default.fileExists(atPath: run.folder(of: destination)) {
      if try WriteStage.publishSizes([], of: destination, after: manifest, in: run) {
        run.observe(
          .note(
            "\(run.folder(of: destination))/sizes.json wasn't what the manifest says; it is written again"
          ))
      }
    }
  }
}
