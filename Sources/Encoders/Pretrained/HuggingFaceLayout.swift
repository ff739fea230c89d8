import Foundation
import Layers

/// Hugging Face's `CLIPModel` and `ChineseCLIPModel`: config.json, model.safetensors, preprocessor_config.json.
struct HuggingFaceLayout: PretrainedLayout {
  let configuration: MemberConfiguration
  let stem = "model"
  let files = [
    "config.json", "preprocessor_config.json", "processor_config.json",
  ]
  private let isChinese: Bool

  init?(folder: String) throws {
    let exists = { (name: String) in FileManager.default.fileExists(atPath: "\(folder)/\(name)") }
    guard exists("config.json"),
      exists("model.safetensors") || exists("model.safetensors.index.json")
    else { return nil }
    let json = try ModelJSON(file: "\(folder)/config.json")
    switch json.string("model_type") {
    case "clip": isChinese = false
    case "chinese_clip": isChinese = true
    default: throw json.unsupported("model_type", known: "clip and chinese_clip")
    }
    // Old files give what is meant under `..._dict`.
    let vision = (json.object("vision_config") ?? json).overlaid(
      by: json.object("vision_config_dict"))
    let text = (json.object("text_config") ?? json).overlaid(by: json.object("text_config_dict"))
    configuration = MemberConfiguration(
      name: "", image: try Self.image(vision, folder: folder),
      text: isChinese ? try Self.wordPieces(text, folder) : try Self.bytePairs(text, folder),
      dimension: try json.integer("projection_dim", default: 512), pretrained: folder)
  }

  private static func activation(_ json: ModelJSON, _ usual: String) throws(PretrainedError)
    -> Activation
  {
    switch json.string("hidden_act") ?? usual {
    case "gelu": return .gelu
    case "quick_gelu": return .quickGELU
    default: throw json.unsupported("hidden_act", known: "gelu and quick_gelu")
    }
  }

  private static func image(
    _ json: ModelJSON, folder: String
  ) throws(PretrainedError) -> ImageConfiguration {
    var image = ImageConfiguration(kind: .transformer)
    try json.require("num_channels", toBe: "3")
    image.side = try json.integer("image_size", default: 224, in: ImageConfiguration.sides)
    image.patch = try json.integer("patch_size", default: 32)
    image.width = try json.integer("hidden_size", default: 768)
    image.depth = try json.integer("num_hidden_layers", default: 12)
    image.heads = try json.integer("num_attention_heads", default: 12)
    image.hidden = try json.integer("intermediate_size", default: 3072)
    image.activation = try activation(json, "quick_gelu")
    image.epsilon = try json.float("layer_norm_eps", default: 1e-5)
    try HuggingFacePreprocessing.apply(to: &image, folder: folder)
    return image
  }

  private static func bytePairs(
    _ json: ModelJSON, _ folder: String
  ) throws(PretrainedError) -> TextConfiguration {
    var text = TextConfiguration(
      kind: .transformer, tokens: .bytePairs, vocabulary: folder,
      vocabularySize: try json.integer("vocab_size", default: 49408),
      width: try json.integer("hidden_size", default: 512),
      depth: try json.integer("num_hidden_layers", default: 12),
      heads: try json.integer("num_attention_heads", default: 8),
      maxTokens: try json.integer("max_position_embeddings", default: 77))
    text.hidden = try json.integer("intermediate_size", default: 2048)
    text.activation = try activation(json, "quick_gelu")
    text.epsilon = try json.float("layer_norm_eps", default: 1e-5)
    return text
  }

  private static func wordPieces(
    _ json: ModelJSON, _ folder: String
  ) throws(PretrainedError) -> TextConfiguration {
    try json.require("position_embedding_type", toBe: "absolute")
    var text = TextConfiguration(
      kind: .transformer, tokens: .wordPieces, vocabulary: folder,
      vocabularySize: try json.integer("vocab_size", default: 30522),
      width: try json.integer("hidden_size", default: 768),
      depth: try json.integer("num_hidden_layers", default: 12),
      heads: try json.integer("num_attention_heads", default: 12),
      maxTokens: try json.integer("max_position_embeddings", default: 512))
    text.hidden = try json.integer("intermediate_size", default: 3072)
    text.activation = try activation(json, "gelu")
    text.epsilon = try json.float("layer_norm_eps", default: 1e-12)
    return text
  }

  func source(of parameter: String, in files: WeightFiles) -> WeightSource? {
    if let source = Self.clipBlock.source(
      of: parameter, prefix: "image.block", block: "vision_model.encoder.layers.")
    {
      return source
    }
    if isChinese {
      return Self.image[parameter] ?? Self.bert[parameter]
        ?? Self.bertBlock.source(
          of: parameter, prefix: "text.block", block: "text_model.encoder.layer.")
    }
    return Self.image[parameter] ?? Self.text[parameter]
      ?? Self.clipBlock.source(
        of: parameter, prefix: "text.block", block: "text_model.encoder.layers.")
  }

  private static let image: [String: WeightSource] = [
    "image.patch.weight": .init("vision_model.embeddings.patch_embedding.weight", .patches),
    "image.class": .init("vision_model.embeddings.class_embedding"),
    "image.positions": .init("vision_model.embeddings.position_embedding.weight"),
    // Spelt so.
    "image.ln_pre.weight": .init("vision_model.pre_layrnorm.weight"),
    "image.ln_pre.bias": .init("vision_model.pre_layrnorm.bias"),
    "image.ln_post.weight": .init("vision_model.post_layernorm.weight"),
    "image.ln_post.bias": .init("vision_model.post_layernorm.bias"),
    "image.projection.weight": .init("visual_projection.weight", .transposed),
    "text.projection.weight": .init("text_projection.weight", .transposed),
    "logit_scale": .init("logit_scale"),
  ]

  private static let text: [String: WeightSource] = [
    "text.tokens.weight": .init("text_model.embeddings.token_embedding.weight"),
    "text.positions.weight": .init("text_model.embeddings.position_embedding.weight"),
    "text.norm_out.weight": .init("text_model.final_layer_norm.weight"),
    "text.norm_out.bias": .init("text_model.final_layer_norm.bias"),
  ]

  private static let bert: [String: WeightSource] = [
    "text.tokens.weight": .init("text_model.embeddings.word_embeddings.weight"),
    // Every caption is a first sentence.
    "text.positions.weight": .init(
      [
        "text_model.embeddings.position_embeddings.weight",
        "text_model.embeddings.token_type_embeddings.weight",
      ], .rowAdded),
    "text.embeddings.norm.weight": .init("text_model.embeddings.LayerNorm.weight"),
    "text.embeddings.norm.bias": .init("text_model.embeddings.LayerNorm.bias"),
  ]

  private static let clipBlock: BlockNames = names(
    attention: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    out: "self_attn.out_proj", norms: ("layer_norm1", "layer_norm2"), mlp: ("mlp.fc1", "mlp.fc2"))

  private static let bertBlock: BlockNames = names(
    attention: ["attention.self.query", "attention.self.key", "attention.self.value"],
    out: "attention.output.dense", norms: ("attention.output.LayerNorm", "output.LayerNorm"),
    mlp: ("intermediate.dense", "output.dense"))

  private static func names(
    attention: [String], out: String, norms: (String, String), mlp: (String, String)
  ) -> BlockNames {
    var names: BlockNames = [
      "attn.qkv.weight": .init(attention.map { "\($0).weight" }, .transposed),
      "attn.qkv.bias": .init(attention.map { "\($0).bias" }, .stacked),
    ]
    for (ours, theirs) in [("attn.out", out), ("mlp.c_fc", mlp.0), ("mlp.c_proj", mlp.1)] {
      names["\(ours).weight"] = .init("\(theirs).weight", .transposed)
      names["\(ours).bias"] = .init("\(theirs).bias")
    }
    for (ours, theirs) in [("ln_1", norms.0), ("ln_2", norms.1)] {
      names["\(ours).weight"] = .init("\(theirs).weight")
      names["\(ours).bias"] = .init("\(theirs).bias")
    }
    return names
  }
}
