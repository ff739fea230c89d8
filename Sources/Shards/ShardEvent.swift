/// What one sample may take in memory while a shard is read.
public struct ReadLimits: Sendable {
  /// Bytes of one member.
  public var maxMemberBytes = 64 << 20
  /// Bytes of all members of a sample, with their names and 256 bytes for each member.
  public var maxSampleBytes = 256 << 20
  /// Bytes of one member's name: far beyond any path, far below what a PAX header may declare.
  public var maxNameBytes = 64 << 10
  /// Members of a sample.
  public var maxMembers = 1024
  /// Samples of a shard, of which who reads it may hold some hundreds of bytes each; those beyond aren't read.
  public var maxSamples = 1_000_000
  /// Bytes that a shard may unpack to beyond a thousand times its own: no image packs so well, and nobody waits for the zeros
  /// of a shard that does.
  public var maxExpansion: Int64 = 32 << 30

  /// Bytes of zeros that the holes of a shard's sparse members may come to. A header of a few hundred bytes can declare 2^61
  /// of them; so many are copied in seconds.
  public var maxHoles: Int64 = 16 << 30

  public init() {}
}

/// What ``ShardReader/next()`` delivers: exactly one event for every sample of the shard.
public enum ShardEvent: Sendable, Equatable {
  /// Every byte that its headers declare was read.
  case sample(Sample)
  /// The shard ended or broke inside this sample's last member, whose bytes are incomplete. Of a sample that is too large
  /// to be held, there is only that member, without its bytes.
  case cutShort(Sample)
  /// Every byte that its headers declare was read, but a member (`name`, of so many `bytes`) takes the sample above the
  /// limits: no member is delivered here, all of them are given to the sink of ``ShardReader/next(spillingTo:)``.
  /// `bytes` is the member's size, or the sample's up to it where only that is above its limit.
  case oversized(key: [UInt8], name: [UInt8], bytes: Int64)
  /// The sample can be neither held nor copied, because of the member `name`. Key and name are cut to `maxNameBytes`.
  case unusable(key: [UInt8], name: [UInt8], cause: Unusable)

  /// What no sample may have; its members' bytes are skipped.
  public enum Unusable: Sendable, Equatable {
    /// A name of so many bytes, above `maxNameBytes`.
    case longName(Int)
    /// More than `maxMembers`.
    case manyMembers
  }
}

/// Why a shard could not be read to its end. The raw values are the reasons of the ledger.
public enum ShardFault: String, Sendable, Codable, CaseIterable {
  /// The file, or what it decompresses to, has no bytes.
  case emptyFile = "empty-shard"
  /// The shard ends early: inside compressed data, inside a member, or before the end marker.
  case truncated = "truncated"
  /// A tar header is damaged, or declares what no file has; what follows it isn't read.
  case badHeader = "bad-header"
  /// The compressed data is damaged.
  case corrupt = "corrupt-stream"
  /// It has more samples than ``ReadLimits/maxSamples``.
  case tooManySamples = "too-many-samples"
  /// Neither a tar nor a tar in gzip, zstd, bzip2 or xz.
  case notATar = "not-a-tar"
  /// The file is missing, not allowed, or not a file.
  case cannotOpen = "cannot-open"
  /// The system failed to read it.
  case cannotRead = "cannot-read"
}

/// What a shard held, so far while it is being read.
public struct ShardReport: Sendable, Codable, Equatable {
  /// Samples delivered whole.
  public var samples = 0
  /// Samples delivered as ``ShardEvent/cutShort(_:)``: none or one.
  public var cutShort = 0
  /// Samples whose members aren't delivered: those too large to be held, and the unusable ones.
  public var oversized = 0
  /// Samples, among those above, whose key an earlier sample of the shard had too.
  public var repeatedKeys = 0
  /// Regular files whose name belongs to no sample (`__meta__`, `._x`, `noext`).
  public var skippedMembers = 0
  /// Symbolic and hard links; they are never followed.
  public var skippedLinks = 0
  /// Directories, devices and the like.
  public var skippedOthers = 0
  /// Bytes read from the file.
  public var storedBytes: Int64 = 0
  /// Bytes of the tar.
  public var decompressedBytes: Int64 = 0

  public init() {}
}
