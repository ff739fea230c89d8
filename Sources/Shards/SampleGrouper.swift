/// Groups adjacent members into samples and holds each to the limits.
///
/// A new key closes a sample; so does a suffix that the sample already has. The same key again is a
/// new sample, counted, never a merge.
struct SampleGrouper {
  /// What a member costs beside its bytes and its name: two array headers and its place in two tables.
  static let memberOverhead = 256

  private struct Pending {
    var sample: Sample
    var suffixes: [Suffix] = []
    var members = 0
    /// Of the members and their names, with the overhead.
    var bytes = 0
    var oversized: (name: [UInt8], bytes: Int64)?
    var unusable: (name: [UInt8], cause: ShardEvent.Unusable)?

    init(key: [UInt8]) {
      sample = Sample(key: key, members: [])
      sample.members.reserveCapacity(4)
      suffixes.reserveCapacity(4)
    }

    /// Whether the member belongs to this sample: it has its key, and a suffix that the sample hasn't.
    func takes(_ name: [UInt8], _ suffix: Suffix) -> Bool {
      sample.key.count == suffix.start - 1
        && sample.key.elementsEqual(name.prefix(suffix.start - 1)) && !suffixes.contains(suffix)
    }
  }

  /// What follows the key and the dot in a member's name, compared whatever its case. Few members have equal hashes, which
  /// are of this process only, and many have equal lengths.
  private struct Suffix: Equatable {
    let name: [UInt8]
    let start: Int
    let hash: Int

    /// As readers fold it, where that takes more than ASCII's letters.
    private let folded: [UInt8]?

    init(_ name: [UInt8], from start: Int) {
      (self.name, self.start) = (name, start)
      var hasher = Hasher()
      if name[start...].allSatisfy({ $0 < 0x80 }) {
        folded = nil
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: name.count - start) { folded in
          for i in folded.indices { folded[i] = lowerCased(name[start + i]) }
          hasher.combine(bytes: UnsafeRawBufferPointer(folded))
        }
      } else {
        let bytes = Array(name[start...])
        // What folds to the same here and isn't the same to a reader begins a sample of its own, which costs nothing: all
        // that is no UTF-8, and the two small sigmas.
        var text = String.UnicodeScalarView()
        for scalar in String(decoding: bytes, as: UTF8.self).lowercased().unicodeScalars {
          text.append(scalar == "\u{3C2}" ? "\u{3C3}" : scalar)
        }
        let folded = Array(String(text).utf8)
        folded.withUnsafeBytes { hasher.combine(bytes: $0) }
        self.folded = folded
      }
      hash = hasher.finalize()
    }

    static func == (a: Self, b: Self) -> Bool {
      guard a.hash == b.hash else { return false }
      func plain(_ suffix: Self) -> some Sequence<UInt8> {
        suffix.name.lazy.dropFirst(suffix.start).map(lowerCased)
      }
      switch (a.folded, b.folded) {
      case (let a?, let b?): return a == b
      case (let folded?, nil): return folded.elementsEqual(plain(b))
      case (nil, let folded?): return folded.elementsEqual(plain(a))
      case (nil, nil): return plain(a).elementsEqual(plain(b))
      }
    }
  }

  /// Where the bytes of the member just begun belong.
  enum Place {
    /// To the sample: at most so many, none where it is negative.
    case room(Int)
    /// Past it, since it holds no member any more.
    case past
    /// Nowhere.
    case none
  }

  private let limits: ReadLimits
  private var pending: Pending?
  /// Hashes of the keys seen: one word a sample bounds the memory where the keys themselves would not.
  private var seen: Set<Int> = []
  private(set) var repeatedKeys = 0
  /// How many samples were begun.
  private(set) var samples = 0

  init(limits: ReadLimits) { self.limits = limits }

  /// Opens a place for a member, closing the sample before it where the member begins a new one.
  /// - Parameter dot: the place of the one between key and suffix.
  /// - Returns: the sample that this closes.
  mutating func begin(name: [UInt8], dot: Int) -> ShardEvent? {
    let suffix = Suffix(name, from: dot + 1)
    var closed: ShardEvent?
    if pending?.takes(name, suffix) != true {
      closed = close()
      let key = Array(name[..<dot])
      var hasher = Hasher()
      key.withUnsafeBytes { hasher.combine(bytes: $0) }
      if !seen.insert(hasher.finalize()).inserted { repeatedKeys += 1 }
      pending = Pending(key: key)
      samples += 1
    }
    pending?.members += 1
    guard name.count <= limits.maxNameBytes else {
      refuse(name, .longName(name.count))
      return closed
    }
    guard pending?.members ?? 0 <= limits.maxMembers else {
      refuse(name, .manyMembers)
      return closed
    }
    pending?.suffixes.append(suffix)
    pending?.bytes += name.count + Self.memberOverhead
    return closed
  }

  var place: Place {
    guard let pending, pending.unusable == nil else { return .none }
    guard pending.oversized == nil else { return .past }
    return .room(min(limits.maxMemberBytes, limits.maxSampleBytes - pending.bytes))
  }

  /// Waits until there is room in `budget` for so many bytes more of the sample, where it is a large one.
  mutating func reserve(_ bytes: Int, of budget: HoldingBudget) {
    guard let held = pending?.bytes, held + bytes > HoldingBudget.freeBytes else { return }
    let hold = pending?.sample.hold ?? HoldingBudget.Hold(budget)
    hold.grow(to: held + bytes, of: limits.maxSampleBytes)
    pending?.sample.hold = hold
  }

  /// Adds the member that was begun.
  mutating func add(_ member: Member) {
    pending?.sample.members.append(member)
    pending?.bytes += member.bytes.count
  }

  /// Stops holding the sample of the member just begun, which has `bytes` bytes and no room.
  /// - Returns: what was held until now.
  mutating func overflow(name: [UInt8], bytes: Int64) -> Sample? {
    guard let held = pending, held.oversized == nil else { return nil }
    let total =
      bytes > limits.maxMemberBytes
      ? bytes : bytes.addingReportingOverflow(Int64(held.bytes)).partialValue
    pending?.oversized = (name, total)
    pending?.sample.members = []
    pending?.sample.hold = nil
    return held.sample
  }

  private mutating func refuse(_ name: [UInt8], _ cause: ShardEvent.Unusable) {
    guard pending?.unusable == nil else { return }
    pending?.unusable = (Array(name.prefix(limits.maxNameBytes)), cause)
    pending?.sample.members = []
    pending?.sample.hold = nil
  }

  /// Closes the sample at hand, if there is one.
  /// - Parameter cutShort: its last member is incomplete.
  mutating func close(cutShort: Bool = false) -> ShardEvent? {
    guard let closing = pending else { return nil }
    pending = nil
    let sample = closing.sample
    if let (name, cause) = closing.unusable {
      return .unusable(
        key: Array(sample.key.prefix(limits.maxNameBytes)), name: name, cause: cause)
    }
    if cutShort { return .cutShort(sample) }
    if let (name, bytes) = closing.oversized {
      return .oversized(key: sample.key, name: name, bytes: bytes)
    }
    return .sample(sample)
  }
}
