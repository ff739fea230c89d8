import Foundation

/// The settings an output folder was begun with. Each stage pins the sections that decide its result; a later run with
/// other values, or with other libraries, is refused and told which.
struct Settings: Codable {
  enum Section: String, CaseIterable {
    case read, images, judges, score, noise, write, train
  }

  /// How often something is told or kept decides nothing.
  private static let immaterial: Set = ["train.checkpointSeconds", "train.logSteps"]

  /// Of no section, and whole.
  private static let refresh = "refresh"

  var formatVersion = StateJSON.formatVersion
  /// `section.key` to the value as JSON text.
  var values: [String: String]

  /// Pins `sections` of the run's configuration and the environment, or compares them with what is pinned.
  /// - Throws: `RunError.otherSettings`.
  static func pin(_ sections: [Section], in run: RunContext) throws {
    let values = try pinned(in: run)
    let now = try flatten(run.configuration, sections: sections).merging(environment) { $1 }
    try compare(values, now, sections.map(\.rawValue) + ["environment"], run)
    let merged = values.merging(now) { $1 }
    if merged != values { try publish(merged, in: run) }
  }

  /// Compares `sections` with what is pinned, and pins nothing: for results that are there already.
  /// - Parameter goesOn: they are begun only, so that the libraries have to be the same too.
  /// - Throws: `RunError.otherSettings`.
  static func compare(
    _ sections: [Section], goesOn: Bool = false, in run: RunContext
  ) throws {
    let now = try flatten(run.configuration, sections: sections).merging(environment) { $1 }
    let names = sections.map(\.rawValue) + (goesOn ? ["environment"] : [])
    try compare(try pinned(in: run), now, names, run)
  }

  private static var environment: [String: String] {
    Dictionary(uniqueKeysWithValues: Environment.described.map { ("environment.\($0)", $1) })
  }

  /// Whether a run could go on with what others have computed: as in `compare`, what an older Winnow didn't tell may be as
  /// it was.
  static func isEnvironmentPinned(in run: RunContext) throws -> Bool {
    let (old, now) = (try pinned(in: run), environment)
    return old.allSatisfy { !$0.key.hasPrefix("environment.") || now[$0.key] == $0.value }
  }

  /// Whether this is the kind of processor that a run was begun on; another Winnow or OpenBLAS may call it otherwise.
  static func isMachinePinned(in run: RunContext) throws -> Bool {
    let (old, now) = (try pinned(in: run), environment)
    func isKept(_ name: String, words: Int = .max) -> Bool {
      func part(_ values: [String: String]) -> [Substring]? {
        (values["environment.\(name)"]?.split(separator: " ").prefix(words)).map(Array.init)
      }
      return part(old) == nil || part(old) == part(now)
    }
    // Of OpenBLAS its version; what follows tells the processor too.
    return (isKept("vector-path") || !isKept("winnow"))
      && (isKept("openblas-core") || !isKept("openblas", words: 2))
  }

  /// Takes note of the libraries of now, for an increment of which nothing that was computed counts yet.
  /// - Parameter noting: what is told, before those that changed.
  static func renewEnvironment(
    noting note: String =
      "since the last increment these changed, so that the same pairs may score a little otherwise",
    in run: RunContext
  ) throws {
    let values = try pinned(in: run)
    let now = environment
    let old = values.filter { $0.key.hasPrefix("environment.") }
    guard !old.isEmpty, old != now else { return }
    // As in `compare`.
    let changed = old.keys.filter { old[$0] != now[$0] }.sorted()
    if !changed.isEmpty { run.observe(.note("\(note): " + changed.joined(separator: ", "))) }
    try publish(values.filter { old[$0.key] == nil }.merging(now) { $1 }, in: run)
  }

  /// Takes a pin back, since what it decided isn't used.
  static func forget(_ section: Section, in run: RunContext) throws {
    let values = try pinned(in: run)
    let rest = values.filter { !$0.key.hasPrefix(section.rawValue + ".") }
    if rest != values { try publish(rest, in: run) }
  }

  /// Keeps what the run holds new pairs against, for `publish`, which may be given no pipeline file. It is compared with
  /// nothing: another night may have it otherwise.
  static func keepRefresh(in run: RunContext) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(run.configuration.refresh), as: UTF8.self)
    var values = try pinned(in: run)
    guard values.updateValue(text, forKey: refresh) != text else { return }
    try publish(values, in: run)
  }

  /// What was kept last; nil where nothing was.
  static func keptRefresh(in run: RunContext) throws -> RefreshConfiguration? {
    guard let text = try pinned(in: run)[refresh] else { return nil }
    // An older Winnow's may lack something.
    return try? JSONDecoder().decode(RefreshConfiguration.self, from: Data(text.utf8))
  }

  /// The pinned values, as the manifest tells them.
  static func provenance(in run: RunContext) throws -> Manifest.Settings {
    var tree: [String: [String: Any]] = [:]
    for (key, text) in try pinned(in: run) {
      let parts = key.split(separator: ".", maxSplits: 1).map(String.init)
      guard parts.count == 2, Section(rawValue: parts[0]) != nil else { continue }
      tree[parts[0], default: [:]][parts[1]] = try JSONSerialization.jsonObject(
        with: Data(text.utf8), options: .fragmentsAllowed)
    }
    return try JSONDecoder().decode(
      Manifest.Settings.self, from: try JSONSerialization.data(withJSONObject: tree))
  }

  private static func pinned(in run: RunContext) throws(RunError) -> [String: String] {
    let file = run.directory.settings
    guard FileManager.default.fileExists(atPath: file) else { return [:] }
    return try StateJSON.decode(Settings.self, from: file).values
  }

  private static func publish(_ values: [String: String], in run: RunContext) throws {
    try run.publishing.publish(json: Settings(values: values), to: run.directory.settings)
  }

  private static func compare(
    _ pinned: [String: String], _ now: [String: String], _ sections: [String], _ run: RunContext
  ) throws(RunError) {
    var differences: [String] = []
    /// One seed for everything, which the sections repeat.
    func told(_ key: String) -> String { key.hasSuffix(".seed") ? "seed" : key }
    for section in sections {
      let old = pinned.filter { $0.key.hasPrefix(section + ".") }
      let new = now.filter { $0.key.hasPrefix(section + ".") }
      if old.isEmpty { continue }
      // What an older Winnow didn't tell of the environment may be as it was.
      let keys = section == "environment" ? Set(old.keys) : Set(old.keys).union(new.keys)
      for key in keys.sorted() where old[key] != new[key] {
        let line = "\(told(key)): \(old[key] ?? "unset") (now \(new[key] ?? "unset"))"
        if !differences.contains(line) { differences.append(line) }
      }
    }
    guard differences.isEmpty else {
      throw .otherSettings(directory: run.directory.path, differences: differences)
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
        let name = "\(section.rawValue).\(key)"
        if !immaterial.contains(name) { result[name] = String(decoding: text, as: UTF8.self) }
      }
    }
    return result
  }
}
