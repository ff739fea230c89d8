import Images
import Layers

/// The kind of an image encoder.
public enum ImageKind: String, Sendable, Codable, CaseIterable {
  /// A small residual network of convolutions.
  case convolutional
  /// CLIP's vision transformer.
  case transformer
  /// Patches encoded against a dictionary that was learnt from images alone, and a small trained head.
  case dictionary
}

/// An image encoder, and how an image is made ready for it.
public struct ImageConfiguration: Sendable, Equatable {
  public var kind: ImageKind
  /// Pixels a side of the square that it sees.
  public var side = 64
  /// How an image becomes square.
  public var geometry = Geometry.squash
  /// What becomes of transparency.
  public var alpha = AlphaHandling.onWhite
  /// Subtracted from each channel, in 0...1.
  public var mean: [Float] = [0.5, 0.5, 0.5]
  /// Divides each channel after that.
  public var deviation: [Float] = [0.5, 0.5, 0.5]

  /// Channels of each stage; a stage halves the side (`convolutional`).
  public var widths = [32, 64, 96, 128]
  /// Residual convolutions in each stage (`convolutional`).
  public var blocks = [0, 1, 1, 1]

  /// Pixels a side of a patch; of a `transformer` they divide the side, of a `dictionary` they are 4 ... 12.
  public var patch = 8

  /// Pixels from one patch to the next (`dictionary`).
  public var stride = 2
  /// Atoms of the dictionary (`dictionary`).
  public var atoms = 400
  /// Cells a side over which the patches are averaged (`dictionary`).
  public var grid = 2
  /// How likely a feature is left out at a training step (`dictionary`).
  public var dropout: Float = 0.5

  /// Columns of the rows (`transformer`, as all that follow but `hidden`).
  public var width = 128
  /// Blocks.
  public var depth = 4
  /// Attention heads, which divide the width.
  public var heads = 4
  /// Columns within the MLP; nil is four times the width, and 256 for a `dictionary`.
  public var hidden: Int?
  public var activation = Activation.quickGELU
  /// Of the normalisations.
  public var epsilon: Float = 1e-5

  public init(kind: ImageKind = .convolutional) {
    self.kind = kind
    if kind == .dictionary { patch = 6 }
  }

  /// A convolutional one.
  public init(widths: [Int], blocks: [Int]) {
    self.init(kind: .convolutional)
    self.widths = widths
    self.blocks = blocks
  }

  /// What of the preparation is done in whole pixels; kinds of member that share it share the thumbnail.
  public var thumbnail: ThumbnailForm {
    ThumbnailForm(side: side, geometry: geometry, alpha: alpha)
  }

  /// What the blocks see of an image at a time: its patches and the class row; 1 where it isn't cut into patches.
  var rows: Int {
    kind == .transformer ? 1 + (side / patch) * (side / patch) : 1
  }

  var transformer: TransformerShape {
    var shape = TransformerShape(width: width, depth: depth, heads: heads, hidden: hidden)
    shape.activation = activation
    shape.epsilon = epsilon
    return shape
  }
}

/// What is left out when it is read takes its default; what doesn't count for the kind, or seldom differs from its
/// default, is written only where it does.
extension ImageConfiguration: Codable {
  enum CodingKeys: String, CodingKey {
    case kind, side, geometry, alpha, mean, deviation, widths, blocks
    case patch, width, depth, heads, hidden, activation, epsilon
    case stride, atoms, grid, dropout
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func read<T: Decodable>(_ key: CodingKeys, _ value: inout T) throws {
      value = try values.decodeIfPresent(T.self, forKey: key) ?? value
    }
    self.init(kind: try values.decodeIfPresent(ImageKind.self, forKey: .kind) ?? .convolutional)
    try read(.side, &side)
    try read(.geometry, &geometry)
    try read(.alpha, &alpha)
    try read(.mean, &mean)
    try read(.deviation, &deviation)
    try read(.widths, &widths)
    try read(.blocks, &blocks)
    try read(.patch, &patch)
    try read(.stride, &stride)
    try read(.atoms, &atoms)
    try read(.grid, &grid)
    try read(.dropout, &dropout)
    try read(.width, &width)
    try read(.depth, &depth)
    try read(.heads, &heads)
    hidden = try values.decodeIfPresent(Int.self, forKey: .hidden)
    try read(.activation, &activation)
    try read(.epsilon, &epsilon)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(kind, forKey: .kind)
    try values.encode(side, forKey: .side)
    try values.encode(geometry, forKey: .geometry)
    let usual = ImageConfiguration()
    try values.encode(alpha, unless: usual.alpha, forKey: .alpha)
    try values.encode(mean, unless: usual.mean, forKey: .mean)
    try values.encode(deviation, unless: usual.deviation, forKey: .deviation)
    switch kind {
    case .convolutional:
      try values.encode(widths, forKey: .widths)
      try values.encode(blocks, forKey: .blocks)
    case .transformer:
      try values.encode(patch, forKey: .patch)
      try values.encode(width, forKey: .width)
      try values.encode(depth, forKey: .depth)
      try values.encode(heads, forKey: .heads)
      try values.encodeIfPresent(hidden, forKey: .hidden)
      try values.encode(activation, unless: usual.activation, forKey: .activation)
      try values.encode(epsilon, unless: usual.epsilon, forKey: .epsilon)
    case .dictionary:
      try values.encode(patch, forKey: .patch)
      try values.encode(stride, forKey: .stride)
      try values.encode(atoms, forKey: .atoms)
      try values.encode(grid, forKey: .grid)
      try values.encodeIfPresent(hidden, forKey: .hidden)
      try values.encode(dropout, forKey: .dropout)
    }
  }
}

extension KeyedEncodingContainer {
  /// Leaves out what every reader takes for granted.
  mutating func encode<T: Encodable & Equatable>(
    _ value: T, unless usual: T, forKey key: Key
  ) throws {
    if value != usual { try encode(value, forKey: key) }
  }
}
