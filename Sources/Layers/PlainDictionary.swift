/// Slow versions of the kernels of `Dictionary.c`.
extension Plain {
  /// The patches that `vm_normalised_patches` writes, and their places.
  static func normalisedPatches(
    _ image: [Float], side: Int, patch: Int, stride: Int, across: Int, rows: Range<Int>,
    regulariser: Float
  ) -> (patches: [Float], places: [Int32]) {
    var (patches, places) = ([Float](), [Int32]())
    for row in rows {
      for column in 0..<across {
        let values = (0..<patch).flatMap { y in
          (0..<(3 * patch)).map { x in
            Double(image[((row * stride + y) * side + column * stride) * 3 + x])
          }
        }
        if values.allSatisfy({ $0 == values[0] }) { continue }
        let mean = values.reduce(0, +) / Double(values.count)
        let variance =
          values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
        let deviation = (variance + Double(regulariser)).squareRoot()
        patches += values.map { Float(($0 - mean) / deviation) }
        places.append(Int32(row * across + column))
      }
    }
    return (patches, places)
  }

  /// What `vm_two_sided_pool` adds to sums that were 0.
  static func twoSidedPool(
    _ x: [Float], bias: [Float], threshold: Float, places: [Int32], cells: [Int32], count: Int
  ) -> [Float] {
    let atoms = bias.count
    var sums = [Double](repeating: 0, count: count * 2 * atoms)
    for (row, place) in places.enumerated() {
      let start = Int(cells[Int(place)]) * 2 * atoms
      for k in 0..<atoms {
        let f = Double(x[row * atoms + k]) + Double(bias[k])
        sums[start + k] += max(f - Double(threshold), 0)
        sums[start + atoms + k] += max(-f - Double(threshold), 0)
      }
    }
    return sums.map { Float($0) }
  }

  /// The index of the value farthest from 0, the first of equal ones.
  static func farthest(_ x: [Float]) -> Int {
    x.indices.reduce(0) { abs(x[$1]) > abs(x[$0]) ? $1 : $0 }
  }
}
