import CArchive

/// Where a ``ReadHandle`` gets its bytes.
protocol BlockSource: AnyObject {
  /// The next bytes, valid until the next call; empty at the end; nil after a failure, which the source
  /// itself remembers.
  func next() -> UnsafeRawBufferPointer?
}

extension StoredFile: BlockSource {}

/// Owns one of libarchive's readers: the pointer, its lifetime, its error, and the source below it.
final class ReadHandle {
  let archive: OpaquePointer
  private let source: SourceBox

  /// A callback takes a plain pointer, and an existential has none.
  private final class SourceBox {
    let source: any BlockSource
    init(_ source: any BlockSource) { self.source = source }
  }

  /// - Returns: nil when out of memory.
  init?(source: any BlockSource) {
    guard let archive = archive_read_new() else { return nil }
    self.archive = archive
    self.source = SourceBox(source)
  }

  deinit { archive_read_free(archive) }

  /// Opens the source, after the formats and filters were named.
  /// - Returns: whether something that the named formats and filters know was found.
  func open() -> Bool {
    archive_read_open(
      archive, Unmanaged.passUnretained(source).toOpaque(), nil,
      { _, context, block in
        guard let context, let block,
          let bytes = Unmanaged<SourceBox>.fromOpaque(context).takeUnretainedValue().source.next()
        else { return -1 }
        block.pointee = bytes.baseAddress
        return bytes.count
      }, nil) == ARCHIVE_OK
  }

  /// The next bytes of the entry at hand with their place in it, valid until the next call.
  func nextBlock() -> (status: Int32, bytes: UnsafeRawBufferPointer, offset: Int64) {
    var start: UnsafeRawPointer?
    var count = 0
    var offset: la_int64_t = 0
    let status = archive_read_data_block(archive, &start, &count, &offset)
    return (status, UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count), offset)
  }

  var errorText: String { archiveErrorText(archive) }
}
