/// The sum of floating-point values in the order in which numpy adds a contiguous axis: eight running sums in blocks of
/// up to 128 values, blocks as a balanced tree.
///
/// Where a sum is rounded to a count or ranks examples, the last bit can decide; with the same order, it decides as it
/// does for cleanlab.
func pairwiseSum(_ values: UnsafeBufferPointer<Double>) -> Double {
  let count = values.count
  if count < 8 { return values.reduce(0, +) }
  if count > 128 {
    let half = count / 2 - count / 2 % 8
    return pairwiseSum(UnsafeBufferPointer(rebasing: values[..<half]))
      + pairwiseSum(UnsafeBufferPointer(rebasing: values[half...]))
  }
  var sums = SIMD8<Double>(repeating: 0)
  let whole = count - count % 8
  for start in stride(from: 0, to: whole, by: 8) {
    for lane in 0..<8 { sums[lane] += values[start + lane] }
  }
  var result =
    ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]))
  for index in whole..<count { result += values[index] }
  return result
}

func pairwiseSum(_ values: [Double]) -> Double {
  values.withUnsafeBufferPointer { pairwiseSum($0) }
}
