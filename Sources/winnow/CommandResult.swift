import Pipeline

/// What a command that works on an output folder comes to.
protocol CommandResult {
  /// What the process ends with (README, "Two commands").
  var exitStatus: Int32 { get }
  /// What the records for machines tell of it beside that.
  var record: RunResult? { get }
}

extension CommandResult {
  var exitStatus: Int32 { record?.exitStatus ?? 0 }
  var record: RunResult? { nil }
}

extension RunResult: CommandResult {
  var record: RunResult? { self }
}

extension EmbeddingSummary: CommandResult {
  var record: RunResult? { result }
}

extension RestoreResult: CommandResult {
  var exitStatus: Int32 { problems.isEmpty ? damaged.isEmpty ? 0 : 3 : 1 }
}

extension NoiseModelFile: CommandResult {}
extension DryRunReport: CommandResult {}
