import Foundation
import Text

extension FuzzTarget {
  /// The files of pretrained tokenizers, each tried as every kind: the first byte isn't told.
  static let tokenizers = FuzzTarget(
    "tokenizers", seeds: tokenizerSeeds,
    read: { bytes in
      let data = Data(bytes)
      var digest = Digest()
      // `vocab.json` and `merges.txt`, parted by a NUL.
      let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
      let kinds: [() throws -> any Tokenizer] = [
        { try BytePairTokenizer(tokenizerJSON: data) },
        { try WordPieceTokenizer(tokenizerJSON: data) },
        { try BytePairTokenizer(openCLIPMerges: data) },
        { try WordPieceTokenizer(vocabulary: data) },
        {
          try BytePairTokenizer(
            vocabulary: Data(parts[0]), merges: Data(parts.count > 1 ? parts[1] : []))
        },
      ]
      var word = "refused"
      for (kind, make) in kinds.enumerated() {
        do {
          let tokenizer = try make()
          digest.add(kind)
          try check(tokenizer, &digest)
          word = "read"
        } catch let error as TokenizerError {
          try promiseWords("\(error)")
        }
      }
      return Outcome(word, digest.number)
    })

  static func check(
    _ tokenizer: any Tokenizer, _ digest: inout Digest, captions: [String] = sampleCaptions
  ) throws {
    for caption in captions {
      for limit in [0, 1, 2, 16] {
        let ids = tokenizer.encode(caption, limit: limit)
        try promise(ids.count <= limit, "\(ids.count) ids, not \(limit)")
        try promise(
          ids.allSatisfy { $0 >= 0 && $0 < tokenizer.vocabularySize }, "ids lie in the vocabulary")
        for id in ids { digest.add(Int(id)) }
      }
    }
  }

  static let sampleCaptions = [
    "", "A cat's hat, 12 the", "caf\u{e9} \u{6905}\0\u{202E}x", String(repeating: "the", count: 40),
  ]

  @Sendable private static func tokenizerSeeds() throws -> [[UInt8]] {
    let ends = #""post_processor":{"type":"RobertaProcessing","sep":["E",1],"cls":["S",0]}"#
    let pattern = #"'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"#
    let bytePairs =
      #"{"added_tokens":[{"id":9,"content":"<x>","normalized":true}],"normalizer":{"type":"Sequence","#
      + #""normalizers":[{"type":"NFC"},{"type":"Replace"},{"type":"Lowercase"}]},"pre_tokenizer":"#
      + #"{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\#(pattern)"}},"#
      + #"{"type":"ByteLevel"}]},\#(ends),"model":{"type":"BPE","end_of_word_suffix":"</w>","#
      + #""vocab":{"S":0,"E":1,"a":2,"c":3,"t</w>":4,"ca":5,"cat</w>":6,"\u0061\u0301":7},"#
      + #""merges":["c a",["ca","t</w>"]]}}"#
    let wordPieces =
      #"{"normalizer":{"type":"BertNormalizer","lowercase":true},"pre_tokenizer":"#
      + #"{"type":"BertPreTokenizer"},"post_processor":{"type":"TemplateProcessing","single":"#
      + #"[{"SpecialToken":{"id":"[CLS]"}},{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"[SEP]"}}]},"#
      + #""model":{"type":"WordPiece","max_input_chars_per_word":20,"vocab":{"[UNK]":0,"[CLS]":1,"#
      + ###""[SEP]":2,"[PAD]":3,"a":4,"c":5,"##at":6,"##t":7,"hat":8}}}"###
    let vocabulary = #"{"<|startoftext|>":0,"<|endoftext|>":1,"a":2,"t</w>":3,"at</w>":4}"#
    return [
      bytePairs, wordPieces, "\"bpe\n" + "t h\na t</w>\nth e</w>\n",
      "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##t\ncat\r\n", vocabulary + "\0#version: 0.2\na t</w>\n",
    ].map { Array($0.utf8) }
  }
}
