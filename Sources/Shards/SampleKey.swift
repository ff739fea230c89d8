/// Splits a member name into its sample key and suffix, as webdataset does: the folder belongs to the
/// key, the suffix starts at the first dot of the base name.
///
///     a/b.c/000.seg.png  ->  a/b.c/000, seg.png
///     ./000.JPG          ->  ./000, JPG
///     noext, .hidden     ->  nil
///
/// - Returns: nil for a name that belongs to no sample: one without a suffix, one whose base name starts
///   with a dot (AppleDouble's `._000.jpg` too; webdataset makes a sample named `a/` of `a/.hidden`,
///   which nobody meant), and the `__name__` entries that hold a shard's own metadata.
///   The suffix is as written; lower-case it to match it.
public func sampleKey(ofMember name: [UInt8]) -> (key: [UInt8], suffix: [UInt8])? {
  guard let dot = dot(ofMember: name) else { return nil }
  return (Array(name[..<dot]), Array(name[(dot + 1)...]))
}

/// The place of the dot between a name's sample key and its suffix; nil as above.
func dot(ofMember name: [UInt8]) -> Int? {
  name.withUnsafeBufferPointer { name in
    var base = name.count
    while base > 0, name[base - 1] != UInt8(ascii: "/") { base -= 1 }
    var dot = base
    while dot < name.count, name[dot] != UInt8(ascii: ".") { dot += 1 }
    return dot > base && dot < name.count && !isShardMetadata(name) ? dot : nil
  }
}

/// Whether a name's first component is one of webdataset's own: `__meta__` and the like.
private func isShardMetadata(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
  let mark = UInt8(ascii: "_")
  guard name.count >= 4, name[0] == mark, name[1] == mark else { return false }
  let end = name.firstIndex(of: UInt8(ascii: "/")) ?? name.count
  return end >= 4 && name[end - 1] == mark && name[end - 2] == mark
}

/// Whether a suffix is of the kind that webdataset keeps for itself: it fails on a sample that has `__key__` or `__url__`, drops
/// one with `__bad__`, and decodes none of the others.
public func isReserved(suffix: [UInt8]) -> Bool {
  let mark = Array("__".utf8)
  return suffix.count >= 4 && suffix.starts(with: mark) && suffix.suffix(2).elementsEqual(mark)
}

extension Sample {
  /// The first member whose suffix is one of `suffixes`, tried in that order, whatever its case.
  ///
  /// - Parameter suffixes: lower case, without the leading dot: `["jpg", "seg.png"]`.
  public func member(suffixes: [String]) -> Member? {
    let own = members.map { sampleKey(ofMember: $0.name).map { lowerCased($0.suffix) } }
    for suffix in suffixes {
      let wanted = lowerCased(Array(suffix.utf8))
      if let index = own.firstIndex(of: wanted) { return members[index] }
    }
    return nil
  }
}

/// ASCII letters to lower case; other bytes stay, since a name need not be UTF-8.
public func lowerCased(_ bytes: [UInt8]) -> [UInt8] {
  bytes.map(lowerCased)
}

func lowerCased(_ byte: UInt8) -> UInt8 {
  (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
