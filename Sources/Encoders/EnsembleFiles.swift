import CXXHash
import Foundation
import Images
import TensorFiles

public enum EnsembleError: Error, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case wrongFormat(path: String, found: Int, expected: Int)
  case missingTensor(path: String, name: String)
  case wrongShape(path: String, name: String, found: [Int], expected: [Int])

  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "cannot read the ensemble file \(path): \(reason); train again or give another --ensemble"
    case .wrongFormat(let path, let found, let expected):
      "\(path) has format version \(found), this winnow reads \(expected); train the ensemble again"
    case .missingTensor(let path, let name):
      "\(path) has no tensor '\(name)'; it was written for another architecture"
    case .wrongShape(let path, let name, let found, let expected):
      "\(path): tensor '\(name)' has shape \(found), the configuration asks for \(expected)"
    }
  }
}

/// `ensemble.json` (its keys in snake case); the arrays lie in the safetensors files beside it.
private struct EnsembleDocument: Codable {
  struct Entry: Codable {
    var kind: Int
    var fold: Int
    var file: String
  }
  var formatVersion: Int
  var folds: Int
  var imageSide: Int
  var geometry: Geometry
  var kinds: [MemberConfiguration]
  var members: [Entry]
  var bank: [BankPair]
  var bankClusters: [Int]
}

extension Ensemble {
  static let formatVersion = 1
  private static let documentName = "ensemble.json"
  private static let clustersName = "clusters.safetensors"

  /// Reads `ensemble.json` and the safetensors files beside it.
  public init(directory: String) throws {
    let path = directory + "/" + Self.documentName
    let document: EnsembleDocument
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      document = try decoder.decode(EnsembleDocument.self, from: data)
    } catch {
      throw EnsembleError.unreadable(path: path, reason: error.localizedDescription)
    }
    guard document.formatVersion == Self.formatVersion else {
      throw EnsembleError.wrongFormat(
        path: path, found: document.formatVersion, expected: Self.formatVersion)
    }
    kinds = document.kinds
    folds = document.folds
    imageSide = document.imageSide
    geometry = document.geometry
    bank = document.bank
    bankClusters = document.bankClusters
    let pairs = document.bank.count
    let expected = document.kinds.count * document.folds
    guard document.members.count == expected, document.folds > 0, pairs > 1,
      bankClusters.count == pairs
    else {
      throw EnsembleError.unreadable(path: path, reason: "its counts contradict one another")
    }
    members = []
    for (index, entry) in document.members.enumerated() {
      guard entry.kind == index / document.folds, entry.fold == index % document.folds else {
        throw EnsembleError.unreadable(path: path, reason: "its members are out of order")
      }
      members.append(
        try Member(
          path: directory + "/" + entry.file, configuration: document.kinds[entry.kind],
          kind: entry.kind, fold: entry.fold, bankSize: pairs))
    }
    let clusters = try SafeTensors.read(directory + "/" + Self.clustersName).tensors
    guard let centres = clusters["centres"], let dimension = document.kinds.first?.dimension,
      centres.shape.count == 2, centres.shape[1] == dimension,
      bankClusters.allSatisfy({ (0..<centres.shape[0]).contains($0) })
    else {
      throw EnsembleError.missingTensor(path: directory + "/" + Self.clustersName, name: "centres")
    }
    clusterCentres = centres.values
  }

  /// Writes into `directory`, which must exist; the caller publishes it whole.
  public func write(to directory: String) throws {
    var entries: [EnsembleDocument.Entry] = []
    for member in members {
      let file = Member.fileName(kind: kinds[member.kind].name, fold: member.fold)
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
        formatVersion: Self.formatVersion, folds: folds, imageSide: imageSide,
        geometry: geometry, kinds: kinds, members: entries, bank: bank,
        bankClusters: bankClusters))
  }

  /// 32 hex digits over everything that decides a score.
  public func digest() throws -> String {
    var hash = XXH3_128bits_withSeed(nil, 0, 0)
    func mix(_ bytes: UnsafeRawBufferPointer) {
      hash = XXH3_128bits_withSeed(
        bytes.baseAddress, bytes.count, hash.low64 ^ (hash.high64 &* 0x9E37_79B9_7F4A_7C15))
    }
    try document([]).withUnsafeBytes { mix($0) }
    clusterCentres.withUnsafeBytes { mix($0) }
    for member in members {
      for tensor in member.weights { tensor.values.withUnsafeBytes { mix($0) } }
      member.bankImages.withUnsafeBytes { mix($0) }
      member.bankTexts.withUnsafeBytes { mix($0) }
      [member.mean, member.deviation].withUnsafeBytes { mix($0) }
    }
    return String(hash.high64, radix: 16).leftPadded(16)
      + String(hash.low64, radix: 16).leftPadded(16)
  }
}

extension Ensemble.Member {
  private static let bankImagesName = "bank.images"
  private static let bankTextsName = "bank.texts"
  private static let standardName = "bank.standardisation"

  public static func fileName(kind: String, fold: Int) -> String {
    "\(kind)-fold\(fold).safetensors"
  }

  /// - Parameter metadata: more to write into the file's header.
  public func write(to path: String, dimension: Int, metadata: [String: String] = [:]) throws {
    let pairs = bankImages.count / dimension
    let bank = [
      NamedTensor(name: Self.bankImagesName, shape: [pairs, dimension], values: bankImages),
      NamedTensor(name: Self.bankTextsName, shape: [pairs, dimension], values: bankTexts),
      NamedTensor(name: Self.standardName, shape: [2], values: [mean, deviation]),
    ]
    try SafeTensors.write(
      weights + bank, metadata: metadata.merging(["format_version": "1"]) { a, _ in a }, to: path)
  }

  /// Every tensor of the architecture must be there, with its shape.
  public init(
    path: String, configuration: MemberConfiguration, kind: Int, fold: Int, bankSize: Int
  ) throws {
    let tensors = try SafeTensors.read(path).tensors
    func tensor(_ name: String, _ shape: [Int]) throws -> NamedTensor {
      guard let tensor = tensors[name] else {
        throw EnsembleError.missingTensor(path: path, name: name)
      }
      guard tensor.shape == shape else {
        throw EnsembleError.wrongShape(
          path: path, name: name, found: tensor.shape, expected: shape)
      }
      return tensor
    }
    let bankShape = [bankSize, configuration.dimension]
    let standard = try tensor(Self.standardName, [2]).values
    self.init(
      kind: kind, fold: fold,
      weights: try DualEncoder.shapes(configuration).map { try tensor($0.name, $0.shape) },
      bankImages: try tensor(Self.bankImagesName, bankShape).values,
      bankTexts: try tensor(Self.bankTextsName, bankShape).values, mean: standard[0],
      deviation: standard[1])
  }
}

extension String {
  fileprivate func leftPadded(_ width: Int) -> String {
    String(repeating: "0", count: Swift.max(0, width - count)) + self
  }
}
