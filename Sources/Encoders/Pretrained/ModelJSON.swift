import Foundation
import TensorFiles

/// An object of a model's configuration file; what is asked of it and isn't there, or is of another type, is an error
/// with the file's and the key's names.
struct ModelJSON {
  let file: String
  private let path: String
  /// Bytes of such a file.
  private static let limit = 1 << 20
  private let values: [String: Any]

  init(file: String) throws(PretrainedError) {
    self.file = file
    path = ""
    let handle = FileHandle(forReadingAtPath: file)
    guard let handle, let data = try? handle.read(upToCount: Self.limit + 1) ?? Data() else {
      throw .unreadable(file: file, reason: "it is missing, or may not be read")
    }
    guard data.count <= Self.limit else {
      throw .unreadable(file: file, reason: "it has more than \(Self.limit) bytes")
    }
    if let problem = JSONMeasure([UInt8](data)[...]).problem {
      throw .unreadable(file: file, reason: "it \(problem)")
    }
    guard let values = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw .unreadable(file: file, reason: "it holds no JSON object")
    }
    self.values = values
  }

  private init(file: String, path: String, values: [String: Any]) {
    (self.file, self.path, self.values) = (file, path, values)
  }

  var keys: [String] { values.keys.sorted() }

  func has(_ key: String) -> Bool { values[key] != nil && !(values[key] is NSNull) }

  /// The object of this key; nil where there is none.
  func object(_ key: String) -> ModelJSON? {
    (values[key] as? [String: Any]).map {
      ModelJSON(file: file, path: "\(path)\(key).", values: $0)
    }
  }

  /// This object with the keys of another one over its own.
  func overlaid(by other: ModelJSON?) -> ModelJSON {
    guard let other else { return self }
    return ModelJSON(file: file, path: path, values: values.merging(other.values) { $1 })
  }

  func string(_ key: String) -> String? { values[key] as? String }

  func list(_ key: String) -> [Any]? { values[key] as? [Any] }

  func flag(_ key: String) -> Bool? { (values[key] as? NSNumber)?.boolValue }

  func floats(_ key: String) -> [Float]? { (values[key] as? [NSNumber])?.map(\.floatValue) }

  /// A whole number; the model's own default where the key is left out.
  func integer(_ key: String, default usual: Int) throws(PretrainedError) -> Int {
    guard has(key) else { return usual }
    guard let number = values[key] as? NSNumber, number.doubleValue.rounded() == number.doubleValue,
      abs(number.doubleValue) < 1e9
    else { throw problem(key, "is no whole number") }
    return number.intValue
  }

  /// A whole number of a range, as above.
  func integer(
    _ key: String, default usual: Int, in range: ClosedRange<Int>
  ) throws(PretrainedError) -> Int {
    let value = try integer(key, default: usual)
    guard range.contains(value) else {
      throw problem(key, "must lie in \(range.lowerBound) ... \(range.upperBound)")
    }
    return value
  }

  func float(_ key: String, default usual: Float) throws(PretrainedError) -> Float {
    Float(try double(key, default: Double(usual)))
  }

  func double(_ key: String, default usual: Double) throws(PretrainedError) -> Double {
    guard has(key) else { return usual }
    guard let number = values[key] as? NSNumber else { throw problem(key, "is no number") }
    return number.doubleValue
  }

  /// Refuses a value other than the one that Winnow implements; a key that is left out is that.
  func require(_ key: String, toBe usual: String) throws(PretrainedError) {
    guard has(key) else { return }
    let value = shown(key)
    guard value == usual else {
      throw .unsupported(file: file, key: "\(path)\(key)", value: value, known: usual)
    }
  }

  func unsupported(_ key: String, known: String) -> PretrainedError {
    .unsupported(
      file: file, key: "\(path)\(key)", value: has(key) ? shown(key) : "missing", known: known)
  }

  func problem(_ key: String, _ text: String) -> PretrainedError {
    .unreadable(file: file, reason: "\(path)\(key) \(text)")
  }

  private func shown(_ key: String) -> String {
    switch values[key] {
    case let text as String: text
    case let flag as Bool: flag ? "true" : "false"
    case let number as NSNumber: "\(number)"
    case .some(let value): "\(value)".replacing("\n", with: " ")
    case nil: "missing"
    }
  }
}
