import Testing

@testable import TensorFiles

@Suite struct SafeTensorsTests {
  /// A file made of a header text and data, its length field true unless given.
  static func file(_ header: String, data: [UInt8] = [], length: UInt64? = nil) throws
    -> TemporaryFile
  {
    let name = "lying.safetensors"
    let bytes = littleEndian(length ?? UInt64(header.utf8.count)) + header.utf8 + data
    return try TemporaryFile(bytes, name: name)
  }

  @Test func writesTheBytesOfTheFormat() throws {
    let file = try TemporaryFile()
    try SafeTensors.write(
      [
        NamedTensor(name: "b", shape: [2], values: [1, -2]),
        NamedTensor(name: "a/x", shape: [], values: [0.5]),
      ], metadata: ["z": "1", "k": "v\"\n"], to: file.path)
    let header =
      #"{"__metadata__":{"k":"v\"\n","z":"1"},"#
      + #""a/x":{"data_offsets":[0,4],"dtype":"F32","shape":[]},"#
      + #""b":{"data_offsets":[4,12],"dtype":"F32","shape":[2]}}"#
    let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    let data: [UInt8] = [0, 0, 0, 0x3F, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]
    #expect(try file.bytes() == littleEndian(UInt64(padded.utf8.count)) + padded.utf8 + data)
    #expect(padded.utf8.count % 8 == 0)
  }

  @Test func readsBackWhatItWrote() throws {
    let file = try TemporaryFile()
    let tensors = [
      NamedTensor(name: "w.ü", shape: [2, 3], values: [1, .infinity, -0.0, 0x1p-149, 3.4e38, -7]),
      NamedTensor(name: "empty", shape: [0, 5], values: []),
      NamedTensor(name: "scalar", shape: [], values: [2]),
    ]
    try SafeTensors.write(tensors, metadata: ["format_version": "1"], to: file.path)
    let read = try SafeTensors.read(file.path)
    #expect(read.metadata == ["format_version": "1"])
    #expect(read.tensors == Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) }))
  }

  @Test func givesTheSameBytesInAnyOrderOfTensors() throws {
    let tensors = (0..<20).map { NamedTensor(name: "t\($0)", shape: [1], values: [Float($0)]) }
    let metadata = Dictionary(uniqueKeysWithValues: (0..<20).map { ("k\($0)", "v") })
    let first = try TemporaryFile()
    let second = try TemporaryFile()
    try SafeTensors.write(tensors, metadata: metadata, to: first.path)
    try SafeTensors.write(tensors.reversed(), metadata: metadata, to: second.path)
    #expect(try first.bytes() == second.bytes())
  }

  @Test func refusesTensorsItCannotStore() throws {
    let file = try TemporaryFile()
    let tensor = NamedTensor(name: "t", shape: [1], values: [1])
    for tensors in [
      [tensor, tensor], [NamedTensor(name: "__metadata__", shape: [1], values: [1])],
      [NamedTensor(name: "t", shape: [2], values: [1])],
      [NamedTensor(name: "t", shape: [-1, -1], values: [1])],
    ] {
      #expect(throws: TensorFileError.self) {
        try SafeTensors.write(tensors, metadata: [:], to: file.path)
      }
    }
    #expect(throws: TensorFileError.self) {
      try SafeTensors.write([tensor], metadata: [:], to: file.path + "/no/such/folder")
    }
  }

  @Test func widensHalfPrecisionExactly() throws {
    // 1, -2, largest finite, smallest normal, smallest and largest subnormal, inf, -0.
    let half: [UInt16] = [0x3C00, 0xC000, 0x7BFF, 0x0400, 0x0001, 0x03FF, 0x7C00, 0x8000]
    let brain: [UInt16] = [0x3F80, 0xC000, 0x0001, 0xFF80]
    let data = (half + brain).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    let file = try Self.file(
      #"{"h":{"dtype":"F16","shape":[8],"data_offsets":[0,16]},"#
        + #""b":{"dtype":"BF16","shape":[2,2],"data_offsets":[16,24]}}"#, data: data)
    let tensors = try SafeTensors.read(file.path).tensors
    #expect(
      tensors["h"]?.values == [
        1, -2, 65504, 0x1p-14, 0x1p-24, 0x1p-14 - 0x1p-24, .infinity, -0.0,
      ])
    #expect(tensors["h"]?.values.last?.sign == .minus)
    #expect(tensors["b"]?.values == [1, -2, Float(bitPattern: 0x10000), -.infinity])
    #expect(tensors["b"]?.shape == [2, 2])
  }

  @Test func everyFiniteHalfIsSignTimesFractionTimesPowerOfTwo() {
    for pattern in UInt16.min...UInt16.max where pattern & 0x7C00 != 0x7C00 {
      let exponent = Int(pattern >> 10 & 31)
      let fraction = Float(pattern & 1023)
      let scale = Float(sign: .plus, exponent: max(exponent, 1) - 25, significand: 1)
      let plain = (exponent == 0 ? fraction : 1024 + fraction) * scale
      #expect(float16([pattern])[0] == (pattern >> 15 == 0 ? plain : -plain))
    }
    #expect(float16([0x7E01])[0].isNaN)
    #expect(bfloat16([0x7FC0])[0].isNaN)
  }

  @Test(arguments: [
    // Lengths and offsets that lie.
    #"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
    #"{"t":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
    #"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"t":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#,
    #"{"t":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
    #"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#,
    #"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#,
    #"{"t":{"dtype":"F16","shape":[1],"data_offsets":[0,3]}}"#,
    // Shapes that overflow, are negative, or hold their bytes only by wrapping around.
    #"{"t":{"dtype":"F32","shape":[9223372036854775807,2],"data_offsets":[0,4]}}"#,
    #"{"t":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
    #"{"t":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}"#,
    #"{"t":{"dtype":"F32","shape":[1e300],"data_offsets":[0,4]}}"#,
    #"{"t":{"dtype":"F32","shape":[18446744073709551617],"data_offsets":[0,4]}}"#,
    #"{"t":{"dtype":"F8_E4M3","shape":[4611686018427387904],"data_offsets":[0,4]}}"#,
    #"{"t":{"dtype":"F4","shape":[10],"data_offsets":[0,4]}}"#,
    // Overlap, gaps, bytes that no tensor owns.
    #"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
      + #""u":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
    "{}",
    // Other types and other JSON.
    #"{"t":{"dtype":"I64","shape":[],"data_offsets":[0,4]}}"#,
    #"{"t":{"dtype":"F32","shape":"x","data_offsets":[0,4]}}"#,
    #"{"t":{"dtype":"F32","data_offsets":[0,4]}}"#,
    #"{"__metadata__":{"k":1},"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
    "[]", "", "null", "{\"t\":",
  ])
  func refusesHostileHeaders(_ header: String) throws {
    let file = try Self.file(header, data: [0, 0, 0, 0])
    let error = #expect(throws: TensorFileError.self) { try SafeTensors.read(file.path) }
    #expect(error?.description.contains("lying.safetensors") == true)
  }

  /// No arguments of the test above: a log would hold them.
  @Test func refusesDeepHeaders() throws {
    for nest in ["{\"t\":", "["] {
      try refusesHostileHeaders(String(repeating: nest, count: 100_000))
    }
  }

  @Test(arguments: [UInt64.max, 1 << 63, 100_000_001, 3])
  func refusesALyingHeaderLength(_ length: UInt64) throws {
    let file = try Self.file("{}", length: length)
    #expect(throws: TensorFileError.self) { try SafeTensors.read(file.path) }
  }

  /// Parsed, they would take gigabytes, or minutes.
  @Test func refusesAHeaderOfMillionsOfValuesOrWithALongName() throws {
    let tensor = #""t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#
    let ones = "[" + String(repeating: "1,", count: 1_100_000) + "1]"
    let (manyValues, longName) = ("more than 1000000 JSON values", "more than 1024 bytes")
    let headers: [(text: String, reason: String)] = [
      (#"{"u":{"dtype":"F32","shape":\#(ones),"data_offsets":[4,4]},\#(tensor)}"#, manyValues),
      (#"{"\#(String(repeating: "a", count: 2000))" : {},\#(tensor)}"#, longName),
      (
        "{\"__metadata__\":{\(String(repeating: "\"\":\"\",", count: 600_000))\"a\":\"\"},\(tensor)}",
        manyValues
      ),
    ]
    for (header, reason) in headers {
      let file = try Self.file(header, data: [0, 0, 0, 0])
      let error = #expect(throws: TensorFileError.self) { try SafeTensors.read(file.path) }
      #expect(error?.description.contains(reason) == true)
    }
    // One long string may look like many.
    let text = String(repeating: #"\"{,:["#, count: 1_000_000)
    let file = try Self.file(
      #"{"__metadata__":{"a":"\#(text)"},\#(tensor)}"#, data: [0, 0, 0, 0])
    #expect(throws: Never.self) { try SafeTensors.read(file.path) }
  }

  /// JSON's decoder reads other encodings too, of which nothing can be told beforehand.
  @Test func refusesAHeaderThatIsNotUTF8() throws {
    let header = #"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
    let wide = header.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    for text in [wide, [0xFF, 0xFE] + wide] {
      let bytes = littleEndian(UInt64(text.count)) + text + [0, 0, 0, 0]
      let file = try TemporaryFile(bytes, name: "lying.safetensors")
      let error = #expect(throws: TensorFileError.self) { try SafeTensors.read(file.path) }
      guard case .malformed? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      let description = try #require(error).description
      #expect(description.contains("lying.safetensors"))
      #expect(description.contains("the header isn't UTF-8"))
    }
  }

  @Test func anErrorDoesNotRepeatTheFile() throws {
    let name = String(repeating: "n", count: 100_000)
    let shape = String(repeating: "1,", count: 100_000) + "7"
    for header in [
      #"{"\#(name)":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
      #"{"t":{"dtype":"F32","shape":[\#(shape)],"data_offsets":[0,4]}}"#,
      #"{"t":{"dtype":"\#(name)","shape":[1],"data_offsets":[0,4]}}"#,
    ] {
      let file = try Self.file(header, data: [0, 0, 0, 0])
      let error = #expect(throws: TensorFileError.self) { try SafeTensors.read(file.path) }
      #expect(try #require(error).description.utf8.count < 1100)
    }
  }

  @Test func refusesEveryTruncation() throws {
    let file = try TemporaryFile()
    try SafeTensors.write(
      [NamedTensor(name: "t", shape: [3], values: [1, 2, 3])], metadata: ["a": "b"], to: file.path)
    let whole = try file.bytes()
    for length in 0..<whole.count {
      try file.write(Array(whole[..<length]))
      #expect(throws: TensorFileError.self) { try SafeTensors.read(file.path) }
    }
  }

  @Test func namesTheFileAndTheTensorInItsErrors() throws {
    let file = try Self.file(
      #"{"conv.w":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}}"#, data: [0, 0, 0, 0])
    let error = #expect(throws: TensorFileError.self) { try SafeTensors.read(file.path) }
    #expect(error?.description.contains("lying.safetensors, tensor 'conv.w'") == true)
    #expect(throws: TensorFileError.self) { try SafeTensors.read(file.path + ".missing") }
    #expect(throws: TensorFileError.self) { try SafeTensors.read("/") }
  }
}
