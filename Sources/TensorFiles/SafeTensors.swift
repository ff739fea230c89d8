import Foundation

/// Reads and writes `.safetensors`: a u64 header length, a JSON header, then the bytes of the
/// tensors.
///
/// Source: the format page of huggingface/safetensors. Written files are the same bytes whenever
/// the tensors and metadata are the same: tensors lie in bytewise order of their names, JSON keys
/// are sorted, and the header is padded with spaces so that the data starts at a multiple of 8.
public enum SafeTensors {
  /// The longest header that is read, the limit of the format's own library.
  static let maximumHeaderLength = 100_000_000

  /// Writes `tensors` as F32 and syncs the file.
  ///
  /// - Parameter metadata: stored under `__metadata__`, left out when empty.
  /// - Throws: `.unwritable` for a repeated or reserved name or a shape that doesn't fit its
  ///   values, `.io` where the disk refuses.
  public static func write(
    _ tensors: [NamedTensor], metadata: [String: String], to path: String
  ) throws(TensorFileError) {
    let sorted = tensors.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    var entries: [String: SafeTensorsEntry] = [:]
    if !metadata.isEmpty { entries[SafeTensorsEntry.metadataKey] = .metadata(metadata) }
    var offset = 0
    for tensor in sorted {
      guard elementCount(tensor.shape) == tensor.values.count else {
        let reason = "shape \(tensor.shape) does not hold \(tensor.values.count) values"
        throw .unwritable(file: path, tensor: tensor.name, reason: reason)
      }
      guard tensor.name != SafeTensorsEntry.metadataKey, entries[tensor.name] == nil else {
        throw .unwritable(file: path, tensor: tensor.name, reason: "the name is taken")
      }
      let end = offset + tensor.values.count * MemoryLayout<Float>.stride
      entries[tensor.name] = .tensor(
        SafeTensorsDescription(dtype: "F32", shape: tensor.shape, offsets: [offset, end]))
      offset = end
    }
    let header = try encode(entries, file: path)
    let file = try DurableFile(creating: path)
    try file.write([UInt64(header.count)])
    try file.write(header)
    for tensor in sorted { try file.write(tensor.values) }
    try file.finish()
  }

  /// Reads every tensor (F32, F16 or BF16) into Float.
  ///
  /// - Throws: `.malformed` unless the tensors cover the data exactly, without gap or overlap (the
  ///   format demands it); `.unsupported` for other element types; `.io`.
  public static func read(
    _ path: String
  ) throws(TensorFileError) -> (tensors: [String: NamedTensor], metadata: [String: String]) {
    let bytes = try readFile(path)
    let (entries, dataStart) = try decodeHeader(bytes, file: path)
    var metadata: [String: String] = [:]
    var described: [(name: String, description: SafeTensorsDescription)] = []
    for (name, entry) in entries {
      switch entry {
      case .metadata(let strings): metadata = strings
      case .tensor(let description): described.append((name, description))
      }
    }
    let data = bytes[dataStart...]
    try checkLayout(described, dataLength: data.count, file: path)
    var tensors: [String: NamedTensor] = [:]
    for (name, description) in described {
      let range = dataStart + description.offsets[0]..<dataStart + description.offsets[1]
      tensors[name] = NamedTensor(
        name: name, shape: description.shape, values: floats(data[range], description.dtype))
    }
    return (tensors, metadata)
  }

  private static func encode(
    _ entries: [String: SafeTensorsEntry], file: String
  ) throws(TensorFileError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      var header = [UInt8](try encoder.encode(entries))
      header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -header.count & 7))
      return header
    } catch {
      throw .io(file: file, action: "encode the header", reason: "\(error)")
    }
  }

  private static func decodeHeader(
    _ bytes: [UInt8], file: String
  ) throws(TensorFileError) -> (entries: [String: SafeTensorsEntry], dataStart: Int) {
    guard bytes.count >= 8 else {
      throw .malformed(
        file: file, tensor: nil, reason: "\(bytes.count) bytes are no safetensors file")
    }
    let length = unpack(bytes[..<8], count: 1, as: UInt64.self)[0]
    guard length <= maximumHeaderLength, length <= bytes.count - 8 else {
      let reason = "the header claims \(length) bytes of a file of \(bytes.count)"
      throw .malformed(file: file, tensor: nil, reason: reason)
    }
    let dataStart = 8 + Int(length)
    do {
      let header = Data(bytes[8..<dataStart])
      return (try JSONDecoder().decode([String: SafeTensorsEntry].self, from: header), dataStart)
    } catch {
      let reason = "the header is not the JSON of a safetensors file (\(error))"
      throw .malformed(file: file, tensor: nil, reason: reason)
    }
  }

  /// Tensors, taken by offset, must follow each other from 0 to the end of the data.
  private static func checkLayout(
    _ described: [(name: String, description: SafeTensorsDescription)], dataLength: Int,
    file: String
  ) throws(TensorFileError) {
    for (name, description) in described {
      guard let size = description.elementSize else {
        let reason = "element type \(description.dtype) is not F32, F16 or BF16"
        throw .unsupported(file: file, tensor: name, reason: reason)
      }
      let offsets = description.offsets
      guard offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= dataLength
      else {
        let reason = "data_offsets \(offsets) leave the \(dataLength) bytes of data"
        throw .malformed(file: file, tensor: name, reason: reason)
      }
      let held = offsets[1] - offsets[0]
      guard let count = elementCount(description.shape), held.isMultiple(of: size),
        held / size == count
      else {
        let reason = "shape \(description.shape) does not fill its \(held) bytes"
        throw .malformed(file: file, tensor: name, reason: reason)
      }
    }
    var end = 0
    let ordered = described.sorted {
      $0.description.offsets.lexicographicallyPrecedes($1.description.offsets)
    }
    for (name, description) in ordered {
      guard description.offsets[0] == end else {
        let reason = "its data starts at \(description.offsets[0]), not at \(end)"
        throw .malformed(file: file, tensor: name, reason: reason)
      }
      end = description.offsets[1]
    }
    guard end == dataLength else {
      let reason = "\(dataLength - end) bytes belong to no tensor"
      throw .malformed(file: file, tensor: nil, reason: reason)
    }
  }

  private static func floats(_ data: ArraySlice<UInt8>, _ dtype: String) -> [Float] {
    switch dtype {
    case "F16": float16(unpack(data, count: data.count / 2))
    case "BF16": bfloat16(unpack(data, count: data.count / 2))
    default: unpack(data, count: data.count / 4)
    }
  }
}
