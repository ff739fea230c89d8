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
  private let limits: ReadLimits
  private let budget: HoldingBudget?
  private var grouper: SampleGrouper
  private var counts = ShardReport()
  private var lastName: [UInt8]?
  private var waiting: ShardEvent?
  /// The first member of a sample whose event is still to come, when the sample before it was delivered: its bytes
  /// aren't read before somebody asks for that sample, and says where they go if they are too many.
  private var begun: Begun?

  private struct Begun {
    var name: [UInt8]
    var size: Int64
  }

  /// Why the shard could not be read to its end; nil while it can, and after a clean end.
  public private(set) var fault: ShardFault?
  /// What happened, in words that name the shard, the place and what to do; nil as long as `fault` is.
  public private(set) var message: String?

  /// Opens the shard. One that cannot be opened has its ``fault`` at once, and no samples.
  ///
  /// - Parameter budget: what all readers that are given it may hold together; ``next()`` then waits for room. A thread must
  ///   have let go of a sample when it asks for the next one.
  public init(path: String, limits: ReadLimits = ReadLimits(), budget: HoldingBudget? = nil) {
    self.path = path
    self.limits = limits
    self.budget = budget
    grouper = SampleGrouper(limits: limits)
    do {
      let source = try DecompressedFile(path: path, maxExpansion: limits.maxExpansion)
      self.source = source
      tar = try TarStream(source: source, maxHoles: limits.maxHoles)
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
  public func next() -> ShardEvent? { next(spillingTo: NoSink()) }

  /// The next sample's event, as above.
  ///
  /// - Parameter sink: is given the members of a sample that is too large to be held, as they are read, in constant
  ///   memory; the event is then ``ShardEvent/oversized(key:name:bytes:)``. After any other event, what the sink was
  ///   given is no whole sample.
  public func next<Sink: MemberSink>(
    spillingTo sink: Sink
  ) throws(Sink.Failure) -> ShardEvent? {
    while true {
      if let event = waiting {
        waiting = nil
        return counted(event)
      }
      guard let tar else { return nil }
      if let member = begun {
        begun = nil
        try read(member, from: tar, spillingTo: sink)
        continue
      }
      do throws(DecompressedFile.Fault) {
        guard let entry = try tar.next() else {
          self.tar = nil
          waiting = grouper.close()
          continue
        }
        if let event = begin(entry) {
          if grouper.samples > limits.maxSamples {
            begun = nil
            stop(
              DecompressedFile.Fault(
                fault: .tooManySamples,
                reason: "it has more than \(limits.maxSamples) samples"))
          }
          return counted(event)
        }
      } catch {
        stop(error)
        waiting = grouper.close()
      }
    }
  }

  /// Begins an entry of the sample at hand, or of the next one.
  /// - Returns: the sample before it, if the entry closes one.
  private func begin(_ entry: TarStream.Entry) -> ShardEvent? {
    lastName = entry.name
    guard entry.kind == .file else {
      if entry.kind == .link { counts.skippedLinks += 1 } else { counts.skippedOthers += 1 }
      return nil
    }
    guard let name = entry.name, let dot = dot(ofMember: name) else {
      counts.skippedMembers += 1
      return nil
    }
    begun = Begun(name: name, size: entry.size)
    return grouper.begin(name: name, dot: dot)
  }

  /// Reads the member that was begun into its sample, or past it.
  private func read<Sink: MemberSink>(
    _ member: Begun, from tar: TarStream, spillingTo sink: Sink
  ) throws(Sink.Failure) {
    switch grouper.place {
    case .none: return
    case .past: break
    case .room(let room):
      if let budget, member.size <= room { grouper.reserve(Int(member.size), of: budget) }
      switch tar.read(size: member.size, limit: room) {
      case .whole(let bytes):
        grouper.add(Member(name: member.name, bytes: bytes))
        return
      case .partial(let bytes):
        grouper.add(Member(name: member.name, bytes: bytes))
        // The next step meets the same break, and says what it is.
        waiting = grouper.close(cutShort: true)
        return
      case .tooLarge:
        let held = grouper.overflow(name: member.name, bytes: member.size)
        for member in held?.members ?? [] { try sink.append(member) }
        withExtendedLifetime(held) {}
      }
    }
    // Read to its end even where nobody takes it: only so is known whether the shard holds it whole.
    try sink.begin(name: member.name, size: member.size)
    let isWhole = try tar.copy(size: member.size) { (bytes) throws(Sink.Failure) in
      try sink.write(bytes)
    }
    if isWhole {
      try sink.end()
    } else {
      grouper.add(Member(name: member.name, bytes: []))
      waiting = grouper.close(cutShort: true)
    }
  }

  private func counted(_ event: ShardEvent) -> ShardEvent {
    switch event {
    case .sample: counts.samples += 1
    case .cutShort: counts.cutShort += 1
    case .oversized, .unusable: counts.oversized += 1
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
    case .tooManySamples: "the samples before that were read; split the shard for the rest"
    case .cannotOpen: "check the path and its permissions"
    case .cannotRead: "check the disk or the mount, and run again"
    }
  }
}
