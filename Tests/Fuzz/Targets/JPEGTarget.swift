extension FuzzTarget {
  static let jpeg = FuzzTarget(
    "jpeg",
    seeds: {
      try smallImages(
        ["jpeg-40x1", "jpeg-gray", "jpeg-progressive", "jpeg-420", "jpeg-ycck"], suffix: "jpg")
    }, read: readImage)
}
