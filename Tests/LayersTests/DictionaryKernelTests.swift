import Testing
import VectorMath

@testable import Layers

/// The kernels of patch dictionaries against their plain versions, at sizes that leave every kind of vector tail.
@Suite struct DictionaryKernelTests {
  private var random = SeededRandom(seed: 23)

  private mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in random.normal() } }

  private func expectClose(
    _ fast: [Float], _ plain: [Float], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(fast.count == plain.count, sourceLocation: sourceLocation)
    for (a, b) in zip(fast, plain) where abs(a - b) > 2e-5 * max(1, abs(b)) {
      Issue.record("fast \(a), plain \(b)", sourceLocation: sourceLocation)
      return
    }
  }

  @Test(arguments: [(4, 1), (6, 2), (7, 3), (12, 4)])
  mutating func patchesAreNormalisedAndFlatOnesLeftOut(patch: Int, stride: Int) {
    let side = 21
    let across = (side - patch) / stride + 1
    var image = floats(side * side * 3)
    // A corner of one value, whose sums don't round to it.
    for y in 0..<(patch + 1) { for x in 0..<(3 * patch + 3) { image[y * side * 3 + x] = 0.1 } }
    for rows in [0..<across, 1..<across] {
      var patches = [Float](repeating: 0, count: rows.count * across * patch * patch * 3)
      var places = [Int32](repeating: 0, count: rows.count * across)
      let found = vm_normalised_patches(
        image, side, patch, stride, across, rows.lowerBound, rows.count, 0.06, &patches, &places)
      let plain = Plain.normalisedPatches(
        image, side: side, patch: patch, stride: stride, across: across, rows: rows,
        regulariser: 0.06)
      #expect(Array(places[..<found]) == plain.places)
      #expect(rows.lowerBound > 0 || !plain.places.contains(0), "the corner is flat")
      expectClose(Array(patches[..<(found * patch * patch * 3)]), plain.patches)
    }
  }

  @Test(arguments: [1, 7, 16, 37, 400]) mutating func responsesArePooledOnBothSides(atoms: Int) {
    let places: [Int32] = [0, 2, 3, 5, 5]
    let cells: [Int32] = [0, 0, 1, 1, 2, 2]
    let (x, bias) = (floats(places.count * atoms), floats(atoms))
    var sums = [Float](repeating: 0, count: 3 * 2 * atoms)
    vm_two_sided_pool(x, places.count, atoms, bias, 0.5, places, cells, &sums)
    expectClose(
      sums,
      Plain.twoSidedPool(x, bias: bias, threshold: 0.5, places: places, cells: cells, count: 3))
    #expect(sums.allSatisfy { $0 >= 0 } && sums.contains { $0 > 0 })
  }

  @Test(arguments: [1, 5, 16, 33, 400]) mutating func theFarthestFromZero(count: Int) {
    var x = floats(count)
    #expect(Int(vm_farthest(x, count)) == Plain.farthest(x))
    x[count / 2] = -9
    x[count - 1] = 9
    #expect(Int(vm_farthest(x, count)) == count / 2, "the first of equal ones")
  }

  @Test(arguments: [1, 15, 33]) mutating func halvesAreTheNearestOnes(count: Int) {
    let x = floats(count) + [0, 1, -2, 65504, 0x1p-14, 1 + 0x1p-11, 1 + 3 * 0x1p-11]
    var halves = [UInt16](repeating: 0, count: x.count)
    var y = x
    vm_to_halves(x, &halves, x.count)
    vm_from_halves(halves, &y, x.count)
    for (a, b) in zip(x, y) { #expect(abs(a - b) <= abs(a) * 0x1p-11) }
    #expect(Array(y.suffix(7)) == [0, 1, -2, 65504, 0x1p-14, 1, 1 + 0x1p-9], "ties to even")
  }
}
