import ArgumentParser
import BenchmarkSupport
import Foundation
import Layers
import Shards

/// What `make bench-scale` and `make bench-throughput` have done on our side; their drivers are Tests/Peers/bench_scale.py
/// and bench_throughput.py.
@main struct BenchCorpus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-corpus",
    subcommands: [Generate.self, Hostile.self, Crowded.self, Read.self, Multiply.self])

  struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write shards of small drawn pairs.")
    @Option(help: "Pairs.") var pairs: Int
    @Option(help: "The number of the first pair.") var from = 0
    @Option(help: "Pairs a shard (default: 10,000, as img2dataset writes them).") var shardSize =
      10_000
    @Argument(help: "The folder.") var folder: String

    func run() throws {
      try ScaleCorpus.write(pairs, from: from, size: shardSize, to: folder)
    }
  }

  struct Hostile: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write shards full of bombs.")
    @Option(help: "Shards.") var shards = 8
    @Argument(help: "The folder.") var folder: String

    func run() throws { try HostileCorpus.write(shards, to: folder) }
  }

  struct Crowded: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write two shards of very many samples that are no pairs, and 2,000 good pairs.")
    @Option(help: "Samples in each; a shard with more than a million isn't read to its end.")
    var samples = 1_000_000
    @Argument(help: "The folder.") var folder: String

    func run() throws { try CrowdedCorpus.write(samples, to: folder) }
  }

  struct Read: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read and group shards; print samples and seconds.")
    @Argument(help: "Shards.") var shards: [String]

    func run() throws {
      let clock = ContinuousClock()
      let start = clock.now
      var (samples, bytes) = (0, 0)
      for shard in shards {
        let reader = ShardReader(path: shard)
        while case .sample(let sample)? = reader.next() {
          samples += 1
          bytes += sample.members.reduce(0) { $0 + $1.bytes.count }
        }
        if let message = reader.message { throw BenchError(message) }
      }
      print(samples, bytes, (clock.now - start) / .seconds(1))
    }
  }

  struct Multiply: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Multiply matrices on one thread for some seconds; print products a second.")
    @Option(help: "Seconds.") var seconds = 3.0

    func run() throws {
      let n = 1024
      let a = [Float](repeating: 0.5, count: n * n)
      var c = a
      let clock = ContinuousClock()
      func product() {
        c.withUnsafeMutableBufferPointer { c in
          guard let base = c.baseAddress else { return }
          multiply(a, .no, a, .no, into: base, m: n, n: n, k: n)
        }
      }
      product()
      let start = clock.now
      var (products, elapsed) = (0, 0.0)
      while elapsed < seconds {
        product()
        products += 1
        elapsed = (clock.now - start) / .seconds(1)
      }
      print(Double(products) / elapsed)
    }
  }
}
