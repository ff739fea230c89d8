import Foundation
import Layers

/// OpenCLIP's: open_clip_config.json and open_clip_model.safetensors, with vision transformers of its own.
struct OpenCLIPLayout: PretrainedLayout {
  let configuration: MemberConfiguration
  let stem = "open_clip_model"
  let files = [
    "open_clip_config.json"
  ]

  init?(folder: String) throws {
    let exists = { (name: String) in FileManager.default.fileExists(atPath: "\(folder)/\(name)") }
    guard exists("open_clip_config.json"),
      exists("open_clip_model.safetensors") || exists("open_clip_model.safetensors.index.json")
    else { return nil }
    let json = try ModelJSON(file: "\(folder)/open_clip_config.json")
    guard let model = json.object("model_cfg"), let vision = model.object("vision_cfg"),
      let text = model.object("text_cfg")
    else { throw json.problem("model_cfg", "needs vision_cfg and text_cfg") }
    let activation = model.flag("quick_gelu") ?? false ? Activation.quickGELU : .gelu
    configuration = MemberConfiguration(
      name: "", image: try Self.image(vision, activation, json.object("preprocess_cfg")),
      text: try Self.text(text, activation, folder),
      dimension: try model.integer("embed_dim", default: 512), pretrained: folder)
  }

  /// Switches of a tower that change what it computes; with these values they don't.
  private static func requirePlain(_ json: ModelJSON) throws(PretrainedError) {
    for key in [
      "attentional_pool", "no_ln_pre", "final_ln_after_pool", "qk_norm", "scaled_cosine_attn",
      "scale_heads", "scale_attn_inner", "scale_attn", "scale_fc", "embed_cls", "no_causal_mask",
      "proj_bias",
    ] {
      try json.require(key, toBe: "false")
    }
    for key in ["timm_model_name", "hf_model_name", "ls_init_value", "act_kwargs", "norm_kwargs"] {
      if json.has(key) { throw json.unsupported(key, known: "models without it") }
    }
    try json.require("pos_embed_type", toBe: "learnable")
    try json.require("proj_type", toBe: "linear")
    if json.has("block_type") { try json.require("block_type", toBe: "default") }
  }

  /// Columns within the MLP, cut to a whole number as in Python.
  private static func hidden(_ json: ModelJSON, width: Int) throws(PretrainedError) -> Int {
    let columns = Double(width) * (try json.double("mlp_ratio", default: 4))
    guard (1...65536).contains(columns) else {
      throw json.problem("mlp_ratio", "makes an MLP of other than 1 to 65536 columns")
    }
    return Int(columns)
  }

  private static func image(
    _ json: ModelJSON, _ activation: Activation, _ preprocessing: ModelJSON?
  ) throws(PretrainedError) -> ImageConfiguration {
    try requirePlain(json)
    try json.require("pool_type", toBe: "tok")
    if json.list("layers") != nil {
      throw json.unsupported("layers", known: "vision transformers, which have one number of them")
    }
    var image = ImageConfiguration(kind: .transformer)
    image.side = try json.integer("image_size", default: 224, in: ImageConfiguration.sides)
    image.patch = try json.integer("patch_size", default: 16)
    image.width = try json.integer("width", default: 768)
    image.depth = try json.integer("layers", default: 12)
    let head = try json.integer("head_width", default: 64)
    guard head >= 1, image.width % head == 0 else {
      throw json.problem("head_width", "doesn't divide the width")
    }
    image.heads = image.width / head
    image.hidden = try hidden(json, width: image.width)
    image.activation = activation
    try image.set(
      mean: preprocessing?.floats("mean"), deviation: preprocessing?.floats("std"),
      file: json.file)
    image.alpha = .droppedLast
    try preprocessing?.require("interpolation", toBe: "bicubic")
    switch preprocessing?.string("resize_mode") ?? "shortest" {
    case "shortest": image.geometry = .crop
    case "squash": image.geometry = .squash
    default:
      throw preprocessing?.unsupported("resize_mode", known: "shortest and squash")
        ?? json.problem("resize_mode", "is unknown")
    }
    return image
  }

  private static func text(
    _ json: ModelJSON, _ activation: Activation, _ folder: String
  ) throws(PretrainedError) -> TextConfiguration {
    try requirePlain(json)
    try json.require("pool_type", toBe: "argmax")
    if json.has("tokenizer_mode") { throw json.unsupported("tokenizer_mode", known: "none") }
    // Their own tokenizer cleans captions otherwise than Hugging Face's: where both lie there, theirs.
    let own = TokenizerFiles.openCLIPNames.map { "\(folder)/\($0)" }
      .first(where: FileManager.default.fileExists)
    var text = TextConfiguration(
      kind: .transformer, tokens: .bytePairs, vocabulary: own ?? folder,
      vocabularySize: try json.integer("vocab_size", default: 49408),
      width: try json.integer("width", default: 512),
      depth: try json.integer("layers", default: 12),
      heads: try json.integer("heads", default: 8),
      maxTokens: try json.integer("context_length", default: 77))
    text.hidden = try hidden(json, width: text.width)
    text.activation = activation
    return text
  }

  func source(of parameter: String, in files: WeightFiles) -> WeightSource? {
    // `custom_text` models keep the text tower under a name of its own.
    let text = files.has("text.token_embedding.weight") ? "text." : ""
    let direct: [String: WeightSource] = [
      "image.patch.weight": .init("visual.conv1.weight", .patches),
      "image.class": .init("visual.class_embedding"),
      "image.positions": .init("visual.positional_embedding"),
      "image.ln_pre.weight": .init("visual.ln_pre.weight"),
      "image.ln_pre.bias": .init("visual.ln_pre.bias"),
      "image.ln_post.weight": .init("visual.ln_post.weight"),
      "image.ln_post.bias": .init("visual.ln_post.bias"),
      "image.projection.weight": .init("visual.proj"),
      "text.tokens.weight": .init("\(text)token_embedding.weight"),
      "text.positions.weight": .init("\(text)positional_embedding"),
      "text.norm_out.weight": .init("\(text)ln_final.weight"),
      "text.norm_out.bias": .init("\(text)ln_final.bias"),
      "text.projection.weight": .init("\(text)text_projection"),
      "logit_scale": .init("logit_scale"),
    ]
    return direct[parameter]
      ?? Self.block.source(
        of: parameter, prefix: "image.block", block: "visual.transformer.resblocks.")
      ?? Self.block.source(
        of: parameter, prefix: "text.block", block: "\(text)transformer.resblocks.")
  }

  private static let block: BlockNames = [
    "ln_1.weight": .init("ln_1.weight"), "ln_1.bias": .init("ln_1.bias"),
    "attn.qkv.weight": .init("attn.in_proj_weight", .transposed),
    "attn.qkv.bias": .init("attn.in_proj_bias"),
    "attn.out.weight": .init("attn.out_proj.weight", .transposed),
    "attn.out.bias": .init("attn.out_proj.bias"),
    "ln_2.weight": .init("ln_2.weight"), "ln_2.bias": .init("ln_2.bias"),
    "mlp.c_fc.weight": .init("mlp.c_fc.weight", .transposed),
    "mlp.c_fc.bias": .init("mlp.c_fc.bias"),
    "mlp.c_proj.weight": .init("mlp.c_proj.weight", .transposed),
    "mlp.c_proj.bias": .init("mlp.c_proj.bias"),
  ]
}
