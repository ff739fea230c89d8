import CArchive
import Foundation
import Shards

/// Small tars of every kind that the reader knows, as Winnow and as libarchive's other formats and filters write them.
@Sendable func shardSeeds() throws -> [[UInt8]] {
  func text(_ name: String, _ content: String) -> Member {
    Member(name: Array(name.utf8), bytes: Array(content.utf8))
  }
  let members = [
    text("a/0.jpg", String(repeating: "j", count: 700)), text("a/0.txt", "a caption"),
    text("1.txt", ""), text("1.json", "{}"), text("1.json", "{}"), text("__meta__/x.json", "m"),
    Member(name: [0x32, 0xFF, 0x80] + Array(".png".utf8), bytes: [0x89]),
    text(String(repeating: "n", count: 180) + ".txt", "long"),
  ]
  var seeds = try [ShardCompression.none, .zstd(level: 1)].map { compression in
    try written { path in
      let writer = try ShardWriter(path: path, compression: compression)
      for member in members { try writer.append(member) }
      try writer.finish()
    }
  }
  for format in [archive_write_set_format_gnutar, archive_write_set_format_pax] {
    seeds.append(try strangerTar(members, format, archive_write_add_filter_none))
  }
  for filter in [
    archive_write_add_filter_gzip, archive_write_add_filter_bzip2, archive_write_add_filter_xz,
  ] {
    seeds.append(try strangerTar(members, archive_write_set_format_ustar, filter))
  }
  // What no writer here makes: links, a folder, a device, an old GNU sparse file, a size in base 256.
  let end = [UInt8](repeating: 0, count: 1024)
  let block = [UInt8](repeating: 0x74, count: 512)
  var sparse = tarHeader("3.bin", size: Array("00000001000\0".utf8), type: "S")
  sparse.replaceSubrange(386..<398, with: "00000002000\0".utf8)
  sparse.replaceSubrange(398..<410, with: "00000001000\0".utf8)
  sparse.replaceSubrange(483..<495, with: "00000004000\0".utf8)
  let kinds = ["1", "2", "3", "5", "6"].flatMap {
    tarHeader("4.txt", size: Array("00000000000\0".utf8), type: Character($0))
  }
  let base256: [UInt8] = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0]
  seeds.append(
    kinds + withTrueChecksum(sparse) + block + tarHeader("5.txt", size: base256) + block + end)
  let map = Array("2\n0\n4\n600\n4\n".utf8)
  let records = ["GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.realsize=2000"]
    .map { "\($0.count + 4) \($0)\n" }.joined()
  seeds.append(
    tarHeader("pax", size: octal(records.utf8.count), type: "x") + padded(Array(records.utf8))
      + tarHeader("6.txt", size: octal(520)) + padded(map) + padded(Array("holeHOLE".utf8)) + end)
  return seeds
}

private func octal(_ number: Int) -> [UInt8] {
  let digits = String(number, radix: 8)
  return Array((String(repeating: "0", count: 11 - digits.count) + digits + "\0").utf8)
}

private func padded(_ bytes: [UInt8]) -> [UInt8] {
  bytes + [UInt8](repeating: 0, count: -bytes.count & 511)
}

/// A tar of `members` by one of libarchive's other writers.
private func strangerTar(
  _ members: [Member], _ format: (OpaquePointer?) -> Int32, _ filter: (OpaquePointer?) -> Int32
) throws -> [UInt8] {
  let archive = archive_write_new()
  let entry = archive_entry_new()
  defer {
    archive_write_free(archive)
    archive_entry_free(entry)
  }
  var buffer = [UInt8](repeating: 0, count: 1 << 20)
  var used = 0
  guard format(archive) == ARCHIVE_OK, filter(archive) == ARCHIVE_OK else {
    throw BrokenPromise(description: "libarchive lacks a format")
  }
  archive_write_set_bytes_per_block(archive, 0)
  let count = buffer.count
  try buffer.withUnsafeMutableBytes { bytes in
    archive_write_open_memory(archive, bytes.baseAddress, count, &used)
    for member in members {
      archive_entry_clear(entry)
      (member.name + [0]).withUnsafeBytes {
        archive_entry_set_pathname(entry, $0.bindMemory(to: CChar.self).baseAddress)
      }
      archive_entry_set_size(entry, Int64(member.bytes.count))
      archive_entry_set_filetype(entry, 0o100000)
      archive_entry_set_perm(entry, 0o644)
      let status = archive_write_header(archive, entry)
      guard status == ARCHIVE_OK || status == ARCHIVE_WARN else { continue }
      _ = member.bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
    }
    guard archive_write_close(archive) == ARCHIVE_OK else {
      throw BrokenPromise(description: "libarchive cannot write a seed")
    }
  }
  return Array(buffer[..<used])
}

/// A USTAR header made by hand.
func tarHeader(_ name: String, size: [UInt8], type: Character = "0") -> [UInt8] {
  var header = [UInt8](repeating: 0, count: 512)
  header.replaceSubrange(0..<name.utf8.count, with: name.utf8)
  header.replaceSubrange(100..<107, with: "0000644".utf8)
  header.replaceSubrange(124..<124 + size.count, with: size)
  header[156] = type.asciiValue ?? 0
  header.replaceSubrange(257..<265, with: "ustar\u{0}00".utf8)
  return withTrueChecksum(header)
}

private func withTrueChecksum(_ header: [UInt8]) -> [UInt8] {
  var header = header
  header.replaceSubrange(148..<156, with: repeatElement(0x20, count: 8))
  let digits = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
  let text = String(repeating: "0", count: 6 - digits.count) + digits + "\0"
  header.replaceSubrange(148..<155, with: text.utf8)
  return header
}

/// The tar with true checksums in whatever looks like a header.
@Sendable func tarRepaired(_ bytes: [UInt8]) -> [UInt8] {
  var result = bytes
  for start in stride(from: 0, through: bytes.count - 512, by: 512)
  where bytes[start + 257..<start + 262].elementsEqual("ustar".utf8) {
    result.replaceSubrange(
      start..<start + 512, with: withTrueChecksum(Array(bytes[start..<start + 512])))
  }
  return result
}
