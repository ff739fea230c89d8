import COpenBLAS

/// Whether a factor of a product is taken transposed.
public enum Transposed: Sendable { case no, yes }

/// OpenBLAS's own threads stay off: its thread count is global, and 1 and 2 threads give different bits. Winnow owns
/// the parallelism.
private let singleThreadedBLAS: Void = openblas_set_num_threads(1)

/// The kernel set that OpenBLAS picked for this machine, such as "SkylakeX": results are reproducible within one.
public func blasCore() -> String {
  _ = singleThreadedBLAS
  guard let name = openblas_get_corename() else { return "unknown" }
  return String(cString: name)
}

/// C = alpha * op(A) op(B) + beta * C, row-major; op(A) is `[m, k]`, op(B) `[k, n]`, C `[m, n]`.
@inline(__always)
public func multiply(
  _ a: UnsafePointer<Float>, _ transposeA: Transposed, _ b: UnsafePointer<Float>,
  _ transposeB: Transposed, into c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int,
  alpha: Float = 1, beta: Float = 0, lda: Int? = nil, ldb: Int? = nil, ldc: Int? = nil
) {
  _ = singleThreadedBLAS
  cblas_sgemm(
    CblasRowMajor, transposeA == .yes ? CblasTrans : CblasNoTrans,
    transposeB == .yes ? CblasTrans : CblasNoTrans, Int32(m), Int32(n), Int32(k), alpha, a,
    Int32(lda ?? (transposeA == .yes ? m : k)), b, Int32(ldb ?? (transposeB == .yes ? k : n)), beta,
    c, Int32(ldc ?? n))
}
