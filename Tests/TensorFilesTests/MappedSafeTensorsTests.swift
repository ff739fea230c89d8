import Foundation
import Testing

@testable import TensorFiles

@Suite struct MappedSafeTensorsTests {
  static let tensors = [
    NamedTensor(name: "b", shape: [2, 2], values: [1, -2, .infinity, 0x1p-149]),
    NamedTensor(name: "a", shape: [], values: [0.5]),
    NamedTensor(name: "empty", shape: [0, 3], values: []),
  ]

  @Test func holdsWhatReadingGivesAlsoWhenTheFileIsGone() throws {
    let file = try TemporaryFile()
    try SafeTensors.write(Self.tensors, metadata: ["k": "v"], to: file.path)
    let mapped = try MappedSafeTensors(file.path)
    try FileManager.default.removeItem(atPath: file.path)
    for tensor in Self.tensors {
      #expect(mapped.shape(of: tensor.name) == tensor.shape)
      #expect(try Array(mapped.floats(tensor.name)) == tensor.values)
    }
    #expect(mapped.shape(of: "c") == nil)
  }

  @Test func refusesWhatCannotBeReadWhereItLies() throws {
    let half = try SafeTensorsTests.file(
      #"{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}  "#, data: [0, 0, 0, 0])
    let oddly = try SafeTensorsTests.file(
      #"{"f":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} "#, data: [0, 0, 0, 0])
    for (file, name) in [(half, "h"), (oddly, "f")] {
      let mapped = try MappedSafeTensors(file.path)
      let error = #expect(throws: TensorFileError.self) { try mapped.floats(name) }
      guard case .unsupported(file.path, name, _)? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    let mapped = try MappedSafeTensors(half.path)
    #expect(throws: TensorFileError.self) { try mapped.floats("missing") }
  }

  @Test func refusesFilesThatLie() throws {
    let files = [
      try TemporaryFile([]), try TemporaryFile([1, 2, 3]),
      try SafeTensorsTests.file("{}", length: 1 << 40),
      try SafeTensorsTests.file(#"{"f":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}"#),
    ]
    for file in files {
      #expect(throws: TensorFileError.self) { try MappedSafeTensors(file.path) }
    }
    #expect(throws: TensorFileError.self) { try MappedSafeTensors("/nowhere/x.safetensors") }
  }
}
