import Foundation
import Testing

@testable import build_samples

/// The metadata block of openclipart's food/pop_can drawing, with its publisher and author.
private let popCan = """
  <?xml version="1.0" encoding="utf-8"?>
  <svg xmlns="http://www.w3.org/2000/svg"><title>ignored</title>
    <metadata>
      <rdf:RDF xmlns:cc="http://web.resource.org/cc/" xmlns:dc="http://purl.org/dc/elements/1.1/"
        xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <cc:Work rdf:about="">
          <dc:publisher><cc:Agent><dc:title>Open Clip Art Project</dc:title></cc:Agent></dc:publisher>
          <dc:title>Pop
            Can</dc:title>
          <dc:description>Fish &amp; chips, caf\u{e9}</dc:description>
          <dc:subject><rdf:Bag>
            <rdf:li>food</rdf:li><rdf:li> can </rdf:li><rdf:li/><rdf:li>food</rdf:li>
          </rdf:Bag></dc:subject>
          <dc:creator><cc:Agent><dc:title>Gerald G.</dc:title></cc:Agent></dc:creator>
        </cc:Work>
      </rdf:RDF>
    </metadata>
    <g><path d="M6.102,19.206"/></g>
  </svg>
  """

@Suite struct CaptionTests {
  @Test func joinsTitleDescriptionAndKeywordsOfTheWorkItself() {
    let caption = SVGMetadata(svg: Data(popCan.utf8)).caption
    #expect(caption == "Pop Can. Fish & chips, caf\u{e9}. food, can")
  }

  @Test func leavesOutWhatIsEmptyOrSaidAlready() {
    #expect(SVGMetadata(title: "Owl", description: " Owl ", keywords: ["Owl"]).caption == "Owl")
    #expect(SVGMetadata(title: "\n", keywords: ["bird", "", "night"]).caption == "bird, night")
    #expect(
      SVGMetadata(title: "What?", description: "An owl.", keywords: ["bird"]).caption
        == "What? An owl. bird")
    #expect(SVGMetadata(keywords: [" "]).caption.isEmpty)
  }

  @Test func brokenDrawingYieldsWhatCameBeforeTheError() throws {
    let end = try #require(popCan.range(of: "<rdf:li> can"))
    let cut = String(popCan[..<end.lowerBound]) + "</wrong>"
    #expect(SVGMetadata(svg: Data(cut.utf8)).caption == "Pop Can. Fish & chips, caf\u{e9}. food")
    #expect(SVGMetadata(svg: Data("GIF89a".utf8)).caption.isEmpty)
  }

  @Test func stampIsEnglishOnItsFirstLineAndChineseFurtherDown() {
    let mushroom = "A mushroom.\r\nach.utf8=Obwol.\nzh_CN.utf8=一个蘑菇。\nzh_TW.utf8=蘑菇\n"
    let captions = StampCaptions(text: mushroom)
    #expect(captions.english == "A mushroom.")
    #expect(captions.chinese == "一个蘑菇。")
    #expect(StampCaptions(text: "Owl\nzh_CN.utf8= \n").chinese == nil)
    #expect(StampCaptions(text: "\nde.utf8=Eule\n").english.isEmpty)
  }
}
