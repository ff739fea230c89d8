import Foundation
import Testing

@testable import TensorFiles

@Suite struct NPZTests {
  static let columns: [(name: String, array: NPYArray)] = [
    ("key", .bytes([Array("a/1".utf8), Array("b".utf8)])),
    ("scores", .float32([1, 2, 3, 4], shape: [2, 2])),
    ("kept", .bool([true, false])),
    ("format_version", .int64([1], shape: [])),
  ]

  @Test func readsBackWhatItWrote() throws {
    let file = try TemporaryFile()
    try NPZ.write(Self.columns, to: file.path)
    #expect(
      try NPZ.read(file.path)
        == Dictionary(uniqueKeysWithValues: Self.columns.map { ($0.name, $0.array) }))
  }

  @Test func storesTheColumnsUncompressedInTheirOrder() throws {
    let file = try TemporaryFile()
    try NPZ.write(Self.columns, to: file.path)
    let bytes = Data(try file.bytes())
    var searched = bytes.startIndex
    for column in Self.columns {
      let member = Data("\(column.name).npy".utf8)
      let name = try #require(bytes.range(of: member, in: searched..<bytes.endIndex))
      let array = try #require(
        bytes.range(of: Data(NPY.encode(column.array)), in: name.upperBound..<bytes.endIndex))
      searched = array.upperBound
    }
    #expect(bytes.starts(with: [0x50, 0x4B, 3, 4]))
  }

  @Test func givesTheSameBytesAtEveryTimeAndInEveryTimeZone() throws {
    let first = try TemporaryFile()
    let second = try TemporaryFile()
    try NPZ.write(Self.columns, to: first.path)
    try NPZ.write(Self.columns, to: second.path)
    let bytes = try first.bytes()
    #expect(try second.bytes() == bytes)
    // DOS time and date of the first member: midnight of 1 January 1980, the format's zero.
    #expect(Array(bytes[10..<14]) == [0, 0, 0x21, 0])
  }

  @Test func refusesColumnsItCannotStore() throws {
    let file = try TemporaryFile()
    let array = NPYArray.bool([true])
    for columns in [
      [("a", array), ("a", array)], [("", array)], [("ä", array)], [("a b", array)],
      [("a", NPYArray.float32([1], shape: [2]))],
    ] {
      #expect(throws: TensorFileError.self) { try NPZ.write(columns, to: file.path) }
    }
    #expect(throws: TensorFileError.self) { try NPZ.write([], to: file.path + "/no/such/folder") }
    #expect(throws: TensorFileError.self) { try NPZ.write(Self.columns, to: "/dev/full") }
  }

  @Test func refusesEveryTruncation() throws {
    let file = try TemporaryFile()
    try NPZ.write(Self.columns, to: file.path)
    let whole = try file.bytes()
    for length in stride(from: 0, to: whole.count, by: 7) {
      try file.write(Array(whole[..<length]))
      #expect(throws: TensorFileError.self) { try NPZ.read(file.path) }
    }
    #expect(throws: TensorFileError.self) { try NPZ.read(file.path + ".missing") }
  }

  @Test func refusesAFlippedBitInTheData() throws {
    let file = try TemporaryFile()
    let array = NPYArray.float32([1, 2, 3], shape: [3])
    try NPZ.write([("t", array)], to: file.path)
    var bytes = try file.bytes()
    let range = try #require(Data(bytes).range(of: Data(NPY.encode(array))))
    bytes[range.upperBound - 1] ^= 1
    try file.write(bytes)
    let error = #expect(throws: TensorFileError.self) { try NPZ.read(file.path) }
    #expect(error?.description.contains(file.path) == true)
  }

  @Test func readsTheColumnsThatAreAskedFor() throws {
    let file = try TemporaryFile()
    try NPZ.write(
      Self.columns + [("large", .uint8(Array(repeating: 7, count: 10_000)))], to: file.path)
    let read = try NPZ.read(file.path, columns: ["key", "absent"], limit: 1_000)
    #expect(read == ["key": Self.columns[0].array])
  }

  @Test func oneLongStringAmongManyIsWrittenInPieces() throws {
    let strings = ByteStrings(
      (0..<5000).map { [UInt8](repeating: 7, count: $0 == 2500 ? 4000 : $0 % 9) })
    let array = NPYArray.bytes(strings)
    let (header, dataBytes) = NPY.layout(of: array)
    var (longest, bytes) = (0, header)
    NPY.writeData(of: array) { piece in
      longest = max(longest, piece.count)
      bytes += piece
    }
    // Not the 20 MB of the whole.
    #expect(longest < 70_000)
    // As a failure, they would be told byte for byte.
    let isWhole = try NPY.decode(bytes) == array
    #expect(isWhole && bytes.count == header.count + dataBytes)
    let file = try TemporaryFile()
    try NPZ.write([("key", array)], to: file.path)
    let isSame = try NPZ.read(file.path) == ["key": array]
    #expect(isSame)
  }

  @Test func stopsUnpackingAtItsLimit() throws {
    let file = try TemporaryFile()
    try NPZ.write([("t", .uint8(Array(repeating: 7, count: 10_000)))], to: file.path)
    #expect(throws: TensorFileError.self) { try NPZ.read(file.path, limit: 10_000) }
    #expect(try NPZ.read(file.path, limit: 10_128).count == 1)
  }
}

extension NPYArray {
  fileprivate static func uint8(_ values: [UInt8]) -> Self { .uint8(values, shape: [values.count]) }
}
