import Foundation

/// What every stage of a run needs.
public struct RunContext: Sendable {
  public let configuration: RunConfiguration
  public let directory: RunDirectory
  public let cancellation: Cancellation
  public let observe: RunObserver
  /// Threads.
  public let workers: Int
  let publishing: Publishing
  let timings = StageTimings()

  /// - Parameter observe: called from any thread.
  public init(
    configuration: RunConfiguration, directory: RunDirectory,
    cancellation: Cancellation = Cancellation(), observe: @escaping RunObserver = { _ in }
  ) throws(RunError) {
    var configuration = configuration
    configuration.judges.seed = configuration.seed
    configuration.train.seed = configuration.seed
    try configuration.check()
    self.configuration = configuration
    self.directory = directory
    self.cancellation = cancellation
    self.observe = observe
    workers =
      configuration.workers > 0
      ? configuration.workers : ProcessInfo.processInfo.activeProcessorCount
    publishing = Publishing(temporary: directory.temporary)
  }
}
