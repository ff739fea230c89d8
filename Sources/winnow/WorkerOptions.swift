import ArgumentParser
import Pipeline

/// How many threads a command takes.
struct WorkerOptions: ParsableArguments {
  @Option(
    help:
      "Threads (default: one per core, or as many as a container is given). The output doesn't depend on it."
  )
  var workers: Int?

  func validate() throws {
    if let workers, !(1...1024).contains(workers) {
      throw ValidationError(
        "--workers must lie between 1 and 1024; leave it out for one per core.")
    }
  }

  /// What was asked for, or one per core.
  var count: Int { workers ?? usableProcessors }
}
