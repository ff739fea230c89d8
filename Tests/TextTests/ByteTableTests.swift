import Testing

@testable import Text

@Suite struct ByteTableTests {
  @Test func keysOfEveryLengthAreTold() {
    var table = ByteTable()
    // Of zeros only, so that nothing but their number tells them apart.
    let keys = (0..<40).map { [UInt8](repeating: 0, count: $0) }
    for (id, key) in keys.enumerated() { table[key] = Int32(id) }
    let areFound = keys.indices.allSatisfy { table[keys[$0]] == Int32($0) }
    #expect(areFound && table.count == 40)
  }

  /// Words whose FNV-1a hashes end in a 512th of what they may end in: who knows a table's hash can choose such.
  private func crowdedWords(_ count: Int) -> [[UInt8]] {
    let prime: UInt64 = 0x100_0000_01B3
    var words: [[UInt8]] = []
    var number = 0
    while words.count < count {
      let stem = Array("word \(number) ".utf8)
      number += 1
      var state: UInt64 = 0xCBF2_9CE4_8422_2325
      for byte in stem { state = (state ^ UInt64(byte)) &* prime }
      var last: UInt64 = 0
      while last < 256 {
        let hash = (state ^ last) &* prime
        if (hash ^ (hash &>> 29)) & 0x1F_FFFF < 4096 { words.append(stem + [UInt8(last)]) }
        last += 1
      }
    }
    return Array(words[..<count])
  }

  /// The time to enter them all and find them again.
  private func time(_ words: [[UInt8]]) -> Duration {
    var table = ByteTable()
    var found = 0
    let duration = ContinuousClock().measure {
      for index in words.indices { table[words[index]] = Int32(index) }
      for index in words.indices where table[words[index]] == Int32(index) { found += 1 }
    }
    #expect(found == words.count && table.count == words.count)
    return duration
  }

  @Test func chosenWordsCostNoMoreThanOthers() {
    let count = 30_000
    let others = time((0..<count).map { Array("word \($0)".utf8) })
    let chosen = time(crowdedWords(count))
    let limit = others * 20 + .milliseconds(200)
    #expect(chosen < limit)
  }
}
