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
    let files = FileManager.default
    if !files.fileExists(atPath: run.directory.rejected) { now.rejected = manifest.rejected.count }
    if !files.fileExists(atPath: run.directory.decisions) { now.decisions = shards }
    if now != before { try run.publishing.publish(json: now, to: run.directory.dropped) }
  }

  /// - Parameter file: below the output folder; of `decisions`.
  func holds(decision file: String) -> Bool {
    let name = file.utf8.drop { $0 != UInt8(ascii: "/") }.dropFirst()
    let number = String(decoding: name.prefix { $0 != UInt8(ascii: "-") }, as: UTF8.self)
    return file.hasPrefix("decisions/") && Int(number).map { $0 < decisions } ?? false
  }
}
