import Foundation
import Images

/// What `CLIPImageProcessor` and `ChineseCLIPImageProcessor` do to an image, from preprocessor_config.json, or from the
/// part of processor_config.json where newer versions keep it. Without either it is CLIP's usual one.
enum HuggingFacePreprocessing {
  static func apply(
    to image: inout ImageConfiguration, folder: String
  ) throws(PretrainedError) {
    let exists = { (name: String) in FileManager.default.fileExists(atPath: "\(folder)/\(name)") }
    var json: ModelJSON?
    if exists("preprocessor_config.json") {
      json = try ModelJSON(file: "\(folder)/preprocessor_config.json")
    } else if exists("processor_config.json") {
      json = try ModelJSON(file: "\(folder)/processor_config.json").object("image_processor")
    }
    try image.set(
      mean: json?.floats("image_mean"), deviation: json?.floats("image_std"),
      file: json?.file ?? folder)
    image.geometry = .crop
    guard let json else { return }
    for key in ["do_resize", "do_rescale", "do_normalize"] { try json.require(key, toBe: "true") }
    guard [3, 3.0].contains(try json.float("resample", default: 3)) else {
      throw json.unsupported("resample", known: "3, bicubic")
    }
    let factor = try json.float("rescale_factor", default: 1 / 255)
    guard abs(factor * 255 - 1) < 1e-4 else {
      throw json.unsupported("rescale_factor", known: "1/255")
    }
    let crops = json.flag("do_center_crop") ?? true
    let size = try side(json, "size", of: image)
    if crops, json.has("crop_size"), try side(json, "crop_size", of: image).side != image.side {
      throw json.unsupported("crop_size", known: "the image_size of config.json, \(image.side)")
    }
    guard size.side == image.side else {
      throw json.unsupported("size", known: "the image_size of config.json, \(image.side)")
    }
    image.geometry = size.isShortest ? .crop : .squash
    if size.isShortest && !crops {
      throw json.unsupported("do_center_crop", known: "true, where the shortest edge is given")
    }
  }

  /// `224`, `{"shortest_edge": 224}` or `{"height": 224, "width": 224}`.
  private static func side(
    _ json: ModelJSON, _ key: String, of image: ImageConfiguration
  ) throws(PretrainedError) -> (side: Int, isShortest: Bool) {
    guard let size = json.object(key) else {
      return (try json.integer(key, default: image.side), true)
    }
    if size.has("shortest_edge") {
      return (try size.integer("shortest_edge", default: 0), true)
    }
    let (height, width) = (
      try size.integer("height", default: 0), try size.integer("width", default: 0)
    )
    guard height == width else { throw json.unsupported(key, known: "a square") }
    return (height, false)
  }
}
