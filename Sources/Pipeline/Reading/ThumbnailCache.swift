import Encoders
import Foundation
import Images
import Synchronization
import Training

/// What the training room reads: thumbnails and captions of the selected pairs, in order of content hash, in two files
/// of which the thumbnails are memory-mapped. Several threads may store pairs; then `seal` once, then read. The files stay,
/// and with `places` another cache takes them up.
final class ThumbnailCache: TrainingCorpus, @unchecked Sendable {
  // Unchecked: each slot of the mapping is written by the thread that took it while filling, and only read once sealed;
  // everything else that changes lies under the mutex.

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
    /// Whether a thread is storing it, or has.
    var isTaken: [Bool]
    /// Of a caption in its file, once pixels and caption are stored.
    var places: [(offset: Int, count: Int)?]
    /// Of what is taken of that file.
    var end = 0

    init(count: Int) {
      isTaken = Array(repeating: false, count: count)
      places = Array(repeating: nil, count: count)
    }

    /// - Parameters:
    ///   - places: as ``ThumbnailCache/places``.
    ///   - captionBytes: of the file.
    init?(_ places: [Int64], captionBytes: Int64) {
      self.init(count: places.count / 2)
      for slot in isTaken.indices where places[2 * slot] >= 0 {
        let (offset, count) = (places[2 * slot], places[2 * slot + 1])
        guard count >= 0, offset <= captionBytes, count <= captionBytes - offset else { return nil }
        self.places[slot] = (Int(offset), Int(count))
        isTaken[slot] = true
      }
      end = Int(captionBytes)
    }
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
  ///   - directory: where its files lie, `thumbnails.bin` and `captions.bin`.
  ///   - places: those of an earlier cache of the same hashes and forms, to go on with its files; nil begins anew.
  /// - Throws: `RunError.file`; `.damagedState` where files and places don't fit.
  init(
    hashes: [ContentHash], forms: [ThumbnailForm], directory: String, places: [Int64]? = nil
  ) throws(RunError) {
    self.hashes = hashes
    self.directory = directory
    self.forms = forms
    slotBytes = forms.reduce(0) { $0 + $1.byteCount }
    let bytes = max(1, hashes.count * slotBytes)
    let (path, captionPath) = ("\(directory)/thumbnails.bin", "\(directory)/captions.bin")
    var slots = Slots(count: hashes.count)
    if let places {
      guard
        let captions = try? FileIdentity(of: captionPath), let pixels = try? FileIdentity(of: path),
        let stored = Slots(places, captionBytes: captions.size),
        stored.places.count == hashes.count, pixels.size == bytes
      else {
        throw .damagedState(
          file: "\(directory)/stored.npz", detail: "the files beside it aren't what it says")
      }
      slots = stored
    }
    self.slots = Mutex(slots)
    let flags = O_RDWR | O_CREAT | O_CLOEXEC | (places == nil ? O_TRUNC : 0)
    let pixels = open(path, flags, 0o644)
    guard pixels >= 0 else { throw .file(path: path, operation: "make", code: errno) }
    defer { close(pixels) }
    // Taken from the disk now: a full disk is an error here, not a SIGBUS later.
    let code = posix_fallocate(pixels, 0, off_t(bytes))
    guard code == 0 else {
      // What there was of room was given.
      if places == nil { unlink(path) }
      throw .file(path: path, operation: "reserve", code: code)
    }
    guard let start = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, pixels, 0),
      start != MAP_FAILED
    else { throw .file(path: path, operation: "map", code: errno) }
    mapping = UnsafeMutableRawBufferPointer(start: start, count: bytes)
    captions = open(captionPath, flags, 0o644)
    guard captions >= 0 else { throw .file(path: captionPath, operation: "make", code: errno) }
  }

  // Runs after a failed `init` too, once everything is set.
  deinit {
    munmap(mapping.baseAddress, mapping.count)
    if captions >= 0 { close(captions) }
  }

  /// For each slot where its caption lies, offset and length; both -1 where no pair is stored.
  var places: [Int64] {
    slots.withLock { slots in
      slots.places.flatMap { [Int64($0?.offset ?? -1), Int64($0?.count ?? -1)] }
    }
  }

  /// Brings what is stored to the disk.
  func flush() throws(RunError) {
    for name in ["thumbnails.bin", "captions.bin"] {
      try Publishing.flush("\(directory)/\(name)")
    }
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

  /// Whether its pair is stored, or is being stored.
  func isTaken(_ slot: Int) -> Bool { slots.withLock { $0.isTaken[slot] } }

  /// Keeps a pair; a second one of equal content changes nothing.
  ///
  /// - Parameter thumbnails: one for each of `forms`.
  func store(_ slot: Int, thumbnails: [[UInt8]], caption: String) throws(RunError) {
    precondition(thumbnails.map(\.count) == forms.map(\.byteCount), "thumbnails of other forms")
    let text = Array(caption.utf8)
    let offset: Int? = slots.withLock { slots in
      if slots.isTaken[slot] { return nil }
      slots.isTaken[slot] = true
      slots.end += text.count
      return slots.end - text.count
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
    // Only now, since another thread may keep at any time what is stored.
    slots.withLock { $0.places[slot] = (offset, text.count) }
  }

  /// Ends filling: pairs that were never stored (their image didn't decode) are left out.
  func seal() {
    let places = slots.withLock { $0.places }
    order = places.indices.filter { places[$0] != nil }
    captionPlaces = places.compactMap { $0 }
  }

  // MARK: TrainingCorpus

  var count: Int { order.count }

  func hash(_ i: Int) -> ContentHash { hashes[order[i]] }

  /// - Throws: `RunError.file` where it can't be read back.
  func caption(_ i: Int) throws -> String {
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
        throw RunError.file(path: "\(directory)/captions.bin", operation: "read", code: code)
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
