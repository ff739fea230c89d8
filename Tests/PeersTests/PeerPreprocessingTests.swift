import Foundation
import Images
import TensorFiles
import Testing

/// Pretrained models' own preprocessing: resize, crop and dropped alpha.
@Suite(Peer.isThere) struct PeerPreprocessingTests {
  @Test func pixelsAgreeToOneAndAHalfInTheMean() throws {
    try Peer.withFolder(of: "make_clip_pixels.py") { folder in
      var decoder = ImageDecoder()
      decoder.scaledDecode = false
      var worst: [String: Double] = [:]
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      for file in files.sorted() where !file.hasSuffix(".npy") {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)")))
        for (peer, geometry) in [
          ("crop", Geometry.crop), ("squash", .squash), ("open-clip", .crop),
        ] {
          let form = ThumbnailForm(side: 48, geometry: geometry, alpha: .dropped)
          let ours = try decoder.thumbnails(of: bytes, forms: [form])[0].pixels
          let stem = (file as NSString).deletingPathExtension
          guard case .uint8(let theirs, _) = try NPY.read("\(folder)/\(stem).\(peer).npy") else {
            Issue.record("\(stem).\(peer).npy holds no bytes")
            continue
          }
          let sum = zip(ours, theirs).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
          let mean = Double(sum) / Double(ours.count)
          #expect(mean < 1.5, "\(file) against \(peer)")
          worst[peer] = max(worst[peer] ?? 0, mean)
        }
      }
      print("largest mean differences: \(worst)")
      #expect(worst.count == 3)
    }
  }
}
