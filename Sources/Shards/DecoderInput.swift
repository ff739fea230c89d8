/// What a decoder is given of a stored file. Its beginning can be looked at first; and the decoder must give something for what
/// it takes: libarchive's looks for the end of the name in a gzip header, say, and keeps all that it reads meanwhile.
final class DecoderInput: BlockSource {
  /// Bytes that may be taken for nothing.
  private static let longestSilence = 16 << 20

  private let source: XZStream
  /// Read ahead, and not taken yet.
  private var first: UnsafeRawBufferPointer??
  /// Bytes taken since the decoder gave something.
  private var taken = 0
  /// More was asked for than may be taken for nothing.
  private(set) var isSilent = false

  init(_ source: XZStream) { self.source = source }

  /// The first block; nil after a failure.
  func beginning() -> UnsafeRawBufferPointer? {
    let block = source.next()
    first = .some(block)
    return block
  }

  /// To be called with every block that the decoder gives.
  func decoderGave(_ bytes: Int) { if bytes > 0 { taken = 0 } }

  func next() -> UnsafeRawBufferPointer? {
    let block = first ?? source.next()
    first = nil
    guard let block else { return nil }
    taken += block.count
    isSilent = taken > Self.longestSilence
    return isSilent ? nil : block
  }
}
