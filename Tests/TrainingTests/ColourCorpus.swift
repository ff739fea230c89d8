import Encoders
import Images
import Layers
import Training

/// Thumbnails that are one of eight colours with noise; captions name the colour in several words.
struct ColourCorpus: TrainingCorpus {
  static let side = 16
  static let names = ["red", "green", "blue", "white", "black", "yellow", "violet", "cyan"]
  static let colours: [[Float]] = [
    [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [255, 255, 0],
    [255, 0, 255], [0, 255, 255],
  ]
  var thumbnails: [[UInt8]] = []
  var captions: [String] = []
  var isMismatch: [Bool] = []

  init(count: Int, mismatched share: Float) {
    var random = SeededRandom(seed: 1)
    for i in 0..<count {
      let colour = random.below(8)
      thumbnails.append(
        (0..<(Self.side * Self.side * 3)).map { p in
          UInt8(max(0, min(255, Self.colours[colour][p % 3] + random.normal() * 40)))
        })
      let wrong = random.uniform() < share
      let named = wrong ? (colour + 1 + random.below(7)) % 8 : colour
      captions.append("\(Self.names[named]) thing, number \(i)")
      isMismatch.append(wrong)
    }
  }

  /// How well scores tell matched from mismatched pairs.
  func auroc(_ scores: [Float]) -> Double {
    let (wrong, right) = (0..<count).reduce(into: ([Float](), [Float]())) { sides, i in
      if isMismatch[i] { sides.0.append(scores[i]) } else { sides.1.append(scores[i]) }
    }
    let ordered = wrong.reduce(0) { sum, w in sum + right.count { $0 > w } }
    return Double(ordered) / Double(wrong.count * right.count)
  }

  var count: Int { captions.count }
  func caption(_ index: Int) -> String { captions[index] }
  func hash(_ index: Int) -> ContentHash {
    ContentHash(image: thumbnails[index], caption: Array(captions[index].utf8))
  }
  func withThumbnail<R>(
    _ index: Int, _ form: ThumbnailForm, _ body: (UnsafeBufferPointer<UInt8>) -> R
  ) -> R {
    thumbnails[index].withUnsafeBufferPointer(body)
  }
}
