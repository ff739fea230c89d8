import Foundation
import FuzzTargets

// winnow-fuzz TARGET [libFuzzer's arguments]    looks for bytes that break a promise of the target
// winnow-fuzz --seeds FOLDER                    writes FOLDER/TARGET/N, the seeds of every target
//
// It is libFuzzer's own driver that runs; SwiftPM makes `winnow_fuzz_main` the program's main.

/// Set once, before the driver runs.
nonisolated(unsafe) private var target: FuzzTarget?

@_cdecl("winnow_fuzz_main")
func main(
  count: Int32, arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> Int32 {
  let words = CommandLine.arguments
  if words.count == 3, words[1] == "--seeds" {
    do {
      try writeSeeds(to: words[2])
      return 0
    } catch {
      print(error)
      return 1
    }
  }
  target = FuzzTarget.all.first { words.count > 1 && $0.name == words[1] }
  guard target != nil else {
    print("usage: winnow-fuzz TARGET [libFuzzer's arguments], TARGET one of")
    print(FuzzTarget.all.map(\.name).joined(separator: " "))
    return 2
  }
  // Without the target's name.
  var (left, rest) = (count - 1, arguments + 1)
  arguments[1] = arguments[0]
  return runDriver(&left, &rest) { data, size in
    check([UInt8](UnsafeBufferPointer(start: data, count: size)))
    return 0
  }
}

private func check(_ bytes: [UInt8]) {
  do {
    _ = try target?.check(bytes)
  } catch {
    // libFuzzer keeps the bytes of a process that dies.
    fatalError("\(error)")
  }
}

/// libFuzzer's own damage, with the format's checksums made true again every other time.
@_cdecl("LLVMFuzzerCustomMutator")
func mutate(
  _ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ most: Int, _ seed: UInt32
) -> Int {
  let count = libFuzzerMutate(data, size, most)
  guard seed & 1 == 0, let target else { return count }
  let repaired = target.repaired([UInt8](UnsafeBufferPointer(start: data, count: count)))
  guard repaired.count <= most else { return count }
  for (place, byte) in repaired.enumerated() { data[place] = byte }
  return repaired.count
}

private func writeSeeds(to folder: String) throws {
  for target in FuzzTarget.all {
    let path = URL(fileURLWithPath: "\(folder)/\(target.name)")
    try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
    for (number, seed) in try target.seeds().enumerated() {
      try Data(seed).write(to: path.appendingPathComponent("seed-\(number)"))
    }
    print(target.name)
  }
}
