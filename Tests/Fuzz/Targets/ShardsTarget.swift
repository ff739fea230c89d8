import Shards

extension FuzzTarget {
  /// Grouping of a tar's members into samples, whatever the compression.
  static let shards = FuzzTarget(
    "shards", seeds: shardSeeds, repair: tarRepaired,
    read: { bytes in
      try withFile(bytes) { try readShard($0, size: bytes.count) }
    })

  private static let limits: ReadLimits = {
    var limits = ReadLimits()
    limits.maxMemberBytes = 1 << 15
    limits.maxSampleBytes = 1 << 16
    limits.maxNameBytes = 600
    limits.maxMembers = 12
    return limits
  }()

  private static func readShard(_ path: String, size: Int) throws -> Outcome {
    let reader = ShardReader(path: path, limits: limits)
    var digest = Digest()
    var counts = ShardReport()
    while let event = reader.next() {
      switch event {
      case .sample(let sample):
        counts.samples += 1
        try check(sample, &digest)
      case .cutShort(let sample):
        counts.cutShort += 1
        try check(sample, &digest)
        digest.add("cut short")
      case .oversized(let key, let name, let bytes):
        counts.oversized += 1
        digest.add(key)
        digest.add(name)
        digest.add(Int(bytes))
        try promise(
          max(key.count, name.count) <= limits.maxNameBytes, "keys and names are cut")
      case .unusable(let key, let name, let cause):
        counts.oversized += 1
        digest.add(key)
        digest.add(name)
        digest.add("\(cause)")
        try promise(
          max(key.count, name.count) <= limits.maxNameBytes, "keys and names are cut")
      }
    }
    try promise(reader.next() == nil, "after the end there is nothing")
    let report = reader.report
    try promise(
      report.samples == counts.samples && report.cutShort == counts.cutShort
        && report.oversized == counts.oversized,
      "every event is counted: \(report), not \(counts)")
    try promise(
      report.repeatedKeys <= report.samples + report.cutShort + report.oversized,
      "only samples repeat keys")
    try promise(
      report.cutShort <= (reader.fault == nil ? 0 : 1), "only a fault cuts short, and once")
    try promise((reader.fault == nil) == (reader.message == nil), "a fault has its message")
    try promise(report.storedBytes <= size, "it reads \(report.storedBytes) of \(size) bytes")
    try promise(
      reader.fault != nil || report.storedBytes == size, "a clean end is the end of the file")
    for number in [report.skippedMembers, report.skippedLinks, report.skippedOthers] {
      digest.add(number)
    }
    if let message = reader.message { try promiseWords(message) }
    return Outcome(reader.fault?.rawValue ?? "read", digest.number)
  }

  private static func check(_ sample: Sample, _ digest: inout Digest) throws {
    var suffixes: Set<[UInt8]> = []
    var bytes = 0
    try promise(sample.members.count <= limits.maxMembers, "members are limited")
    for member in sample.members {
      let parts = sampleKey(ofMember: member.name)
      try promise(parts?.key == sample.key, "a member has its sample's key")
      let isNew = suffixes.insert(parts?.suffix ?? []).inserted
      try promise(isNew, "no suffix twice")
      try promise(member.bytes.count <= limits.maxMemberBytes, "a member's size is limited")
      bytes += member.bytes.count
      digest.add(member.name)
      digest.add(member.bytes)
    }
    try promise(bytes <= limits.maxSampleBytes, "a sample's size is limited")
  }
}
