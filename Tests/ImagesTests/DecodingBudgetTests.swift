import Dispatch
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
