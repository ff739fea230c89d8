import Foundation
import Shards

/// The shards that a command works on, and what was named to find them.
public struct ShardSelection: Sendable {
  let shards: ShardPaths
  /// The folders among what was named.
  let folders: [String]

  public var isEmpty: Bool { shards.isEmpty }
  public var paths: LazyMapSequence<ShardPaths, String> { shards.lazy.map(\.path) }

  /// - Parameter arguments: files, folders, brace patterns, or `-` for a list on standard input.
  /// - Throws: `RunError.usage` naming the argument or the line.
  public init(_ arguments: [String]) throws(RunError) {
    do {
      let list = try ShardList(arguments)
      (shards, folders) = (list.shards, list.folders)
    } catch {
      throw .usage("\(error)")
    }
  }

  init(shards: [ShardPath]) { (self.shards, folders) = (ShardPaths(shards), []) }

  /// Refuses commands, for what reads files only.
  /// - Throws: `RunError.usage`.
  public func checkFiles() throws(RunError) {
    if let pipe = paths.first(where: ShardPath.isPipe) {
      throw .usage("\(pipe): only commands that work on an output folder read `pipe:`; give a file")
    }
  }

  /// Refuses a folder of Winnow's, or one above it, that was named for its kept pairs: its rejected ones lie there too.
  /// - Throws: `RunError.usage`.
  public func checkKept() throws(RunError) {
    guard !folders.isEmpty else { return }
    let named = folders.map(realPath)
    var looked: Set<ShardPath> = []
    for path in paths where !ShardPath.isPipe(path) {
      let parent = (path as NSString).deletingLastPathComponent
      guard looked.insert(ShardPath(path: parent)).inserted else { continue }
      let rejected = realPath(parent)
      let output = RunDirectory((rejected as NSString).deletingLastPathComponent)
      guard rejected == output.rejected, named.contains(where: { isSameOrBelow(output.path, $0) }),
        FileManager.default.fileExists(atPath: output.increment(0))
      else { continue }
      throw .usage(
        "\(path) was rejected by Winnow, and isn't to be learnt from: name \(output.clean) instead")
    }
  }

  /// Refuses an output folder that the next run over the same arguments would read, and input that is output.
  /// - Parameter acceptsOutput: what Winnow wrote may be read: to train on, not to clean again.
  /// - Throws: `RunError.outputMeetsInput`, `.insideOutput`.
  func checkApart(from directory: RunDirectory, acceptsOutput: Bool = false) throws(RunError) {
    // Cleaning what Winnow wrote would judge kept pairs by what they taught.
    if !acceptsOutput, let found = winnowOutput {
      throw .insideOutput(shard: found.shard, output: found.folder)
    }
    if acceptsOutput { try checkKept() }
    let output = realPath(directory.path)
    for folder in folders where isSameOrBelow(output, realPath(folder)) {
      throw .outputMeetsInput(output: directory.path, input: folder)
    }
    var parents: Set<ShardPath> = []
    for path in paths where !ShardPath.isPipe(path) {
      parents.insert(ShardPath(path: (path as NSString).deletingLastPathComponent))
    }
    for parent in parents.map(\.path).sorted()
    where isSameOrBelow(realPath(parent), output) {
      throw .outputMeetsInput(output: directory.path, input: parent.isEmpty ? "." : parent)
    }
  }

  /// The first shard that lies in what Winnow wrote, and the folder of that.
  public var winnowOutput: (shard: String, folder: String)? {
    var innocent: Set<ShardPath> = []
    // Looked up once, for the sake of lists of a million.
    var real: [ShardPath: String] = [:]
    for shard in shards where !ShardPath.isPipe(shard.path) {
      let named = ShardPath(path: (shard.path as NSString).deletingLastPathComponent)
      var folder = real[named] ?? realPath(named.path.isEmpty ? "." : named.path)
      real[named] = folder
      if isLink(shard.path) {
        folder = (realPath(shard.path) as NSString).deletingLastPathComponent
      }
      while folder != "/", innocent.insert(ShardPath(path: folder)).inserted {
        if FileManager.default.fileExists(atPath: RunDirectory(folder).increment(0)) {
          return (shard.path, folder)
        }
        folder = (folder as NSString).deletingLastPathComponent
      }
    }
    return nil
  }
}

private func isSameOrBelow(_ path: String, _ folder: String) -> Bool {
  path == folder || path.hasPrefix(folder == "/" ? "/" : folder + "/")
}

private func isLink(_ path: String) -> Bool {
  var info = stat()
  return lstat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFLNK
}

/// Absolute, without links in what exists of it.
func realPath(_ path: String) -> String {
  let path = absolutePath(path)
  if let resolved = realpath(path, nil) {
    defer { free(resolved) }
    return String(cString: resolved)
  }
  let parent = (path as NSString).deletingLastPathComponent
  guard parent != path else { return path }
  let base = realPath(parent)
  return (base == "/" ? "" : base) + "/" + (path as NSString).lastPathComponent
}

/// Absolute, as ``Shards/plainPath(_:in:)`` has it. A command is itself.
public func absolutePath(_ path: String) -> String {
  let plain = plainPath(path)
  return plain.isEmpty ? "/" : String(decoding: plain, as: UTF8.self)
}
