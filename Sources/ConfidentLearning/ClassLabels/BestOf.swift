/// A flagged example, or a candidate for it.
public struct LabelIssue: Sendable, Equatable {
  /// Its number in the whole data set.
  public let row: Int
  /// The given label.
  public let label: Int32
  /// The likeliest class.
  public let predicted: Int32
  /// How good the given label looks, as ranked by; lower is worse.
  public let quality: Double
}

/// The best entries of each of many cells, as many as the cell has room for: those of the highest key, and of equal keys
/// those of the lowest row.
///
/// That order is total, so the best of a whole are the best of the best of its parts, in whatever order they come.
struct BestOf: Sendable {
  struct Entry: Sendable {
    var key: Double
    var issue: LabelIssue

    @inline(__always)
    func isBetter(than other: Entry) -> Bool {
      key > other.key || (key == other.key && issue.row < other.issue.row)
    }
  }

  /// Where each cell's entries begin; a heap each, its worst at the top.
  private let starts: [Int]
  private var sizes: [Int]
  /// None until the first offer, so that what is copied for each worker is small.
  private var entries: [Entry] = []

  /// - Parameter room: entries of each cell.
  init(room: [Int]) {
    var starts = [0]
    for size in room { starts.append(starts[starts.count - 1] + size) }
    self.starts = starts
    sizes = Array(repeating: 0, count: room.count)
  }

  /// The worst key of a cell that is full: what is below can't enter. -infinity where there is room, infinity where there
  /// never is.
  func floor(_ cell: Int) -> Double {
    let room = starts[cell + 1] - starts[cell]
    if room == 0 { return .infinity }
    return sizes[cell] < room ? -.infinity : entries[starts[cell]].key
  }

  /// - Returns: whether it entered.
  @discardableResult
  mutating func offer(_ entry: Entry, to cell: Int) -> Bool {
    if entries.isEmpty { entries = Array(repeating: entry, count: starts[starts.count - 1]) }
    let start = starts[cell]
    let size = sizes[cell]
    if size < starts[cell + 1] - start {
      sizes[cell] = size + 1
      rise(entry, at: size, start: start)
      return true
    }
    guard size > 0, entry.isBetter(than: entries[start]) else { return false }
    sink(entry, start: start, size: size)
    return true
  }

  mutating func merge(_ other: BestOf) {
    for cell in sizes.indices {
      for index in starts[cell]..<starts[cell] + other.sizes[cell] {
        offer(other.entries[index], to: cell)
      }
    }
  }

  /// The entries of all cells, in no order; an example may be in several.
  var issues: [LabelIssue] {
    var issues: [LabelIssue] = []
    issues.reserveCapacity(sizes.reduce(0, +))
    for cell in sizes.indices {
      for entry in entries[starts[cell]..<starts[cell] + sizes[cell]] { issues.append(entry.issue) }
    }
    return issues
  }

  private mutating func rise(_ entry: Entry, at position: Int, start: Int) {
    var position = position
    while position > 0 {
      let parent = (position - 1) / 2
      guard entries[start + parent].isBetter(than: entry) else { break }
      entries[start + position] = entries[start + parent]
      position = parent
    }
    entries[start + position] = entry
  }

  private mutating func sink(_ entry: Entry, start: Int, size: Int) {
    var position = 0
    while true {
      var child = 2 * position + 1
      if child >= size { break }
      if child + 1 < size, entries[start + child].isBetter(than: entries[start + child + 1]) {
        child += 1
      }
      guard entry.isBetter(than: entries[start + child]) else { break }
      entries[start + position] = entries[start + child]
      position = child
    }
    entries[start + position] = entry
  }
}
