import Glibc
import VectorMath

/// AdamW (Loshchilov & Hutter 2019) with global gradient clipping, a cosine schedule with linear warm-up, and a moving
/// average of the weights, which is what a trained member keeps.
public final class AdamW {
  /// Of the update and its schedule.
  public struct Settings: Sendable, Codable, Equatable {
    /// The learning rate after warm-up.
    public var peakRate: Float = 5e-4
    /// How much of the first moment stays at a step.
    public var beta1: Float = 0.9
    /// How much of the second moment stays at a step.
    public var beta2: Float = 0.95
    /// Added to the root of the second moment.
    public var epsilon: Float = 1e-8
    /// The share of a weight lost at a step, times the rate; only where `Parameter.decays`.
    public var decay: Float = 1
    /// Gradients are scaled down to this Euclidean norm over all parameters.
    public var clip: Float = 1
    /// The share of the steps over which the rate rises.
    public var warmUp: Float = 0.1
    /// The final rate as a share of the peak.
    public var floor: Float = 0.01
    /// How much of the average stays at a step, once the run is long enough (Polyak & Juditsky 1992).
    public var averaging: Float = 0.99

    public init() {}
  }

  /// What a later process needs to go on, beside the weights: an array for each parameter.
  public struct State: Sendable {
    /// Updates made so far.
    public var step: Int
    public var first: [[Float]]
    public var second: [[Float]]
    public var averages: [[Float]]

    public init(step: Int, first: [[Float]], second: [[Float]], averages: [[Float]]) {
      self.step = step
      self.first = first
      self.second = second
      self.averages = averages
    }
  }

  private let parameters: [Parameter]
  private let settings: Settings
  private let steps: Int
  private let moments: [Moments]
  private let pieces: [Piece]
  /// Updates made so far.
  public private(set) var step = 0

  /// - Parameters:
  ///   - replicas: parameter lists like `parameters` that share their weights; their gradients count too.
  ///   - steps: how many updates the schedule spans.
  public init(
    _ parameters: [Parameter], replicas: [[Parameter]] = [], steps: Int, settings: Settings
  ) {
    self.parameters = parameters
    self.settings = settings
    self.steps = steps
    let moments = parameters.map(Moments.init)
    self.moments = moments
    pieces = parameters.indices.flatMap { i in
      Piece.pieces(of: parameters[i], moments[i], replicas.map { $0[i] })
    }
  }

  /// The learning rate of step `step` (from 0).
  public func rate(at step: Int) -> Float {
    let warm = max(1, Int(settings.warmUp * Float(steps)))
    if step < warm { return settings.peakRate * Float(step + 1) / Float(warm) }
    let progress = Float(step - warm) / Float(max(1, steps - warm))
    let cosine = 0.5 * (1 + cosf(.pi * min(progress, 1)))
    return settings.peakRate * (settings.floor + (1 - settings.floor) * cosine)
  }

  /// Moves every parameter along its gradient and sets the gradients to zero, those of the replicas too, which are
  /// added in their order.
  ///
  /// - Parameter workers: threads; the result does not depend on their number.
  public func update(workers: Int = 1) {
    let squares = map(workers) { $0.gatherGradient() }.reduce(0, +)
    let norm = Float(squares.squareRoot())
    var change = Change(settings: settings, rate: rate(at: step))
    change.scale = norm > settings.clip ? settings.clip / norm : 1
    step += 1
    change.correction1 = 1 - powf(settings.beta1, Float(step))
    change.correction2 = 1 - powf(settings.beta2, Float(step))
    // Early on the average forgets quickly, so that it does not hang on to the random start.
    change.keep = min(settings.averaging, Float(step) / Float(step + 9))
    _ = map(workers) { [change] in $0.apply(change) }
  }

  private func map<R: Sendable>(
    _ workers: Int, _ body: @escaping @Sendable (Piece) -> R
  ) -> [R] {
    if workers < 2 { return pieces.map(body) }
    let pieces = pieces
    // A unit that can't throw has all its results.
    return (try? parallelMap(pieces.count, workers: workers) { body(pieces[$0]) }) ?? []
  }

  /// Replaces the weights by their moving average: the end of training.
  public func adoptAverage() {
    for (p, moments) in zip(parameters, moments) {
      p.value.update(from: moments.average, count: p.count)
    }
  }

  /// A copy; set with arrays of the parameters' sizes.
  public var state: State {
    get {
      func copy(_ path: KeyPath<Moments, UnsafeMutablePointer<Float>>) -> [[Float]] {
        moments.map { Array(UnsafeBufferPointer(start: $0[keyPath: path], count: $0.count)) }
      }
      return State(
        step: step, first: copy(\.first), second: copy(\.second), averages: copy(\.average))
    }
    set {
      step = newValue.step
      for (i, moments) in moments.enumerated() {
        for (target, values) in [
          (moments.first, newValue.first[i]), (moments.second, newValue.second[i]),
          (moments.average, newValue.averages[i]),
        ] {
          precondition(values.count == moments.count, "\(values.count) of \(moments.count) values")
          values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { target.update(from: base, count: source.count) }
          }
        }
      }
    }
  }
}

/// The two moments and the moving average of one parameter.
private final class Moments {
  let count: Int
  let first: UnsafeMutablePointer<Float>
  let second: UnsafeMutablePointer<Float>
  let average: UnsafeMutablePointer<Float>

  init(of parameter: Parameter) {
    count = parameter.count
    first = alignedFloats(count)
    second = alignedFloats(count)
    average = alignedFloats(count)
    first.update(repeating: 0, count: count)
    second.update(repeating: 0, count: count)
    average.update(from: parameter.value, count: count)
  }

  deinit { for pointer in [first, second, average] { pointer.deallocate() } }
}

/// What all pieces have in common at a step.
private struct Change: Sendable {
  let settings: AdamW.Settings
  let rate: Float
  var scale: Float = 1
  var correction1: Float = 1
  var correction2: Float = 1
  var keep: Float = 0

  init(settings: AdamW.Settings, rate: Float) {
    self.settings = settings
    self.rate = rate
  }
}

/// A part of a parameter that one thread works on. Its size is fixed, so that sums don't depend on the threads.
private struct Piece: @unchecked Sendable {
  // Unchecked: pieces are disjoint, and the optimiser outlives the threads that it starts.
  static let size = 1 << 16
  let count: Int
  let value: UnsafeMutablePointer<Float>
  let gradient: UnsafeMutablePointer<Float>
  let replicas: [UnsafeMutablePointer<Float>]
  let first: UnsafeMutablePointer<Float>
  let second: UnsafeMutablePointer<Float>
  let average: UnsafeMutablePointer<Float>
  let decays: Bool

  static func pieces(of p: Parameter, _ moments: Moments, _ replicas: [Parameter]) -> [Piece] {
    stride(from: 0, to: p.count, by: size).map { start in
      Piece(
        count: min(size, p.count - start), value: p.value + start, gradient: p.gradient + start,
        replicas: replicas.map { $0.gradient + start }, first: moments.first + start,
        second: moments.second + start, average: moments.average + start, decays: p.decays)
    }
  }

  /// Adds the replicas' gradients and clears them.
  /// - Returns: the sum of squares.
  func gatherGradient() -> Double {
    for replica in replicas {
      vm_add(replica, gradient, count)
      replica.update(repeating: 0, count: count)
    }
    return vm_sum_of_squares(gradient, count)
  }

  func apply(_ change: Change) {
    let settings = change.settings
    vm_adamw(
      value, gradient, first, second, count, change.scale, change.rate, settings.beta1,
      settings.beta2, settings.epsilon, decays ? settings.decay : 0, change.correction1,
      change.correction2)
    vm_moving_average(value, average, count, change.keep)
    gradient.update(repeating: 0, count: count)
  }
}
