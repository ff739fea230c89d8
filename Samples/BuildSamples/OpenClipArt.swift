import Foundation

/// Pairs every PNG below `folder/png` with the caption of the drawing of the same name below `folder/svg`.
///
/// - Parameters:
///   - folder: `usr/share/openclipart` of the unpacked packages openclipart-png and openclipart-svg.
///   - maxTitleUses: drawings whose title more of them share are left out: such titles name a collection, not a picture.
func harvestOpenClipArt(_ folder: URL, maxTitleUses: Int = .max) -> Harvest {
  var harvest = Harvest()
  let images = folder.appendingPathComponent("png")
  let drawings = folder.appendingPathComponent("svg")
  var titles: [String] = []
  for path in pngFiles(below: images, into: &harvest) {
    let drawing = drawings.appendingPathComponent(String(path.dropLast(4)) + ".svg")
    guard let svg = try? Data(contentsOf: drawing) else {
      harvest.skip("PNG without an SVG")
      continue
    }
    let metadata = SVGMetadata(svg: svg)
    let caption = metadata.caption
    guard !caption.isEmpty else {
      harvest.skip("SVG without title, description or keyword")
      continue
    }
    harvest.pairs.append(
      SourcePair(
        source: "openclipart", category: topFolder(of: path), path: path,
        image: images.appendingPathComponent(path), caption: caption))
    titles.append(collapsingWhitespace(metadata.title).lowercased())
  }
  let uses = Dictionary(grouping: titles) { $0 }.mapValues(\.count)
  let kept = harvest.pairs.indices.filter {
    titles[$0].isEmpty || uses[titles[$0], default: 0] <= maxTitleUses
  }
  for _ in kept.count..<harvest.pairs.count {
    harvest.skip("title used more than \(maxTitleUses) times")
  }
  harvest.pairs = kept.map { harvest.pairs[$0] }
  return harvest
}

/// `animals` for `animals/birds/owl.png`, `unsorted` for a file that lies in no folder.
func topFolder(of path: String) -> String {
  let parts = path.split(separator: "/")
  return parts.count > 1 ? String(parts[0]) : "unsorted"
}
