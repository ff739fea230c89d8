import Foundation

/// What one kind of member is made of.
public struct MemberConfiguration: Sendable, Equatable {
  /// A short name, unique in the ensemble; scores are reported under it.
  public var name: String
  public var image: ImageConfiguration
  public var text: TextConfiguration
  /// The dimension of the shared embedding space.
  public var dimension: Int
  /// Decides what is drawn while the member is trained; nil takes the ensemble's.
  public var seed: UInt64?
  /// How many snapshots along training count as members; 1 is the trained member alone.
  public var snapshots: Int
  /// A folder with the weights of a pretrained CLIP model; `image`, `text` and `dimension` are then its own.
  public var pretrained: String?

  public init(
    name: String, image: ImageConfiguration = ImageConfiguration(),
    text: TextConfiguration = TextConfiguration(), dimension: Int = 256, seed: UInt64? = nil,
    snapshots: Int = 1, pretrained: String? = nil
  ) {
    self.name = name
    self.image = image
    self.text = text
    self.dimension = dimension
    self.seed = seed
    self.snapshots = snapshots
    self.pretrained = pretrained
  }
}

/// What is left out when a member is read takes its default.
extension MemberConfiguration: Codable {
  enum CodingKeys: String, CodingKey {
    case name, image, text, dimension, seed, snapshots, pretrained
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(name: "")
    pretrained = try values.decodeIfPresent(String.self, forKey: .pretrained)
    let folder = pretrained.map { ($0 as NSString).lastPathComponent }
    name = try values.decodeIfPresent(String.self, forKey: .name) ?? folder ?? ""
    image = try values.decodeIfPresent(ImageConfiguration.self, forKey: .image) ?? image
    text = try values.decodeIfPresent(TextConfiguration.self, forKey: .text) ?? text
    dimension = try values.decodeIfPresent(Int.self, forKey: .dimension) ?? dimension
    seed = try values.decodeIfPresent(UInt64.self, forKey: .seed)
    snapshots = try values.decodeIfPresent(Int.self, forKey: .snapshots) ?? snapshots
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(image, forKey: .image)
    try values.encode(text, forKey: .text)
    try values.encode(dimension, forKey: .dimension)
    try values.encodeIfPresent(seed, forKey: .seed)
    try values.encode(snapshots, unless: 1, forKey: .snapshots)
    try values.encodeIfPresent(pretrained, forKey: .pretrained)
  }

  /// Members that together are written with every key there is, for those who check the keys of a file.
  public static var examples: [MemberConfiguration] {
    var image = ImageConfiguration(kind: .transformer)
    (image.alpha, image.mean, image.deviation) = (.dropped, [], [])
    (image.hidden, image.activation, image.epsilon) = (0, .gelu, 0)
    var text = TextConfiguration(kind: .transformer, tokens: .bytePairs, vocabulary: "")
    (text.hidden, text.causal, text.activation, text.epsilon) = (0, false, .gelu, 0)
    return [
      MemberConfiguration(name: "", image: ImageConfiguration(kind: .dictionary)),
      MemberConfiguration(name: "", seed: 0, snapshots: 2, pretrained: ""),
      MemberConfiguration(name: "", image: image, text: text),
    ]
  }
}
