import Foundation
import TensorFiles
import Testing

@testable import Encoders
@testable import Layers

@Suite struct DictionaryTests {
  static func image(side: Int = 16, atoms: Int = 9) -> ImageConfiguration {
    var image = ImageConfiguration(kind: .dictionary)
    (image.side, image.patch, image.stride, image.atoms) = (side, 4, 3, atoms)
    image.hidden = 12
    return image
  }

  private static func stem(_ image: ImageConfiguration, seed: UInt64) throws -> DictionaryStem {
    var random = SeededRandom(seed: seed)
    let stem = DictionaryStem(try #require(image.stem), &random)
    for parameter in stem.parameters where parameter.name != "image.stem.filters" {
      for i in 0..<parameter.count { parameter.value[i] += 0.3 * random.normal() }
    }
    return stem
  }

  private func images(_ count: Int, side: Int, _ pool: BufferPool) -> Tensor {
    let images = pool.tensor([count, side, side, 3])
    var random = SeededRandom(seed: 4)
    for i in 0..<images.count { images.data[i] = random.uniform(-1...1) }
    // One that is mostly flat.
    for i in 0..<(images.count / count - 40) { images.data[i] = 0.3 }
    return images
  }

  @Test func featuresAreThoseOfTheFormulas() throws {
    // 18 pixels, so that neither the grid nor the area means divide evenly.
    var configuration = Self.image(side: 18)
    configuration.grid = 3
    let stem = try Self.stem(configuration, seed: 1)
    let pool = BufferPool()
    let x = images(2, side: 18, pool)
    let features = stem.forward(x, pool).values
    let across = 5
    for (i, image) in [0, 1].map({ ($0, Array(x.values[($0 * 972)..<(($0 + 1) * 972)])) }) {
      let (patches, places) = Plain.normalisedPatches(
        image, side: 18, patch: 4, stride: 3, across: across, rows: 0..<across,
        regulariser: DictionaryStem.regulariser)
      #expect(i == 1 || places.count < 15, "flat patches are left out")
      var all = [Float](repeating: 0, count: across * across * 48)
      for (row, place) in places.enumerated() {
        for d in 0..<48 { all[Int(place) * 48 + d] = patches[row * 48 + d] }
      }
      let responses = (0..<(across * across * 9)).map { i -> Float in
        let (place, atom) = (i / 9, i % 9)
        return (0..<48).reduce(Float(0)) { (sum: Float, d: Int) -> Float in
          sum + all[place * 48 + d] * stem.filters.value[d * 9 + atom]
        }
      }
      // Places 0, 1-2, 3-4 of 5 in a row.
      let cell: [Int32] = [0, 1, 1, 2, 2]
      let cells = (0..<25).map { (place: Int) -> Int32 in cell[place / 5] * 3 + cell[place % 5] }
      let sums = Plain.twoSidedPool(
        responses, bias: stem.bias.values, threshold: 0.5,
        places: (0..<25).map { Int32($0) }, cells: cells, count: 9)
      let sizes: [Float] = [1, 2, 2]
      for j in sums.indices {
        let size = sizes[j / 18 / 3] * sizes[j / 18 % 3]
        let value = ((sums[j] / size).squareRoot() - stem.mean.value[j]) * stem.scale.value[j]
        #expect(abs(features[i * stem.count + j] - value) < 1e-4)
      }
      // The first cell's area mean: 18 / 8 pixels, so three.
      var corner: Float = 0
      for y in 0..<3 { for x in 0..<3 { corner += image[(y * 18 + x) * 3 + 1] / 9 } }
      #expect(abs(features[i * stem.count + stem.pooled + 1] - corner) < 1e-5)
    }
  }

  @Test func anImagesFeaturesDoNotDependOnTheOthers() throws {
    let stem = try Self.stem(Self.image(), seed: 2)
    let pool = BufferPool()
    let x = images(3, side: 16, pool)
    let together = stem.forward(x, pool).values
    let last = pool.tensor([1, 16, 16, 3], Array(x.values.suffix(16 * 16 * 3)))
    #expect(stem.forward(last, pool).values == Array(together.suffix(stem.count)), "bit for bit")
  }

  /// Two kinds with one stem, and a third with another; two folds.
  private static func ensemble() throws -> Ensemble {
    var kinds = [TextKind.bag, .transformer, .bag].map { kind in
      var member = EncoderGradientTests.tiny(kind)
      member.image = image(side: Fixtures.side)
      member.text.maxTokens = 32
      return member
    }
    for i in kinds.indices { kinds[i].name = "kind\(i)" }
    let bank = (0..<12).map { Fixtures.pair(10_000 + $0) }
    let bankPairs = bank.map { BankPair(hash: $0.hash, caption: $0.caption) }
    let members = try kinds.indices.flatMap { kind in
      try (0..<2).map { fold in
        let stem = try stem(kinds[kind].image, seed: kind < 2 ? 1 : 2)
        return Ensemble.Member(
          DualEncoder(kinds[kind], seed: UInt64(kind * 2 + fold), stem: stem.tensors), kind: kind,
          fold: fold, bank: bankPairs
        ) { bank[$0].thumbnails[0] }
      }
    }
    let clusters = sphericalClusters(
      members[0].bankTexts, dimension: kinds[0].dimension, clusters: 3, seed: 1)
    return Ensemble(
      kinds: kinds, folds: 2, bank: bankPairs, members: members, clusterCentres: clusters.centres,
      bankClusters: clusters.assignment)
  }

  @Test func sharingAStemChangesNoScore() throws {
    let ensemble = try Self.ensemble()
    let pairs = (0..<10).map { Fixtures.pair($0) }
    let together = Judge(ensemble).score(pairs)
    for kind in ensemble.kinds.indices {
      var alone = ensemble
      alone.kinds = [ensemble.kinds[kind]]
      alone.members = ensemble.members.filter { $0.kind == kind }
      for i in alone.members.indices { alone.members[i].kind = 0 }
      let scores = Judge(alone).score(pairs)
      #expect(scores.map { $0.observed[0] } == together.map { $0.observed[kind] })
    }
    #expect(together[0].observed[0] != together[0].observed[2])
  }

  @Test func theStemIsStoredWithEachMemberAndCountsToTheDigest() throws {
    let ensemble = try Self.ensemble()
    let folder = NSTemporaryDirectory() + "winnow-dictionary-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try ensemble.write(to: folder)
    #expect(try Ensemble(directory: folder).digest() == ensemble.digest())
    let file = folder + "/" + Ensemble.Member.fileName(kind: "kind1", fold: 1)
    let stored = try SafeTensors.read(file).tensors
    #expect(
      stored["image.stem.filters"]?.values
        == ensemble.members[0].encoder.weights.first { $0.name == "image.stem.filters" }?.values)
    var other = ensemble
    let place = try #require(
      other.members[5].encoder.weights.firstIndex { $0.name == "image.stem.scale" })
    other.members[5].encoder = other.members[5].encoder.changed { $0[place].values[3] += 1 }
    #expect(try other.digest() != ensemble.digest())
  }

  @Test func noTrainingStepTouchesTheStem() throws {
    let member = MemberConfiguration(name: "a", image: Self.image(), dimension: 6)
    let encoder = DualEncoder(member, seed: 1)
    #expect(!encoder.parameters.contains { $0.name.hasPrefix("image.stem") })
    #expect(encoder.frozen.count == 4)
    let replica = encoder.replica()
    #expect(replica.frozen.map(\.values) == encoder.frozen.map(\.values))
  }
}
