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
  let slash = UInt8(ascii: "/")
  let base = (name.lastIndex(of: slash) ?? -1) + 1
  guard let dot = name[base...].firstIndex(of: UInt8(ascii: ".")), dot > base,
    !isShardMetadata(name[..<(name.firstIndex(of: slash) ?? name.count)])
  else { return nil }
  return (Array(name[..<dot]), Array(name[(dot + 1)...]))
}

/// Whether a name's first component is one of webdataset's own: `__meta__` and the like.
private func isShardMetadata(_ component: ArraySlice<UInt8>) -> Bool {
  let mark = Array("__".utf8)
  return component.count >= 4 && component.starts(with: mark) && component.suffix(2) == mark[...]
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
  bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
}
