import Foundation
import TensorFiles
import Testing

@testable import Pipeline

/// What a run that something fails is held to, and how it gets there stage by stage.
extension Workshop {
  /// The status that a shell command ends with; -1 where it can't be started.
  static func shell(_ command: String) -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", command]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return -1 }
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Runs a command that permissions hold for; nil where that can't be had.
  static let unprivileged: [String]? = {
    guard getuid() == 0 else { return ["/usr/bin/env"] }
    let command = [
      "/usr/bin/env", "setpriv", "--bounding-set", "-dac_override,-dac_read_search",
    ]
    let path = NSTemporaryDirectory() + "winnow-denied-\(UUID().uuidString)"
    defer { unlink(path) }
    guard FileManager.default.createFile(atPath: path, contents: Data()) else { return nil }
    let cat = command.joined(separator: " ") + " cat '\(path)'"
    return shell(cat) == 0 && chmod(path, 0) == 0 && shell(cat) == 1 ? command : nil
  }()

  /// Runs a stage, with `--pipeline` and `--out out`.
  func stage(_ arguments: String..., by command: [String] = ["/usr/bin/env"]) throws -> Outcome {
    let options = ["--pipeline", "tiny.yaml", "--out", "out"]
    return try Self.run(
      URL(fileURLWithPath: command[0]),
      Array(command.dropFirst()) + [Self.binary.path] + arguments + options, in: root)
  }

  /// Runs the stages before those that write shards, in `out`.
  func judge() throws {
    for outcome in try [stage("train", "in"), stage("score", "in"), stage("fit")] {
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  /// Goes on from there in `whole`, as if nothing had been.
  func goOn() throws {
    try FileManager.default.copyItem(atPath: "\(root)/out", toPath: "\(root)/whole")
    let whole = try clean(out: "whole")
    #expect(whole.status == 0, "\(whole.errors)")
  }

  /// Every file under a final name is whole: what a manifest or a reader would see.
  func expectNothingHalfWritten(_ out: String) throws {
    let folder = "\(root)/\(out)"
    for path in (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
    where !path.hasPrefix(".winnow/tmp") {
      let file = "\(folder)/\(path)"
      if path.hasSuffix(".zst") {
        #expect(Self.shell("zstd -tq '\(file)'") == 0, "\(path)")
      } else if path.hasPrefix("decisions/") && path.hasSuffix(".npz") {
        #expect(throws: Never.self, "\(path)") { try DecisionTable(path: file) }
      } else if path.hasSuffix(".safetensors") {
        #expect(throws: Never.self, "\(path)") { try SafeTensors.read(file) }
      } else if path.hasSuffix(".json") {
        let data = FileManager.default.contents(atPath: file) ?? Data()
        let isWhole = (try? JSONSerialization.jsonObject(with: data)) != nil
        #expect(isWhole, "\(path)")
      }
    }
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/manifest.json"))
  }
}
