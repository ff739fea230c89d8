import Foundation
import TensorFiles

/// A model's weights, in one safetensors file or in several with an index.
struct WeightFiles {
  /// Paths, the index included.
  let paths: [String]
  private let readers: [String: SafeTensorsReader]
  private let first: String

  /// - Parameter stem: `model` for `model.safetensors` or `model.safetensors.index.json`.
  /// - Throws: `PretrainedError`, `TensorFileError`.
  init(folder: String, stem: String) throws {
    let single = "\(folder)/\(stem).safetensors"
    let index = "\(single).index.json"
    first = single
    guard !FileManager.default.fileExists(atPath: single),
      FileManager.default.fileExists(atPath: index)
    else {
      let reader = try SafeTensorsReader(single)
      readers = Dictionary(uniqueKeysWithValues: reader.names.map { ($0, reader) })
      paths = [single]
      return
    }
    guard let map = try ModelJSON(file: index).object("weight_map") else {
      throw PretrainedError.unreadable(file: index, reason: "weight_map is missing")
    }
    var byFile: [String: SafeTensorsReader] = [:]
    var readers: [String: SafeTensorsReader] = [:]
    for tensor in map.keys {
      guard let file = map.string(tensor), !file.contains("/"), !file.hasPrefix(".") else {
        throw PretrainedError.unreadable(
          file: index, reason: "the file of \(tensor) isn't one beside it")
      }
      let reader = try byFile[file] ?? SafeTensorsReader("\(folder)/\(file)")
      byFile[file] = reader
      readers[tensor] = reader
    }
    self.readers = readers
    paths = [index] + byFile.keys.sorted().map { "\(folder)/\($0)" }
  }

  func has(_ tensor: String) -> Bool { readers[tensor] != nil }

  /// The file that a tensor lies in.
  func file(of tensor: String) -> String { readers[tensor]?.path ?? first }

  func shape(of tensor: String) throws(PretrainedError) -> [Int] {
    guard let shape = readers[tensor]?.shape(of: tensor) else {
      throw .missingTensor(file: file(of: tensor), tensor: tensor)
    }
    return shape
  }

  /// Refuses a tensor of another shape.
  func check(_ tensor: String, _ expected: [Int]) throws(PretrainedError) {
    let found = try shape(of: tensor)
    guard found == expected else {
      throw .wrongShape(file: file(of: tensor), tensor: tensor, found: found, expected: expected)
    }
  }

  /// - Parameter target: room for the tensor, whose shape has been checked.
  func read(_ tensor: String, into target: UnsafeMutablePointer<Float>) throws {
    try readers[tensor]?.read(tensor, into: target)
  }

  func values(of tensor: String, shape: [Int]) throws -> [Float] {
    try check(tensor, shape)
    let count = shape.reduce(1, *)
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initialised in
      if let base = buffer.baseAddress { try read(tensor, into: base) }
      initialised = count
    }
  }
}
