import Testing

@testable import TensorFiles

@Suite struct NPYTests {
  static func file(_ header: String, data: [UInt8] = [], version: UInt8 = 1, length: Int? = nil)
    -> [UInt8]
  {
    let count = length ?? header.utf8.count
    let lengthBytes = littleEndian(UInt64(count)).prefix(version == 1 ? 2 : 4)
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + lengthBytes + header.utf8 + data
  }

  @Test func writesTheBytesThatNumpyWrites() {
    // numpy.save of numpy.array([1, -2], "<f4"): 128 bytes of header.
    let literal = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
    let padding = String(repeating: " ", count: 128 - 10 - literal.count - 1) + "\n"
    #expect(
      NPY.encode(.float32([1, -2], shape: [2]))
        == Self.file(literal + padding, data: [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]))
  }

  @Test(
    arguments: [
      .float32([1, .infinity, -0.0, 0x1p-149], shape: [2, 2]), .float32([], shape: [0, 7]),
      .float32([3], shape: []), .float64([1, -0.1, .infinity], shape: [3, 1]),
      .int64([.min, -1, .max], shape: [3]),
      .uint8([0, 255], shape: [1, 2]),
      .bool([true, false, true]), .bool([]), .bytes([]), .bytes([[]]),
      .bytes([Array("clip/001".utf8), [], [0xFF, 0, 0x80], Array("é".utf8)]),
    ] as [NPYArray])
  func decodesWhatItEncoded(_ array: NPYArray) throws {
    let bytes = NPY.encode(array)
    #expect(try NPY.decode(bytes) == array)
    let dataLength = bytes.count - 128
    #expect(dataLength >= 0 && bytes[127] == 0x0A)
  }

  @Test func stripsTrailingNULsAsNumpyDoes() throws {
    #expect(try NPY.decode(NPY.encode(.bytes([[1, 0, 0], [0, 2]]))) == .bytes([[1], [0, 2]]))
  }

  @Test func readsHalfPrecisionAndLaterVersions() throws {
    let header = #"{"shape": (2, ), "fortran_order": True, "descr": "<f2"}"#
    for version in UInt8(2)...3 {
      let bytes = Self.file(header, data: [0, 0x3C, 1, 0], version: version)
      #expect(try NPY.decode(bytes) == .float32([1, 0x1p-24], shape: [2]))
    }
  }

  @Test(arguments: [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 3), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551617,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4611686018427387904), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': 1, }",
    "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }",
    "{'descr': '<f4', 'fortran_order': False}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} import os",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1",
    "{'descr': '<f4", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "{", "",
    "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '|S0', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '|S-4', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '|S9223372036854775807', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '|b1', 'fortran_order': False, 'shape': (2, 2), }",
    "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }",
  ])
  func refusesHostileHeaders(_ header: String) {
    let bytes = Self.file(header, data: [0, 0, 0, 0])
    #expect(throws: TensorFileError.self) { try NPY.decode(bytes) }
  }

  /// No argument of the test above: a log would hold it.
  @Test func refusesDeepHeaders() {
    refusesHostileHeaders(String(repeating: "{'shape': (", count: 5000))
  }

  @Test func refusesLyingHeaderLengthsAndEveryTruncation() {
    #expect(throws: TensorFileError.self) { try NPY.decode(Self.file("{}", length: 65535)) }
    #expect(throws: TensorFileError.self) {
      try NPY.decode(Self.file("{}", version: 2, length: 0xFFFF_FFFF))
    }
    let whole = NPY.encode(.int64([1, 2], shape: [2]))
    for length in 0..<whole.count {
      #expect(throws: TensorFileError.self) { try NPY.decode(Array(whole[..<length])) }
    }
  }
}
