import Encoders
import TensorFiles
import Text

/// A caption given as token ids, "10 3 7 11".
public struct TokenIDs: CaptionTokenizer {
  public init() {}

  public func tokens(of caption: String) -> CaptionTokens {
    CaptionTokens(ids: caption.split(separator: " ").compactMap { Int32($0) })
  }
}

/// A folder that Tests/Peers/make_clip_models.py made: a model, and what its own library makes of images and captions.
public struct ModelParity {
  public let model: PretrainedModel
  private let folder: String

  public init(folder: String) throws {
    self.folder = folder
    model = try PretrainedModel(folder: folder, name: "peer", tokenizer: TokenIDs())
  }

  /// The largest absolute difference between our unit rows and theirs.
  public func differences() throws -> (images: Float, texts: Float) {
    let encoder = PairEncoder(model.encoder)
    let (pixels, count) = try bytes("pixels")
    let size = pixels.count / count
    let images = encoder.images(count: count) { Array(pixels[($0 * size)..<(($0 + 1) * size)]) }
    let (tokens, lengths) = (try integers("tokens"), try integers("lengths"))
    let captions = lengths.enumerated().map { row, length in
      let first = row * tokens.count / count
      return tokens[first..<(first + Int(length))].map(String.init).joined(separator: " ")
    }
    return (
      try largest(images, "image_rows"), try largest(encoder.texts(captions), "text_rows")
    )
  }

  private func largest(_ ours: [Float], _ name: String) throws -> Float {
    guard case .float32(let theirs, _) = try array(name), theirs.count == ours.count else {
      return .infinity
    }
    return zip(ours, theirs).map { $0.isFinite ? abs($0 - $1) : .infinity }.max() ?? .infinity
  }

  private func array(_ name: String) throws -> NPYArray { try NPY.read("\(folder)/\(name).npy") }

  private func bytes(_ name: String) throws -> (values: [UInt8], count: Int) {
    guard case .uint8(let values, let shape) = try array(name) else { return ([], 1) }
    return (values, shape[0])
  }

  private func integers(_ name: String) throws -> [Int64] {
    guard case .int64(let values, _) = try array(name) else { return [] }
    return values
  }
}
