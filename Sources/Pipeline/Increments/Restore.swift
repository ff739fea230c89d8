import Foundation
import Shards

/// What `winnow restore` did.
public struct RestoreResult: Sendable {
  public var restored = 0
  /// Pairs that were asked for and had been restored by an earlier command.
  public var already = 0
  /// Keys that no rejected pair has, and pairs that can't be put back, each with what to do.
  public var problems: [String] = []
  public var cleanShards: [String] = []
  /// Published files that don't lie there as they were published.
  public var damaged: [DamagedFile] = []
}

/// A rejected pair that is back.
public struct RestoredPair: Codable, Sendable, Hashable {
  /// With U+FFFD for what isn't UTF-8.
  public var key: String
  /// The rejected shard that holds it, and its place there.
  public var rejected: String
  public var ordinal: Int
  /// The clean shard that holds it now.
  public var clean: String
}

extension Run {
  /// The keys on standard input, one a line, as bytes.
  /// - Throws: `RunError.usage` where it can't be read.
  public static func listedKeys() throws(RunError) -> [[UInt8]] {
    var text: [UInt8] = []
    do throws(ShardListError) {
      while case let block = try ShardList.readInput(), !block.isEmpty { text += block }
    } catch {
      throw .usage("\(error)")
    }
    return text.split(separator: UInt8(ascii: "\n"))
      .map { Array($0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0) }.filter { !$0.isEmpty }
  }

  /// Puts rejected pairs back, byte for byte, in clean shards of their own: rejected shards stay as they are.
  ///
  /// - Parameter keys: the bytes that the rejected shards have.
  /// - Throws: `RunError.missing` where no run is finished in the folder.
  public static func restore(_ keys: [[UInt8]], in run: RunContext) throws -> RestoreResult {
    try locked(run) {
      try run.directory.checkOrigin()
      let finished = try Restoring.finish(in: run)
      let log = try IncrementLog(of: run.directory)
      guard log.open.isEmpty, !log.pinned.isEmpty else {
        throw RunError.missing(
          file: run.directory.manifest, remedy: "finish the run first: `winnow clean`")
      }
      let damaged = try OutputCheck.run(log, in: run)
      let manifest = try Manifest(of: run.directory)
      // What a killed command had begun, too.
      var result = RestoreResult(cleanShards: finished, damaged: damaged)
      let order = try Restoring(keys, manifest, &result, in: run)
      guard !order.items.isEmpty else { return result }
      try run.publishing.publish(json: order, to: run.directory.restoring)
      result.restored = order.items.count
      result.cleanShards += try Restoring.finish(in: run)
      return result
    }
  }
}
