import Foundation

/// The settings an output folder was begun with. Each stage pins the sections that decide its result; a later run with
/// other values, or with other libraries, is refused and told which.
struct Settings: Codable {
  enum Section: String, CaseIterable {
    case read, images, judges, noise, write
  }

  var formatVersion = StateJSON.formatVersion
  /// `section.key` to the value as JSON text.
  var values: [String: String]

  /// Pins `sections` of the run's configuration, or compares them with what is pinned.
  static func pin(_ sections: [Section], in run: RunContext) throws {
    let now = try flatten(run.configuration, sections: sections)
      .merging(Environment.described.map { ("environment.\($0)", $1) }) { $1 }
    let file = run.directory.settings
    var values: [String: String] = [:]
    if FileManager.default.fileExists(atPath: file) {
      values = try StateJSON.decode(Settings.self, from: file).values
    }
    var differences: [String] = []
    for section in sections.map(\.rawValue) + ["environment"] {
      let old = values.filter { $0.key.hasPrefix(section + ".") }
      let new = now.filter { $0.key.hasPrefix(section + ".") }
      if old.isEmpty { continue }
      for key in Set(old.keys).union(new.keys).sorted() where old[key] != new[key] {
        differences.append("\(key): \(old[key] ?? "unset") (now \(new[key] ?? "unset"))")
      }
    }
    guard differences.isEmpty else {
      throw RunError.otherSettings(directory: run.directory.path, differences: differences)
    }
    let merged = values.merging(now) { $1 }
    if merged != values {
      try run.publishing.publish(json: Settings(values: merged), to: file)
    }
  }

  /// XXH3-128 of the sections' values.
  static func digest(_ configuration: RunConfiguration, sections: [Section]) throws -> String {
    let values = try flatten(configuration, sections: sections)
    let text = values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
    return Digest.of(Array(text.utf8))
  }

  private static func flatten(
    _ configuration: RunConfiguration, sections: [Section]
  ) throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(configuration)
    guard let tree = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      return [:]
    }
    var result: [String: String] = [:]
    for section in sections {
      for (key, value) in tree[section.rawValue] as? [String: Any] ?? [:] {
        let text = try JSONSerialization.data(
          withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
        result["\(section.rawValue).\(key)"] = String(decoding: text, as: UTF8.self)
      }
    }
    return result
  }
}
