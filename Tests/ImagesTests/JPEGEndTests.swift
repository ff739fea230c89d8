import Testing

@testable import Images

/// What stands before a JPEG's end marker. Where a restart is due, libjpeg calls it garbage whatever rows are missing, and
/// that is the only warning that it keeps.
@Suite struct JPEGEndTests {
  private let end: [UInt8] = [0xFF, 0xD9]

  private func isRead(_ bytes: [UInt8]) -> Bool { (try? ImageDecoder().decode(bytes)) != nil }

  private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  /// An image with a restart after each of its rows of blocks, and the places of the markers.
  private func withRestarts() throws -> (bytes: [UInt8], markers: [Int]) {
    let bytes = try Goldens.bytes("jpeg-restarts.jpg")
    let scan = try #require(bytes.indices.first { bytes[$0...].starts(with: [0xFF, 0xDA]) })
    let markers = (scan..<bytes.count - 1).filter {
      bytes[$0] == 0xFF && (0xD0...0xD7).contains(bytes[$0 + 1])
    }
    try #require(markers.count == 4)
    return (bytes, markers)
  }

  /// As a download leaves it that was written into a file made beforehand.
  @Test func zerosInPlaceOfTheLaterRowsAreAnError() throws {
    let (bytes, markers) = try withRestarts()
    #expect(isRead(bytes))
    for start in stride(from: markers[0], through: markers[3], by: 37) {
      let filled = Array(bytes[..<start]) + zeros(bytes.count - 2 - start) + end
      #expect(!isRead(filled), "zeros from \(start) of \(bytes.count) on")
    }
  }

  @Test func anImageThatEndsWhereARestartIsDueIsAnError() throws {
    let (bytes, markers) = try withRestarts()
    for marker in markers {
      for garbage in [[], zeros(6), Array("garbage".utf8)] {
        let cut = Array(bytes[..<marker]) + garbage + end
        #expect(!isRead(cut), "\(garbage.count) bytes from \(marker) on")
        // A harmless warning that comes before hides it neither.
        let tables = try #require(cut.indices.first { cut[$0...].starts(with: [0xFF, 0xDB]) })
        #expect(!isRead(Array(cut[..<tables]) + [7, 7] + Array(cut[tables...])))
      }
    }
  }

  @Test(arguments: [
    "jpeg-restarts.jpg", "jpeg-420.jpg", "jpeg-422.jpg", "jpeg-444.jpg", "jpeg-progressive.jpg",
    "jpeg-gray.jpg",
  ])
  func garbageBehindTheLastRowCostsNoPixel(_ name: String) throws {
    let bytes = try Goldens.bytes(name)
    let whole = try ImageDecoder().decode(bytes)
    // Of some lengths libjpeg reads a part ahead, which it doesn't count.
    let long = stride(from: 445, through: 6000, by: 333).map {
      [UInt8](repeating: 0x61, count: $0)
    }
    for garbage in [[7], zeros(6), [0xFF, 0, 0xFF, 0], zeros(6) + [0xFF], [0xFF, 0xFF]] + long {
      let longer = Array(bytes.dropLast(2)) + garbage + end
      #expect(try ImageDecoder().decode(longer) == whole, "\(garbage.count) bytes")
    }
  }
}
