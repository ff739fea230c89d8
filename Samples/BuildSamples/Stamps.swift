import Foundation

/// The language of the stamps' captions.
enum StampLanguage: String, Sendable, CaseIterable {
  /// English, and for every third stamp that has a Chinese caption that one.
  case mixed
  case english
  /// Chinese; stamps without a Chinese caption are left out.
  case chinese
}

/// Pairs every Tux Paint stamp with the text beside it.
///
/// - Parameter folder: `usr/share/tuxpaint/stamps` of the unpacked package tuxpaint-stamps-default.
func harvestStamps(_ folder: URL, language: StampLanguage = .mixed) -> Harvest {
  var harvest = Harvest()
  var bilingual = 0
  for path in pngFiles(below: folder, into: &harvest) {
    let text = folder.appendingPathComponent(String(path.dropLast(4)) + ".txt")
    guard let content = try? Data(contentsOf: text) else {
      harvest.skip("stamp without a text (mirrored or auxiliary)")
      continue
    }
    let captions = StampCaptions(text: String(decoding: content, as: UTF8.self))
    var caption = captions.english
    if let chinese = captions.chinese {
      bilingual += 1
      if language == .mixed && bilingual % 3 == 0 { caption = chinese }
    }
    if language == .chinese { caption = captions.chinese ?? "" }
    guard !caption.isEmpty else {
      harvest.skip("stamp without a caption in the language")
      continue
    }
    harvest.pairs.append(
      SourcePair(
        source: "tuxpaint-stamps", category: "stamps/" + topFolder(of: path), path: path,
        image: folder.appendingPathComponent(path), caption: caption))
  }
  return harvest
}

/// The captions in a stamp's text: English on the first line, then lines like `zh_CN.utf8=一个蘑菇。`.
struct StampCaptions: Equatable {
  var english: String
  var chinese: String?

  init(text: String) {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    english = collapsingWhitespace(lines.first ?? "")
    let marker = "zh_CN.utf8="
    chinese = lines.first { $0.hasPrefix(marker) }
      .map { collapsingWhitespace($0.dropFirst(marker.count)) }
      .flatMap { $0.isEmpty ? nil : $0 }
  }
}
