import Layers
import TensorFiles

@testable import Encoders

/// A small untrained ensemble with a bank of random thumbnails.
enum Fixtures {
  static let side = 8

  static func pair(_ number: Int, caption: String? = nil) -> JudgedPair {
    var random = SeededRandom(seed: UInt64(number))
    let pixels = (0..<(side * side * 3)).map { _ in UInt8(random.below(256)) }
    let caption = caption ?? "caption number \(number)"
    return JudgedPair(
      hash: ContentHash(image: pixels, caption: Array(caption.utf8)), thumbnails: [pixels],
      caption: caption)
  }

  static func ensemble(folds: Int = 2, bankSize: Int = 12) -> Ensemble {
    let kinds = [TextKind.bag, .transformer].map { kind in
      var kindOfMember = EncoderGradientTests.tiny(kind)
      kindOfMember.name = kind.rawValue
      kindOfMember.text.maxTokens = 32
      kindOfMember.image.side = side
      return kindOfMember
    }
    let bank = (0..<bankSize).map { pair(10_000 + $0) }
    let bankPairs = bank.map { BankPair(hash: $0.hash, caption: $0.caption) }
    let members = kinds.indices.flatMap { kind in
      (0..<folds).map { fold in
        Ensemble.Member(
          DualEncoder(kinds[kind], seed: UInt64(kind * folds + fold)), kind: kind, fold: fold,
          bank: bankPairs
        ) { bank[$0].thumbnails[0] }
      }
    }
    let clusters = sphericalClusters(
      members[0].bankTexts, dimension: kinds[0].dimension, clusters: 3, seed: 1)
    return Ensemble(
      kinds: kinds, folds: folds, bank: bankPairs, members: members,
      clusterCentres: clusters.centres, bankClusters: clusters.assignment)
  }
}

extension FrozenEncoder {
  /// Another one, with changed weights.
  func changed(_ change: (inout [NamedTensor]) -> Void) -> FrozenEncoder {
    var tensors = weights
    change(&tensors)
    let copy = encoder.copy()
    for (parameter, tensor) in zip(copy.parameters + copy.frozen, tensors) {
      parameter.values = tensor.values
    }
    return FrozenEncoder(copy)
  }
}
