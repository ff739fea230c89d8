import Foundation
import Pipeline

/// Signals as a run wants them: the first SIGINT or SIGTERM asks it to stop, a second one ends it at once.
struct Signals {
  private let sources: [any DispatchSourceSignal]

  init(cancelling cancellation: Cancellation) {
    // A queue of its own, so that it gets a thread when all others are busy.
    let queue = DispatchQueue(label: "signals", qos: .userInteractive)
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if cancellation.isCancelled { _exit(128 + number) }
        cancellation.cancel(signal: number)
      }
      source.resume()
      return source
    }
  }

  /// Writing to a closed pipe or past a size limit is an error to report, not the end.
  static func ignoreWriteSignals() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }
}
