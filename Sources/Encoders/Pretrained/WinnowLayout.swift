import Foundation
import TensorFiles

/// What `winnow train` leaves of a model (``MemberFolder``): our own names, shapes and configuration.
struct WinnowLayout: PretrainedLayout {
  let configuration: MemberConfiguration
  /// What identifies the shards that it learnt from; empty where that wasn't noted.
  let trainedOn: String
  let stem = "model"
  let files = [MemberFolder.documentName]

  init?(folder: String) throws {
    let path = "\(folder)/\(MemberFolder.documentName)"
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    if let problem = JSONMeasure([UInt8](data)[...]).problem {
      throw PretrainedError.unreadable(file: path, reason: "it \(problem)")
    }
    let document: MemberFolder.Document
    do {
      document = try JSONDecoder().decode(MemberFolder.Document.self, from: data)
    } catch {
      throw PretrainedError.unreadable(file: path, reason: "\(error)")
    }
    guard document.formatVersion == MemberFolder.formatVersion else {
      throw PretrainedError.unsupported(
        file: path, key: "format_version", value: "\(document.formatVersion)",
        known: "\(MemberFolder.formatVersion)")
    }
    var configuration = document.member
    if configuration.text.tokens != .words { configuration.text.vocabulary = folder }
    configuration.pretrained = folder
    self.configuration = configuration
    trainedOn = document.trainedOn ?? ""
  }

  func source(of parameter: String, in files: WeightFiles) -> WeightSource? {
    WeightSource(parameter)
  }
}
