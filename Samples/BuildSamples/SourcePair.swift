import Foundation

/// An image file with its caption, before it has a place in the corpus.
struct SourcePair: Sendable, Equatable {
  /// Which collection it comes from: `openclipart` or `tuxpaint-stamps`.
  var source: String
  /// The folder that stands for its subject, e.g. `animals` or `stamps/animals`.
  var category: String
  /// Slash-separated, below the collection's folder; unique within `source`.
  var path: String
  var image: URL
  var caption: String

  /// Decides the pair's place in the corpus, so it may not depend on where the packages were unpacked.
  var identity: String { "\(source)/\(path)" }
}

/// What a walk over a collection found, and what it left out and why.
struct Harvest {
  var pairs: [SourcePair] = []
  var skipped: [String: Int] = [:]

  mutating func skip(_ reason: String) { skipped[reason, default: 0] += 1 }
}

/// Anything that stops the build; the text says what to do.
enum BuildError: Error, CustomStringConvertible {
  case noImages(folder: String)
  case unreadable(path: String, reason: String)
  case alreadyThere(path: String)

  var description: String {
    switch self {
    case .noImages(let folder):
      "\(folder): no PNG file with a caption; give the folder the Debian package was unpacked into"
    case .unreadable(let path, let reason):
      "\(path): cannot be read (\(reason)); unpack the packages again"
    case .alreadyThere(let path):
      "\(path) exists; a corpus is never rewritten, so remove it first or choose another --out"
    }
  }
}
