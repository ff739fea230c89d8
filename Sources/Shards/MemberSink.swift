/// Where ``ShardReader/next(spillingTo:)`` copies the members of a sample that is too large to be held.
///
/// For every member, in archive order: one `begin`, its bytes in as many calls of `write` as it takes, one `end`.
public protocol MemberSink<Failure> {
  associatedtype Failure: Error

  func begin(name: [UInt8], size: Int64) throws(Failure)
  /// - Parameter bytes: valid during the call.
  func write(_ bytes: UnsafeRawBufferPointer) throws(Failure)
  /// Not called for a member that the shard's end cut short.
  func end() throws(Failure)
}

extension MemberSink {
  func append(_ member: Member) throws(Failure) {
    try begin(name: member.name, size: Int64(member.bytes.count))
    try member.bytes.withRawBytes { (bytes) throws(Failure) in try write(bytes) }
    try end()
  }
}

extension [UInt8] {
  /// `withUnsafeBytes` for a body that throws an error of its own type, which that one can't pass on.
  func withRawBytes<Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    let failure = withUnsafeBytes { bytes -> Failure? in
      do throws(Failure) {
        try body(bytes)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }
}

/// For readers that only count what is too large.
public struct NoSink: MemberSink {
  public init() {}
  public func begin(name: [UInt8], size: Int64) {}
  public func write(_ bytes: UnsafeRawBufferPointer) {}
  public func end() {}
}
