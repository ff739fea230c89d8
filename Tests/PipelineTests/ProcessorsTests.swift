import Foundation
import Testing

@testable import Pipeline

@Suite struct ProcessorsTests {
  /// As Linux writes it: microseconds of a period.
  @Test(arguments: [
    ("200000 100000\n", 2), ("150000 100000\n", 2), ("100000 50000", 2), ("50000 100000\n", 1),
    ("1 100000\n", 1), ("6400000 100000\n", 64),
  ])
  func aShareOfTheTimeIsWorthSoManyProcessors(quota: String, count: Int) {
    #expect(processors(quota: quota) == count)
  }

  @Test(arguments: [
    "max 100000\n", "", "\n", "100000", "100000 100000 1", "0 100000", "-1 100000", "100000 0",
    "100000 -5", "nan 100000", "100000 nan", "inf 100000", "1e300 1", "a b",
  ])
  func whatSetsNoLimitIsWorthNone(quota: String) {
    #expect(processors(quota: quota) == nil)
  }

  @Test func thereAreNoMoreThanTheCores() {
    #expect((1...ProcessInfo.processInfo.activeProcessorCount).contains(usableProcessors))
  }
}
