/// Why an ensemble's files cannot be used. Every text names the file and what to do.
public enum EnsembleError: Error, Equatable, CustomStringConvertible {
  /// The file is missing, is not what it should be, or contradicts itself; `reason` says which.
  case unreadable(path: String, reason: String)
  case wrongFormat(path: String, found: Int, expected: Int)
  case missingTensor(path: String, name: String)
  case wrongShape(path: String, name: String, found: [Int], expected: [Int])
  /// A weight is infinite or no number, or a deviation is not above 0.
  case notFinite(path: String, name: String)

  public var description: String {
    let problem =
      switch self {
      case .unreadable(let path, let reason):
        "cannot use the ensemble file \(path): \(reason)"
      case .wrongFormat(let path, let found, let expected):
        "\(path) has format version \(found), this winnow reads \(expected)"
      case .missingTensor(let path, let name):
        "\(path) has no tensor '\(name)': it is of another architecture than ensemble.json"
      case .wrongShape(let path, let name, let found, let expected):
        "\(path): tensor '\(name)' has shape \(found), ensemble.json asks for \(expected)"
      case .notFinite(let path, let name):
        "\(path): tensor '\(name)' holds a value that nothing can be scored with"
      }
    return problem + "; train the ensemble again, or give another one with --ensemble"
  }
}
