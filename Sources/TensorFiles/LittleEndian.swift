// Every format of this room is little-endian, as is every platform that Swift 6 and our C libraries
// are built for; where that ends, the build ends, not the data.
#if !_endian(little)
  #error("TensorFiles copies little-endian bytes straight into memory")
#endif

/// `count` values out of `bytes`, wherever they are aligned. `bytes` must hold exactly that many.
func unpack<Value: BitwiseCopyable>(
  _ bytes: ArraySlice<UInt8>, count: Int, as type: Value.Type = Value.self
) -> [Value] {
  precondition(bytes.count == count * MemoryLayout<Value>.stride, "\(bytes.count) bytes")
  return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
    _ = UnsafeMutableRawBufferPointer(buffer).initializeMemory(as: UInt8.self, from: bytes)
    initialized = count
  }
}

/// IEEE binary16 bit patterns to Float: exact, subnormals, infinities and NaN included.
func float16(_ patterns: [UInt16]) -> [Float] {
  patterns.map { Float(Float16(bitPattern: $0)) }
}

/// bfloat16 bit patterns (the upper half of a binary32) to Float: exact.
func bfloat16(_ patterns: [UInt16]) -> [Float] {
  patterns.map { Float(bitPattern: UInt32($0) << 16) }
}
