import Foundation
import Layers
import ModelParity
import TensorFiles
import Testing

@testable import Encoders

@Suite struct PretrainedModelTests {
  private static let goldens = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Goldens").path

  /// A copy of a golden, which the body may damage.
  private func withCopy(of layout: String, _ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "winnow-model-" + UUID().uuidString
    try FileManager.default.copyItem(atPath: "\(Self.goldens)/\(layout)", toPath: folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func edit(_ file: String, _ from: String, _ to: String) throws {
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try #require(text.contains(from))
    try text.replacing(from, with: to).write(toFile: file, atomically: false, encoding: .utf8)
  }

  private func message(_ folder: String) -> String {
    do {
      _ = try PretrainedModel(folder: folder, tokenizer: TokenIDs())
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: ["hugging-face", "chinese", "open-clip"])
  func embeddingsAreThoseOfTheModelsOwnLibrary(layout: String) throws {
    let differences = try ModelParity(folder: "\(Self.goldens)/\(layout)").differences()
    #expect(differences.images < 1e-5)
    #expect(differences.texts < 1e-5)
  }

  @Test func whatTheFolderSaysIsTheConfiguration() throws {
    let model = try PretrainedModel(
      folder: "\(Self.goldens)/hugging-face", tokenizer: TokenIDs())
    let image = model.configuration.image
    #expect(model.configuration.name == "hugging-face" && model.configuration.dimension == 8)
    #expect(image.side == 16 && image.geometry == .crop && image.alpha == .dropped)
    #expect(image.hidden == 24 && image.activation == .quickGELU)
    #expect(model.configuration.text.causal)
    let chinese = try PretrainedModel(folder: "\(Self.goldens)/chinese", tokenizer: TokenIDs())
    #expect(chinese.configuration.image.geometry == .squash)
    #expect(chinese.configuration.text.epsilon == 1e-12)
    let open = try PretrainedModel(folder: "\(Self.goldens)/open-clip", tokenizer: TokenIDs())
    #expect(open.configuration.image.activation == .gelu)
  }

  @Test func theDigestIsThatOfTheFilesWhereverTheyLie() throws {
    let digest = try PretrainedModel(
      folder: "\(Self.goldens)/open-clip", tokenizer: TokenIDs()
    ).digest
    try withCopy(of: "open-clip") { folder in
      #expect(try PretrainedModel(folder: folder, tokenizer: TokenIDs()).digest == digest)
      try edit("\(folder)/open_clip_config.json", "0.48145466", "0.48145467")
      #expect(try PretrainedModel(folder: folder, tokenizer: TokenIDs()).digest != digest)
    }
  }

  @Test(arguments: [
    ("hugging-face", "config.json", #""quick_gelu""#, #""gelu_new""#, "hidden_act is gelu_new"),
    ("hugging-face", "config.json", #""model_type": "clip""#, #""model_type": "siglip""#, "siglip"),
    ("hugging-face", "config.json", #""hidden_size": 16"#, #""hidden_size": 32"#, "[16, 3, 8, 8]"),
    (
      "hugging-face", "config.json", #""num_hidden_layers": 2"#, #""num_hidden_layers": 3"#,
      "layers.2."
    ),
    (
      "hugging-face", "config.json", #""image_size": 16"#, #""image_size": 2056"#,
      "/config.json: vision_config.image_size must lie in 1 ... 2048"
    ),
    (
      "open-clip", "open_clip_config.json", #""image_size": 16"#, #""image_size": 2056"#,
      "/open_clip_config.json: model_cfg.vision_cfg.image_size must lie in 1 ... 2048"
    ),
    ("hugging-face", "preprocessor_config.json", #""resample": 3"#, #""resample": 2"#, "resample"),
    (
      "hugging-face", "preprocessor_config.json", #""shortest_edge": 16"#,
      #""shortest_edge": 18"#, "size"
    ),
    ("open-clip", "open_clip_config.json", #""width": 16"#, #""timm_model_name": "x""#, "timm"),
    ("open-clip", "open_clip_config.json", #""bicubic""#, #""bilinear""#, "interpolation"),
    ("open-clip", "open_clip_config.json", #""embed_dim": 8"#, #""embed_dim": 9"#, "visual.proj"),
    (
      "open-clip", "open_clip_config.json", #""mlp_ratio": 1.5"#, #""mlp_ratio": 1e39"#, "mlp_ratio"
    ),
    (
      "open-clip", "open_clip_config.json", #""mlp_ratio": 1.6666"#, #""mlp_ratio": -4.0"#,
      "mlp_ratio"
    ),
    ("open-clip", "open_clip_config.json", "{", "", "JSON"),
  ])
  func whatDoesNotFitIsRefusedByName(
    layout: String, file: String, from: String, to: String, named: String
  ) throws {
    try withCopy(of: layout) { folder in
      try edit("\(folder)/\(file)", from, to)
      let text = message(folder)
      #expect(text.contains(named), "\(text)")
      #expect(text.contains(folder))
    }
  }

  @Test func aShapeThatDoesNotFitNamesFileTensorAndBothShapes() throws {
    try withCopy(of: "open-clip") { folder in
      try edit("\(folder)/open_clip_config.json", #""vocab_size": 40"#, #""vocab_size": 41"#)
      #expect(
        throws: PretrainedError.wrongShape(
          file: "\(folder)/open_clip_model.safetensors", tensor: "token_embedding.weight",
          found: [40, 12], expected: [41, 12])
      ) {
        try PretrainedModel(folder: folder, tokenizer: TokenIDs())
      }
    }
  }

  @Test func aParameterTakesNoMemoryUnlessAllItsTensorsAreThere() throws {
    let folder = "\(Self.goldens)/hugging-face"
    let files = try WeightFiles(folder: folder, stem: "model")
    let query = "vision_model.encoder.layers.0.self_attn.q_proj"
    for (form, tensor, shape) in [
      (WeightSource.Form.transposed, "\(query).weight", [16, 32]),
      (.stacked, "\(query).bias", [32]),
    ] {
      let parameter = Parameter("p", shape, decays: false) { _ in 7 }
      #expect(
        throws: PretrainedError.missingTensor(
          file: "\(folder)/model.safetensors", tensor: "missing")
      ) {
        try WeightSource([tensor, "missing"], form).load(into: parameter, from: files)
      }
      #expect(parameter.values.allSatisfy { $0 == 7 }, "drawn at first use, as of a new one")
    }
  }

  @Test func aWeightThatIsNoNumberIsRefused() throws {
    try withCopy(of: "open-clip") { folder in
      let file = "\(folder)/open_clip_model.safetensors"
      var tensors = try SafeTensors.read(file).tensors
      tensors["ln_final.weight"]?.values[3] = .nan
      try SafeTensors.write(Array(tensors.values), metadata: [:], to: file)
      #expect(throws: PretrainedError.notFinite(file: file, tensor: "ln_final.weight")) {
        try PretrainedModel(folder: folder, tokenizer: TokenIDs())
      }
    }
  }

  @Test func aTokenizerWithMoreIdsThanTheTextEncoderHasRowsIsRefused() throws {
    let json = URL(fileURLWithPath: Self.goldens).deletingLastPathComponent()
      .appendingPathComponent("../TextTests/Goldens/clip/tokenizer.json").standardizedFileURL
    let text = try String(contentsOf: json, encoding: .utf8)
    try withCopy(of: "hugging-face") { folder in
      try text.replacing(
        /"added_tokens":\s*\[/,
        with: #""added_tokens": [{"id": 2000000000, "content": "<far>", "normalized": false}, "#
      ).write(toFile: "\(folder)/tokenizer.json", atomically: false, encoding: .utf8)
      let configuration = TextConfiguration(
        kind: .transformer, tokens: .bytePairs, vocabulary: folder, vocabularySize: 914)
      #expect {
        try makeTokenizer(configuration)
      } throws: {
        "\($0)".contains("2000000001 tokens, the text encoder only 914")
      }
    }
  }

  @Test func aFolderOfNothingSaysWhatItLacks() {
    #expect(message("/nowhere").contains("/nowhere is no pretrained CLIP model"))
  }

  @Test func twoWorkersShareOneCopyOfTheWeights() throws {
    let model = try PretrainedModel(
      folder: "\(Self.goldens)/open-clip", tokenizer: TokenIDs())
    let captions = (0..<50).map { "38 \($0 % 37) 5 39" }
    let alone = PairEncoder(model.encoder).texts(captions)
    let encoder = model.encoder
    let together = try parallelMap(4, workers: 2) { _ in PairEncoder(encoder).texts(captions) }
    #expect(together.allSatisfy { $0 == alone })
  }

  @Test func aConfigurationOfMoreThanAMebibyteOrWithAKeyWithoutEndIsRefused() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let key = String(repeating: "\u{301}", count: 1000)
    for (text, isRead) in [
      ("{" + String(repeating: " ", count: (1 << 20) - 2) + "}", true),
      ("{" + String(repeating: " ", count: (1 << 20) - 1) + "}", false),
      ("{\"\(key)\": 1}", false), ("", false),
    ] {
      try text.write(to: file, atomically: true, encoding: .utf8)
      #expect(((try? ModelJSON(file: file.path)) != nil) == isRead, "\(text.utf8.count) bytes")
    }
    // Its keys can't be measured.
    for encoding in [String.Encoding.utf16, .utf16LittleEndian] {
      try "{\"a\": 1}".write(to: file, atomically: true, encoding: encoding)
      #expect((try? ModelJSON(file: file.path)) == nil)
    }
  }
}
