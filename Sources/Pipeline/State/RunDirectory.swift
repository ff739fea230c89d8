import Foundation

/// Where everything lies in an output folder.
public struct RunDirectory: Sendable, Equatable {
  public let path: String
  /// Tells the temporary files of processes apart that work in the folder at once.
  var part = ""

  /// - Parameter path: without the slashes at its end, so that a sibling is one.
  public init(_ path: String) {
    // Foundation takes a tilde for the home folder, where the shell left it as it is.
    var path = path.utf8.first == UInt8(ascii: "~") ? "./" + path : path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
  }

  public var clean: String { "\(path)/clean" }
  public var rejected: String { "\(path)/rejected" }
  public var decisions: String { "\(path)/decisions" }
  public var ensemble: String { "\(path)/ensemble" }
  public var noiseModel: String { "\(path)/noise-model.json" }
  public var model: String { "\(path)/model" }
  public var snapshots: String { "\(path)/snapshots" }
  public var trainingLog: String { "\(path)/train.jsonl" }
  public var manifest: String { "\(path)/manifest.json" }

  /// What a resume needs; no part of the output.
  var state: String { "\(path)/.winnow" }
  var lock: String { "\(state)/lock" }
  /// Held by who pins what several processes work on.
  var pinLock: String { "\(state)/pin.lock" }
  var temporary: String { "\(state)/tmp\(part)" }
  var increments: String { "\(state)/increments" }
  /// Digests of shards that aren't pinned yet.
  var digests: String { "\(state)/digests-\(StateJSON.formatVersion).jsonl" }
  /// Shards that have the bytes of others, which were judged.
  var copies: String { "\(state)/copies.json" }
  /// What somebody deleted whole.
  var dropped: String { "\(state)/dropped.json" }
  var texts: String { "\(state)/texts.json" }
  var settings: String { "\(state)/settings.json" }
  /// See `TrainingFolder`.
  var training: String { "\(state)/training" }
  var scores: String { "\(state)/scores" }
  var units: String { "\(state)/units" }
  var timings: String { "\(state)/timings\(part).json" }
  /// Pairs that are being restored.
  var restoring: String { "\(state)/restoring.json" }
  /// What was restored, command by command.
  var restored: String { "\(state)/restored" }
  /// The scores that the noise model was fitted on.
  var fittedScores: String { "\(state)/fitted-scores.json" }

  /// The shards of an increment, pinned.
  func increment(_ index: Int) -> String { "\(increments)/\(Self.padded(index)).json" }

  /// The output shards of an increment. They may have appeared once this is there, so what they were cut by stays.
  func plan(_ index: Int) -> String { "\(increments)/\(Self.padded(index)).plan.json" }

  func isPlanned(_ index: Int) -> Bool { FileManager.default.fileExists(atPath: plan(index)) }

  /// `000003-NAME`: the shard's index in the run and its name, of which 150 bytes leave room for what stands around them.
  static func stem(_ index: Int, _ name: String) -> String {
    var (shown, bytes) = (String.UnicodeScalarView(), 0)
    for scalar in name.unicodeScalars {
      bytes += scalar.utf8.count
      if bytes > 150 { break }
      shown.append(scalar)
    }
    return padded(index) + "-" + String(shown)
  }

  /// Six digits, as output shards are numbered.
  static func padded(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }

  /// Refuses a folder with output whose origin isn't known.
  /// - Throws: `RunError.unknownOutput`.
  func checkOrigin() throws(RunError) {
    let files = FileManager.default
    let first = increment(0)
    guard !files.fileExists(atPath: first) else { return }
    if let entry = [manifest, clean, rejected, decisions].first(where: files.fileExists) {
      throw .unknownOutput(entry: entry, missing: first)
    }
  }

  /// Makes the folders, and empties the temporary one of what a killed run left. Call it under the lock.
  func prepare() throws(RunError) {
    let files = FileManager.default
    try? files.removeItem(atPath: temporary)
    if part.isEmpty {
      // Whoever holds the folder alone clears away what ranks left.
      for name in (try? files.contentsOfDirectory(atPath: state)) ?? []
      where name.hasPrefix("tmp.") {
        try? files.removeItem(atPath: "\(state)/\(name)")
      }
    }
    for folder in [temporary, increments, scores, units] { try makeFolder(folder) }
  }

  /// Undoes `prepare` where nothing is pinned: an error must not leave a folder that was never asked for.
  /// - Parameter withFolder: the output folder too, which the run made.
  func takeBack(withFolder: Bool) {
    let files = FileManager.default
    // Digests took long to compute, and so did what is half trained or scored, whatever became of what was pinned.
    guard
      [increments, scores].allSatisfy({ (try? files.contentsOfDirectory(atPath: $0)) ?? [] == [] }),
      ![digests, training].contains(where: files.fileExists),
      (try? files.contentsOfDirectory(atPath: path)) == [".winnow"]
    else { return }
    try? files.removeItem(atPath: state)
    if withFolder { rmdir(path) }
  }

  /// `mkdir -p`.
  func makeFolder(_ folder: String) throws(RunError) {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .file(path: folder, operation: "make", code: systemCode(of: error))
    }
  }
}

/// The errno behind one of Foundation's errors.
func systemCode(of error: any Error) -> Int32 {
  switch (error as? CocoaError)?.underlying {
  case let cause as POSIXError: cause.code.rawValue
  // Of a file handle.
  case let cause as NSError where cause.domain == NSPOSIXErrorDomain: Int32(cause.code)
  default: EIO
  }
}
