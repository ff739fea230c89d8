import Synchronization

/// Counts steps over all members that train at the same time.
final class StepCounter: Sendable {
  private let total: Int
  private let done = Atomic<Int>(0)

  init(total: Int) { self.total = total }

  func advance(by steps: Int, _ member: String, loss: Float) -> TrainingProgress {
    let now = done.wrappingAdd(steps, ordering: .relaxed).newValue
    return TrainingProgress(step: now, steps: total, member: member, loss: loss)
  }
}
