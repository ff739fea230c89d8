// winnow-bench: our side of `make bench`. Reads commands from stdin, one a line, and answers each with a line of JSON:
//
//     prepare NAME    makes the benchmark; writes its weights and inputs to DIR/NAME.safetensors
//     run NAME        runs it once
//     output NAME     writes what the last run gave to DIR/NAME.output.safetensors
//     drop NAME       frees it
//
// The driver is Tests/Peers/bench.py; it writes DIR/*.ids.safetensors and DIR/shards/*.tar first.
import Encoders
import Foundation
import TensorFiles
import Training

/// What the command line or the driver got wrong.
struct UsageError: Error { var text: String }

func benchmark(_ name: String, _ directory: String) throws -> any Benchmark {
  let shards = try FileManager.default.contentsOfDirectory(atPath: "\(directory)/shards").sorted()
    .map { "\(directory)/shards/\($0)" }
  let conv = MemberConfiguration(name: "conv")
  switch name {
  case "sgemm": return ProductBenchmark()
  case "vit-b-32":
    var image = ImageConfiguration(kind: .transformer)
    (image.side, image.patch, image.width, image.depth, image.heads) = (224, 32, 768, 12, 12)
    return ImageBenchmark(image, dimension: 512, count: 64)
  case "vit-small":
    return ImageBenchmark(ImageConfiguration(kind: .transformer), dimension: 256, count: 768)
  case "conv": return ImageBenchmark(conv.image, dimension: conv.dimension, count: 768)
  case "clip-text":
    var text = TextConfiguration(kind: .transformer, tokens: .bytePairs, width: 512, depth: 12)
    text.heads = 8
    return TextBenchmark(text, dimension: 512, captions: try ids(name, directory))
  case "bert-text":
    var text = TextConfiguration(
      kind: .transformer, tokens: .wordPieces, vocabularySize: 21128, width: 768, depth: 12)
    text.heads = 12
    return TextBenchmark(text, dimension: 512, captions: try ids(name, directory))
  case "decode-and-encode":
    return DecodeAndEncodeBenchmark(conv.image, dimension: conv.dimension, shards: shards)
  case "step-conv-bag", "step-conv-transformer":
    let text = TextConfiguration(kind: name == "step-conv-bag" ? .bag : .transformer)
    return try StepBenchmark(MemberConfiguration(name: name, text: text), shards: shards)
  case "scoring": return try ScoringBenchmark(shards: shards)
  default: throw UsageError(text: "no benchmark is called \(name)")
  }
}

/// The tokens of each caption, which the driver cut: `ids` `[captions, longest]`, `lengths` `[captions]`.
func ids(_ name: String, _ directory: String) throws -> [[Int32]] {
  let tensors = try SafeTensors.read("\(directory)/\(name).ids.safetensors").tensors
  guard let ids = tensors["ids"], let lengths = tensors["lengths"] else {
    throw UsageError(text: "\(directory)/\(name).ids.safetensors lacks ids or lengths")
  }
  return lengths.values.indices.map { row in
    let start = row * ids.shape[1]
    return ids.values[start..<(start + Int(lengths.values[row]))].map(Int32.init)
  }
}

func answer(_ text: String) {
  FileHandle.standardOutput.write(Data("\(text)\n".utf8))
}

func serve(_ directory: String) throws {
  var benchmarks: [String: any Benchmark] = [:]
  let encoder = JSONEncoder()
  while let line = readLine() {
    let words = line.split(separator: " ").map(String.init)
    guard words.count == 2 else { throw UsageError(text: "not VERB NAME: \(line)") }
    let (verb, name) = (words[0], words[1])
    if verb == "prepare" {
      let made = try benchmark(name, directory)
      benchmarks[name] = made
      try SafeTensors.write(
        try made.exports(), metadata: [:], to: "\(directory)/\(name).safetensors")
      answer("{}")
      continue
    }
    guard let known = benchmarks[name] else { throw UsageError(text: "\(name) is not prepared") }
    switch verb {
    case "run": answer(String(decoding: try encoder.encode(Report.of(known)), as: UTF8.self))
    case "output":
      try SafeTensors.write(
        known.output, metadata: [:], to: "\(directory)/\(name).output.safetensors")
      answer("{}")
    case "drop":
      benchmarks[name] = nil
      answer("{}")
    default: throw UsageError(text: "no such verb: \(verb)")
    }
  }
}

guard CommandLine.arguments.count == 2 else {
  throw UsageError(text: "usage: winnow-bench DIR (the driver, `make bench`, starts it)")
}
try serve(CommandLine.arguments[1])
