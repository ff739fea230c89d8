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
}

/// A rejected pair that is back.
public struct RestoredPair: Codable, Sendable, Hashable {
  public var key: String
  /// The rejected shard that holds it, and its place there.
  public var rejected: String
  public var ordinal: Int
  /// The clean shard that holds it now.
  public var clean: String
}

extension Run {
  /// Puts rejected pairs back, byte for byte, in clean shards of their own: rejected shards stay as they are.
  ///
  /// - Parameter keys: as the rejected shards have them.
  /// - Throws: `RunError.missing` where no run is finished in the folder.
  public static func restore(_ keys: [String], in run: RunContext) throws -> RestoreResult {
    try locked(run) {
      try run.directory.checkOrigin()
      try Restoring.finish(in: run)
      let log = try IncrementLog(of: run.directory)
      guard log.open.isEmpty, !log.pinned.isEmpty else {
        throw RunError.missing(
          file: run.directory.manifest, remedy: "finish the run first: `winnow clean`")
      }
      try OutputCheck.run(log, in: run)
      let manifest = try Manifest(of: run.directory)
      var result = RestoreResult()
      let order = try Restoring(keys, manifest, &result, in: run)
      guard !order.pairs.isEmpty else { return result }
      try run.publishing.publish(json: order, to: run.directory.restoring)
      result.restored = order.pairs.count
      result.cleanShards = try Restoring.finish(in: run)
      return result
    }
  }
}

/// Pairs on their way back: pinned before a shard of them appears, so that a killed command is finished by the next one.
struct Restoring: Codable {
  var formatVersion = StateJSON.formatVersion
  /// In the order of the rejected shards; each names its clean shard.
  var pairs: [RestoredPair] = []

  /// Looks for the pairs.
  init(
    _ keys: [String], _ manifest: Manifest, _ result: inout RestoreResult, in run: RunContext
  ) throws {
    let wanted = Set(keys)
    var found: Set<String> = []
    let known = Set(manifest.restored.map { "\($0.rejected) \($0.ordinal)" })
    let suffix = manifest.provenance.configuration.write?.suffix ?? ".tar.zst"
    let size = manifest.provenance.configuration.write?.shardSize ?? 10_000
    var (index, count) = (manifest.clean.count, 0)
    for output in manifest.rejected {
      let reader = ShardReader(
        path: "\(run.directory.rejected)/\(output.file)", limits: try Self.limits(in: run))
      var ordinal = -1
      while let event = reader.next() {
        try run.cancellation.check()
        ordinal += 1
        let (key, sample) = event.keyAndSample
        let name = String(decoding: key, as: UTF8.self)
        guard wanted.contains(name) else { continue }
        found.insert(name)
        if known.contains("\(output.file) \(ordinal)") {
          result.already += 1
          continue
        }
        if let problem = Self.problem(key, sample) {
          result.problems.append("\(name) \(problem); unpack it from rejected/\(output.file)")
          continue
        }
        // Readers merge or refuse equal keys that are adjacent.
        if count == size || pairs.last?.key == name { (index, count) = (index + 1, 0) }
        count += 1
        pairs.append(
          RestoredPair(
            key: name, rejected: output.file, ordinal: ordinal,
            clean: RunDirectory.padded(index) + suffix))
      }
      if let message = reader.message { throw RunError.publishing(message) }
    }
    result.problems += wanted.subtracting(found).sorted().map {
      "no rejected pair has the key \($0)"
    }
  }

  /// Why a sample can't be put back, if it can't: known before anything is pinned.
  private static func problem(_ key: [UInt8], _ sample: Sample?) -> String? {
    guard let sample else { return "is too large to be restored by this command" }
    guard String(validating: key, as: UTF8.self) != nil else { return "has a key that isn't UTF-8" }
    return sample.members.count > 1 && isNote(sample.members.last?.name ?? [], of: key)
      ? nil : "doesn't end with Winnow's note"
  }

  private static func isNote(_ name: [UInt8], of key: [UInt8]) -> Bool {
    name.starts(with: key + Array(".winnow.".utf8)) && name.suffix(5).elementsEqual(".json".utf8)
  }

  /// What the run held in memory, and the note.
  private static func limits(in run: RunContext) throws -> ReadLimits {
    var limits = (try Settings.provenance(in: run).read ?? ReadConfiguration()).limits
    limits.maxSampleBytes += 1 << 20
    return limits
  }

  /// Writes what is pinned, if anything is.
  /// - Returns: the clean shards of it.
  @discardableResult
  static func finish(in run: RunContext) throws -> [String] {
    guard FileManager.default.fileExists(atPath: run.directory.restoring) else { return [] }
    let order = try StateJSON.decode(Restoring.self, from: run.directory.restoring)
    var manifest = try Manifest(of: run.directory)
    var paths: [String] = []
    if !order.pairs.allSatisfy(Set(manifest.restored).contains) {
      let files = Dictionary(grouping: order.pairs, by: \.clean).sorted { $0.key < $1.key }
      var sizes = Dictionary(uniqueKeysWithValues: manifest.clean.map { ($0.file, $0.pairs) })
      for (file, pairs) in files { sizes[file] = pairs.count }
      try run.publishing.publish(json: sizes, to: "\(run.directory.clean)/sizes.json")
      for (file, pairs) in files {
        let path = "\(run.directory.clean)/\(file)"
        if !FileManager.default.fileExists(atPath: path) { try write(pairs, to: path, in: run) }
        manifest.clean.append(
          Manifest.Output(
            file: file, pairs: pairs.count, bytes: try FileIdentity(of: path).size,
            digest: try Digest.ofFile(path, cancellation: run.cancellation)))
        paths.append(path)
      }
      manifest.restored += order.pairs
      try run.publishing.publish(json: manifest, to: run.directory.manifest)
    }
    try? FileManager.default.removeItem(atPath: run.directory.restoring)
    return paths
  }

  private static func write(
    _ pairs: [RestoredPair], to path: String, in run: RunContext
  ) throws {
    let write = try Settings.provenance(in: run).write ?? WriteConfiguration()
    try run.publishing.publish(path) { draft in
      let writer = try ShardWriter(path: draft, compression: write.compression)
      var open: (file: String, reader: ShardReader, next: Int)?
      for pair in pairs {
        try run.cancellation.check()
        if open?.file != pair.rejected {
          let reader = ShardReader(
            path: "\(run.directory.rejected)/\(pair.rejected)", limits: try limits(in: run))
          open = (pair.rejected, reader, 0)
        }
        var sample: Sample?
        while let (file, reader, next) = open, next <= pair.ordinal, let event = reader.next() {
          open = (file, reader, next + 1)
          if next == pair.ordinal { sample = event.keyAndSample.sample }
        }
        guard let sample, sample.key == Array(pair.key.utf8) else {
          throw RunError.shardChanged(
            path: "\(run.directory.rejected)/\(pair.rejected)",
            detail: "sample \(pair.ordinal) isn't \(pair.key)")
        }
        // The last one is Winnow's note.
        for member in sample.members.dropLast() { try writer.append(member) }
      }
      try writer.finish()
    }
  }
}

extension ShardEvent {
  /// The sample is nil where it isn't whole in memory.
  fileprivate var keyAndSample: (key: [UInt8], sample: Sample?) {
    switch self {
    case .sample(let sample): return (sample.key, sample)
    case .cutShort(let sample): return (sample.key, nil)
    case .oversized(let key, _, _), .unusable(let key, _, _): return (key, nil)
    }
  }
}
