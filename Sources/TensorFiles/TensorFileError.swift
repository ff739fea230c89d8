import Foundation

/// Why a tensor file could not be written or read; the text names the file, the tensor and what to
/// do.
public enum TensorFileError: Error, Equatable, CustomStringConvertible {
  /// The operating system or libarchive refused `action` (open, write, read, ...) on `file`.
  case io(file: String, action: String, reason: String)
  /// The file breaks its format, or one of its lengths lies.
  case malformed(file: String, tensor: String?, reason: String)
  /// The file is sound, but holds something that Winnow doesn't read.
  case unsupported(file: String, tensor: String?, reason: String)
  /// The caller's tensor can't be stored: its shape and values disagree, or its name is unusable.
  case unwritable(file: String, tensor: String, reason: String)

  /// A reason or a name of the file's own may be as long as the file: the beginning says enough.
  public var description: String {
    text.utf8.count <= 1000 ? text : text.prefix(1000) + "..."
  }

  private var text: String {
    switch self {
    case .io(let file, let action, let reason):
      "\(file): cannot \(action): \(reason); \(Self.remedy(for: reason))"
    case .malformed(let file, let tensor, let reason):
      "\(Self.place(file, tensor)): \(reason); the file is damaged, fetch or make it again"
    case .unsupported(let file, let tensor, let reason):
      "\(Self.place(file, tensor)): \(reason); convert it before it is read here"
    case .unwritable(let file, let tensor, let reason):
      "\(Self.place(file, tensor)): not written: \(reason)"
    }
  }

  private static func remedy(for reason: String) -> String {
    // libarchive puts words of its own before the system's.
    let isFull = [ENOSPC, EDQUOT, EFBIG].contains {
      reason.hasSuffix(String(cString: strerror($0)))
    }
    return isFull
      ? "make room and run the same command again"
      : "check the path, its permissions and the free space"
  }

  private static func place(_ file: String, _ tensor: String?) -> String {
    tensor.map { "\(file), tensor '\($0)'" } ?? file
  }
}
