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
  var largeShards = LargeShards()

  /// - Parameter observe: called from any thread.
  public init(
    configuration: RunConfiguration, directory: RunDirectory, rank: Rank = .whole,
    cancellation: Cancellation = Cancellation(), observe: @escaping RunObserver = { _ in }
  ) throws(RunError) {
    var configuration = configuration
    configuration.judges.seed = configuration.seed
    configuration.train.seed = configuration.seed
    try configuration.check()
    try Self.checkAddressSpace()
    self.configuration = configuration
    var directory = directory
    if !rank.isWhole { directory.part = ".\(rank.index)-of-\(rank.count)" }
    self.directory = directory
    self.rank = rank
    self.cancellation = cancellation
    self.observe = observe
    workers =
      configuration.workers > 0
      ? configuration.workers : usableProcessors
    publishing = Publishing(temporary: directory.temporary)
  }

  /// OpenBLAS takes 128 MiB of addresses a core as it is loaded, and waits for ever where it gets none.
  private static func checkAddressSpace() throws(RunError) {
    let cores = rlim_t(ProcessInfo.processInfo.activeProcessorCount)
    let needed = max(2 << 30, 1 << 30 + cores * (136 << 20))
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < needed
    else { return }
    throw .usage(
      "the address space is limited to \(limit.rlim_cur >> 20) MiB (ulimit -v), of which OpenBLAS alone may take more; "
        + "allow at least \(needed >> 20) MiB, or limit resident memory instead (systemd's MemoryMax)"
    )
  }
}
