import VectorMath

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// AdamW (Loshchilov & Hutter 2019) with global gradient clipping, a cosine schedule with linear warm-up, and a moving
/// average of the weights, which is what a trained member keeps.
public final class AdamW {
  public struct Settings: Sendable, Codable, Equatable {
    public var peakRate: Float = 5e-4
    public var beta1: Float = 0.9
    public var beta2: Float = 0.95
    public var epsilon: Float = 1e-8
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

  private let parameters: [Parameter]
  private let settings: Settings
  private let steps: Int
  private var first: [[Float]]
  private var second: [[Float]]
  private var averages: [[Float]]
  public private(set) var step = 0

  public init(_ parameters: [Parameter], steps: Int, settings: Settings) {
    self.parameters = parameters
    self.settings = settings
    self.steps = steps
    first = parameters.map { [Float](repeating: 0, count: $0.count) }
    second = first
    averages = parameters.map(\.values)
  }

  /// The learning rate of step `step` (from 0).
  public func rate(at step: Int) -> Float {
    let warm = max(1, Int(settings.warmUp * Float(steps)))
    if step < warm { return settings.peakRate * Float(step + 1) / Float(warm) }
    let progress = Float(step - warm) / Float(max(1, steps - warm))
    let cosine = 0.5 * (1 + cosf(.pi * min(progress, 1)))
    return settings.peakRate * (settings.floor + (1 - settings.floor) * cosine)
  }

  /// Moves every parameter along its gradient and sets the gradients to zero.
  public func update() {
    var squares = 0.0
    for p in parameters { squares += vm_sum_of_squares(p.gradient, p.count) }
    let norm = Float(squares.squareRoot())
    let scale = norm > settings.clip ? settings.clip / norm : 1
    let rate = rate(at: step)
    step += 1
    let correction1 = 1 - powf(settings.beta1, Float(step))
    let correction2 = 1 - powf(settings.beta2, Float(step))
    // Early on the average forgets quickly, so that it does not hang on to the random start.
    let keep = min(settings.averaging, Float(step) / Float(step + 9))
    for (i, p) in parameters.enumerated() {
      vm_adamw(
        p.value, p.gradient, &first[i], &second[i], p.count, scale, rate, settings.beta1,
        settings.beta2, settings.epsilon, p.decays ? settings.decay : 0, correction1, correction2)
      vm_moving_average(p.value, &averages[i], p.count, keep)
      p.gradient.update(repeating: 0, count: p.count)
    }
  }

  /// Replaces the weights by their moving average: the end of training.
  public func adoptAverage() {
    for (p, average) in zip(parameters, averages) { p.values = average }
  }
}
