/// Replaces `NaN`, `Infinity` and `-Infinity`, which Python's json writes and reads and no standard knows, by `null`.
func withoutPythonNumbers(_ json: [UInt8]) -> [UInt8] {
  let words = ["NaN", "Infinity", "-Infinity"].map { Array($0.utf8) }
  var result: [UInt8] = []
  result.reserveCapacity(json.count)
  var (at, isInString, isEscaped) = (0, false, false)
  while at < json.count {
    let byte = json[at]
    if isInString {
      if !isEscaped, byte == UInt8(ascii: "\"") { isInString = false }
      isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
    } else if byte == UInt8(ascii: "\"") {
      isInString = true
    } else if let word = words.first(where: { json[at...].starts(with: $0) }) {
      result += "null".utf8
      at += word.count
      continue
    }
    result.append(byte)
    at += 1
  }
  return result
}
