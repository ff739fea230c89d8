import Encoders
import Foundation
import Images
import Layers
import TensorFiles

/// The numbers in the files.
public enum EmbeddingType: String, Codable, Sendable, CaseIterable {
  case float16, float32
}

/// What `winnow embed` left behind: `DIR/embeddings.json`.
public struct EmbeddingSummary: Codable, Sendable {
  public struct Shard: Codable, Sendable, Equatable {
    public var path: String
    public var digest: String
    /// Of the encoders and the settings that its embeddings were made with.
    public var madeBy: String
    /// Rows of its files.
    public var embedded: Int
    /// Samples that have no row, by reason.
    public var leftOut: [String: Int]
    /// Set when the shard couldn't be read to its end.
    public var fault: String?
  }

  public var formatVersion = StateJSON.formatVersion
  public var member: String
  public var dimension: Int
  public var type: EmbeddingType
  public var shards: [Shard]

  /// Over all shards.
  public var embedded: Int { shards.reduce(0) { $0 + $1.embedded } }
  public var leftOut: [String: Int] {
    shards.reduce(into: [:]) { $0.merge($1.leftOut, uniquingKeysWith: +) }
  }
}

extension Run {
  /// A member's embeddings of every pair, in clip-retrieval's layout: `img_emb/img_emb_N.npy` and
  /// `text_emb/text_emb_N.npy` with a row a pair, and `metadata/metadata_N.jsonl` with each row's key and caption; N is
  /// the shard's place in the list that the folder was begun with. What doesn't decode has no row, and is counted.
  ///
  /// - Throws: `RunError`, `TensorFileError`.
  public static func embed(
    _ shards: ShardSelection, member: EmbeddingMember, type: EmbeddingType,
    in run: RunContext
  ) throws -> EmbeddingSummary {
    try locked(run, shards, acceptsOutput: true) {
      let isFinished = FileManager.default.fileExists(
        atPath: "\(run.directory.path)/embeddings.json")
      let increment = try goOn(
        with: shards.shards, for: .embeddings, isFinished: isFinished, in: run)
      return try run.stage(.score) {
        try EmbedStage(increment: increment, member: member, type: type, run: run).embedAll()
      }
    }
  }
}

private struct EmbedStage {
  let increment: Increment
  let member: EmbeddingMember
  let type: EmbeddingType
  let run: RunContext

  /// Pairs decoded before they are encoded; bounds the memory.
  private static let batch = 64
  private static let folders = ["img_emb", "text_emb", "metadata"]

  private var root: String { run.directory.path }

  func embedAll() throws -> EmbeddingSummary {
    for folder in Self.folders { try run.directory.makeFolder("\(root)/\(folder)") }
    try run.directory.makeFolder("\(run.directory.state)/embedded")
    let settings = try Settings.digest(run.configuration, sections: [.read, .images])
    let madeBy = "\(member.digest) \(settings) \(type.rawValue)"
    let progress = ProgressCounter(.score, total: increment.shards.count, observe: run.observe)
    let done = try parallelMap(
      increment.shards.count, workers: run.workers, state: PairEncoder(member.encoder)
    ) { encoder, i in
      let record = "\(run.directory.state)/embedded/\(i).json"
      let shard = increment.shards[i]
      let old =
        FileManager.default.fileExists(atPath: record)
        ? try StateJSON.decode(Record.self, from: record).shard : nil
      // One that couldn't be read at the time is tried again.
      if let old, !old.digest.isEmpty || shard.digest.isEmpty {
        guard old.madeBy == madeBy, old.digest == shard.digest else {
          throw RunError.usage(
            "\(root) holds embeddings of another member, type or settings; choose another --out")
        }
        progress.add(done: 1, pairs: old.embedded)
        return old
      }
      let result = try embed(shard, i, encoder, madeBy, progress)
      try run.publishing.publish(json: Record(shard: result), to: record)
      progress.add(done: 1)
      return result
    }
    let summary = EmbeddingSummary(
      member: member.name, dimension: member.encoder.configuration.dimension, type: type,
      shards: done)
    try run.publishing.publish(json: summary, to: "\(root)/embeddings.json")
    return summary
  }

  private struct Record: Codable {
    var formatVersion = StateJSON.formatVersion
    var shard: EmbeddingSummary.Shard
  }

  /// Padded, so that the files' names are in the order of their numbers.
  private func name(_ folder: String, _ i: Int, _ suffix: String) -> String {
    let digits = String(i)
    let width = String(max(0, increment.shards.count - 1)).count
    let number = String(repeating: "0", count: width - digits.count) + digits
    return "\(root)/\(folder)/\(folder)_\(number)\(suffix)"
  }

  private func embed(
    _ shard: Increment.Shard, _ i: Int, _ encoder: PairEncoder, _ madeBy: String,
    _ progress: ProgressCounter
  ) throws -> EmbeddingSummary.Shard {
    try shard.checkUnchanged()
    var result = EmbeddingSummary.Shard(
      path: shard.path, digest: shard.digest, madeBy: madeBy, embedded: 0, leftOut: [:])
    try run.publishing.publish(name("img_emb", i, ".npy")) { images in
      try run.publishing.publish(name("text_emb", i, ".npy")) { texts in
        try run.publishing.publish(name("metadata", i, ".jsonl")) { metadata in
          let writer = try RowWriters(
            images: images, texts: texts,
            metadata: LineWriter(metadata, for: name("metadata", i, ".jsonl")), encoder: encoder,
            element: type == .float16 ? .float16 : .float32)
          var reader = ThumbnailReader(
            try PairReader(shard, in: run), for: member.encoder.configuration.image,
            run.configuration)
          while case let pairs = try reader.next(Self.batch, run.cancellation), !pairs.isEmpty {
            try writer.append(pairs)
            result.embedded += pairs.count
            progress.add(pairs: pairs.count)
          }
          try writer.finish()
          if let failure = shard.failure(reader.pairs.fault, reader.pairs.message) { throw failure }
          result.leftOut = reader.leftOut
          result.fault = reader.pairs.fault == nil ? nil : reader.pairs.message
        }
      }
    }
    try shard.checkUnchanged()
    return result
  }
}

/// The three files of a shard, written batch by batch.
private final class RowWriters {
  private let encoder: PairEncoder
  private let images: NPYRowWriter
  private let texts: NPYRowWriter
  private var metadata: LineWriter
  private let json = JSONEncoder()

  private struct Row: Encodable {
    var key: String
    var caption: String
  }

  init(
    images: String, texts: String, metadata: LineWriter, encoder: PairEncoder,
    element: NPYRowWriter.Element
  ) throws {
    self.encoder = encoder
    self.metadata = metadata
    self.images = try NPYRowWriter(images, columns: encoder.dimension, element: element)
    self.texts = try NPYRowWriter(texts, columns: encoder.dimension, element: element)
    json.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  }

  func append(_ pairs: [ThumbnailReader.Pair]) throws {
    guard !pairs.isEmpty else { return }
    try images.append(encoder.images(count: pairs.count) { pairs[$0].thumbnail })
    try texts.append(encoder.texts(pairs.map(\.caption)))
    var lines = Data()
    for pair in pairs {
      lines += try json.encode(
        Row(key: String(decoding: pair.key, as: UTF8.self), caption: pair.caption))
      lines.append(0x0A)
    }
    try metadata.write(lines)
  }

  func finish() throws {
    try images.finish()
    try texts.finish()
    try metadata.close()
  }
}
