import Foundation

/// A command of this package as a process.
public struct Tool: Sendable {
  public var path: String

  public init(path: String) { self.path = path }

  /// The one of this name that lies beside the running command.
  public init(beside name: String) {
    path =
      URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent(name).path
  }

  /// Its standard error is ours.
  /// - Throws: `BenchError` unless it succeeds.
  public func run(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw BenchError(
        "\(path) \(arguments.joined(separator: " ")) ended with \(process.terminationStatus)")
    }
  }
}

public struct BenchError: Error, CustomStringConvertible {
  public var description: String

  public init(_ description: String) { self.description = description }
}

/// 64 bits of a file's content (FNV-1a), in hex: results of another build, or of other settings, are told by it.
public func fingerprint(ofFile path: String) throws -> String {
  let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
  let hash = data.withUnsafeBytes { bytes in
    bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
  return String(hash, radix: 16)
}

public func say(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

/// snake_case keys, sorted.
public func json(_ value: some Encodable) throws -> Data {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
  encoder.keyEncodingStrategy = .convertToSnakeCase
  return try encoder.encode(value) + Data("\n".utf8)
}
