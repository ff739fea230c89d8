// swift-tools-version: 6.2
import PackageDescription

// Arrows point down only (see README.md, "Rooms"): a target imports nothing that stands above it.
let package = Package(
  name: "winnow",
  products: [
    .executable(name: "winnow", targets: ["winnow"]),
    .library(name: "ConfidentLearning", targets: ["ConfidentLearning"]),
    .library(name: "Shards", targets: ["Shards"]),
    .library(name: "Encoders", targets: ["Encoders"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // The C libraries, as Debian packages them.
    .systemLibrary(
      name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(name: "CLZMA", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
      name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CSPNG", pkgConfig: "spng", providers: [.apt(["libspng-dev"])]),
    .systemLibrary(name: "CWebP", pkgConfig: "libwebpdemux", providers: [.apt(["libwebp-dev"])]),
    // What Foundation doesn't show of glibc: malloc's settings, and writing to the disk bit by bit.
    .systemLibrary(name: "CGlibc"),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),

    // The rooms, lowest first.
    .target(name: "VectorMath"),
    .target(name: "ConfidentLearning", dependencies: ["VectorMath"]),
    .target(name: "Text"),
    .target(name: "Shards", dependencies: ["CArchive", "CGlibc", "CLZMA", "CZstd"]),
    .target(name: "Images", dependencies: ["CTurboJPEG", "CSPNG", "CWebP", "VectorMath"]),
    .target(name: "TensorFiles", dependencies: ["CArchive", "CGlibc"]),
    .target(name: "Layers", dependencies: ["COpenBLAS", "VectorMath"]),
    .target(
      name: "Encoders",
      dependencies: ["Layers", "VectorMath", "TensorFiles", "Images", "Text", "CXXHash"]),
    .target(
      name: "Training",
      dependencies: [
        "Encoders", "Layers", "VectorMath", "TensorFiles", "Images", "Text", "CGlibc",
      ]),
    .target(
      name: "Pipeline",
      dependencies: [
        "Training", "Encoders", "ConfidentLearning", "Layers", "Images", "Text", "Shards",
        "TensorFiles", "VectorMath", "CGlibc", "CXXHash", "Yams",
      ]),
    .target(
      name: "Reports",
      dependencies: ["Pipeline", "ConfidentLearning", "Layers", "TensorFiles", "VectorMath"]),
    .executableTarget(
      name: "winnow",
      dependencies: [
        "Reports", "Pipeline", "CGlibc",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "build-samples",
      dependencies: [
        "Shards", "CXXHash", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Samples/BuildSamples"),

    // `make bench`: our side of the comparison with PyTorch.
    .target(name: "Allocations", path: "Tests/Benchmarks/Allocations"),
    .target(name: "BenchmarkSupport", path: "Tests/Benchmarks/Support"),
    .executableTarget(
      name: "winnow-bench",
      dependencies: [
        "Allocations", "Pipeline", "Training", "Encoders", "Layers", "Images", "Shards", "Text",
        "TensorFiles",
      ],
      path: "Tests/Benchmarks/Speed"),
    // `make bench-training`: what cleaning is worth to a trained model.
    .executableTarget(
      name: "bench-training",
      dependencies: [
        "BenchmarkSupport", "Reports", "Pipeline", "Encoders", "Images", "Layers", "Shards",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/Benchmarks/Training", exclude: ["training.yaml"]),
    // `make bench-quality`: what the judges, the estimate and the cut find, against every alternative.
    .executableTarget(
      name: "bench-quality",
      dependencies: [
        "BenchmarkSupport", "Reports", "Pipeline", "ConfidentLearning",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/Benchmarks/Quality", exclude: ["hand-checked.tsv", "judges.yaml"]),

    // `make bench-scale`, `make bench-throughput`: their corpora, and what else is done on our side.
    .executableTarget(
      name: "bench-corpus",
      dependencies: [
        "BenchmarkSupport", "Layers", "Shards", "CSPNG", "CTurboJPEG",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/Benchmarks/Scale", exclude: ["judges.yaml"]),

    .testTarget(name: "ShardsTests", dependencies: ["Shards"]),
    .testTarget(name: "ImagesTests", dependencies: ["Images"], exclude: ["Goldens"]),
    .testTarget(name: "TensorFilesTests", dependencies: ["TensorFiles"]),
    .testTarget(name: "TextTests", dependencies: ["Text"], exclude: ["Goldens"]),
    .testTarget(name: "LayersTests", dependencies: ["Layers", "VectorMath"]),
    // What our encoders are held to: models saved by their own libraries, with their results.
    .target(
      name: "ModelParity", dependencies: ["Encoders", "TensorFiles", "Text"],
      path: "Tests/ModelParity"),
    .testTarget(
      name: "EncodersTests", dependencies: ["Encoders", "Layers", "ModelParity"],
      exclude: ["Goldens"]),
    .testTarget(
      name: "PeersTests",
      dependencies: [
        "LabelParity", "ModelParity", "Images", "Reports", "Layers", "TensorFiles", "Text",
      ]),
    .testTarget(name: "TrainingTests", dependencies: ["Training", "Encoders"]),
    // What class-label confident learning is held to: problems with cleanlab's results.
    .target(
      name: "LabelParity", dependencies: ["ConfidentLearning", "TensorFiles"],
      path: "Tests/LabelParity"),
    .testTarget(
      name: "ConfidentLearningTests", dependencies: ["ConfidentLearning", "LabelParity"],
      exclude: ["Goldens"]),
    .testTarget(
      name: "PipelineTests",
      dependencies: ["Pipeline", "ConfidentLearning", "Shards", "TensorFiles"]),
    .testTarget(
      name: "ReportsTests",
      dependencies: ["Reports", "Pipeline", "ConfidentLearning", "Layers", "TensorFiles"]),
    .testTarget(
      name: "BenchTrainingTests",
      dependencies: ["bench-training", "BenchmarkSupport", "Reports", "Encoders", "Shards"]),
    .testTarget(name: "BuildSamplesTests", dependencies: ["build-samples"]),
    .testTarget(
      name: "EndToEndTests",
      dependencies: ["winnow", "Pipeline", "Layers", "Shards", "TensorFiles"]),
    // What every reader of strangers' bytes promises, one file a reader.
    .target(
      name: "FuzzTargets",
      dependencies: ["Pipeline", "Images", "Shards", "TensorFiles", "Text", "CArchive"],
      path: "Tests/Fuzz/Targets"),
    .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"]),
  ]
)

// `make fuzz`: libFuzzer's driver is there only with -sanitize=fuzzer. (gold dies of this link.)
if Context.environment["WINNOW_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "winnow-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver",
      linkerSettings: [.unsafeFlags(["-use-ld=lld"])]))
}

// A warning in our own code fails the build; SwiftPM leaves the packages we depend on alone.
for target in package.targets where target.type != .system {
  target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error)]
  // Tests' own code takes longer to optimise than to run.
  if target.type == .test { target.swiftSettings?.append(.unsafeFlags(["-Onone"])) }
}
