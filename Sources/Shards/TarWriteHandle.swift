import CArchive
import Foundation

/// Owns libarchive's tar writer: the pointer, its lifetime and its error.
///
/// The format is pax_restricted: USTAR wherever a header fits, a PAX record only where the name is too
/// long or not ASCII. Asking for `hdrcharset=BINARY` would put a PAX record before every member; left
/// alone, libarchive warns of a name it cannot translate from the C locale, and then writes its raw
/// bytes with that record, which is what is wanted.
final class TarWriteHandle {
  /// A tar is padded to records of this many bytes, as tar has always done.
  private static let record: Int32 = 10_240

  /// What the file is given at a time, at most: 250 kB.
  static let blockBytes = Int(record) * 25

  private let archive: OpaquePointer
  private let entry: OpaquePointer
  private let file: ShardFile

  /// Nil when libarchive is out of memory or lacks the format.
  init?(file: ShardFile) {
    guard let archive = archive_write_new() else { return nil }
    guard let entry = archive_entry_new() else {
      archive_write_free(archive)
      return nil
    }
    self.archive = archive
    self.entry = entry
    self.file = file
    guard archive_write_set_format_pax_restricted(archive) == ARCHIVE_OK,
      archive_write_set_bytes_per_block(archive, Int32(Self.blockBytes)) == ARCHIVE_OK,
      archive_write_set_bytes_in_last_block(archive, Self.record) == ARCHIVE_OK,
      archive_write_open(
        archive, Unmanaged.passUnretained(file).toOpaque(), nil,
        { _, context, bytes, count in
          guard let context else { return -1 }
          let file = Unmanaged<ShardFile>.fromOpaque(context).takeUnretainedValue()
          return file.write(UnsafeRawBufferPointer(start: bytes, count: count)) ? count : -1
        }, nil) == ARCHIVE_OK
    else { return nil }
  }

  deinit {
    // Freeing an unfinished tar closes it first; the file takes nothing more, so it gets no end marker. (Marked as
    // failed, libarchive wouldn't close it, and forget its buffer.)
    file.fail("the shard was not finished")
    archive_write_free(archive)
    archive_entry_free(entry)
  }

  /// Begins one regular file with fixed owner, mode and time. `name` holds no NUL.
  /// - Returns: nil, or what went wrong.
  func begin(name: [UInt8], size: Int64) -> String? {
    archive_entry_clear(entry)
    (name + [0]).withUnsafeBytes {
      archive_entry_set_pathname(entry, $0.baseAddress?.assumingMemoryBound(to: CChar.self))
    }
    archive_entry_set_filetype(entry, S_IFREG)
    archive_entry_set_perm(entry, 0o644)
    archive_entry_set_uid(entry, 0)
    archive_entry_set_gid(entry, 0)
    archive_entry_set_mtime(entry, 0, 0)
    archive_entry_set_size(entry, size)
    let status = archive_write_header(archive, entry)
    return status == ARCHIVE_OK || status == ARCHIVE_WARN ? nil : errorText
  }

  /// Writes the next bytes of the file that was begun, not more than its size.
  /// - Returns: nil, or what went wrong.
  func write(_ bytes: UnsafeRawBufferPointer) -> String? {
    archive_write_data(archive, bytes.baseAddress, bytes.count) == bytes.count ? nil : errorText
  }

  /// Ends the file that was begun.
  /// - Returns: nil, or what went wrong.
  func end() -> String? {
    archive_write_finish_entry(archive) == ARCHIVE_OK ? nil : errorText
  }

  /// Writes the end marker.
  /// - Returns: nil, or what went wrong.
  func finish() -> String? {
    archive_write_close(archive) == ARCHIVE_OK ? nil : errorText
  }

  private var errorText: String { archiveErrorText(archive) }
}

/// libarchive's text for the last error, which can be missing.
func archiveErrorText(_ archive: OpaquePointer) -> String {
  guard let text = archive_error_string(archive) else { return "libarchive gives no reason" }
  return String(cString: text)
}
