/// How the shards of a list stand to what a folder knows.
struct ShardSurvey {
  /// In the order of the list.
  var new = Increment.ShardTable()
  /// Published, and no longer what was published.
  var stale: [StaleShard] = []
  /// Known and still there, but not in the list.
  var unlisted = 0
  var notes: [String] = []
}

/// A shard that pairs were published of, and that isn't there any more as it was.
public struct StaleShard: Sendable, Equatable {
  public enum Change: String, Sendable, Codable { case changed, gone }

  /// Its number in the folder.
  public var index: Int
  public var path: String
  public var change: Change
  /// The clean shards that hold pairs of it, and how many.
  public var published: [String: Int] = [:]
}

extension ShardSurvey {
  /// Says what is to be known of the list beside what is new in it.
  func tell(_ observe: RunObserver) {
    for note in notes.prefix(20) { observe(.note(note)) }
    if notes.count > 20 { observe(.note("... and \(notes.count - 20) more such shards")) }
    if unlisted > 0 {
      observe(
        .note(
          "not in the list: \(counted(unlisted, "shard")), cleaned before; what was made of them stays"
        ))
    }
  }
}
