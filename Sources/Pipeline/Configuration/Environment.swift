import Foundation
import VectorMath

/// Winnow's own version.
public let winnowVersion = "0.3.1"

/// What besides input and settings decides a run's bytes: one kernel class and one set of library versions.
enum Environment {

  /// Looked up at run time in the libraries that are loaded, so this room needs none of their headers.
  static let described: [String: String] = {
    var result = ["winnow": winnowVersion, "vector-path": String(cString: vm_vector_path())]
    for (name, symbol) in [
      ("libarchive", "archive_version_string"), ("libzstd", "ZSTD_versionString"),
      ("openblas", "openblas_get_config"), ("openblas-core", "openblas_get_corename"),
      ("libspng", "spng_version_string"),
    ] {
      result[name] = text(symbol)
    }
    // libjpeg-turbo can't tell.
    result["libwebp"] = number("WebPGetDecoderVersion").map {
      "\($0 >> 16).\($0 >> 8 & 255).\($0 & 255)"
    }
    return result
  }()

  private static func text(_ symbol: String) -> String? {
    typealias Call = @convention(c) () -> UnsafePointer<CChar>?
    return address(symbol).flatMap { unsafeBitCast($0, to: Call.self)() }.map {
      String(cString: $0)
    }
  }

  private static func number(_ symbol: String) -> Int32? {
    typealias Call = @convention(c) () -> Int32
    return address(symbol).map { unsafeBitCast($0, to: Call.self)() }
  }

  private static func address(_ symbol: String) -> UnsafeMutableRawPointer? {
    dlopen(nil, RTLD_LAZY).flatMap { dlsym($0, symbol) }
  }
}
