import Shards

/// A pass over files of unpaired text, in their order, that a resumed run goes on with: every so often it is kept how far it
/// is, beside what was made of the passages so far.
struct TextPass {
  /// Bytes of a passage; what is longer is cut.
  static let passageBytes = 64 << 10
  /// Passages that are looked at together; bounds the memory, decides nothing.
  private static let block = 4096
  /// Bytes of text after which fewer passages are a block too.
  private static let blockBytes = 4 << 20

  struct Progress: Codable, Equatable {
    struct Fault: Codable, Equatable {
      var path: String
      var message: String
    }

    /// Files it is through with, and what they held.
    var files = 0
    var report = PassageReport()
    /// Why some of them couldn't be read to their end.
    var faults: [Fault] = []
    /// Of the next file.
    var passages = 0
  }

  let texts: Increment
  /// From one time that it is kept how far it is to the next.
  let interval: Duration
  let run: RunContext

  /// - Parameters:
  ///   - progress: how far an earlier process kept it; all of it at the end.
  ///   - keep: called every so often, when all passages so far have been given to `body`.
  ///   - body: looks at a block of passages.
  func go(
    from progress: inout Progress, keep: (Progress) throws -> Void,
    _ body: ([String]) throws -> Void
  ) throws {
    var (waiting, bytes): ([String], Int) = ([], 0)
    // A tenth of the time at most goes into what is kept, however much that has become.
    var (lastKept, pause) = (ContinuousClock.now, interval)
    for file in texts.shards[progress.files...] {
      try file.checkUnchanged()
      if file.digest.isEmpty {
        progress.faults.append(.init(path: file.path, message: Self.fault(of: file.path)))
      } else {
        let reader = PassageReader(path: file.path, limit: Self.passageBytes)
        try skip(progress.passages, of: reader)
        while let passage = reader.next() {
          waiting.append(passage)
          bytes += passage.utf8.count
          guard waiting.count == Self.block || bytes >= Self.blockBytes else { continue }
          try run.cancellation.check()
          try body(waiting)
          waiting.removeAll(keepingCapacity: true)
          bytes = 0
          progress.passages = reader.report.passages
          guard lastKept.duration(to: .now) >= pause else { continue }
          // What is kept must be of the file that was pinned.
          try file.checkUnchanged()
          let begin = ContinuousClock.now
          try keep(progress)
          lastKept = .now
          pause = max(interval, begin.duration(to: lastKept) * 9)
        }
        // What was written to it meanwhile isn't what was pinned.
        try file.checkUnchanged()
        if let failure = file.failure(reader.fault, reader.message) { throw failure }
        progress.report.add(reader.report)
        if let fault = reader.fault {
          progress.faults.append(
            .init(path: file.path, message: reader.message ?? fault.rawValue))
        }
      }
      progress.files += 1
      progress.passages = 0
    }
    if !waiting.isEmpty { try body(waiting) }
  }

  /// What is wrong with a file that couldn't be read when it was pinned. What is none isn't opened: that could wait for a
  /// pipe's other end.
  private static func fault(of path: String) -> String {
    guard !FileIdentity.isSpecial(path) else {
      return "\(path): it is no regular file; write it to one and name that"
    }
    let reader = PassageReader(path: path, limit: passageBytes)
    _ = reader.next()
    return reader.message ?? "\(path): it could not be read when the run began"
  }

  /// - Parameter file: where it was kept.
  /// - Throws: `RunError.damagedState` for one that no pass over these files can have kept.
  func check(_ progress: Progress, keptIn file: String) throws(RunError) {
    guard (0...texts.shards.count).contains(progress.files), progress.passages >= 0 else {
      throw .damagedState(file: file, detail: "it isn't of these texts")
    }
  }

  private func skip(_ passages: Int, of reader: PassageReader) throws {
    for number in 0..<passages {
      if number % Self.block == 0 { try run.cancellation.check() }
      guard reader.next() != nil else { return }
    }
  }
}
