/// Rounds to whole numbers with the same (rounded) sum, as cleanlab does: each to the nearest, halves to even; then ones
/// are added where rounding took most away, or taken where it added most, until the sum is right.
///
/// Of equal remainders, the higher index gets a one and the lower index loses one: numpy's stable sort, read from its
/// end or from its beginning.
func roundedPreservingSum(_ values: [Double]) -> [Int] {
  var rounded = values.map { $0.rounded(.toNearestOrEven) }
  let sum = pairwiseSum(values).rounded(.toNearestOrEven)
  while true {
    let missing = (sum - pairwiseSum(rounded).rounded(.toNearestOrEven))
    if abs(missing) < 0.5 { return rounded.map { Int($0) } }
    let ascending = values.indices.sorted {
      (values[$0] - rounded[$0], $0) < (values[$1] - rounded[$1], $1)
    }
    let changes = min(Int(abs(missing)), values.count)
    if missing > 0 {
      for index in ascending.reversed().prefix(changes) { rounded[index] += 1 }
    } else {
      for index in ascending.prefix(changes) { rounded[index] -= 1 }
    }
  }
}
