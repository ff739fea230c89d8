import CXXHash
import Foundation
import Layers
import TensorFiles

/// A CLIP model from a local folder: Hugging Face's `CLIPModel` or `ChineseCLIPModel`, or OpenCLIP's safetensors layout.
///
///     let model = try PretrainedModel(folder: "/models/clip-vit-base-patch32")
///     let rows = PairEncoder(model.encoder).texts(["a red fish"])
public final class PretrainedModel: Sendable {
  public let folder: String
  /// Of both towers, and how an image is made ready.
  public let configuration: MemberConfiguration
  public let encoder: FrozenEncoder
  /// Names of the files in the folder that decide an embedding.
  public let files: [String]
  /// 32 hex digits (XXH3-128) over those files.
  public let digest: String
  /// Of a model that `winnow train` left, what identifies the shards that it learnt from, empty if that wasn't noted;
  /// nil of others' models.
  public let trainedOn: String?

  /// Reads the weights, in float32 whatever the file's type: they lie in memory once.
  ///
  /// - Parameters:
  ///   - name: of the member; by default the folder's.
  ///   - tokenizer: instead of the one in the folder.
  /// - Throws: `PretrainedError`, `TensorFileError`, `TokenizerError`, `MemberConfigurationError`.
  public init(
    folder: String, name: String? = nil, tokenizer: (any CaptionTokenizer)? = nil
  ) throws {
    let layouts: [any PretrainedLayout.Type] = [
      HuggingFaceLayout.self, OpenCLIPLayout.self, WinnowLayout.self,
    ]
    var found: (any PretrainedLayout)?
    for layout in layouts where found == nil { found = try layout.init(folder: folder) }
    guard let layout = found else { throw PretrainedError.unknownLayout(folder: folder) }
    var configuration = layout.configuration
    configuration.name = name ?? Self.name(of: folder)
    try configuration.check()
    let weights = try WeightFiles(folder: folder, stem: layout.stem)
    let cutter = try tokenizer ?? makeTokenizer(configuration.text)
    let encoder = DualEncoder(configuration, seed: 0, tokenizer: cutter)
    for parameter in encoder.parameters + encoder.frozen {
      guard let source = layout.source(of: parameter.name, in: weights) else {
        preconditionFailure("\(type(of: layout)) has no source of \(parameter.name)")
      }
      try source.load(into: parameter, from: weights)
    }
    let beside = (layout.files + TokenizerFiles.names).map { "\(folder)/\($0)" }.filter {
      FileManager.default.fileExists(atPath: $0)
    }
    files = (beside + weights.paths).map { ($0 as NSString).lastPathComponent }
    digest = try Self.digest(of: files, in: folder)
    trainedOn = (layout as? WinnowLayout)?.trainedOn
    self.folder = folder
    self.configuration = configuration
    self.encoder = FrozenEncoder(encoder)
  }

  /// The last component of the path, as a member may be called.
  private static func name(of folder: String) -> String {
    let last = ((folder as NSString).standardizingPath as NSString).lastPathComponent
    return String(
      last.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "-" })
  }

  private static func digest(of files: [String], in folder: String) throws -> String {
    let state = XXH3_createState()
    defer { XXH3_freeState(state) }
    XXH3_128bits_reset(state)
    for name in files.sorted() {
      let file = "\(folder)/\(name)"
      XXH3_128bits_update(state, name, name.utf8.count + 1)
      guard let handle = FileHandle(forReadingAtPath: file) else {
        throw PretrainedError.unreadable(file: file, reason: "it can't be opened")
      }
      defer { try? handle.close() }
      while let block = try handle.read(upToCount: 1 << 22), !block.isEmpty {
        block.withUnsafeBytes { _ = XXH3_128bits_update(state, $0.baseAddress, $0.count) }
      }
    }
    return hexadecimal(XXH3_128bits_digest(state))
  }
}

/// 32 digits.
func hexadecimal(_ hash: XXH128_hash_t) -> String {
  [hash.high64, hash.low64].map { half in
    let digits = String(half, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }.joined()
}
