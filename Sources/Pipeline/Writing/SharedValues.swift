import Foundation

/// Values that are loaded once for all who hold them at a time.
final class SharedValues<Value: Sendable>: @unchecked Sendable {
  final class Held: Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }

  private struct Entry {
    weak var held: Held?
  }

  private let lock = NSLock()
  /// Guarded by the lock, which is held while one is loaded.
  private var entries: [Int: Entry] = [:]

  /// The value of this number: the one that somebody holds, or a new one.
  func value(_ number: Int, load: () throws -> Value) rethrows -> Held {
    try lock.withLock {
      if let held = entries[number]?.held { return held }
      entries = entries.filter { $0.value.held != nil }
      let held = Held(try load())
      entries[number] = Entry(held: held)
      return held
    }
  }
}

/// The tables of the input shards that are written from: their rows are some hundreds of bytes each, and of all writers at
/// work several need the same.
struct SharedTables: Sendable {
  let decisions = SharedValues<DecisionTable>()
  let scores = SharedValues<ScoreNotes>()
}
