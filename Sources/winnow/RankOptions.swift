import ArgumentParser
import Foundation
import Pipeline

/// One process' share of a stage that several processes run at once over one output folder.
struct RankOptions: ParsableArguments {
  @Option(
    help:
      "This process' number among those that share the work, from 0; auto reads SLURM's (array or srun)."
  )
  var rank: String?

  @Option(help: "The number of processes that share the work.")
  var worldSize: Int?

  func validate() throws {
    guard let rank, rank != "auto" else {
      if worldSize != nil {
        throw ValidationError("--world-size goes with --rank R, and --rank auto reads it.")
      }
      return
    }
    guard let worldSize, worldSize >= 1 else {
      throw ValidationError("--rank R goes with --world-size W, which is at least 1.")
    }
    guard let number = Int(rank), (0..<worldSize).contains(number) else {
      throw ValidationError("--rank is auto or a number from 0 to \(worldSize - 1).")
    }
  }

  /// - Parameter say: told what was read.
  func parsed(say: (String) -> Void) throws -> Rank {
    guard let rank else { return .whole }
    if rank == "auto" {
      let (found, source) = try Rank.ofSLURM(ProcessInfo.processInfo.environment)
      say("rank \(found.index) of \(found.count), from \(source)")
      return found
    }
    guard let index = Int(rank), let worldSize else { return .whole }
    return Rank(index: index, count: worldSize)
  }
}
