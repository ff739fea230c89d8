import Foundation
import Testing

@testable import TensorFiles

@Suite struct NPYReaderTests {
  @Test func partsAreReadAnywhere() throws {
    let values = (0..<30).map { Double($0) / 7 }
    let file = try TemporaryFile(NPY.encode(.float64(values, shape: [10, 3])))
    let reader = try NPYReader(file.path)
    #expect(reader.shape == [10, 3] && reader.element == .float64)
    var part = [Double](repeating: 0, count: 6)
    try reader.read(from: 12, into: &part)
    #expect(part == Array(values[12..<18]))
  }

  @Test func wholeNumbersOfEveryWidth() throws {
    for (descr, bytes, expected) in [
      ("|i1", [0xFE, 1], [-2, 1]), ("|u1", [0xFE, 1], [254, 1]), ("|b1", [0, 1], [0, 1]),
      ("<i2", [0xFE, 0xFF, 1, 0], [-2, 1]), ("<u2", [0xFE, 0xFF, 1, 0], [65534, 1]),
      ("<i4", [0xFE, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0], [-2, 1]),
      ("<u4", [0xFE, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0], [4_294_967_294, 1]),
      ("<i8", [UInt8](repeating: 0xFF, count: 8) + [1, 0, 0, 0, 0, 0, 0, 0], [-1, 1]),
      ("<u8", [UInt8](repeating: 0xFF, count: 8) + [1, 0, 0, 0, 0, 0, 0, 0], [.max, 1]),
    ] as [(String, [UInt8], [Int64])] {
      let header = "{'descr': '\(descr)', 'fortran_order': False, 'shape': (2,), }"
      let file = try TemporaryFile(NPYTests.file(header, data: bytes))
      let reader = try NPYReader(file.path)
      #expect(reader.element.isInteger)
      #expect(try reader.integers(from: 0, count: 2) == expected)
      #expect(try reader.integers(from: 1, count: 1) == [expected[1]])
    }
  }

  @Test func whatItDoesNotReadIsRefusedWhenItIsOpened() throws {
    for header in [
      "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807,), }", "{",
    ] {
      let file = try TemporaryFile(NPYTests.file(header, data: [0, 0, 0, 0]))
      #expect(throws: TensorFileError.self) { try NPYReader(file.path) }
    }
    let columns = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }"
    let file = try TemporaryFile(NPYTests.file(columns, data: [UInt8](repeating: 0, count: 16)))
    let error = #expect(throws: TensorFileError.self) { try NPYReader(file.path) }
    #expect("\(try #require(error))".contains("ascontiguousarray"))
    #expect(throws: TensorFileError.self) { try NPYReader("/nowhere/at/all.npy") }
  }

  /// Whoever takes a row's bytes from such a shape would overflow.
  @Test func anArrayWithoutElementsHasNoEndlessRows() throws {
    for (columns, isRead) in [("7", true), ("2147483648", true), ("4611686018427387904", false)] {
      let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (0, \(columns)), }"
      let file = try TemporaryFile(NPYTests.file(header))
      #expect(((try? NPYReader(file.path)) != nil) == isRead)
      #expect(((try? NPY.read(file.path)) != nil) == isRead)
    }
  }

  @Test func aFileThatIsCutShortWhileItIsReadIsAnError() throws {
    let file = try TemporaryFile(NPY.encode(.float32([1, 2, 3, 4], shape: [4])))
    let reader = try NPYReader(file.path)
    let handle = try FileHandle(forWritingTo: URL(filePath: file.path))
    try handle.truncate(atOffset: 136)
    var part = [Float](repeating: 0, count: 4)
    #expect(throws: TensorFileError.self) { try reader.read(from: 0, into: &part) }
  }
}
