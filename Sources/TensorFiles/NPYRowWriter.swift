import Foundation

/// Writes a matrix to an `.npy` file row by row, when how many there will be isn't known yet: the file never lies in
/// memory. What isn't `finish`ed is no whole file.
public final class NPYRowWriter {
  /// The type of the numbers in the file.
  public enum Element: String, Sendable {
    case float16 = "<f2"
    case float32 = "<f4"
  }

  private let file: DurableFile
  private let columns: Int
  private let element: Element
  /// Rows written so far.
  public private(set) var rows = 0

  /// - Throws: `TensorFileError.io`.
  public init(_ path: String, columns: Int, element: Element) throws(TensorFileError) {
    self.columns = columns
    self.element = element
    file = try DurableFile(creating: path)
    try file.write(header)
  }

  /// Always of one length, so that the number of rows can be set at the end.
  private var header: [UInt8] {
    let header = NPYHeader(descr: element.rawValue, fortranOrder: false, shape: [rows, columns])
    return header.encoded(length: 128)
  }

  /// - Parameter values: whole rows, `[rows, columns]`.
  public func append(_ values: [Float]) throws(TensorFileError) {
    precondition(values.count.isMultiple(of: columns), "\(values.count) values are no whole rows")
    rows += values.count / columns
    switch element {
    case .float16: try file.write(values.map { Float16($0) })
    case .float32: try file.write(values)
    }
  }

  /// Writes how many rows there are, and syncs the file.
  public func finish() throws(TensorFileError) {
    try file.rewrite(header)
    try file.finish()
  }
}
