import Synchronization

/// Counts steps over all members that train at the same time.
final class StepCounter: Sendable {
  private let total = Atomic<Int>(0)
  private let done = Atomic<Int>(0)

  /// Says how many steps there will be in all.
  func expect(_ steps: Int) { total.store(steps, ordering: .relaxed) }

  func advance(by steps: Int, _ member: String, loss: Float) -> TrainingProgress {
    let now = done.wrappingAdd(steps, ordering: .relaxed).newValue
    return TrainingProgress(
      step: now, steps: total.load(ordering: .relaxed), member: member, loss: loss)
  }
}
