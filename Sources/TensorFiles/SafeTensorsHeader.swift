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

  /// Bytes an element, for the types that Winnow reads into Float.
  var elementSize: Int? {
    switch dtype {
    case "F32": 4
    case "F16", "BF16": 2
    default: nil
    }
  }
}
