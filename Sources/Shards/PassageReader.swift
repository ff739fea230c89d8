/// What a file of unpaired text held, so far while it is being read.
public struct PassageReport: Sendable, Codable, Equatable {
  /// Passages delivered, the cut ones too.
  public var passages = 0
  /// Passages that were longer than the limit, and of which the beginning was delivered.
  public var cut = 0
  /// Passages that aren't UTF-8; left out.
  public var notUTF8 = 0
  /// Passages of white space only; left out.
  public var blank = 0
  /// Samples of a text-only shard that couldn't be read, or have no text; left out.
  public var unreadable = 0

  public init() {}

  enum CodingKeys: String, CodingKey {
    case passages, cut, blank, unreadable
    // As it comes back from snake case.
    case notUTF8 = "notUtf8"
  }

  public mutating func add(_ other: PassageReport) {
    passages += other.passages
    cut += other.cut
    notUTF8 += other.notUTF8
    blank += other.blank
    unreadable += other.unreadable
  }
}

/// Reads unpaired text as a stream of passages, on one thread, holding one passage at a time: a text file with a passage a
/// line, or a shard whose samples have a `txt` member each. Both may be compressed with gzip, zstd, bzip2 or xz, told by
/// content; a shard is told by its name (``ShardPath/suffixes``).
///
/// As with ``ShardReader``, reading never throws: what can be read is delivered, and what kept the file from being read
/// to its end stands in ``fault``.
public final class PassageReader {
  private let path: String
  private let limit: Int
  private let source: Source
  private var counts = PassageReport()

  private enum Source {
    case lines(LineStream)
    case shard(ShardReader)
    case none(DecompressedFile.Fault)
  }

  /// - Parameter limit: bytes of a passage; a longer one is cut.
  public init(path: String, limit: Int = 64 << 10) {
    self.path = path
    self.limit = limit
    if ShardPath.suffix(of: ShardPath.base(of: path).utf8) != nil {
      source = .shard(ShardReader(path: path))
    } else {
      do {
        source = .lines(LineStream(try DecompressedFile(path: path), limit: limit))
      } catch {
        source = .none(error)
      }
    }
  }

  public var report: PassageReport { counts }

  /// Why the file could not be read to its end; nil while it can, and after a clean end. An empty text file is clean.
  public var fault: ShardFault? {
    switch source {
    case .lines(let lines): lines.fault.flatMap { $0.fault == .emptyFile ? nil : $0.fault }
    case .shard(let reader): reader.fault
    case .none(let fault): fault.fault
    }
  }

  /// What happened, in words that name the file and what to do; nil as long as `fault` is.
  public var message: String? {
    guard let fault else { return nil }
    switch source {
    case .lines(let lines): return text(lines.fault?.reason ?? "", fault)
    case .shard(let reader): return reader.message
    case .none(let none): return text(none.reason, fault)
    }
  }

  private func text(_ reason: String, _ fault: ShardFault) -> String {
    "\(path): \(reason); \(fault.remedy)"
  }

  /// Nil at the end, which is a clean one if ``fault`` is nil.
  public func next() -> String? {
    while let (bytes, wasCut) = nextBytes() {
      guard let passage = String(validating: wasCut ? wholeScalars(bytes) : bytes, as: UTF8.self)
      else {
        counts.notUTF8 += 1
        continue
      }
      guard !isBlank(passage) else {
        counts.blank += 1
        continue
      }
      counts.passages += 1
      if wasCut { counts.cut += 1 }
      return passage
    }
    return nil
  }

  private func nextBytes() -> (bytes: [UInt8], wasCut: Bool)? {
    switch source {
    case .none: return nil
    case .lines(let lines): return lines.next()
    case .shard(let reader):
      while let event = reader.next() {
        guard case .sample(let sample) = event, let member = sample.member(suffixes: ["txt"])
        else {
          counts.unreadable += 1
          continue
        }
        let isLong = member.bytes.count > limit
        return (isLong ? Array(member.bytes.prefix(limit)) : member.bytes, isLong)
      }
      return nil
    }
  }
}

/// Without the scalar at the end that a cut went through.
private func wholeScalars(_ bytes: [UInt8]) -> [UInt8] {
  guard let lead = bytes.lastIndex(where: { $0 & 0xC0 != 0x80 }), bytes.count - lead <= 4 else {
    return bytes
  }
  let length =
    switch bytes[lead] {
    case 0xF0...: 4
    case 0xE0...: 3
    case 0xC0...: 2
    default: 1
    }
  return bytes.count - lead < length ? Array(bytes[..<lead]) : bytes
}

/// The lines of a stream of blocks, without their ends (`\n` or `\r\n`); of a line that is too long the beginning.
private final class LineStream {
  private let file: DecompressedFile
  private let limit: Int
  private var block: [UInt8] = []
  private var place = 0
  private var isAtEnd = false

  init(_ file: DecompressedFile, limit: Int) {
    self.file = file
    self.limit = limit
  }

  var fault: DecompressedFile.Fault? { file.fault }

  func next() -> (bytes: [UInt8], wasCut: Bool)? {
    var line: [UInt8] = []
    var (isCut, isLine) = (false, false)
    while refill() {
      isLine = true
      let end = block[place...].firstIndex(of: UInt8(ascii: "\n"))
      let piece = block[place..<(end ?? block.count)]
      let room = limit - line.count
      isCut = isCut || piece.count > room
      line += piece.prefix(room)
      place = end.map { $0 + 1 } ?? block.count
      if end != nil { return (withoutReturn(line), isCut) }
    }
    // The last line needs no end; what a broken file ends in the middle of is no passage.
    return isLine && file.fault == nil ? (withoutReturn(line), isCut) : nil
  }

  private func withoutReturn(_ line: [UInt8]) -> [UInt8] {
    line.last == UInt8(ascii: "\r") ? line.dropLast() : line
  }

  /// Whether there is something left of the block, or another block.
  private func refill() -> Bool {
    while place == block.count, !isAtEnd {
      guard let bytes = file.next(), !bytes.isEmpty else {
        isAtEnd = true
        break
      }
      block = Array(bytes)
      place = 0
    }
    return place < block.count
  }
}

/// Whether a text is nothing but white space and NULs. Its scalars are looked at: to compare characters takes the square of
/// the marks that one has.
public func isBlank(_ text: String) -> Bool {
  text.unicodeScalars.allSatisfy { $0.properties.isWhitespace || $0 == "\0" }
}
