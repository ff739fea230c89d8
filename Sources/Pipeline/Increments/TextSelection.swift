import Foundation
import Shards

/// The files of unpaired text that a training reads.
public struct TextSelection: Sendable {
  let files: [ShardPath]
  /// What a text file's name ends in; shards of text have a shard's.
  static let suffixes = [".txt", ".txt.gz", ".txt.zst", ".txt.bz2", ".txt.xz"]

  public var isEmpty: Bool { files.isEmpty }

  /// - Parameter arguments: text files (a passage a line), text-only shards, or folders of both, which are walked in the
  ///   order of their paths' bytes.
  /// - Throws: `RunError.usage` for what isn't there, or a folder without text.
  public init(_ arguments: [String]) throws(RunError) {
    var files: [String] = []
    for argument in arguments {
      var isDirectory: ObjCBool = false
      guard FileManager.default.fileExists(atPath: argument, isDirectory: &isDirectory) else {
        throw .usage("--text: \(argument): no such file or folder")
      }
      files += isDirectory.boolValue ? try Self.files(below: argument) : [argument]
    }
    self.files = files.map(ShardPath.init)
  }

  private static func files(below folder: String) throws(RunError) -> [String] {
    let suffixes = Self.suffixes + ShardPath.suffixes
    do {
      return try ShardFolder.files(below: folder, suffixes: suffixes, followsFiles: true)
    } catch .emptyFolder {
      throw .usage("--text: \(folder) holds no text (\(suffixes.joined(separator: ", ")))")
    } catch {
      throw .usage("--text: \(error)")
    }
  }
}
