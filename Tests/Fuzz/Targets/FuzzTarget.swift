/// A part of Winnow that reads bytes from strangers, and what it promises whatever they are.
///
/// `make fuzz` has libFuzzer look for bytes that break a promise; `MutationTests` try some thousands of damaged seeds in
/// every test run.
public struct FuzzTarget: Sendable {
  public let name: String
  /// Small sound files to begin with.
  let sources: @Sendable () throws -> [[UInt8]]
  /// Makes damaged bytes hold their format's checksums again, so that the damage gets past them.
  let repair: @Sendable ([UInt8]) -> [UInt8]
  /// Gives bytes to the code.
  let read: @Sendable ([UInt8]) throws -> Outcome

  /// What some bytes came to.
  public struct Outcome: Equatable, Sendable {
    /// `read`, or a stable word for why they weren't.
    public var word: String
    /// Of everything that was read, by `digest`.
    public var content: Int

    init(_ word: String, _ content: Int = 0) { (self.word, self.content) = (word, content) }
  }

  init(
    _ name: String, seeds: @escaping @Sendable () throws -> [[UInt8]],
    repair: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 },
    read: @escaping @Sendable ([UInt8]) throws -> Outcome
  ) {
    (self.name, self.sources, self.repair, self.read) = (name, seeds, repair, read)
  }

  public static let all: [FuzzTarget] = [
    .shards, .passages, .jpeg, .png, .webp, .safetensors, .npy, .npz, .tokenizers, .captions,
    .pipeline,
  ]

  /// - Throws: `BrokenPromise` where one isn't even read the same twice.
  public func seeds() throws -> [[UInt8]] {
    let seeds = try sources()
    for seed in seeds { _ = try check(seed) }
    return seeds
  }

  /// The same bytes with the checksums of their format made true.
  public func repaired(_ bytes: [UInt8]) -> [UInt8] { repair(bytes) }

  /// Reads `bytes` twice.
  /// - Throws: `BrokenPromise`.
  public func check(_ bytes: [UInt8]) throws -> Outcome {
    let first = try read(bytes)
    try promise(first == (try read(bytes)), "the same bytes give the same")
    return first
  }
}

/// What the code under test promised, and didn't do.
public struct BrokenPromise: Error, CustomStringConvertible {
  public var description: String
}

func promise(_ isKept: Bool, _ what: @autoclosure () -> String) throws {
  if !isKept { throw BrokenPromise(description: what()) }
}

/// An error's text is for a person: it says something, and never repeats megabytes of the file.
func promiseWords(_ text: String) throws {
  try promise((1...4096).contains(text.utf8.count), "an error of \(text.utf8.count) bytes")
}

/// FNV-1a.
struct Digest {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    value = (value ^ 0x100) &* 0x100_0000_01B3
  }

  /// Bit by bit, so that NaN is NaN.
  mutating func add(_ numbers: some Sequence<Float>) {
    for number in numbers {
      value = (value ^ UInt64(number.bitPattern)) &* 0x100_0000_01B3
    }
  }

  mutating func add(_ text: String) { add(text.utf8) }
  mutating func add(_ number: Int) {
    value = (value ^ UInt64(bitPattern: Int64(number))) &* 0x100_0000_01B3
  }

  var number: Int { Int(truncatingIfNeeded: value) }
}
