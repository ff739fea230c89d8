import CArchive

import func Foundation.strerror

// The only file of this room that touches libarchive: handles that own their `struct archive`.

/// Writes stored (uncompressed) members with fixed times and owners: the same content is the same
/// bytes.
struct ZipWriter: ~Copyable {
  private let archive: OpaquePointer?
  private let file: DurableFile

  init(to file: consuming DurableFile) throws(TensorFileError) {
    self.file = file
    archive = archive_write_new()
    if archive == nil {
      throw .io(file: self.file.path, action: "create", reason: "out of memory")
    }
    archive_write_set_format_zip(archive)
    archive_write_zip_set_compression_store(archive)
    archive_write_set_bytes_in_last_block(archive, 1)
    try check(archive_write_open_fd(archive, self.file.descriptor), "create")
  }

  deinit { archive_write_free(archive) }

  /// Begins a member, whose bytes follow.
  func begin(name: String, byteCount: Int) throws(TensorFileError) {
    guard let entry = archive_entry_new() else {
      throw .io(file: file.path, action: "write", reason: "out of memory")
    }
    defer { archive_entry_free(entry) }
    archive_entry_set_pathname(entry, name)
    archive_entry_set_filetype(entry, UInt32(S_IFREG))
    archive_entry_set_perm(entry, 0o644)
    archive_entry_set_size(entry, Int64(byteCount))
    // Zip keeps local time from 1980 on; 1970 is clamped to the same bytes in every time zone.
    archive_entry_set_mtime(entry, 0, 0)
    try check(archive_write_header(archive, entry), "write")
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(TensorFileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let slice = UnsafeRawBufferPointer(rebasing: rest)
      // The system writes no more than 2 GiB at a time.
      let written = archive_write_data(archive, slice.baseAddress, min(slice.count, 1 << 30))
      guard written > 0 else { throw archiveError(archive, file.path, "write") }
      rest = rest.dropFirst(written)
    }
  }

  /// Writes the directory and syncs the file.
  func finish() throws(TensorFileError) {
    try check(archive_write_close(archive), "write")
    try file.finish()
  }

  private func check(_ status: Int32, _ action: String) throws(TensorFileError) {
    if status != ARCHIVE_OK { throw archiveError(archive, file.path, action) }
  }
}

/// Reads members through the central directory, so that a truncated file is an error and not a
/// short list.
struct ZipReader: ~Copyable {
  private let archive: OpaquePointer?
  private let path: String

  init(_ path: String) throws(TensorFileError) {
    self.path = path
    archive = archive_read_new()
    if archive == nil { throw .io(file: path, action: "read", reason: "out of memory") }
    archive_read_support_format_zip_seekable(archive)
    if archive_read_open_filename(archive, path, 1 << 18) != ARCHIVE_OK {
      throw archiveError(archive, path, "open")
    }
  }

  deinit { archive_read_free(archive) }

  /// The next member's name and the size that the directory claims, nil after the last.
  func next() throws(TensorFileError) -> (name: String, size: Int64)? {
    var entry: OpaquePointer?
    let status = archive_read_next_header(archive, &entry)
    if status == ARCHIVE_EOF { return nil }
    guard status == ARCHIVE_OK else { throw damage(nil) }
    guard let pathname = archive_entry_pathname(entry) else {
      throw .malformed(file: path, tensor: nil, reason: "a member's name cannot be read")
    }
    return (String(cString: pathname), archive_entry_size(entry))
  }

  /// What the member holds that came last. At most `limit` unpacked bytes are taken into memory, whatever the directory
  /// claims.
  func content(
    of member: (name: String, size: Int64), limit: Int
  ) throws(TensorFileError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(max(0, min(member.size, Int64(limit), 16 << 20))))
    while true {
      var (block, count, offset): (UnsafeRawPointer?, Int, Int64) = (nil, 0, 0)
      let status = archive_read_data_block(archive, &block, &count, &offset)
      if status == ARCHIVE_EOF { return bytes }
      guard status == ARCHIVE_OK, offset == bytes.count else { throw damage(member.name) }
      guard count <= limit - bytes.count else {
        throw .unsupported(
          file: path, tensor: member.name, reason: "more than \(limit) bytes once unpacked")
      }
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: block, count: count))
    }
  }

  private func damage(_ member: String?) -> TensorFileError {
    .malformed(file: path, tensor: member, reason: errorText(archive))
  }
}

/// The content of a gzip-compressed file.
///
/// - Parameter limit: unpacked bytes that are taken into memory at most.
/// - Throws: `TensorFileError`.
public func unpackGzip(_ path: String, limit: Int) throws(TensorFileError) -> [UInt8] {
  guard let archive = archive_read_new() else {
    throw .io(file: path, action: "read", reason: "out of memory")
  }
  defer { archive_read_free(archive) }
  archive_read_support_filter_gzip(archive)
  archive_read_support_format_raw(archive)
  var entry: OpaquePointer?
  guard archive_read_open_filename(archive, path, 1 << 18) == ARCHIVE_OK,
    archive_read_next_header(archive, &entry) == ARCHIVE_OK
  else { throw archiveError(archive, path, "open") }
  var bytes = [UInt8](repeating: 0, count: limit + 1)
  var count = 0
  while count <= limit {
    let got = bytes.withUnsafeMutableBytes { buffer in
      archive_read_data(archive, buffer.baseAddress.map { $0 + count }, limit + 1 - count)
    }
    if got < 0 { throw archiveError(archive, path, "read") }
    if got == 0 { return Array(bytes[..<count]) }
    count += got
  }
  throw .unsupported(file: path, tensor: nil, reason: "more than \(limit) bytes once unpacked")
}

private func errorText(_ archive: OpaquePointer?) -> String {
  archive_error_string(archive).map { String(cString: $0) } ?? "libarchive gave no reason"
}

private func archiveError(
  _ archive: OpaquePointer?, _ path: String, _ action: String
) -> TensorFileError {
  var reason = errorText(archive)
  // libarchive says "Write error", and not why, where the system refused.
  let code = archive_errno(archive)
  let cause = code > 0 ? String(cString: strerror(code)) : ""
  if !reason.contains(cause) { reason += ": " + cause }
  return .io(file: path, action: action, reason: reason)
}
