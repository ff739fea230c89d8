import Foundation

extension IncrementLog {
  /// What was computed for an increment under other libraries, or by another Winnow, is forgotten where nothing of it is
  /// published yet: it is computed again by those of now. Judges that are trained stay.
  /// - Parameter ensemble: given for the run.
  func renewOpen(ensemble: String? = nil, in run: RunContext) throws {
    guard let last = open.last, !run.directory.isPlanned(last.index),
      try !Settings.isEnvironmentPinned(in: run)
    else { return }
    if last.index == 0 { return try renewFirst(last, ensemble, in: run) }
    try forgetScores(of: last, in: run)
    try Settings.renewEnvironment(in: run)
  }

  /// Of the first one also what was learnt and fitted. It all stays where the run is to be refused for other settings or
  /// judges too; on another kind of machine, since those that it was begun on can go on with it; and in the folder of a model,
  /// whose training goes by these pins.
  private func renewFirst(
    _ first: Increment, _ ensemble: String?, in run: RunContext
  ) throws {
    let directory = run.directory
    guard !isOfModel(directory), try Settings.isMachinePinned(in: run), try hasItsSettings(in: run)
    else { return }
    if let ensemble, FileManager.default.fileExists(atPath: directory.ensemble),
      try EnsembleStage.judges(at: ensemble).digest
        != Judges(directory: directory.ensemble).digest
    {
      return
    }
    try renew(first, in: run)
  }

  /// Before a first increment is pinned: what one that is gone has left, if by other libraries, on whatever machine.
  func forgetLeftovers(of first: Increment, in run: RunContext) throws {
    guard try !Settings.isEnvironmentPinned(in: run), !isOfModel(run.directory) else { return }
    try renew(first, in: run)
  }

  private func isOfModel(_ directory: RunDirectory) -> Bool {
    [directory.texts, directory.model].contains(where: FileManager.default.fileExists)
  }

  private func renew(_ first: Increment, in run: RunContext) throws {
    let directory = run.directory
    try forgetScores(of: first, in: run)
    // The fit goes by the shards, the judges and the settings, and would take it for the one of the scores to come.
    for file in [directory.noiseModel, directory.fittedScores]
    where unlink(file) != 0 && errno != ENOENT {
      throw RunError.file(path: file, operation: "delete", code: errno)
    }
    TrainingFolder.remove(.judges, in: run)
    try Settings.renewEnvironment(
      noting: "since this run was begun these changed, so that what it had learnt or scored is "
        + "computed again", in: run)
  }

  private func hasItsSettings(in run: RunContext) throws -> Bool {
    do {
      try Settings.compare(Settings.Section.allCases, in: run)
      return true
    } catch RunError.otherSettings {
      return false
    }
  }

  private func forgetScores(of increment: Increment, in run: RunContext) throws {
    for i in increment.shards.indices {
      try ScoreFiles(i, of: increment, in: run.directory).remove()
    }
    removeDecisions(of: increment, in: run)
  }
}
