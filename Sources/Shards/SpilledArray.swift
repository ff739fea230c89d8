import Foundation

/// A growing array of plain values that lies in a nameless temporary file, mapped, once it is large: memory that the
/// system can write out, so that a list of a million shards takes next to none of the process' own. Where there is no
/// room for the file it stays in memory.
public struct SpilledArray<Element: BitwiseCopyable & Sendable>: RandomAccessCollection, Sendable {
  private var storage = Storage(capacity: 0)
  public private(set) var count = 0

  public init() {}

  public init(repeating value: Element, count: Int) {
    storage = Storage(capacity: count)
    for _ in 0..<count { append(value) }
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { count }

  public subscript(position: Int) -> Element {
    get {
      precondition(position >= 0 && position < count, "outside of the array")
      return storage.elements[position]
    }
    set {
      precondition(position >= 0 && position < count, "outside of the array")
      own(capacity: storage.capacity)
      storage.elements[position] = newValue
    }
  }

  public mutating func append(_ value: Element) {
    own(capacity: count < storage.capacity ? storage.capacity : Swift.max(16, 2 * count))
    storage.elements[count] = value
    count += 1
  }

  public func withContiguousStorageIfAvailable<Result>(
    _ body: (UnsafeBufferPointer<Element>) throws -> Result
  ) rethrows -> Result? {
    try withExtendedLifetime(storage) {
      try body(UnsafeBufferPointer(start: storage.elements, count: count))
    }
  }

  /// Has the storage to itself, with that much room.
  private mutating func own(capacity: Int) {
    if capacity == storage.capacity, isKnownUniquelyReferenced(&storage) { return }
    let larger = Storage(capacity: capacity)
    larger.elements.update(from: storage.elements, count: count)
    storage = larger
  }

  /// Written only by an array that has it to itself.
  private final class Storage: @unchecked Sendable {
    let elements: UnsafeMutablePointer<Element>
    let capacity: Int
    /// 0 where it isn't mapped.
    private let mappedBytes: Int

    init(capacity: Int) {
      self.capacity = capacity
      let bytes = capacity * MemoryLayout<Element>.stride
      if bytes >= 1 << 18, let mapped = mapTemporaryFile(bytes: bytes) {
        elements = mapped.bindMemory(to: Element.self, capacity: capacity)
        mappedBytes = bytes
      } else {
        elements = .allocate(capacity: capacity)
        mappedBytes = 0
      }
    }

    deinit {
      if mappedBytes > 0 { munmap(elements, mappedBytes) } else { elements.deallocate() }
    }
  }
}

/// A file without a name in the folder for temporary files, mapped; nil where that has no room.
private func mapTemporaryFile(bytes: Int) -> UnsafeMutableRawPointer? {
  let folder = FileManager.default.temporaryDirectory.path
  var path = Array("\(folder)/winnow-XXXXXX".utf8CString)
  let file = mkstemp(&path)
  guard file >= 0 else { return nil }
  defer { close(file) }
  // No command that is started meanwhile may hold on to the disk space.
  _ = fcntl(file, F_SETFD, FD_CLOEXEC)
  unlink(path)
  // Room for all of it now: a mapped file that the disk can't hold would end the process later.
  guard posix_fallocate(file, 0, off_t(bytes)) == 0 else { return nil }
  let mapped = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
  return mapped == MAP_FAILED ? nil : mapped
}
