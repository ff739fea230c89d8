import Foundation

/// Runs `body` on a thread of its own. (Foundation's `Thread` doesn't tell when the system refuses it.)
/// - Returns: 0, or the system's error: `EAGAIN` where no more threads are allowed.
func startThread(stackBytes: Int, _ body: @escaping @Sendable () -> Void) -> Int32 {
  var attributes = pthread_attr_t()
  let ready = pthread_attr_init(&attributes)
  guard ready == 0 else { return ready }
  defer { pthread_attr_destroy(&attributes) }
  pthread_attr_setstacksize(&attributes, stackBytes)
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  let held = Unmanaged.passRetained(ThreadBody(body))
  var thread = pthread_t()
  let code = pthread_create(
    &thread, &attributes,
    { pointer in
      if let pointer { Unmanaged<ThreadBody>.fromOpaque(pointer).takeRetainedValue().run() }
      return nil
    }, held.toOpaque())
  if code != 0 { held.release() }
  return code
}

/// A thread takes a plain pointer, and a closure has none.
private final class ThreadBody {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
