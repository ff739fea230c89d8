import Foundation

/// What of the folders that no later run needs somebody deleted whole, and meant it: they come again with the next increment,
/// and what was in them is no damage.
struct DroppedOutput: Codable, Equatable {
  var formatVersion = StateJSON.formatVersion
  /// Of `rejected`, so many shards, from the first on.
  var rejected = 0
  /// Of `decisions`, those of so many input shards.
  var decisions = 0

  /// As noted in the folder.
  /// - Throws: `RunError.file`, `.otherFormat`, `.damagedState`.
  init(of directory: RunDirectory) throws(RunError) {
    if FileManager.default.fileExists(atPath: directory.dropped) {
      self = try StateJSON.decode(DroppedOutput.self, from: directory.dropped)
    }
  }

  /// Takes note of the folders that aren't there.
  static func note(_ manifest: Manifest, shards: Int, in run: RunContext) throws {
    let before = try DroppedOutput(of: run.directory)
    var now = before
    if isDeleted(run.directory.rejected) { now.rejected = manifest.rejected.count }
    if isDeleted(run.directory.decisions) { now.decisions = shards }
    // It was away, or came back from a backup.
    if before.rejected > 0, let first = manifest.rejected.first,
      FileManager.default.fileExists(atPath: "\(run.directory.rejected)/\(first.file)")
    {
      now.rejected = 0
    }
    if before.decisions > 0 {
      let names = try? FileManager.default.contentsOfDirectory(atPath: run.directory.decisions)
      if names?.contains(where: { before.holds(decision: "decisions/\($0)") }) ?? false {
        now.decisions = 0
      }
    }
    if now != before { try run.publishing.publish(json: now, to: run.directory.dropped) }
  }

  /// Not a disk that isn't mounted, and no link that leads nowhere.
  static func isDeleted(_ folder: String) -> Bool {
    var info = stat()
    return lstat(folder, &info) != 0 && errno == ENOENT
  }

  /// - Parameter file: below the output folder; of `decisions`.
  func holds(decision file: String) -> Bool {
    let name = file.utf8.drop { $0 != UInt8(ascii: "/") }.dropFirst()
    let number = String(decoding: name.prefix { $0 != UInt8(ascii: "-") }, as: UTF8.self)
    return file.hasPrefix("decisions/") && Int(number).map { $0 < decisions } ?? false
  }
}
