import ConfidentLearning
import Foundation
import TensorFiles

/// What `winnow labels --out` writes.
public enum LabelIssuesFile {
  /// The forms a file may have.
  public enum Form: Sendable, Equatable {
    /// `.npy`: the rows of the flagged, int64 `[flagged]`, the worst first: what cleanlab's `find_label_issues` returns
    /// when it is asked for a ranking.
    case indices
    /// `.npy`: bool `[n]`, what it returns when it isn't.
    case mask
    /// `.npz`: the flagged with what is known of each, and the noise model.
    case columns
  }

  /// Writes to a temporary file beside `path` and renames it.
  ///
  /// - Throws: `RunError`.
  public static func write(_ result: LabelIssues, as form: Form, to path: String) throws {
    let path = path.contains("/") ? path : "./\(path)"
    let publishing = Publishing(temporary: (path as NSString).deletingLastPathComponent)
    let rows = result.issues.map { Int64($0.row) }
    switch form {
    case .indices:
      try publishing.publish(Data(NPY.encode(.int64(rows, shape: [rows.count]))), to: path)
    case .mask:
      var mask = [Bool](repeating: false, count: result.model.count)
      for issue in result.issues { mask[issue.row] = true }
      try publishing.publish(Data(NPY.encode(.bool(mask))), to: path)
    case .columns: try publishing.publish(path) { try NPZ.write(columns(result, rows), to: $0) }
    }
  }

  private static func columns(
    _ result: LabelIssues, _ rows: [Int64]
  ) -> [(name: String, array: NPYArray)] {
    let model = result.model
    let classes = model.labelCounts.count
    func numbers(_ values: [Int64]) -> NPYArray { .int64(values, shape: [values.count]) }
    return [
      ("index", numbers(rows)),
      ("label", numbers(result.issues.map { Int64($0.label) })),
      ("predicted", numbers(result.issues.map { Int64($0.predicted) })),
      ("quality", .float64(result.issues.map(\.quality), shape: [rows.count])),
      ("label_counts", numbers(model.labelCounts.map { Int64($0) })),
      ("thresholds", .float64(model.thresholds, shape: [classes])),
      (
        "confident_joint",
        .int64(model.confidentJoint.values.map { Int64($0) }, shape: [classes, classes])
      ),
      ("calibrated_joint", .float64(model.calibratedJoint.values, shape: [classes, classes])),
      ("format_version", .int64([Int64(ClassLabelFormat.version)], shape: [1])),
    ]
  }
}
