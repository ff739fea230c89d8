import Foundation
import Training

/// `DIR/train.jsonl`: a JSON object a logging step.
///
///     {"contrastive":4.61,"epoch":1,"learning_rate":0.0001,"logit_scale":14.2,"loss":6.7,"mlm":8.8,...}
final class TrainingLog {
  private struct Line: Codable {
    var step: Int
    var epoch: Int
    var loss: Float
    var contrastive: Float
    var mlm: Float?
    var learningRate: Float
    var logitScale: Float
    var pairsPerSecond: Double
    /// Spent on training, over all processes that worked on it.
    var seconds: Double
  }

  private let path: String
  private var lastLine: Line?
  private var file: FileHandle?
  private var last = ContinuousClock.now
  private var pairs = 0

  init(path: String) { self.path = path }

  /// Goes on after a step: what an earlier process wrote of later ones, which are made again, goes.
  func begin(after step: Int) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let old = (FileManager.default.contents(atPath: path) ?? Data()).split(separator: 0x0A)
      .compactMap { try? decoder.decode(Line.self, from: Data($0)) }
      .filter { $0.step <= step }
    lastLine = old.last
    let text = try old.map(Self.encode).reduce(Data()) { $0 + $1 }
    do {
      try text.write(to: URL(fileURLWithPath: path), options: .atomic)
      file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try file?.seekToEnd()
    } catch {
      throw RunError.file(path: path, operation: "write", code: systemCode(of: error))
    }
    last = .now
  }

  /// Takes a step in; writes a line if one is due.
  func add(_ report: StepReport, isDue: Bool) throws {
    pairs += report.pairs
    guard isDue else { return }
    let elapsed = (ContinuousClock.now - last) / .seconds(1)
    last = .now
    let line = Line(
      step: report.step, epoch: report.epoch, loss: report.loss, contrastive: report.contrastive,
      mlm: report.mlm, learningRate: report.learningRate, logitScale: report.logitScale,
      pairsPerSecond: Double(pairs) / max(elapsed, 1e-9),
      seconds: (lastLine?.seconds ?? 0) + elapsed)
    pairs = 0
    lastLine = line
    do {
      try file?.write(contentsOf: Self.encode(line))
    } catch {
      throw RunError.file(path: path, operation: "write", code: systemCode(of: error))
    }
  }

  /// Puts on the disk what a checkpoint relies on.
  func flush() { try? file?.synchronize() }

  private static func encode(_ line: Line) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try encoder.encode(line) + Data("\n".utf8)
  }
}
