import ConfidentLearning
import Layers
import Synchronization

/// The options of `winnow labels`; see `ConfidentLearning`.
public typealias LabelOptions = LabelIssueOptions
public typealias LabelFilter = LabelIssueFilter
public typealias LabelRules = ClassLabelRules
public typealias LabelRank = LabelQuality

/// `winnow labels`: which labels of a classification data set are wrong. Three reads of the files, a chunk at a time; the
/// result depends neither on the chunks nor on the number of workers.
public struct LabelStage: Sendable {
  private let source: LabelSource
  private let workers: Int
  private let cancellation: Cancellation
  /// One for each worker, kept from read to read.
  private let buffers = BufferPool()

  /// - Parameters:
  ///   - labels: an `.npy` of whole numbers, `[n]`.
  ///   - probabilities: an `.npy` of out-of-sample predictions, `[n, K]`.
  /// - Throws: `RunError.badInput`, `TensorFileError`.
  public init(
    labels: String, probabilities: String, workers: Int, cancellation: Cancellation
  ) throws {
    try self.init(
      LabelSource(labels: labels, probabilities: probabilities), workers: workers,
      cancellation: cancellation)
  }

  init(_ source: LabelSource, workers: Int, cancellation: Cancellation = Cancellation()) {
    self.source = source
    self.workers = max(1, min(workers, source.chunks))
    self.cancellation = cancellation
  }

  /// - Throws: `RunError.usage` for options that don't fit, `.badInput` for values that can't be used, `.cancelled`;
  ///   `TensorFileError`.
  public func run(_ options: LabelOptions) throws -> LabelIssues {
    do {
      try options.check(classes: source.classes)
    } catch {
      throw RunError.usage("\(error)")
    }
    let statistics = try read(ClassStatistics(classes: source.classes)) {
      try $0.add($1)
    } merge: {
      $0.merge($1)
    }
    let thresholds = statistics.thresholds(options.rules)
    let (confident, margins) = try read(
      (
        ConfidentCounts(thresholds: thresholds, rules: options.rules),
        MarginCounts(classes: source.classes)
      )
    ) {
      try $0.0.add($1, margins: &$0.1)
    } merge: {
      $0.0.merge($1.0)
      $0.1.merge($1.1)
    }
    let model = ClassNoiseModel(statistics, confident)
    let selection = try read(IssueSelection(model, options: options, margins: margins)) {
      try $0.add($1)
    } merge: {
      $0.merge($1)
    }
    return LabelIssues(model: model, issues: selection.issues)
  }

  /// One read over all chunks: each worker takes the next one and adds it to its own part.
  private func read<Part: Sendable>(
    _ empty: Part, add: @escaping @Sendable (inout Part, LabelledRows) throws -> Void,
    merge: (inout Part, Part) -> Void
  ) throws -> Part {
    let queue = ChunkQueue(count: source.chunks)
    var parts = try parallelMap(workers, workers: workers) { [source, cancellation, buffers] _ in
      var part = empty
      var buffer = buffers.take()
      defer { buffers.give(buffer) }
      while let index = queue.next() {
        do {
          try cancellation.check()
          try add(&part, source.chunk(index, &buffer))
        } catch let error as ClassLabelError {
          queue.fail(index, source.named(error))
        } catch {
          queue.fail(index, error)
        }
      }
      return part
    }
    if let failure = queue.failure { throw failure }
    // Taken out, so that merging doesn't copy it: the candidates of a large data set are large, too.
    var whole = parts.removeLast()
    while let part = parts.popLast() { merge(&whole, part) }
    return whole
  }
}

/// Chunks in order, until one fails. Those before it are under way by then, so the lowest failure is always the same.
private final class ChunkQueue: Sendable {
  private let count: Int
  private let state = Mutex<(next: Int, failure: (index: Int, error: any Error)?)>((0, nil))

  init(count: Int) { self.count = count }

  func next() -> Int? {
    state.withLock { state in
      guard state.failure == nil, state.next < count else { return nil }
      state.next += 1
      return state.next - 1
    }
  }

  func fail(_ index: Int, _ error: any Error) {
    state.withLock { if index < $0.failure?.index ?? .max { $0.failure = (index, error) } }
  }

  var failure: (any Error)? { state.withLock { $0.failure?.error } }
}

private final class BufferPool: Sendable {
  private let free = Mutex<[LabelSource.Buffer]>([])

  func take() -> LabelSource.Buffer { free.withLock { $0.popLast() } ?? LabelSource.Buffer() }

  func give(_ buffer: LabelSource.Buffer) { free.withLock { $0.append(buffer) } }
}
