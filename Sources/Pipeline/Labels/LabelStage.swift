import ConfidentLearning
import Layers
import Synchronization

/// The options of `winnow labels`; see `ConfidentLearning`.
public typealias LabelOptions = LabelIssueOptions
public typealias LabelFilter = LabelIssueFilter
public typealias LabelRules = ClassLabelRules
public typealias LabelRank = LabelQuality

/// `winnow labels`: which labels of a classification data set are wrong. Two reads of the files, a chunk at a time, or three
/// where the first can't count early; the result depends neither on that, nor on the chunks, nor on the number of workers.
public struct LabelStage: Sendable {
  private let source: LabelSource
  private let workers: Int
  private let cancellation: Cancellation
  /// One for each worker, kept from read to read.
  private let buffers = ChunkBuffers()

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
    let empty = (
      statistics: ClassStatistics(classes: source.classes),
      early: EarlyCounts(classes: source.classes, rules: options.rules)
    )
    let first = try read(empty) {
      try $0.statistics.add($1)
      $0.early.add($1, known: $0.statistics)
    } merge: {
      $0.statistics.merge($1.statistics)
      $0.early.merge($1.early)
    }
    let confident = try count(first.early, first.statistics.thresholds(options.rules), options)
    let model = ClassNoiseModel(first.statistics, confident)
    let margins = first.early.margins
    let selection = try read(IssueSelection(model, options: options, margins: margins)) {
      try $0.add($1)
    } merge: {
      $0.merge($1)
    }
    return LabelIssues(model: model, issues: selection.issues)
  }

  /// The second read, of what the first couldn't count.
  private func count(
    _ early: EarlyCounts, _ thresholds: [Double], _ options: LabelOptions
  ) throws -> ConfidentCounts {
    let none = ConfidentCounts(thresholds: thresholds, rules: options.rules)
    let counted = early.confidentCounts(thresholds: thresholds)
    var rest = try read(none, counted == nil ? nil : early.left.map(source.chunk(ofRow:))) {
      try $0.add($1)
    } merge: {
      $0.merge($1)
    }
    if let counted { rest.merge(counted) }
    return rest
  }

  /// One read over all chunks, or over some: each worker takes the next one and adds it to its own part.
  private func read<Part: Sendable>(
    _ empty: Part, _ chunks: [Int]? = nil,
    add: @escaping @Sendable (inout Part, LabelledRows) throws -> Void,
    merge: (inout Part, Part) -> Void
  ) throws -> Part {
    let chunks = chunks?.sorted() ?? Array(0..<source.chunks)
    if chunks.isEmpty { return empty }
    let queue = ChunkQueue(chunks)
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
  private let chunks: [Int]
  private let state = Mutex<(next: Int, failure: (index: Int, error: any Error)?)>((0, nil))

  init(_ chunks: [Int]) { self.chunks = chunks }

  func next() -> Int? {
    state.withLock { state in
      guard state.failure == nil, state.next < chunks.count else { return nil }
      state.next += 1
      return chunks[state.next - 1]
    }
  }

  func fail(_ index: Int, _ error: any Error) {
    state.withLock { if index < $0.failure?.index ?? .max { $0.failure = (index, error) } }
  }

  var failure: (any Error)? { state.withLock { $0.failure?.error } }
}

private final class ChunkBuffers: Sendable {
  private let free = Mutex<[LabelSource.Buffer]>([])

  func take() -> LabelSource.Buffer { free.withLock { $0.popLast() } ?? LabelSource.Buffer() }

  func give(_ buffer: LabelSource.Buffer) { free.withLock { $0.append(buffer) } }
}
