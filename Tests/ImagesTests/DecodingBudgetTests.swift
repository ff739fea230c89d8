import Foundation
import Synchronization
import Testing

@testable import Images

@Suite struct DecodingBudgetTests {
  private struct Usage {
    var now = 0
    var most = 0
    var done = 0
  }

  /// Spends on several threads and says what was spent at the same time.
  private func spend(_ costs: [Int], of bytes: Int) -> (most: Int, done: Int) {
    let budget = DecodingBudget(bytes: bytes)
    let usage = Mutex(Usage())
    DispatchQueue.concurrentPerform(iterations: costs.count) { index in
      try? budget.spend(costs[index]) { () throws(ImageError) in
        usage.withLock {
          $0.now += costs[index]
          $0.most = max($0.most, $0.now)
        }
        for _ in 0..<200 { _ = usage.withLock { $0.now } }
        usage.withLock {
          $0.now -= costs[index]
          $0.done += 1
        }
        if index % 3 == 0 { throw .truncated(.jpeg, detail: "what failed gives back, too") }
      }
    }
    return usage.withLock { ($0.most, $0.done) }
  }

  @Test func neverMoreThanTheBudgetIsSpentAtATime() {
    let (most, done) = spend((0..<400).map { 10 + $0 % 50 }, of: 100)
    #expect(done == 400)
    #expect(most <= 100)
  }

  @Test func whatCostsMoreThanTheBudgetPassesAlone() {
    let (most, done) = spend((0..<200).map { $0 % 4 == 0 ? 1000 : 40 }, of: 100)
    #expect(done == 200)
    #expect(most == 1000)
  }

  @Test func aBudgetSmallerThanAnyImageStillLetsAllThrough() throws {
    let bytes = try Goldens.bytes("jpeg-progressive.jpg")
    let whole = try ImageDecoder().decode(bytes)
    var decoder = ImageDecoder()
    decoder.budget = DecodingBudget(bytes: 1)
    let patient = decoder
    let right = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: 16) { _ in
      if (try? patient.decode(bytes)) == whole { right.withLock { $0 += 1 } }
    }
    #expect(right.withLock { $0 } == 16)
  }

  /// The whole image, and squares of it, each with another treatment of its transparency.
  @Test(arguments: [nil, AlphaHandling.onWhite, .dropped, .droppedLast])
  func nothingIsDecodedWhileOthersSpendTheBudget(alpha: AlphaHandling?) throws {
    let bytes = try Goldens.bytes("png-rgba.png")
    let budget = DecodingBudget(bytes: 1000)
    var decoder = ImageDecoder()
    decoder.budget = budget
    let patient = decoder
    let isSpent = Atomic(false)
    let begins = Atomic(false)
    let isReleased = Atomic(false)
    /// Whether it was released when the image was there.
    let seen = Mutex<Bool?>(nil)
    Thread.detachNewThread {
      while !isSpent.load(ordering: .acquiring) { usleep(1000) }
      begins.store(true, ordering: .releasing)
      let isDecoded: Bool
      if let alpha {
        let form = ThumbnailForm(side: 4, alpha: alpha)
        isDecoded = (try? patient.thumbnails(of: bytes, forms: [form])) != nil
      } else {
        isDecoded = (try? patient.decode(bytes)) != nil
      }
      let wasReleased = isReleased.load(ordering: .acquiring)
      seen.withLock { $0 = isDecoded && wasReleased }
    }
    try budget.spend(1000) { () throws(ImageError) in
      isSpent.store(true, ordering: .releasing)
      while !begins.load(ordering: .acquiring) { usleep(1000) }
      // Long enough to decode it a hundred times.
      for _ in 0..<100 where seen.withLock({ $0 == nil }) { usleep(1000) }
      isReleased.store(true, ordering: .releasing)
    }
    for _ in 0..<60_000 where seen.withLock({ $0 == nil }) { usleep(1000) }
    #expect(seen.withLock { $0 } == true)
  }

  @Test func allDecodersOfTheProcessShareOneBudget() {
    #expect(ImageDecoder().budget === DecodingBudget.shared)
  }

  @Test(arguments: [
    ("jpeg-420.jpg", 3), ("jpeg-progressive.jpg", 9), ("jpeg-gray.jpg", 3), ("jpeg-cmyk.jpg", 4),
    ("png-rgba.png", 4), ("webp-lossless.webp", 8),
  ])
  func aProgressiveJPEGIsChargedForItsCoefficients(_ name: String, _ expected: Int) throws {
    let bytes = try Goldens.bytes(name)
    let found = try bytes.withUnsafeBufferPointer { buffer throws(ImageError) in
      switch ImageFormat.detect(bytes) {
      case .jpeg: try JPEGHandle(buffer).bytesPerPixel
      case .png: try PNGHandle(buffer).bytesPerPixel
      default: try WebPHandle(buffer).bytesPerPixel
      }
    }
    #expect(found == expected)
  }
}
