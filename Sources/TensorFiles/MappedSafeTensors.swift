import Foundation

/// A `.safetensors` file in memory as the kernel maps it: its tensors are read where they lie, count to no process, and
/// are loaded when they are touched. It may be deleted or replaced meanwhile, but not cut short.
public final class MappedSafeTensors: @unchecked Sendable {
  // Unchecked: the pages are mapped here, and only read from then on.

  /// The file.
  public let path: String
  private let header: SafeTensorsHeader
  private let bytes: UnsafeRawBufferPointer

  /// Maps the file and reads its header.
  ///
  /// - Throws: `.malformed` where the header lies, `.io`.
  public init(_ path: String) throws(TensorFileError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError(path, "open") }
    defer { close(descriptor) }
    let length = Int(lseek(descriptor, 0, SEEK_END))
    guard length >= 0 else { throw systemError(path, "read") }
    // An empty file can't be mapped.
    let base = length == 0 ? nil : mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, 0)
    if base == MAP_FAILED { throw systemError(path, "map") }
    let mapped = UnsafeRawBufferPointer(start: base, count: length)
    do throws(TensorFileError) {
      header = try SafeTensorsHeader(file: path, fileLength: length) { [UInt8](mapped[$0])[...] }
    } catch {
      munmap(base, length)
      throw error
    }
    bytes = mapped
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

  /// Nil where there is no such tensor.
  public func shape(of name: String) -> [Int]? { header.tensors[name]?.shape }

  /// The values of a tensor, row-major, for as long as this object lives.
  ///
  /// - Throws: `.malformed` where there is no such tensor, `.unsupported` unless it is F32 at a multiple of 4 bytes.
  public func floats(_ name: String) throws(TensorFileError) -> UnsafeBufferPointer<Float> {
    guard let description = header.tensors[name] else {
      throw .malformed(file: path, tensor: name, reason: "there is no such tensor")
    }
    let range = header.range(of: description)
    guard description.dtype == "F32", range.lowerBound.isMultiple(of: 4) else {
      let reason = "\(description.dtype) at byte \(range.lowerBound) is not F32 at a multiple of 4"
      throw .unsupported(file: path, tensor: name, reason: reason)
    }
    return UnsafeRawBufferPointer(rebasing: bytes[range]).assumingMemoryBound(to: Float.self)
  }
}
