import Foundation
import Pipeline

/// The open_clip command line that trains on what a run wrote; nil when it kept nothing.
///
/// open_clip's `auto` dataset type doesn't know `.zst`, `pipe:` sources need `--train-num-samples`, and there must be at
/// least as many shards as workers (CONVENTIONS.md, "Writing shards").
public func trainerCommand(for manifest: Manifest, in directory: RunDirectory) -> String? {
  guard let first = manifest.clean.first, let last = manifest.clean.last else { return nil }
  let parts = first.file.split(separator: ".", maxSplits: 1).map(String.init)
  guard parts.count == 2, let end = last.file.split(separator: ".").first else { return nil }
  let numbers = manifest.clean.count == 1 ? parts[0] : "{\(parts[0])..\(end)}"
  let path = "\(directory.clean)/\(numbers).\(parts[1])"
  let data = parts[1].hasSuffix(".zst") ? "pipe:zstd -dcq \(path)" : path
  let workers = min(manifest.clean.count, ProcessInfo.processInfo.activeProcessorCount)
  return "python -m open_clip_train.main --train-data \"\(data)\" --dataset-type webdataset "
    + "--train-num-samples \(manifest.ledger.kept) --workers \(workers)"
}
