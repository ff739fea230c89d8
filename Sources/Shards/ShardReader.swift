/// Reads one shard as a stream of samples, on one thread, holding one sample at a time.
///
/// The compression is told by content: none, gzip, zstd, bzip2 or xz. Reading never throws: what can be
/// read is delivered, and what kept the shard from being read to its end stands in ``fault``.
///
///     let reader = ShardReader(path: "000000.tar")
///     while let event = reader.next() {
///       if case .sample(let sample) = event { ... }
///     }
///     if let message = reader.message { log(message) }
public final class ShardReader {
  private let path: String
  private var tar: TarStream?
  private var source: DecompressedFile?
  private var grouper: SampleGrouper
  private var counts = ShardReport()
  private var lastName: [UInt8]?
  private var waiting: ShardEvent?

  /// Why the shard could not be read to its end; nil while it can, and after a clean end.
  public private(set) var fault: ShardFault?
  /// What happened, in words that name the shard, the place and what to do; nil as long as `fault` is.
  public private(set) var message: String?

  /// Opens the shard. One that cannot be opened has its ``fault`` at once, and no samples.
  public init(path: String, limits: ReadLimits = ReadLimits()) {
    self.path = path
    grouper = SampleGrouper(limits: limits)
    do {
      let source = try DecompressedFile(path: path)
      self.source = source
      tar = try TarStream(source: source)
    } catch {
      stop(error)
    }
  }

  /// What the shard held, up to the last event delivered.
  public var report: ShardReport {
    var report = counts
    report.repeatedKeys = grouper.repeatedKeys
    report.storedBytes = source?.storedBytes ?? 0
    report.decompressedBytes = source?.bytes ?? 0
    return report
  }

  /// The next sample's event; nil at the end, which is a clean one if ``fault`` is nil.
  public func next() -> ShardEvent? {
    while true {
      if let event = waiting {
        waiting = nil
        return counted(event)
      }
      guard let tar else { return nil }
      do {
        guard let entry = try tar.next() else {
          self.tar = nil
          waiting = grouper.close()
          continue
        }
        if let event = take(entry, from: tar) { return counted(event) }
      } catch {
        stop(error)
        waiting = grouper.close()
      }
    }
  }

  /// Adds an entry to the sample at hand.
  /// - Returns: the sample before it, if the entry closes one.
  private func take(_ entry: TarStream.Entry, from tar: TarStream) -> ShardEvent? {
    lastName = entry.name
    guard entry.kind == .file else {
      if entry.kind == .link { counts.skippedLinks += 1 } else { counts.skippedOthers += 1 }
      return nil
    }
    guard let name = entry.name, let (key, suffix) = sampleKey(ofMember: name) else {
      counts.skippedMembers += 1
      return nil
    }
    let closed = grouper.begin(name: name, key: key, suffix: suffix)
    guard let room = grouper.room else { return closed }
    switch tar.read(size: entry.size, limit: room) {
    case .whole(let bytes):
      grouper.add(Member(name: name, bytes: bytes))
    case .tooLarge:
      grouper.drop(name: name, bytes: entry.size)
    case .partial(let bytes):
      grouper.add(Member(name: name, bytes: bytes))
      waiting = grouper.close(cutShort: true)
    // The next step meets the same break, and says what it is.
    }
    return closed
  }

  private func counted(_ event: ShardEvent) -> ShardEvent {
    switch event {
    case .sample: counts.samples += 1
    case .cutShort: counts.cutShort += 1
    case .oversized: counts.oversized += 1
    }
    return event
  }

  private func stop(_ error: DecompressedFile.Fault) {
    tar = nil
    fault = error.fault
    let place = lastName.map { ", at or after member '\(printable($0))'" } ?? ""
    message = "\(path)\(place): \(error.reason); \(error.fault.remedy)"
  }
}

extension ShardFault {
  /// What the person who runs this can do about it.
  var remedy: String {
    switch self {
    case .emptyFile: "fetch the shard again, or take it off the list"
    case .truncated: "the samples before that were read; fetch the shard again for the rest"
    case .badHeader, .corrupt:
      "the samples before that were read; fetch the shard again, or repack it, for the rest"
    case .notATar: "give tars, plain or in gzip, zstd, bzip2 or xz"
    case .cannotOpen: "check the path and its permissions"
    case .cannotRead: "check the disk or the mount, and run again"
    }
  }
}
