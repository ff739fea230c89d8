import Foundation

/// What besides input and settings decides a run's bytes: one kernel class and one set of library versions
/// (promise 3).
enum Environment {
  static let version = "0.1.0"

  /// Looked up at run time in the libraries that are loaded, so this room needs none of their headers.
  static let described: [String: String] = {
    var result: [String: String] = [:]
    for (name, symbol) in [
      ("libarchive", "archive_version_string"), ("libzstd", "ZSTD_versionString"),
      ("openblas", "openblas_get_config"), ("openblas-core", "openblas_get_corename"),
      ("libspng", "spng_version_string"),
    ] {
      result[name] = text(symbol)
    }
    return result
  }()

  private static func text(_ symbol: String) -> String? {
    guard let handle = dlopen(nil, RTLD_LAZY), let address = dlsym(handle, symbol) else {
      return nil
    }
    typealias Call = @convention(c) () -> UnsafePointer<CChar>?
    return unsafeBitCast(address, to: Call.self)().map { String(cString: $0) }
  }
}
