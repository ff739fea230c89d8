import Foundation
import Shards

/// The first pairs of shards spread evenly over a list, written to shards of their own.
struct DryRunSample {
  private(set) var shards: [ShardPath] = []
  /// All shards of the list, and their bytes; of commands, estimated from those that were run.
  let total: Int
  private(set) var totalBytes: Int64 = 0
  /// How many times the sample the whole is.
  private(set) var factor = 1.0

  init(
    _ selection: ShardSelection, pairs: Int, to folder: String, in run: RunContext
  ) throws {
    let paths = selection.paths
    total = paths.count
    let count = min(16, paths.count)
    var (sampled, found) = (0.0, 0)
    var printed: [Int64] = []
    for i in 0..<count {
      try run.cancellation.check()
      guard let source = try Self.source(paths[i * paths.count / count], in: folder, run) else {
        continue
      }
      if source.isPrinted { printed.append(source.size) }
      defer { if source.isPrinted { unlink(source.path) } }
      let reader = ShardReader(path: source.path, limits: run.configuration.read.limits)
      let own = "\(folder)/\(RunDirectory.padded(i)).tar"
      let writer = try ShardWriter(path: own, compression: .none)
      var left = (pairs - found + count - i - 1) / (count - i)
      while left > 0, let event = reader.next() {
        left -= 1
        found += 1
        if case .sample(let sample) = event {
          for member in sample.members { try writer.append(member) }
        }
      }
      try writer.finish()
      // What was read ahead counts for little once a few megabytes are read.
      let size = Double(source.size)
      sampled += left > 0 ? size : min(size, Double(reader.report.storedBytes))
      shards.append(ShardPath(path: own))
    }
    let files =
      paths.compactMap {
        ShardPath.isPipe($0) ? nil : try? FileIdentity(of: $0).size
      } as [Int64]
    totalBytes = files.reduce(0, +)
    let known = printed.isEmpty ? files : printed
    if files.count < paths.count, !known.isEmpty {
      let commands = Int64(paths.count { ShardPath.isPipe($0) })
      totalBytes += commands * (known.reduce(0, +) / Int64(known.count))
    }
    if sampled > 0 { factor = max(1, Double(totalBytes) / sampled) }
  }

  /// A shard as a file; nil where there is none.
  private static func source(
    _ path: String, in folder: String, _ run: RunContext
  ) throws -> (path: String, size: Int64, isPrinted: Bool)? {
    guard ShardPath.isPipe(path) else {
      return (try? FileIdentity(of: path).size).map { (path, $0, false) }
    }
    let spool = "\(folder)/piped.tar"
    if let failure = try PipedShard.run(path, to: spool, in: run).failure {
      run.observe(.note("\(path): \(failure)"))
      return nil
    }
    return (spool, try FileIdentity(of: spool).size, true)
  }
}
