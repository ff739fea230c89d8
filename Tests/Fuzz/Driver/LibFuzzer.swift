// libFuzzer's C functions. (A second file also keeps the compiler from making a main of its own.)

/// Runs the fuzzer with a program's arguments, and seldom returns.
@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ tryOne: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// Changes `size` of `most` bytes in place.
/// - Returns: how many there are now.
@_silgen_name("LLVMFuzzerMutate")
func libFuzzerMutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ most: Int) -> Int
