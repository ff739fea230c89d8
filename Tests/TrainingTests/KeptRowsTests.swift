import Foundation
import Synchronization
import Testing

@testable import Training

@Suite struct KeptRowsTests {
  /// Deletes itself with everything in it.
  private final class Folder {
    let path = NSTemporaryDirectory() + "winnow-rows-" + UUID().uuidString
    init() throws {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    var files: [String] {
      get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
  }

  private struct Failure: Error {}

  private let folder: Folder
  private var path: String { "\(folder.path)/rows.bin" }

  init() throws { folder = try Folder() }

  /// 41 rows of two numbers, four at a time: the row's own and how many rows there are in its unit.
  ///
  /// - Parameters:
  ///   - last: the row whose unit is the last one before the training is stopped.
  ///   - failing: the row whose unit fails.
  /// - Returns: the rows, and the first row of each unit that was computed.
  private func rows(
    _ path: String?, count: Int = 41, workers: Int = 1, every interval: Duration = .seconds(3600),
    stoppedAfter last: Int? = nil, failing: Int? = nil
  ) throws -> (rows: [Int32], computed: [Int]) {
    let computed = Mutex([Int]())
    let stop = Mutex(false)
    let isCancelled: @Sendable () -> Bool = { stop.withLock { $0 } }
    let rows = try KeptRows.computed(
      count, bytes: 8, keptAt: path, unit: 4, every: interval, workers: workers,
      isCancelled: isCancelled, state: ()
    ) { _, range, target in
      if let failing, range.contains(failing) { throw Failure() }
      computed.withLock { $0.append(range.lowerBound) }
      for (row, number) in range.enumerated() {
        target.storeBytes(of: Int32(number), toByteOffset: 8 * row, as: Int32.self)
        target.storeBytes(of: Int32(range.count), toByteOffset: 8 * row + 4, as: Int32.self)
      }
      if let last, range.contains(last) { stop.withLock { $0 = true } }
    }
    return (try rows.all(as: Int32.self), computed.withLock { $0.sorted() })
  }

  private static let all: [Int32] = (0..<41).flatMap { row -> [Int32] in [row, row < 40 ? 4 : 1] }

  @Test func rowsAreWhatWasComputedWhateverTheWorkersAndTakenAsTheyAreLater() throws {
    for workers in [1, 3] {
      let kept = "\(path)\(workers)"
      let first = try rows(kept, workers: workers)
      #expect(first.rows == Self.all && first.computed == Array(stride(from: 0, to: 41, by: 4)))
      let second = try rows(kept, workers: workers, failing: 0)
      #expect(second.rows == Self.all && second.computed == [])
    }
    #expect(try folder.files == ["rows.bin1", "rows.bin3"])
    #expect(try rows(nil, workers: 2).rows == Self.all)
  }

  @Test(arguments: [0, 17, 36, 40])
  func whoIsStoppedGoesOnWithTheRest(last: Int) throws {
    if last < 40 {
      #expect(throws: TrainingError.cancelled) { try rows(path, stoppedAfter: last) }
      #expect(try folder.files == ["rows.bin.unfinished"])
    } else {
      #expect(throws: Never.self) { try rows(path, stoppedAfter: last) }
    }
    let again = try rows(path, workers: 2)
    #expect(again.rows == Self.all)
    #expect(again.computed == Array(stride(from: last / 4 * 4 + 4, to: 41, by: 4)))
    #expect(try folder.files == ["rows.bin"])
  }

  /// As after a kill, nothing is kept at the end.
  @Test func whoIsKilledGoesOnWithWhatWasKeptLast() throws {
    #expect(throws: Failure.self) { try rows(path, failing: 20) }
    #expect(try rows(path).computed.first == 0, "the interval wasn't over")
    try FileManager.default.removeItem(atPath: path)
    #expect(throws: Failure.self) { try rows(path, every: .zero, failing: 20) }
    let again = try rows(path)
    #expect(again.rows == Self.all && again.computed.first == 20)
  }

  @Test func ofSeveralWorkersOfWhomOneFailsOnlyRowsThatAreThereAreKept() throws {
    for failing in stride(from: 0, to: 41, by: 4) {
      #expect(throws: Failure.self) {
        try rows(path, workers: 3, every: .zero, failing: failing)
      }
      let again = try rows(path, workers: 3)
      #expect(again.rows == Self.all)
      #expect(again.computed.contains(failing))
      try FileManager.default.removeItem(atPath: path)
    }
  }

  /// Between the last row and the file's name, as after a kill.
  @Test func allRowsAreNotComputedAgainForWantOfAName() throws {
    _ = try rows(path)
    #expect(rename(path, "\(path).unfinished") == 0)
    #expect(try rows(path, failing: 0).rows == Self.all)
    #expect(try folder.files == ["rows.bin"])
  }

  @Test func aFileOfOtherRowsIsRefusedAndAnUnfinishedOneBegunAnew() throws {
    _ = try rows(path)
    #expect(throws: TrainingError.badCheckpoint(path: path, detail: "it isn't of 12 pairs")) {
      try rows(path, count: 12)
    }
    try FileManager.default.removeItem(atPath: path)
    #expect(throws: TrainingError.cancelled) { try rows(path, stoppedAfter: 8) }
    #expect(try rows(path, count: 12).computed == [0, 4, 8])
    // How many rows there are can't be more than there are.
    try FileManager.default.removeItem(atPath: path)
    try Data(repeating: 0x7F, count: 41 * 8 + 8).write(
      to: URL(fileURLWithPath: "\(path).unfinished"))
    #expect(try rows(path).rows == Self.all)
  }

  @Test func noRowsAreAnEmptyFile() throws {
    #expect(try rows(path, count: 0).rows == [])
    #expect(try rows(path, count: 0).rows == [])
  }
}
