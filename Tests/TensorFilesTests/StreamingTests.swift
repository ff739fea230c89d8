import Foundation
import Testing

@testable import TensorFiles

/// Files that are written or read a part at a time.
@Suite struct StreamingTests {
  @Test(arguments: [NPYRowWriter.Element.float16, .float32])
  func rowsAreReadBackAsOneMatrix(element: NPYRowWriter.Element) throws {
    let file = try TemporaryFile()
    let writer = try NPYRowWriter(file.path, columns: 3, element: element)
    try writer.append([1, 2, 3, 4, 5, 6])
    try writer.append([-0.5, 0, 1024])
    try writer.finish()
    #expect(
      try NPY.read(file.path) == .float32([1, 2, 3, 4, 5, 6, -0.5, 0, 1024], shape: [3, 3]))
    #expect(try file.bytes().count == 128 + 9 * (element == .float16 ? 2 : 4))
  }

  @Test func noRowsAreAMatrixToo() throws {
    let file = try TemporaryFile()
    try NPYRowWriter(file.path, columns: 7, element: .float32).finish()
    #expect(try NPY.read(file.path) == .float32([], shape: [0, 7]))
  }

  @Test func singleTensorsAreReadByName() throws {
    let file = try TemporaryFile()
    try SafeTensors.write(
      [
        NamedTensor(name: "a", shape: [2, 2], values: [1, 2, 3, 4]),
        NamedTensor(name: "b", shape: [], values: [5]),
      ], metadata: [:], to: file.path)
    let reader = try SafeTensorsReader(file.path)
    #expect(reader.names == ["a", "b"])
    #expect(reader.shape(of: "a") == [2, 2] && reader.shape(of: "c") == nil)
    var values = [Float](repeating: 0, count: 4)
    try reader.read("a", into: &values)
    #expect(values == [1, 2, 3, 4])
    #expect(throws: TensorFileError.self) { try reader.read("c", into: &values) }
  }

  @Test func aTensorOfWholeNumbersStandsInTheWayOfNoOther() throws {
    let header =
      #"{"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"#
      + #""w":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]}}"#
    let data: [UInt8] = [7, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3F, 0x00, 0xC0]
    let file = try SafeTensorsTests.file(header, data: data)
    let reader = try SafeTensorsReader(file.path)
    var values = [Float](repeating: 0, count: 2)
    try reader.read("w", into: &values)
    #expect(values == [1, -2])
    let error = #expect(throws: TensorFileError.self) { try reader.read("ids", into: &values) }
    #expect("\(try #require(error))".contains("'ids': element type I64"))
    #expect(throws: TensorFileError.self) { try SafeTensors.read(file.path) }
  }

  @Test func aCutFileIsRefusedWhenItIsOpened() throws {
    let file = try TemporaryFile()
    try SafeTensors.write(
      [NamedTensor(name: "a", shape: [4], values: [1, 2, 3, 4])], metadata: [:], to: file.path)
    try file.write(Array(try file.bytes().dropLast()))
    #expect(throws: TensorFileError.self) { try SafeTensorsReader(file.path) }
  }

  @Test func gzipIsUnpackedUpToItsLimit() throws {
    // printf 'two words' | gzip -n
    let packed: [UInt8] = [
      0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0x2B, 0x29, 0xCF, 0x57, 0x28, 0xCF, 0x2F, 0x4A, 0x29,
      0x06, 0, 0x55, 0xCE, 0xDE, 0x20, 9, 0, 0, 0,
    ]
    let file = try TemporaryFile(packed)
    #expect(try unpackGzip(file.path, limit: 9) == Array("two words".utf8))
    #expect(throws: TensorFileError.self) { try unpackGzip(file.path, limit: 8) }
    try file.write(Array(packed.dropLast(12)))
    #expect(throws: TensorFileError.self) { try unpackGzip(file.path, limit: 9) }
  }
}
