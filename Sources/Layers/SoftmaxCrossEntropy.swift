import Glibc
import VectorMath

/// The negative log-likelihood of one class a row under the softmax of its logits.
public enum SoftmaxCrossEntropy {
  /// - Parameters:
  ///   - logits: `[rows, classes]`; afterwards the gradient of the weighted sum by the logits.
  ///   - targets: the class of each row.
  ///   - weight: what a row counts; 1 / rows makes the loss the mean.
  /// - Returns: the weighted sum, in nats.
  public static func apply(_ logits: Tensor, targets: [Int32], weight: Float) -> Float {
    let classes = logits.columns
    precondition(logits.rows == targets.count, "\(targets.count) targets for \(logits.shape)")
    vm_softmax_rows(logits.data, logits.rows, classes, nil)
    var loss = 0.0
    for (row, target) in targets.enumerated() {
      let place = row * classes + Int(target)
      loss -= Double(logf(max(logits.data[place], 1e-30)))
      logits.data[place] -= 1
    }
    let slopes = logits.data
    for i in 0..<logits.count { slopes[i] *= weight }
    return Float(loss * Double(weight))
  }
}
