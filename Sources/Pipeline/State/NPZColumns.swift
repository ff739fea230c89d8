import Foundation
import TensorFiles

/// The columns of one of a run's npz files by name and type.
struct NPZColumns {
  /// The column that each of these files carries.
  static let formatVersion = (
    name: "format_version", array: NPYArray.int64([Int64(StateJSON.formatVersion)], shape: [1])
  )

  private let path: String
  private let columns: [String: NPYArray]

  /// - Throws: `RunError.file` where the system refuses to read it, `.damagedState` where it is no such file, `.otherFormat`.
  /// - Parameter wanted: the columns to read; nil for all.
  init(path: String, only wanted: Set<String>? = nil) throws(RunError) {
    self.path = path
    do throws(TensorFileError) {
      columns = try NPZ.read(path, columns: wanted?.union([Self.formatVersion.name]))
    } catch {
      // libarchive tells of a file that it can't make sense of as of one that the system refuses.
      _ = try Digest.ofFile(path, cancellation: Cancellation())
      let detail =
        switch error {
        case .malformed(_, _, let reason), .unsupported(_, _, let reason): reason
        case .io, .unwritable: "it is empty, cut short or no archive of columns"
        }
      throw .damagedState(file: path, detail: detail)
    }
    let version = try integers(Self.formatVersion.name).first.map { Int($0) }
    guard version == StateJSON.formatVersion else {
      throw .otherFormat(file: path, found: version ?? 0, expected: StateJSON.formatVersion)
    }
  }

  func bytes(_ name: String) throws(RunError) -> ByteStrings {
    guard case .bytes(let values)? = columns[name] else { throw wrong(name) }
    return values
  }

  func text(_ name: String) throws(RunError) -> [String] {
    try bytes(name).map { String(decoding: $0, as: UTF8.self) }
  }

  func floats(_ name: String) throws(RunError) -> (values: [Float], shape: [Int]) {
    guard case .float32(let values, let shape)? = columns[name] else { throw wrong(name) }
    return (values, shape)
  }

  func integers(_ name: String) throws(RunError) -> [Int64] {
    guard case .int64(let values, _)? = columns[name] else { throw wrong(name) }
    return values
  }

  func octets(_ name: String) throws(RunError) -> [UInt8] {
    guard case .uint8(let values, _)? = columns[name] else { throw wrong(name) }
    return values
  }

  func flags(_ name: String) throws(RunError) -> [Bool] {
    guard case .bool(let values)? = columns[name] else { throw wrong(name) }
    return values
  }

  private func wrong(_ name: String) -> RunError {
    .damagedState(file: path, detail: "no column \(name) of the expected type")
  }
}
