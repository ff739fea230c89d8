import Foundation
import Synchronization

/// Runs `count` units on up to `workers` threads and gives their results in order. Units are taken in order; the first
/// error (of the lowest unit that failed) stops the taking of further units and is thrown when the running ones are done.
/// A unit's result may not depend on who computes it or when, so the results are the same for any number of workers. Where
/// the system refuses threads, those that it gave do the work; if it gave none, the caller's does.
///
/// - Parameters:
///   - state: what one worker keeps from unit to unit (a judge, an open shard); never shared.
///   - body: a unit.
public func parallelMap<State, R: Sendable>(
  _ count: Int, workers: Int, state: @autoclosure @escaping @Sendable () throws -> State,
  _ body: @escaping @Sendable (inout State, Int) throws -> R
) throws -> [R] {
  try parallelMap(count, workers: workers, start: { startThread($0) }, state: try state(), body)
}

/// As above.
/// - Parameter start: starts a thread, or returns false where it can't.
func parallelMap<State, R: Sendable>(
  _ count: Int, workers: Int, start: (@escaping @Sendable () -> Void) -> Bool,
  state: @autoclosure @escaping @Sendable () throws -> State,
  _ body: @escaping @Sendable (inout State, Int) throws -> R
) throws -> [R] {
  let work = Work<R>(count)
  let run: @Sendable () -> Void = {
    do {
      var state = try state()
      while let unit = work.take() { work.end(unit, Result { try body(&state, unit) }) }
    } catch {
      if let unit = work.take() { work.end(unit, .failure(error)) }
    }
  }
  let group = DispatchGroup()
  var started = 0
  for _ in 0..<max(1, min(workers, count)) {
    group.enter()
    let isStarted = start {
      run()
      group.leave()
    }
    guard isStarted else {
      group.leave()
      break
    }
    started += 1
  }
  if started == 0 { run() }
  group.wait()
  return try work.results()
}

/// As above, for workers that keep nothing.
public func parallelMap<R: Sendable>(
  _ count: Int, workers: Int, _ body: @escaping @Sendable (Int) throws -> R
) throws -> [R] {
  try parallelMap(count, workers: workers, state: ()) { _, unit in try body(unit) }
}

/// Runs `body` on a thread of its own. (Foundation's `Thread` doesn't tell when the system refuses it.)
/// - Returns: whether it could be started.
func startThread(
  stackBytes: Int = 16 << 20, _ body: @escaping @Sendable () -> Void
) -> Bool {
  var attributes = pthread_attr_t()
  guard pthread_attr_init(&attributes) == 0 else { return false }
  defer { pthread_attr_destroy(&attributes) }
  pthread_attr_setstacksize(&attributes, stackBytes)
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  let held = Unmanaged.passRetained(ThreadBody(body))
  var thread = pthread_t()
  let code = pthread_create(
    &thread, &attributes,
    { pointer in
      if let pointer { Unmanaged<ThreadBody>.fromOpaque(pointer).takeRetainedValue().run() }
      return nil
    }, held.toOpaque())
  if code != 0 { held.release() }
  return code == 0
}

/// A thread takes a plain pointer, and a closure has none.
private final class ThreadBody {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Without a lock: a unit's slot is written by the worker that took the unit, and read when all have ended.
private final class Work<R: Sendable>: @unchecked Sendable {
  private let slots: UnsafeMutableBufferPointer<Result<R, any Error>?>
  private let next = Atomic(0)
  private let ended = Atomic(0)
  private let hasFailed = Atomic(false)

  init(_ count: Int) {
    slots = .allocate(capacity: count)
    slots.initialize(repeating: nil)
  }

  deinit {
    slots.deinitialize()
    slots.deallocate()
  }

  func take() -> Int? {
    guard !hasFailed.load(ordering: .relaxed) else { return nil }
    let unit = next.wrappingAdd(1, ordering: .relaxed).oldValue
    return unit < slots.count ? unit : nil
  }

  func end(_ unit: Int, _ result: Result<R, any Error>) {
    if case .failure = result { hasFailed.store(true, ordering: .relaxed) }
    slots[unit] = result
    ended.wrappingAdd(1, ordering: .releasing)
  }

  /// In order of the units, once all workers have ended.
  /// - Throws: the error of the lowest unit that failed.
  func results() throws -> [R] {
    _ = ended.load(ordering: .acquiring)
    return try slots.compactMap { try $0?.get() }
  }
}
