import Foundation

/// What ends a run before its time. The text names the shard or file and what to do about it.
public enum RunError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The command or the pipeline file asks for something that makes no sense.
  case usage(String)
  /// Another run holds the output folder; `pid` is its process' number, "N on MACHINE" where that is another one.
  case lockHeld(directory: String, pid: String)
  /// A signal asked the run to stop; what is finished stays.
  case cancelled(signal: Int32)
  /// An input shard lies in what an earlier run wrote.
  case insideOutput(shard: String, output: String)
  /// The next run would take what this one writes for input.
  case outputMeetsInput(output: String, input: String)
  /// The output folder holds output, but not what it was made of.
  case unknownOutput(entry: String, missing: String)
  /// The output folder was begun with other settings; one line per difference.
  case otherSettings(directory: String, differences: [String])
  /// The output folder was begun with other shards.
  case otherShards(directory: String, detail: String)
  /// Scores of two ensembles don't go together.
  case otherEnsemble(file: String, has: String, wanted: String, remedy: String)
  /// The noise model isn't that of the scores, and its cut is published.
  case otherScores(noiseModel: String)
  /// An ensemble can't judge.
  case badEnsemble(directory: String, detail: String)
  /// A model's weights went out of bounds.
  case badModel(directory: String)
  /// A state file has a format this version doesn't know.
  case otherFormat(file: String, found: Int, expected: Int)
  /// A shard's bytes are not those that were pinned or judged.
  case shardChanged(path: String, detail: String)
  /// An earlier stage hasn't been run.
  case missing(file: String, remedy: String)
  /// A state file can't be read, or contradicts another one.
  case damagedState(file: String, detail: String)
  /// What is published can't be gone on from.
  case damagedOutput(String)
  /// Read and written pairs don't add up.
  case ledger(shard: String, detail: String)
  /// An input file can't be read, or holds what can't be used.
  case badInput(file: String, detail: String, remedy: String)
  /// A file couldn't be written; the text names it.
  case publishing(String)
  /// The system refused a file operation.
  case file(path: String, operation: String, code: Int32)

  public var description: String {
    switch self {
    case .usage(let text): return text
    case .lockHeld(let directory, let pid):
      return "another run (process \(pid)) holds \(directory); wait for it or choose another --out"
    case .cancelled: return "stopped; run the same command to go on"
    case .insideOutput(let shard, let output):
      return "\(shard) lies in \(output), which Winnow wrote; clean the original shards instead"
    case .outputMeetsInput(let output, let input):
      return "the output folder \(output) and the input \(input) lie one in the other, so the next "
        + "run would clean what this one wrote; give an --out beside the input"
    case .unknownOutput(let entry, let missing):
      return "\(entry) exists, but \(missing), which says what it was made of, doesn't; "
        + "put that back from a backup, or choose another --out"
    case .otherSettings(let directory, let differences):
      return
        "\(directory) was begun with other settings; choose another --out, "
        + (RunDirectory(directory).isPlanned(0)
          ? "make it anew with `winnow clean --rebuild`, " : "") + "or go back to:\n  "
        + differences.joined(separator: "\n  ")
        + (differences.allSatisfy { $0.hasPrefix("noise.") }
          ? "\nAnother cut needs no training: add --ensemble \(directory)" : "")
    case .otherShards(let directory, let detail):
      return "\(directory) was begun with other shards (\(detail)); "
        + "give the same shards, or another --out for the new ones"
    case .otherEnsemble(let file, let has, let wanted, let remedy):
      return "\(file) was judged by ensemble \(has), not by \(wanted); \(remedy)"
    case .otherScores(let noiseModel):
      return "\(noiseModel) was fitted on other scores, and shards that it cut are published; "
        + "choose another --out"
    case .badEnsemble(let directory, let detail):
      return "the ensemble in \(directory) can't judge: \(detail)"
    case .badModel(let directory):
      return "the model trained in \(directory) has weights that are no finite numbers; "
        + "train again with a lower train.optimiser.peakRate and another --out"
    case .otherFormat(let file, let found, let expected):
      return "\(file) has format version \(found), this Winnow reads \(expected); "
        + "choose another --out"
    case .shardChanged(let path, let detail):
      return "\(path) changed during the run (\(detail)); "
        + "restore it, or make the output anew from what is there with `winnow clean --rebuild`"
    case .missing(let file, let remedy): return "\(file) is missing; \(remedy)"
    case .damagedState(let file, let detail):
      return "\(file) can't be used (\(detail)); \(Self.remedy(forDamaged: file))"
    case .damagedOutput(let detail):
      return "\(detail), and what is published was made by it; \(Self.damagedOutputRemedy)"
    case .ledger(let shard, let detail):
      return "the ledger of \(shard) doesn't add up: \(detail); please report this"
    case .badInput(let file, let detail, let remedy): return "\(file): \(detail); \(remedy)"
    case .publishing(let text): return text
    case .file(let path, let operation, let code):
      let remedy =
        switch code {
        case ENOSPC, EDQUOT, EFBIG: "make room and run the same command again"
        case EACCES, EPERM, EROFS: "check its permissions"
        default: "see to that and run the same command again"
        }
      return "can't \(operation) \(path): \(String(cString: strerror(code))); \(remedy)"
    }
  }

  static let damagedOutputRemedy =
    "put it back from a backup, or make the output anew with `winnow clean --rebuild`"

  /// What decided something that is published can't be made again as it was; the rest of the state can.
  private static func remedy(forDamaged file: String) -> String {
    let again = "delete it and run the same command again"
    let name = (file as NSString).lastPathComponent
    let folder = ((file as NSString).deletingLastPathComponent as NSString).lastPathComponent
    if folder == "increments" || name == "manifest.json" { return damagedOutputRemedy }
    if folder == "decisions" || name == "noise-model.json" {
      return "if the run isn't finished, \(again), else \(damagedOutputRemedy)"
    }
    return again
  }

  /// What the process ends with after this error (README, "Two commands").
  public var exitStatus: Int32 {
    switch self {
    case .usage, .insideOutput, .outputMeetsInput: return 2
    case .lockHeld: return 75
    case .cancelled(let signal): return 128 + signal
    default: return 1
    }
  }
}
