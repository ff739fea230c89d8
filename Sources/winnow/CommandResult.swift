import Foundation
import Pipeline

/// What a command that works on an output folder comes to.
protocol CommandResult {
  /// What the process ends with (README, "Two commands").
  var exitStatus: Int32 { get }
  /// What the records for machines tell of it beside that.
  var record: RunResult? { get }
  /// Whether what the folder is for lies there now, so that a good status is a night's success. A stage that another one must
  /// follow is none: that one may fail every night.
  func endsNight(in directory: RunDirectory) -> Bool
}

extension CommandResult {
  var exitStatus: Int32 { record?.exitStatus ?? 0 }
  var record: RunResult? { nil }
  func endsNight(in directory: RunDirectory) -> Bool { false }
}

extension RunResult: CommandResult {
  var record: RunResult? { self }

  /// The clean shards, published by this command or before it; or the downstream trainer's model, which has no manifest.
  func endsNight(in directory: RunDirectory) -> Bool {
    manifest != nil || FileManager.default.fileExists(atPath: directory.model)
  }
}

extension EmbeddingSummary: CommandResult {
  var record: RunResult? { result }
  func endsNight(in directory: RunDirectory) -> Bool { true }
}

extension RestoreResult: CommandResult {
  var exitStatus: Int32 { problems.isEmpty ? damaged.isEmpty ? 0 : 3 : 1 }
}

extension NoiseModelFile: CommandResult {}
extension DryRunReport: CommandResult {}
