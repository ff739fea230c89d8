import Foundation

/// One value of a safetensors header: a tensor's description, or the free-form metadata.
enum SafeTensorsEntry: Codable {
  case tensor(SafeTensorsDescription)
  case metadata([String: String])

  static let metadataKey = "__metadata__"

  init(from decoder: any Decoder) throws {
    if decoder.codingPath.last?.stringValue == Self.metadataKey {
      self = .metadata(try [String: String](from: decoder))
    } else {
      self = .tensor(try SafeTensorsDescription(from: decoder))
    }
  }

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .tensor(let description): try description.encode(to: encoder)
    case .metadata(let strings): try strings.encode(to: encoder)
    }
  }
}

struct SafeTensorsDescription: Codable {
  var dtype: String
  var shape: [Int]
  /// First byte and the byte past the last, counted from the end of the header.
  var offsets: [Int]

  enum CodingKeys: String, CodingKey {
    case dtype, shape
    case offsets = "data_offsets"
  }

  /// Bytes an element, for the types whose layout is known.
  var elementSize: Int? {
    switch dtype {
    case "F64", "I64", "U64": 8
    case "F32", "I32", "U32": 4
    case "F16", "BF16", "I16", "U16": 2
    case "I8", "U8", "BOOL": 1
    default: nil
    }
  }

  /// Refuses what Winnow doesn't read into Float.
  func checkReadable(_ name: String, file: String) throws(TensorFileError) {
    guard ["F32", "F16", "BF16"].contains(dtype) else {
      let reason = "element type \(dtype) is not F32, F16 or BF16"
      throw .unsupported(file: file, tensor: name, reason: reason)
    }
  }
}

/// What a file begins with: where each tensor lies, checked against the length of the file.
struct SafeTensorsHeader {
  let tensors: [String: SafeTensorsDescription]
  let metadata: [String: String]
  /// Where the data begins in the file.
  let dataStart: Int

  /// The longest header that is read, the limit of the format's own library.
  static let maximumLength = 100_000_000

  /// - Parameter bytes: gives a range of the file's bytes.
  /// - Throws: `.malformed` unless the tensors cover the data exactly, without gap or overlap (the format demands it).
  init(
    file: String, fileLength: Int, bytes: (Range<Int>) throws(TensorFileError) -> ArraySlice<UInt8>
  ) throws(TensorFileError) {
    guard fileLength >= 8 else {
      throw .malformed(
        file: file, tensor: nil, reason: "\(fileLength) bytes are no safetensors file")
    }
    let length = unpack(try bytes(0..<8), count: 1, as: UInt64.self)[0]
    guard length <= Self.maximumLength, length <= fileLength - 8 else {
      let reason = "the header claims \(length) bytes of a file of \(fileLength)"
      throw .malformed(file: file, tensor: nil, reason: reason)
    }
    dataStart = 8 + Int(length)
    let text = try bytes(8..<dataStart)
    if let problem = JSONMeasure(text).problem {
      throw .malformed(file: file, tensor: nil, reason: "the header \(problem)")
    }
    let json = Data(text)
    var (tensors, metadata) = ([String: SafeTensorsDescription](), [String: String]())
    do {
      for (name, entry) in try JSONDecoder().decode([String: SafeTensorsEntry].self, from: json) {
        switch entry {
        case .metadata(let strings): metadata = strings
        case .tensor(let description): tensors[name] = description
        }
      }
    } catch {
      let reason = "the header is not the JSON of a safetensors file (\(error))"
      throw .malformed(file: file, tensor: nil, reason: reason)
    }
    (self.tensors, self.metadata) = (tensors, metadata)
    try checkLayout(dataLength: fileLength - dataStart, file: file)
  }

  /// Where a tensor's bytes lie in the file.
  func range(of description: SafeTensorsDescription) -> Range<Int> {
    (dataStart + description.offsets[0])..<(dataStart + description.offsets[1])
  }

  /// Tensors, taken by offset, must follow each other from 0 to the end of the data.
  private func checkLayout(dataLength: Int, file: String) throws(TensorFileError) {
    for (name, description) in tensors {
      let offsets = description.offsets
      guard offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= dataLength
      else {
        let reason = "data_offsets \(offsets) leave the \(dataLength) bytes of data"
        throw .malformed(file: file, tensor: name, reason: reason)
      }
      let held = offsets[1] - offsets[0]
      guard let size = description.elementSize else {
        // Of a type that isn't read; the smallest has four bits.
        guard let count = elementCount(description.shape), count / 2 <= held else {
          let reason = "shape \(description.shape) is more than its \(held) bytes can hold"
          throw .malformed(file: file, tensor: name, reason: reason)
        }
        continue
      }
      guard let count = elementCount(description.shape), held.isMultiple(of: size),
        held / size == count
      else {
        let reason = "shape \(description.shape) does not fill its \(held) bytes"
        throw .malformed(file: file, tensor: name, reason: reason)
      }
    }
    var end = 0
    let ordered = tensors.sorted { $0.value.offsets.lexicographicallyPrecedes($1.value.offsets) }
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
}
