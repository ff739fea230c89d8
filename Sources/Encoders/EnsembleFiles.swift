import CXXHash
import Foundation
import TensorFiles

extension Ensemble {
  static let formatVersion = 2
  private static let documentName = "ensemble.json"
  private static let clustersName = "clusters.safetensors"

  /// Reads `ensemble.json` and the safetensors files beside it, and trusts neither.
  ///
  /// - Throws: ``EnsembleError``; `TensorFileError` where a safetensors file is damaged.
  public init(directory: String) throws {
    let path = directory + "/" + Self.documentName
    var document = try Self.document(path)
    try document.check(path)
    let (models, tokenizers) = try Self.openModels(&document.kinds, in: directory)
    var members: [Member] = []
    for entry in document.members {
      members.append(
        try Member(
          path: directory + "/" + entry.file, configuration: document.kinds[entry.kind],
          kind: entry.kind, fold: entry.fold, bankSize: document.bank.count,
          tokenizer: tokenizers[entry.kind], model: models[entry.kind]))
    }
    let clustersPath = directory + "/" + Self.clustersName
    let clusters = try SafeTensors.read(clustersPath).tensors
    guard let centres = clusters["centres"] else {
      throw EnsembleError.missingTensor(path: clustersPath, name: "centres")
    }
    let count = (document.bankClusters.max() ?? 0) + 1
    let dimension = document.kinds[0].dimension
    guard centres.shape.count == 2, centres.shape[0] >= count, centres.shape[1] == dimension else {
      throw EnsembleError.wrongShape(
        path: clustersPath, name: "centres", found: centres.shape, expected: [count, dimension])
    }
    guard centres.values.allSatisfy(\.isFinite) else {
      throw EnsembleError.notFinite(path: clustersPath, name: "centres")
    }
    self.init(
      kinds: document.kinds, folds: document.folds, bank: document.bank, members: members,
      clusterCentres: centres.values, bankClusters: document.bankClusters)
  }

  private static func document(_ path: String) throws(EnsembleError) -> EnsembleDocument {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    func read<T>(_ body: () throws -> T) throws(EnsembleError) -> T {
      do { return try body() } catch {
        throw .unreadable(path: path, reason: error.localizedDescription)
      }
    }
    let data = try read { try Data(contentsOf: URL(fileURLWithPath: path)) }
    if let problem = JSONMeasure([UInt8](data)[...]).problem {
      throw .unreadable(path: path, reason: "it \(problem)")
    }
    let found = try read { try decoder.decode(EnsembleDocument.Version.self, from: data) }
    guard found.formatVersion == formatVersion else {
      throw .wrongFormat(path: path, found: found.formatVersion, expected: formatVersion)
    }
    return try read { try decoder.decode(EnsembleDocument.self, from: data) }
  }

  /// Writes into `directory`, which must exist; the caller publishes it whole. Pretrained models and vocabularies are
  /// copied into folders of their own.
  ///
  /// - Throws: `TensorFileError`, or Foundation's error for what is no tensor file.
  public func write(to directory: String) throws {
    try writeModels(to: directory)
    var entries: [EnsembleDocument.Entry] = []
    for member in members {
      let name = kinds[member.kind].name
      let file =
        member.model == nil
        ? Member.fileName(kind: name, fold: member.fold)
        : "\(Self.pretrainedName(name)).safetensors"
      try member.write(to: directory + "/" + file, dimension: kinds[member.kind].dimension)
      entries.append(.init(kind: member.kind, fold: member.fold, file: file))
    }
    let dimension = kinds[0].dimension
    try SafeTensors.write(
      [
        NamedTensor(
          name: "centres", shape: [clusterCentres.count / dimension, dimension],
          values: clusterCentres)
      ], metadata: [:], to: directory + "/" + Self.clustersName)
    try document(entries).write(to: URL(fileURLWithPath: directory + "/" + Self.documentName))
  }

  private func document(_ entries: [EnsembleDocument.Entry]) throws -> Data {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return try encoder.encode(
      EnsembleDocument(
        formatVersion: Self.formatVersion, folds: folds, kinds: storedKinds, members: entries,
        bank: bank,
        bankClusters: bankClusters))
  }

  /// 32 hex digits (XXH3-128) over everything that decides a score.
  public func digest() throws -> String {
    var hash = XXH3_128bits_withSeed(nil, 0, 0)
    func mix(_ bytes: UnsafeRawBufferPointer) {
      hash = XXH3_128bits_withSeed(
        bytes.baseAddress, bytes.count, hash.low64 ^ (hash.high64 &* 0x9E37_79B9_7F4A_7C15))
    }
    try document([]).withUnsafeBytes { mix($0) }
    clusterCentres.withUnsafeBytes { mix($0) }
    for digest in try modelDigests() { Array(digest.utf8).withUnsafeBytes { mix($0) } }
    for member in members {
      if member.model == nil { member.encoder.forEachWeight { mix(UnsafeRawBufferPointer($0)) } }
      member.bankImages.withUnsafeBytes { mix($0) }
      member.bankTexts.withUnsafeBytes { mix($0) }
      [member.mean, member.deviation].withUnsafeBytes { mix($0) }
    }
    return hexadecimal(hash)
  }
}

extension Ensemble.Member {
  private static let bankImagesName = "bank.images"
  private static let bankTextsName = "bank.texts"
  private static let standardName = "bank.standardisation"

  /// The file of a member: `conv-bag-fold0.safetensors`.
  public static func fileName(kind: String, fold: Int) -> String {
    "\(kind)-fold\(fold).safetensors"
  }

  /// - Parameters:
  ///   - dimension: columns of the bank's rows.
  ///   - metadata: more to write into the file's header.
  /// - Throws: `TensorFileError`.
  public func write(to path: String, dimension: Int, metadata: [String: String] = [:]) throws {
    let pairs = bankImages.count / dimension
    let bank = [
      NamedTensor(name: Self.bankImagesName, shape: [pairs, dimension], values: bankImages),
      NamedTensor(name: Self.bankTextsName, shape: [pairs, dimension], values: bankTexts),
      NamedTensor(name: Self.standardName, shape: [2], values: [mean, deviation]),
    ]
    try SafeTensors.write(
      (model == nil ? encoder.weights : []) + bank,
      metadata: metadata.merging(["format_version": "1"]) { a, _ in a }, to: path)
  }

  /// Every tensor of the architecture must be there, with its shape and finite values. The weights stay in the file.
  ///
  /// - Parameters:
  ///   - configuration: one that its `check` accepts.
  ///   - bankSize: how many pairs the bank has.
  ///   - tokenizer: of the kind.
  ///   - model: the pretrained one, which brings the weights.
  /// - Throws: ``EnsembleError``; `TensorFileError` where the file is damaged.
  public init(
    path: String, configuration: MemberConfiguration, kind: Int, fold: Int, bankSize: Int,
    tokenizer: any CaptionTokenizer, model: PretrainedModel? = nil
  ) throws {
    let file = try MappedSafeTensors(path)
    let bankShape = [bankSize, configuration.dimension]
    let standard = try file.finite(Self.standardName, shape: [2])
    guard standard[1] > 0 else {
      throw EnsembleError.notFinite(path: path, name: Self.standardName)
    }
    self.init(
      kind: kind, fold: fold,
      encoder: try model?.encoder
        ?? FrozenEncoder(DualEncoder(configuration, weights: file, tokenizer: tokenizer)),
      model: model,
      bankImages: Array(try file.finite(Self.bankImagesName, shape: bankShape)),
      bankTexts: Array(try file.finite(Self.bankTextsName, shape: bankShape)), mean: standard[0],
      deviation: standard[1])
  }
}
