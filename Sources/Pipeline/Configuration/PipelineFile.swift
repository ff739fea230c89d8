import ConfidentLearning
import Encoders
import Foundation
import Images
import Layers
import Training
import Yams

/// Reading a pipeline file (YAML): the values it gives go over the built-in defaults; a key nobody knows is an error
/// that names its line and the nearest known key.
public enum PipelineFile {
  /// - Parameter path: the YAML file; relative paths in it are taken relative to its folder.
  /// - Throws: `RunError.usage` naming file, line and key.
  public static func load(_ path: String) throws(RunError) -> RunConfiguration {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .usage("\(path): \(whyUnreadable(path))")
    }
    guard let yaml = String(data: data, encoding: .utf8) else {
      throw .usage("\(path) isn't UTF-8")
    }
    var configuration = try parse(yaml, file: path)
    let folder = (path as NSString).deletingLastPathComponent
    configuration.input = configuration.input.map { relative($0, to: folder) }
    configuration.text = configuration.text.map { relative($0, to: folder) }
    configuration.output = configuration.output.map { relative($0, to: folder) }
    configuration.report.log = configuration.report.log.map { relative($0, to: folder) }
    configuration.report.metrics = configuration.report.metrics.map { relative($0, to: folder) }
    for i in configuration.judges.members.indices {
      resolve(&configuration.judges.members[i], in: folder)
    }
    resolve(&configuration.train.model, in: folder)
    return configuration
  }

  /// Absolute, since they are pinned: a run is another one by what it reads, not by where it was started.
  private static func resolve(_ member: inout MemberConfiguration, in folder: String) {
    member.pretrained = member.pretrained.map { absolutePath(relative($0, to: folder)) }
    member.text.vocabulary = member.text.vocabulary.map { absolutePath(relative($0, to: folder)) }
  }

  /// - Parameter file: only for the error messages.
  static func parse(_ yaml: String, file: String) throws(RunError) -> RunConfiguration {
    do {
      let defaults = try node(RunConfiguration())
      guard let user = try Yams.compose(yaml: yaml), user != Node("", Tag(.null)) else {
        return RunConfiguration()
      }
      var known = try node(example)
      // One seed for everything: the top one.
      known.mapping?["judges"]?.mapping?["seed"] = nil
      known.mapping?["train"]?.mapping?["seed"] = nil
      let members = known.mapping?["judges"]?.mapping?["members"]?.sequence ?? []
      known.mapping?["train"]?.mapping?["model"] = members.reduce(Node([(Node, Node)]())) {
        overlay($1, over: $0)
      }
      try checkKeys(user, against: known, path: "", file: file)
      let merged = overlay(user, over: defaults)
      let configuration = try YAMLDecoder().decode(RunConfiguration.self, from: merged)
      try configuration.check()
      return configuration
    } catch let error as RunError {
      guard case .usage(let text) = error else { throw error }
      throw .usage(brief(text.hasPrefix(file) ? text : "\(file): \(text)"))
    } catch let error as YamlError {
      throw .usage(brief("\(file): \(error)"))
    } catch let error as DecodingError {
      throw .usage("\(file): \(describe(error))")
    } catch {
      throw .usage("\(file): \(error)")
    }
  }

  /// Yams repeats the line that it doesn't understand, which may be the whole file.
  private static func brief(_ text: String) -> String {
    text.utf8.count <= 2000 ? text : text.prefix(2000) + "..."
  }

  /// The defaults with every optional filled, so that its encoding names every key there is.
  static var example: RunConfiguration {
    var configuration = RunConfiguration()
    configuration.output = ""
    configuration.report.log = ""
    configuration.report.metrics = ""
    configuration.read.jsonCaption = ""
    configuration.judges.ecl = EnsembleSchedule()
    configuration.train.ecl = EnsembleSchedule()
    configuration.noise.maxNoise = 0
    configuration.noise.keepFraction = 0
    configuration.judges.members = MemberConfiguration.examples
    return configuration
  }

  private static func node(_ configuration: RunConfiguration) throws -> Node {
    let text = try YAMLEncoder().encode(configuration)
    return try Yams.compose(yaml: text) ?? Node([(Node, Node)]())
  }

  private static func checkKeys(
    _ user: Node, against schema: Node, path: String, file: String
  ) throws(RunError) {
    if let items = user.sequence {
      guard let examples = schema.sequence, let first = examples.first else { return }
      let known = examples.dropFirst().reduce(first) { overlay($1, over: $0) }
      for item in items { try checkKeys(item, against: known, path: path, file: file) }
    }
    guard let mapping = user.mapping, let known = schema.mapping else { return }
    let names = Array(known.keys.compactMap(\.string))
    for (key, value) in mapping {
      let name = key.string ?? "?"
      guard let expected = known.first(where: { $0.key.string == name })?.value else {
        let line = key.mark.map { ":\($0.line)" } ?? ""
        let hint = nearestWord(to: name, among: names).map { "; did you mean \(path)\($0)?" }
        throw .usage(
          "\(file)\(line): unknown key \(path)\(name)"
            + (hint ?? "; known here: \(names.joined(separator: ", "))"))
      }
      if expected.mapping != nil, value.mapping == nil {
        let line = value.mark.map { ":\($0.line)" } ?? ""
        throw .usage("\(file)\(line): \(path)\(name) holds further keys, not a single value")
      }
      try checkKeys(value, against: expected, path: "\(path)\(name).", file: file)
    }
  }

  private static func overlay(_ user: Node, over defaults: Node) -> Node {
    guard let mapping = user.mapping, var result = defaults.mapping else { return user }
    for (key, value) in mapping {
      result[key] = result[key].map { overlay(value, over: $0) } ?? value
    }
    return .mapping(result)
  }

  private static func describe(_ error: DecodingError) -> String {
    // As a user would write it: judges.members[0].image.kind.
    func path(_ context: DecodingError.Context) -> String {
      context.codingPath.reduce("") { path, key in
        if let index = key.intValue { return "\(path)[\(index)]" }
        return path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)"
      }
    }
    switch error {
    case .typeMismatch(let type, let context):
      return "\(path(context)) must be of type \(type)"
    case .valueNotFound(let type, let context): return "\(path(context)) must be of type \(type)"
    case .keyNotFound(let key, let context):
      return "\(path(context)) lacks the key \(key.stringValue)"
    case .dataCorrupted(let context):
      let name = path(context)
      guard let values = words.first(where: { ".\(name)".hasSuffix(".\($0.key)") })?.value else {
        return "\(name): \(context.debugDescription)"
      }
      return "\(name) must be one of: \(values.joined(separator: ", "))"
    @unknown default: return "\(error)"
    }
  }

  /// The values of keys that hold one of a few words, by the end of their path.
  private static let words: [String: [String]] = [
    "score.method": ScoreConfiguration.Method.allCases.map(\.rawValue),
    "noise.method": NoiseConfiguration.Method.allCases.map(\.rawValue),
    "noise.repairing": Repairing.allCases.map(\.rawValue),
    "refresh.onDrift": RefreshConfiguration.DriftPolicy.allCases.map(\.rawValue),
    "image.kind": ImageKind.allCases.map(\.rawValue),
    "image.geometry": Geometry.allCases.map(\.rawValue),
    "image.alpha": AlphaHandling.allCases.map(\.rawValue),
    "text.kind": TextKind.allCases.map(\.rawValue),
    "text.tokens": TokenKind.allCases.map(\.rawValue),
    "activation": Activation.allCases.map(\.rawValue),
  ]

  private static func relative(_ path: String, to folder: String) -> String {
    path.components(separatedBy: "::").map { part in
      let stays = part.hasPrefix("/") || part.hasPrefix("pipe:") || part == "-" || folder.isEmpty
      return stays ? part : "\(folder)/\(part)"
    }.joined(separator: "::")
  }
}
