import Foundation

/// What every stage of a run needs.
public struct RunContext: Sendable {
  public internal(set) var configuration: RunConfiguration
  public let directory: RunDirectory
  public let cancellation: Cancellation
  public let observe: RunObserver
  /// Threads.
  public let workers: Int
  /// This process' share of a stage.
  public let rank: Rank
  let publishing: Publishing
  let timings = StageTimings()
  let commands = NamedCommands()

  /// - Parameter observe: called from any thread.
  public init(
    configuration: RunConfiguration, directory: RunDirectory, rank: Rank = .whole,
    cancellation: Cancellation = Cancellation(), observe: @escaping RunObserver = { _ in }
  ) throws(RunError) {
    var configuration = configuration
    configuration.judges.seed = configuration.seed
    configuration.train.seed = configuration.seed
    try configuration.check()
    self.configuration = configuration
    var directory = directory
    if !rank.isWhole { directory.part = ".\(rank.index)-of-\(rank.count)" }
    self.directory = directory
    self.rank = rank
    self.cancellation = cancellation
    self.observe = observe
    workers =
      configuration.workers > 0
      ? configuration.workers : ProcessInfo.processInfo.activeProcessorCount
    publishing = Publishing(temporary: directory.temporary)
  }
}
