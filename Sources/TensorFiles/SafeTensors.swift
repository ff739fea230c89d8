import Foundation

/// Reads and writes `.safetensors`: a u64 header length, a JSON header, then the bytes of the
/// tensors.
///
/// Source: the format page of huggingface/safetensors. Written files are the same bytes whenever
/// the tensors and metadata are the same: tensors lie in bytewise order of their names, JSON keys
/// are sorted, and the header is padded with spaces so that the data starts at a multiple of 8.
public enum SafeTensors {
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
    let header = try SafeTensorsHeader(file: path, fileLength: bytes.count) { bytes[$0] }
    var tensors: [String: NamedTensor] = [:]
    for (name, description) in header.tensors {
      try description.checkReadable(name, file: path)
      tensors[name] = NamedTensor(
        name: name, shape: description.shape,
        values: floats(bytes[header.range(of: description)], description.dtype))
    }
    return (tensors, header.metadata)
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

  static func floats(_ data: ArraySlice<UInt8>, _ dtype: String) -> [Float] {
    switch dtype {
    case "F16": float16(unpack(data, count: data.count / 2))
    case "BF16": bfloat16(unpack(data, count: data.count / 2))
    default: unpack(data, count: data.count / 4)
    }
  }
}
