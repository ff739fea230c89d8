/// The image features of past batches, first in, first out: more negatives than a batch holds (EfficientCLIP, section 3;
/// MoCo's queue, He et al. 2020, without its second encoder). No gradient flows into them.
public struct FeatureQueue: Sendable, Equatable {
  /// Columns of a row.
  public let columns: Int
  /// Rows that it holds at most.
  public let capacity: Int
  /// Unit rows `[count, columns]`, in the order of their places.
  public private(set) var rows: [Float] = []
  /// For each row, the number that pairs with an equal caption share.
  public private(set) var captions: [Int32] = []
  /// For each row, the number that pairs with an equal image share.
  public private(set) var images: [Int32] = []
  /// The place of the oldest row, which goes first; 0 until the queue is full.
  public private(set) var next = 0

  /// - Parameter capacity: 0 is a queue that stays empty.
  public init(capacity: Int, columns: Int) {
    self.capacity = capacity
    self.columns = columns
  }

  /// As it was kept.
  ///
  /// - Returns: nil where the arrays don't fit together.
  public init?(
    capacity: Int, columns: Int, rows: [Float], captions: [Int32], images: [Int32], next: Int
  ) {
    guard captions.count <= capacity, images.count == captions.count,
      rows.count == captions.count * columns, (0...max(0, capacity - 1)).contains(next)
    else { return nil }
    self.init(capacity: capacity, columns: columns)
    self.rows = rows
    self.captions = captions
    self.images = images
    self.next = next
  }

  /// How many rows it holds.
  public var count: Int { captions.count }

  /// Takes the features of a batch in, and lets the oldest go.
  ///
  /// - Parameters:
  ///   - features: unit rows `[batch, columns]`.
  ///   - captions: of each row.
  ///   - images: of each row.
  public mutating func push(_ features: Tensor, captions: [Int32], images: [Int32]) {
    precondition(features.columns == columns, "features \(features.shape), \(columns) columns")
    guard capacity > 0 else { return }
    for row in 0..<features.rows {
      let source = UnsafeBufferPointer(start: features.data + row * columns, count: columns)
      if count < capacity {
        rows += source
        self.captions.append(captions[row])
        self.images.append(images[row])
      } else {
        rows.replaceSubrange((next * columns)..<((next + 1) * columns), with: source)
        self.captions[next] = captions[row]
        self.images[next] = images[row]
        next = (next + 1) % capacity
      }
    }
  }
}
