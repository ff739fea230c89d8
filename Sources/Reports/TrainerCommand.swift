import Foundation
import Pipeline

/// The open_clip command line that trains on what a run wrote; nil when it kept nothing.
///
/// open_clip's `auto` dataset type doesn't know `.zst`, `pipe:` sources need `--train-num-samples`, and there must be at
/// least as many shards as workers.
func trainerCommand(for clean: [Manifest.Output], in directory: RunDirectory) -> String? {
  guard let first = clean.first, let last = clean.last else { return nil }
  let parts = first.file.split(separator: ".", maxSplits: 1).map(String.init)
  guard parts.count == 2, let end = last.file.split(separator: ".").first else { return nil }
  let numbers = clean.count == 1 ? parts[0] : "{\(parts[0])..\(end)}"
  let files = "\(numbers).\(parts[1])"
  // A shell runs what stands after `pipe:`, once webdataset has expanded the braces.
  let data =
    parts[1].hasSuffix(".zst")
    ? "pipe:zstd -dcq \(shellQuoted(directory.clean))/\(files)"
    : "\(directory.clean)/\(files)"
  let workers = min(clean.count, usableProcessors)
  return
    "python -m open_clip_train.main --train-data \(shellQuoted(data)) --dataset-type webdataset "
    + "--train-num-samples \(clean.reduce(0) { $0 + $1.pairs }) --workers \(workers)"
}

/// `text` as one word of a shell command.
func shellQuoted(_ text: String) -> String {
  let isPlain = text.unicodeScalars.allSatisfy {
    $0.properties.isAlphabetic || "0123456789_-+./:=@%,".unicodeScalars.contains($0)
  }
  return isPlain && !text.isEmpty
    ? text : "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
}
