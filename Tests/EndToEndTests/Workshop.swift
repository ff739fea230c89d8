import Foundation
import Shards
import TensorFiles

@testable import Pipeline

/// A folder for one test, and the winnow binary to run in it.
final class Workshop {
  let root: String

  init(pairs: Int = 0, shards size: Int = 50, pipeline: String = TinyCorpus.pipeline()) throws {
    root = NSTemporaryDirectory() + "winnow-e2e-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    if pairs > 0 { try TinyCorpus.write(pairs, size: size, to: "\(root)/in") }
    try pipeline.write(toFile: "\(root)/tiny.yaml", atomically: true, encoding: .utf8)
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  struct Outcome {
    var status: Int32
    var output: String
    var errors: String
    var lines: [String] { output.split(separator: "\n").map(String.init) }
  }

  /// The binary that is built beside the tests.
  static var binary: URL {
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("winnow")
  }

  /// A program on the PATH.
  static func program(_ name: String) -> URL? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let places = path.split(separator: ":").map { URL(fileURLWithPath: "\($0)/\(name)") }
    return places.first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }

  /// Runs `winnow` in the folder.
  func winnow(_ arguments: String..., input: String = "") throws -> Outcome {
    try Self.run(Self.binary, arguments, in: root, input: input)
  }

  /// `winnow clean in --pipeline tiny.yaml` and more.
  func clean(_ shards: String = "in", out: String, _ more: String...) throws -> Outcome {
    let arguments = ["clean", shards, "--pipeline", "tiny.yaml", "--out", out] + more
    return try Self.run(Self.binary, arguments, in: root, input: "")
  }

  /// A sanitizer takes several times the memory, and of addresses more than there is memory.
  static let isSanitized = ProcessInfo.processInfo.environment["WINNOW_SANITIZED"] != nil

  /// Starts `winnow` and doesn't wait for it.
  func start(_ arguments: String..., environment: [String: String] = [:]) throws -> Process {
    let process = Process()
    process.executableURL = Self.binary
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.currentDirectoryURL = URL(fileURLWithPath: root)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    // A run that starts with it ignored leaves it so; the tests may have been started by nohup.
    signal(SIGHUP, SIG_DFL)
    try process.run()
    return process
  }

  /// Whether a path is there in the folder.
  /// - Parameter pattern: a path, or a shell's pattern of paths.
  func exists(_ pattern: String) -> Bool {
    var found = glob_t()
    defer { globfree(&found) }
    return glob("\(root)/\(pattern)", 0, nil, &found) == 0
  }

  /// Waits until something is so; gives up after two minutes.
  func waits(until isSo: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<60_000 {
      if try isSo() { return true }
      usleep(2000)
    }
    return false
  }

  /// Waits until a path appears in the folder; gives up after two minutes.
  func appears(_ path: String) -> Bool { waits { exists(path) } }

  /// Sends a signal and waits for the process' end; after a minute it is killed.
  ///
  /// - Returns: the seconds that it took, of those in which the tests got time too: while the machine stands still,
  ///   nobody is late.
  static func seconds(of process: Process, toEndAfter signal: Int32) -> Double {
    var (seconds, last) = (0.0, ContinuousClock.now)
    if process.isRunning { kill(process.processIdentifier, signal) }
    while process.isRunning {
      usleep(5000)
      let now = ContinuousClock.now
      let passed: Double = (now - last) / .seconds(1)
      seconds += min(passed, 0.05)
      last = now
      if seconds > 60 { kill(process.processIdentifier, SIGKILL) }
    }
    process.waitUntilExit()
    return seconds
  }

  static func run(
    _ program: URL, _ arguments: [String], in folder: String, input: String = ""
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    let marker = "\(folder)/\(UUID().uuidString)"
    let names = ["in", "out", "err"].map { "\(marker).\($0)" }
    defer {
      for name in names { try? FileManager.default.removeItem(atPath: name) }
    }
    try input.write(toFile: names[0], atomically: true, encoding: .utf8)
    for name in names.dropFirst() {
      _ = FileManager.default.createFile(atPath: name, contents: nil)
    }
    process.standardInput = FileHandle(forReadingAtPath: names[0])
    process.standardOutput = FileHandle(forWritingAtPath: names[1])
    process.standardError = FileHandle(forWritingAtPath: names[2])
    try process.run()
    process.waitUntilExit()
    let texts = try names.map { try String(contentsOfFile: $0, encoding: .utf8) }
    return Outcome(status: process.terminationStatus, output: texts[1], errors: texts[2])
  }

  func manifest(_ out: String = "out") throws -> Manifest {
    try Manifest(of: RunDirectory("\(root)/\(out)"))
  }

  /// What the manifest tells of the input shards.
  func shards(_ out: String = "out") throws -> [Manifest.Shard] {
    var shards: [Manifest.Shard] = []
    try ManifestFile(path: "\(root)/\(out)/manifest.json").forEachShard { shards.append($0) }
    return shards
  }

  /// Every file of an output folder but the state, the manifest without its timings.
  func tree(_ out: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    let folder = "\(root)/\(out)"
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
    where !path.hasPrefix(".winnow") {
      guard let data = FileManager.default.contents(atPath: "\(folder)/\(path)") else { continue }
      files[path] = data
    }
    if let manifest = files["manifest.json"] {
      var tree = try JSONSerialization.jsonObject(with: manifest) as? [String: Any]
      tree?["timings"] = nil
      files["manifest.json"] = try JSONSerialization.data(
        withJSONObject: tree as Any, options: .sortedKeys)
    }
    return files
  }

  /// The samples of all shards below a folder, in order.
  func samples(_ folder: String) throws -> [Sample] {
    let path = "\(root)/\(folder)"
    var result: [Sample] = []
    for file in try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    where file.contains(".tar") {
      let reader = ShardReader(path: "\(path)/\(file)")
      while case .sample(let sample)? = reader.next() { result.append(sample) }
      if let fault = reader.fault { throw WorkshopError.fault("\(file): \(fault)") }
    }
    return result
  }

  /// The notes of all rejected samples of an output folder.
  func rejectionNotes(_ out: String) throws -> [RejectionNote] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try samples("\(out)/rejected").compactMap(\.members.last).map {
      try decoder.decode(RejectionNote.self, from: Data($0.bytes))
    }
  }

  enum WorkshopError: Error { case fault(String) }
}

extension Member {
  /// The name, as text.
  var path: String { String(decoding: name, as: UTF8.self) }
}

/// Files whose bytes differ between two output trees, or that only one has.
func differences(_ a: [String: Data], _ b: [String: Data]) -> [String] {
  Set(a.keys).union(b.keys).filter { a[$0] != b[$0] }.sorted()
}
