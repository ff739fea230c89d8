import Foundation
import Testing

@testable import Pipeline
@testable import Reports

@Suite struct TrainerCommandTests {
  /// The command for `count` shards of ten pairs.
  private func command(_ count: Int, _ suffix: String, in folder: String) -> String? {
    let shards = (0..<count).map {
      Manifest.Output(
        file: RunDirectory.padded($0) + suffix, pairs: 10, bytes: 1, digest: "")
    }
    return trainerCommand(for: shards, in: RunDirectory(folder))
  }

  private func expected(_ data: String, pairs: Int, workers: Int) -> String {
    "python -m open_clip_train.main --train-data \(data) --dataset-type webdataset "
      + "--train-num-samples \(pairs) --workers \(workers)"
  }

  @Test func oneShardIsNamedAndSeveralByARange() {
    #expect(
      command(1, ".tar.zst", in: "/data/x")
        == expected("'pipe:zstd -dcq /data/x/clean/000000.tar.zst'", pairs: 10, workers: 1))
    let workers = min(12, usableProcessors)
    #expect(
      command(12, ".tar.zst", in: "/data/x")
        == expected(
          "'pipe:zstd -dcq /data/x/clean/{000000..000011}.tar.zst'", pairs: 120, workers: workers))
  }

  @Test func plainShardsNeedNoPipe() {
    #expect(
      command(1, ".tar", in: "/data/x")
        == expected("/data/x/clean/000000.tar", pairs: 10, workers: 1))
    #expect(command(2, ".tar", in: "x")?.contains(" 'x/clean/{000000..000001}.tar' ") == true)
  }

  @Test func aFolderWithASpaceIsQuotedForBothShells() {
    #expect(
      command(1, ".tar.zst", in: "/my data")
        == expected(
          "'pipe:zstd -dcq '\\''/my data/clean'\\''/000000.tar.zst'", pairs: 10, workers: 1))
    #expect(command(1, ".tar", in: "/my data")?.contains(" '/my data/clean/000000.tar' ") == true)
  }

  @Test func withoutAShardThereIsNoCommand() {
    #expect(command(0, ".tar.zst", in: "/data/x") == nil)
  }

  @Test(arguments: [
    ("/data/clean", "/data/clean"), ("/my data/x", "'/my data/x'"), ("", "''"),
    ("it's", "'it'\\''s'"), ("{0..3}.tar", "'{0..3}.tar'"), ("$HOME", "'$HOME'"),
  ])
  func aShellReadsTheTextAsOneWord(text: String, word: String) {
    #expect(shellQuoted(text) == word)
  }
}
