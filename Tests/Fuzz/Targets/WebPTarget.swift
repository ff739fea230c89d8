extension FuzzTarget {
  static let webp = FuzzTarget(
    "webp",
    seeds: {
      try smallImages(
        ["webp-lossy", "webp-lossless", "webp-lossy-alpha", "webp-animated-offset"], suffix: "webp")
    }, read: readImage)
}
