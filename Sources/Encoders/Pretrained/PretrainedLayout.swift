import Foundation
import Layers

/// How a family of models lays out its folder.
protocol PretrainedLayout {
  /// Nil where the folder isn't of this layout.
  ///
  /// - Throws: `PretrainedError`, `TensorFileError`.
  init?(folder: String) throws

  /// The member that the folder describes; its name is left empty.
  var configuration: MemberConfiguration { get }
  /// Of the weights, without `.safetensors`.
  var stem: String { get }
  /// Names of the files beside weights and tokenizer that decide an embedding, if they are there.
  var files: [String] { get }
  /// Where the weights of one of our parameters come from.
  func source(of parameter: String, in files: WeightFiles) -> WeightSource?
}

extension ImageConfiguration {
  /// Refuses a preparation that isn't the encoder's own.
  mutating func set(
    mean: [Float]?, deviation: [Float]?, file: String
  ) throws(PretrainedError) {
    guard mean?.count ?? 3 == 3, deviation?.count ?? 3 == 3 else {
      throw .unreadable(file: file, reason: "mean and deviation need three numbers each")
    }
    // OpenAI's, which all these models take unless they say otherwise.
    self.mean = mean ?? [0.48145466, 0.4578275, 0.40821073]
    self.deviation = deviation ?? [0.26862954, 0.26130258, 0.27577711]
    alpha = .dropped
  }
}

/// Which tensors of a family hold a block's weights, by our own name within the block.
typealias BlockNames = [String: WeightSource]

extension BlockNames {
  /// `image.block3.attn.qkv.weight` with the prefix `image.block` is block 3's `attn.qkv.weight`.
  static func split(_ parameter: String, prefix: String) -> (block: String, name: String)? {
    guard parameter.hasPrefix(prefix) else { return nil }
    let rest = parameter.dropFirst(prefix.count)
    guard let dot = rest.firstIndex(of: ".") else { return nil }
    return (String(rest[..<dot]), String(rest[rest.index(after: dot)...]))
  }

  /// The source of a parameter of a block.
  ///
  /// - Parameter block: the family's prefix of a block, its number left out.
  func source(of parameter: String, prefix: String, block: String) -> WeightSource? {
    guard let (number, name) = Self.split(parameter, prefix: prefix), let source = self[name]
    else { return nil }
    return WeightSource(source.tensors.map { "\(block)\(number).\($0)" }, source.form)
  }
}
