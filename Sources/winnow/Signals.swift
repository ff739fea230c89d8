import Foundation
import Pipeline

/// Signals as a run wants them: the first SIGINT or SIGTERM asks it to stop, a second one ends it at once; writing to a
/// closed pipe or past a size limit is an error to report, not the end.
struct Signals {
  private let sources: [any DispatchSourceSignal]

  init(cancelling cancellation: Cancellation) {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        cancellation.cancel(signal: number)
        signal(number, SIG_DFL)
      }
      source.resume()
      return source
    }
  }
}
