import Foundation

/// Pairs every PNG below `folder/png` with the caption of the drawing of the same name below `folder/svg`.
///
/// - Parameter folder: `usr/share/openclipart` of the unpacked packages openclipart-png and openclipart-svg.
func harvestOpenClipArt(_ folder: URL) -> Harvest {
  var harvest = Harvest()
  let images = folder.appendingPathComponent("png")
  let drawings = folder.appendingPathComponent("svg")
  for path in pngFiles(below: images, into: &harvest) {
    let drawing = drawings.appendingPathComponent(String(path.dropLast(4)) + ".svg")
    guard let svg = try? Data(contentsOf: drawing) else {
      harvest.skip("PNG without an SVG")
      continue
    }
    let caption = SVGMetadata(svg: svg).caption
    guard !caption.isEmpty else {
      harvest.skip("SVG without title, description or keyword")
      continue
    }
    harvest.pairs.append(
      SourcePair(
        source: "openclipart", category: topFolder(of: path), path: path,
        image: images.appendingPathComponent(path), caption: caption))
  }
  return harvest
}

/// `animals` for `animals/birds/owl.png`, `unsorted` for a file that lies in no folder.
func topFolder(of path: String) -> String {
  let parts = path.split(separator: "/")
  return parts.count > 1 ? String(parts[0]) : "unsorted"
}
