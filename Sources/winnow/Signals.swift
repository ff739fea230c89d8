import Foundation
import Pipeline

/// Signals as a run wants them: the first SIGINT, SIGTERM or SIGHUP asks it to stop, a second one ends it at once; of
/// SIGHUP several come where a terminal is closed, and none counts under `nohup`.
struct Signals {
  /// How long a run may take to stop by itself. One that is held up (by a disk that doesn't answer, inside a member of
  /// terabytes) is ended then, as `kill -9` would: the same command goes on from either.
  private static let patience = DispatchTimeInterval.milliseconds(1500)

  private let sources: [any DispatchSourceSignal]

  init(cancelling cancellation: Cancellation) {
    // A queue of its own, so that it gets a thread when all others are busy.
    let queue = DispatchQueue(label: "signals", qos: .userInteractive)
    sources = [SIGINT, SIGTERM, SIGHUP].filter { $0 != SIGHUP || !Self.isIgnored($0) }.map {
      number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { [patience = Self.patience] in
        if !cancellation.isCancelled {
          cancellation.cancel(signal: number)
          queue.asyncAfter(deadline: .now() + patience) { _exit(128 + number) }
        } else if number != SIGHUP {
          _exit(128 + number)
        }
      }
      source.resume()
      return source
    }
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    sigaction(number, nil, &action)
    // SIG_IGN, whose type has no comparison.
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }

  /// Writing to a closed pipe or past a size limit is an error to report, not the end; and how a command ended is to be
  /// told, whatever who started this process thinks of its own.
  static func prepare() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    signal(SIGCHLD, SIG_DFL)
  }
}
