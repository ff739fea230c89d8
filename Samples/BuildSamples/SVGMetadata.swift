import Foundation

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// The Dublin Core description that an Open Clip Art drawing carries in its `cc:Work`.
struct SVGMetadata: Equatable {
  var title = ""
  var description = ""
  var keywords: [String] = []

  /// Reads `dc:title`, `dc:description` and the `rdf:li` of `dc:subject`. Titles that belong to an agent (author,
  /// publisher) are not the drawing's. Broken XML yields what came before the error.
  init(svg: Data) {
    let parser = XMLParser(data: svg)
    let collector = Collector()
    parser.delegate = collector
    _ = parser.parse()  // false for broken XML, and when the metadata was all that was wanted
    self = collector.metadata
  }

  init(title: String = "", description: String = "", keywords: [String] = []) {
    self.title = title
    self.description = description
    self.keywords = keywords
  }

  /// `title. description. keyword, keyword`: parts that are empty or said already are left out.
  var caption: String {
    var seenKeywords: Set<String> = []
    let subject = keywords.map { collapsingWhitespace($0) }
      .filter { !$0.isEmpty && seenKeywords.insert($0).inserted }
      .joined(separator: ", ")
    var seen: Set<String> = []
    let parts = [collapsingWhitespace(title), collapsingWhitespace(description), subject]
      .filter { !$0.isEmpty && seen.insert($0).inserted }
    return parts.reduce("") { caption, part in
      guard let end = caption.last else { return part }
      return caption + (".!?".contains(end) ? " " : ". ") + part
    }
  }
}

/// Walks the tree with the path of open elements, by local name: prefixes vary, the names do not.
private final class Collector: NSObject, XMLParserDelegate {
  var metadata = SVGMetadata()
  private var open: [String] = []
  private var text = ""

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    open.append(name.split(separator: ":").last.map(String.init) ?? name)
    text = ""
  }

  func parser(_ parser: XMLParser, foundCharacters characters: String) {
    text += characters
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    let path = open.suffix(4)
    open.removeLast()
    if path.suffix(2) == ["Work", "title"], metadata.title.isEmpty {
      metadata.title = text
    } else if path.suffix(2) == ["Work", "description"], metadata.description.isEmpty {
      metadata.description = text
    } else if path == ["Work", "subject", "Bag", "li"] {
      metadata.keywords.append(text)
    } else if path.last == "metadata" {
      parser.abortParsing()
    }
    text = ""
  }
}
