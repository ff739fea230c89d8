import Encoders
import Foundation
import Images
import Synchronization
import Training

/// What the training room reads: thumbnails and captions of the selected pairs, in order of content hash, in two files
/// under `.winnow` of which the thumbnails are memory-mapped. Several threads may store pairs; then `seal` once, then
/// read.
final class ThumbnailCache: TrainingCorpus, @unchecked Sendable {
  // Unchecked: the mapping is written at disjoint slots while filling, and only read once sealed; everything else that
  // changes lies under the mutex.

  /// The forms in which a pair's thumbnail is kept.
  let forms: [ThumbnailForm]
  private let hashes: [ContentHash]
  private let mapping: UnsafeMutableRawBufferPointer
  private let captions: Int32
  private let directory: String
  private let slots: Mutex<Slots>
  /// Slot of the i-th pair, once sealed.
  private var order: [Int] = []
  private var captionPlaces: [(offset: Int, count: Int)] = []

  private struct Slots {
    var place: [(offset: Int, count: Int)?]
    var end = 0
  }

  private let slotBytes: Int

  /// Where a form's thumbnail begins in a slot.
  private func offset(of form: ThumbnailForm) -> Int {
    guard let index = forms.firstIndex(of: form) else {
      preconditionFailure("no thumbnails of \(form) were kept")
    }
    return forms[..<index].reduce(0) { $0 + $1.byteCount }
  }

  /// - Parameters:
  ///   - hashes: ascending and distinct.
  ///   - directory: a folder of the cache's own; it disappears with the cache.
  init(hashes: [ContentHash], forms: [ThumbnailForm], directory: String) throws(RunError) {
    self.hashes = hashes
    self.directory = directory
    self.forms = forms
    slotBytes = forms.reduce(0) { $0 + $1.byteCount }
    slots = Mutex(Slots(place: Array(repeating: nil, count: hashes.count)))
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
    } catch {
      throw .file(path: directory, operation: "make", code: systemCode(of: error))
    }
    let bytes = max(1, hashes.count * slotBytes)
    let path = "\(directory)/thumbnails.bin"
    let pixels = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard pixels >= 0 else { throw .file(path: path, operation: "make", code: errno) }
    defer { close(pixels) }
    // Taken from the disk now: a full disk is an error here, not a SIGBUS later.
    let code = posix_fallocate(pixels, 0, off_t(bytes))
    guard code == 0 else { throw .file(path: path, operation: "reserve", code: code) }
    guard let start = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, pixels, 0),
      start != MAP_FAILED
    else { throw .file(path: path, operation: "map", code: errno) }
    mapping = UnsafeMutableRawBufferPointer(start: start, count: bytes)
    let captionPath = "\(directory)/captions.bin"
    captions = open(captionPath, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard captions >= 0 else { throw .file(path: captionPath, operation: "make", code: errno) }
  }

  // Runs after a failed `init` too, once everything is set.
  deinit {
    munmap(mapping.baseAddress, mapping.count)
    if captions >= 0 { close(captions) }
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// The slot of a selected pair; nil for others.
  func slot(of hash: ContentHash) -> Int? {
    var low = 0
    var high = hashes.count
    while low < high {
      let middle = (low + high) / 2
      if hashes[middle] < hash { low = middle + 1 } else { high = middle }
    }
    return low < hashes.count && hashes[low] == hash ? low : nil
  }

  func isStored(_ slot: Int) -> Bool { slots.withLock { $0.place[slot] != nil } }

  /// Keeps a pair; a second one of equal content changes nothing.
  ///
  /// - Parameter thumbnails: one for each of `forms`.
  func store(_ slot: Int, thumbnails: [[UInt8]], caption: String) throws(RunError) {
    precondition(thumbnails.map(\.count) == forms.map(\.byteCount), "thumbnails of other forms")
    let text = Array(caption.utf8)
    let offset: Int? = slots.withLock { slots in
      if slots.place[slot] != nil { return nil }
      let offset = slots.end
      slots.place[slot] = (offset, text.count)
      slots.end += text.count
      return offset
    }
    guard let offset else { return }
    var start = slot * slotBytes
    for thumbnail in thumbnails {
      mapping[start..<(start + thumbnail.count)].copyBytes(from: thumbnail)
      start += thumbnail.count
    }
    var written = 0
    while written < text.count {
      let count = text[written...].withUnsafeBytes {
        pwrite(captions, $0.baseAddress, $0.count, off_t(offset + written))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw .file(path: "\(directory)/captions.bin", operation: "write", code: errno)
      }
      written += count
    }
  }

  /// Ends filling: pairs that were never stored (their image didn't decode) are left out.
  func seal() {
    let places = slots.withLock { $0.place }
    order = places.indices.filter { places[$0] != nil }
    captionPlaces = places.compactMap { $0 }
  }

  // MARK: TrainingCorpus

  var count: Int { order.count }

  func hash(_ i: Int) -> ContentHash { hashes[order[i]] }

  /// Ends the process where it can't be read, as a page of the mapped thumbnails does: nothing is learnt from less.
  func caption(_ i: Int) -> String {
    let place = captionPlaces[i]
    var text = [UInt8](repeating: 0, count: place.count)
    var done = 0
    while done < text.count {
      let count = text.withUnsafeMutableBytes { bytes in
        pread(
          captions, bytes.baseAddress.map { $0 + done }, bytes.count - done,
          off_t(place.offset + done))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let code = count < 0 ? errno : EIO
        let path = "\(directory)/captions.bin"
        fatalError("\(RunError.file(path: path, operation: "read", code: code))")
      }
      done += count
    }
    return String(decoding: text, as: UTF8.self)
  }

  func withThumbnail<R>(
    _ i: Int, _ form: ThumbnailForm, _ body: (UnsafeBufferPointer<UInt8>) -> R
  ) -> R {
    let start = order[i] * slotBytes + offset(of: form)
    let bytes = UnsafeRawBufferPointer(rebasing: mapping[start..<(start + form.byteCount)])
    return bytes.withMemoryRebound(to: UInt8.self, body)
  }
}
