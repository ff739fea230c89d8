import ArgumentParser
import Foundation
import Pipeline
import Reports

/// The shards to work on.
struct ShardArguments: ParsableArguments {
  @Argument(
    help: "Shards: files, folders, brace patterns ({00000..00099}), or - for a list on stdin.")
  var shards: [String] = []

  /// The list, from the command line or else from the pipeline file.
  /// - Throws: `ExitCode.success`, having said so, when a list is empty.
  func expand(_ configuration: RunConfiguration) throws -> ShardSelection {
    let arguments = shards.isEmpty ? configuration.input : shards
    guard !arguments.isEmpty else {
      throw ValidationError("No shards: name them, or set `in:` in the pipeline file.")
    }
    let selection = try ShardSelection(arguments)
    guard !selection.isEmpty else {
      StandardError.print("Nothing to do: the list names no shards.")
      throw ExitCode.success
    }
    return selection
  }
}

/// What means the same in every command that works on an output folder.
struct RunOptions: ParsableArguments {
  @Option(help: "The output folder.")
  var out: String?

  @Option(help: "A pipeline file (YAML); flags go over it, it goes over the defaults.")
  var pipeline: String?

  @OptionGroup var threads: WorkerOptions

  @Option(help: "Decides everything that is drawn at random (default: 0).")
  var seed: UInt64?

  @Flag(help: "Neither progress nor summary; what went wrong is told all the same.")
  var quiet = false

  @Flag(
    inversion: .prefixedNo, help: "Progress on standard error (default: yes), before the summary.")
  var progress: Bool?

  @Option(help: "A log: one JSON object a line is added for every event.")
  var log: String?

  @Option(help: "A file of figures for Prometheus' node_exporter, written at the end (NAME.prom).")
  var metrics: String?

  /// Flags over the pipeline file over the defaults.
  func configuration() throws -> RunConfiguration {
    var configuration = try pipeline.map { try PipelineFile.load($0) } ?? RunConfiguration()
    configuration.output = out ?? configuration.output
    configuration.workers = threads.workers ?? configuration.workers
    configuration.seed = seed ?? configuration.seed
    configuration.report.log = log ?? configuration.report.log
    configuration.report.metrics = metrics ?? configuration.report.metrics
    configuration.report.progress = progress ?? configuration.report.progress
    return configuration
  }

  /// Runs `body` on the shards, watched and stoppable, and tells the result.
  func run(
    _ configuration: RunConfiguration, on shards: ShardArguments, rank: Rank = .whole,
    _ body: (ShardSelection, RunContext) throws -> RunResult
  ) throws {
    try report(try perform(configuration, on: shards, rank: rank, body), configuration)
  }

  /// As above, for a command that takes its shards from the folder.
  func run(
    _ configuration: RunConfiguration, _ body: (RunContext) throws -> RunResult
  ) throws {
    try report(try perform(configuration, body), configuration)
  }

  /// Runs `body` on the shards, watched and stoppable.
  func perform<R: CommandResult>(
    _ configuration: RunConfiguration, on shards: ShardArguments, rank: Rank = .whole,
    _ body: (ShardSelection, RunContext) throws -> R
  ) throws -> R {
    _ = try output(configuration)
    // First, since a list on a terminal must end with one Ctrl-C.
    let selection: ShardSelection
    do {
      selection = try shards.expand(configuration)
    } catch {
      // A night without its corpus is one that must be seen.
      record(error, by: try reporter(configuration))
      throw error
    }
    return try perform(configuration, rank: rank) { try body(selection, $0) }
  }

  /// Runs `body` in the output folder, watched and stoppable.
  func perform<R: CommandResult>(
    _ configuration: RunConfiguration, rank: Rank = .whole, _ body: (RunContext) throws -> R
  ) throws -> R {
    let directory = RunDirectory(try output(configuration))
    let cancellation = Cancellation()
    let signals = Signals(cancelling: cancellation)
    let printer = ProgressPrinter(showsProgress: configuration.report.progress)
    defer { withExtendedLifetime(signals) { printer.close() } }
    let reporter = try reporter(configuration)
    let observe: RunObserver = { [quiet] event in
      if !quiet { printer.show(event) }
      reporter.observe(event)
      Allocator.follow(event)
    }
    do {
      let context = try RunContext(
        configuration: configuration, directory: directory, rank: rank,
        cancellation: cancellation, observe: observe)
      let result = try body(context)
      warn(
        reporter.finish(
          result.record, status: result.exitStatus, endsNight: result.endsNight(in: directory)))
      return result
    } catch {
      record(error, by: reporter)
      throw error
    }
  }

  private func output(_ configuration: RunConfiguration) throws -> String {
    guard let out = configuration.output else {
      throw ValidationError("No output folder: give --out, or set `out:` in the pipeline file.")
    }
    guard !out.isEmpty else { throw ValidationError("--out is empty: name the output folder.") }
    return out
  }

  private func reporter(_ configuration: RunConfiguration) throws -> RunReporter {
    try RunReporter(
      configuration.report, of: RunDirectory(try output(configuration)),
      command: CommandLine.arguments.dropFirst().first ?? "")
  }

  /// Records an error with the status that the process ends with.
  private func record(_ error: any Error, by reporter: RunReporter) {
    let status = Winnow.exitStatus(for: error)
    warn(reporter.finish(nil, error: status == 0 ? nil : "\(error)", status: status))
  }

  private func warn(_ problem: String?) {
    if let problem { StandardError.print("warning: \(problem)") }
  }

  /// Tells the result, and ends with its exit status.
  private func report(_ result: RunResult, _ configuration: RunConfiguration) throws {
    let directory = RunDirectory(configuration.output ?? "")
    let text =
      quiet
      ? result.troubles(in: directory).joined(separator: "\n")
      : RunSummary(result, in: directory).text
    if !text.isEmpty { StandardError.print(text) }
    for path in result.cleanShards { try StandardOutput.print(path) }
    if result.exitStatus != 0 { throw ExitCode(result.exitStatus) }
  }
}

/// How pairs are scored.
struct ScoreOptions: ParsableArguments {
  @Option(
    help: """
      How pairs are scored: bank-likelihood against fixed reference pairs; the others, to compare, by the cosine, \
      among the pairs beside it (s-CLIPLoss), or by the caption's cluster (default: bank-likelihood).
      """)
  var scoring: ScoreConfiguration.Method?

  func apply(to score: inout ScoreConfiguration) { score.method = scoring ?? score.method }
}

extension ScoreConfiguration.Method: ExpressibleByArgument {}

/// How much is cut.
struct CutOptions: ParsableArguments {
  @Option(
    help: """
      The cut: predicted-neq-given drops what is likelier a mismatch than not, prune-by-noise-rate as many as are \
      estimated to be noise, confident-learning as many as the confident joint counts as mismatched (default: \
      predicted-neq-given).
      """)
  var method: NoiseConfiguration.Method?

  @Option(
    help:
      "Cut so that at most this share of what is kept is noise by the cautious estimate; 0.02 drops many good pairs too."
  )
  var maxNoise: Double?

  @Option(help: "Keep this share of the pairs, the best ones.")
  var keepFraction: Double?

  func validate() throws {
    let given = [method != nil, maxNoise != nil, keepFraction != nil].count { $0 }
    if given > 1 {
      throw ValidationError("--method, --max-noise and --keep-fraction are cuts; choose one.")
    }
  }

  /// A cut on the command line replaces the pipeline file's.
  func apply(to noise: inout NoiseConfiguration) {
    guard method != nil || maxNoise != nil || keepFraction != nil else { return }
    noise.method = method ?? noise.method
    noise.maxNoise = maxNoise
    noise.keepFraction = keepFraction
  }
}

extension NoiseConfiguration.Method: ExpressibleByArgument {}

/// The form of what is written.
struct WriteOptions: ParsableArguments {
  @Flag(inversion: .prefixedNo, help: "Write .tar rather than .tar.zst.")
  var plain: Bool?

  func apply(to write: inout WriteConfiguration) { write.plain = plain ?? write.plain }
}
