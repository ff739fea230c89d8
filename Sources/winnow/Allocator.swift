import CGlibc
import Dispatch
import Foundation
import Pipeline
import Synchronization

/// How malloc keeps what is free.
enum Allocator {
  /// Blocks of a megabyte or more go back to the system when they are freed. Left alone, glibc takes them from the arena of
  /// the thread that asks, once one was freed; every thread's arena then keeps as much as it ever held, and what small
  /// things lie between makes it grow with the number of shards.
  static func configure() {
    mallopt(M_MMAP_THRESHOLD, 1 << 20)
    // Free bytes at its end that an arena keeps. It has to be set with the other one, or would stay at 128 KiB: an image's
    // bytes would go back and forth.
    mallopt(M_TRIM_THRESHOLD, 2 << 20)
    // A writer has three threads, and new ones for every shard: with the usual eight arenas a core, each keeps some of what
    // it ever held.
    mallopt(M_ARENA_MAX, Int32(usableProcessors + 2))
  }

  /// When it was done last while a stage ran, in nanoseconds of the uptime.
  private static let last = Atomic<UInt64>(0)

  /// Gives the system all that is free, also between what is held: after each stage, whose leftovers serve no other, and
  /// four times a second while shards are judged and written, so that what the threads' arenas keep doesn't grow with their
  /// number.
  static func follow(_ event: RunEvent) {
    switch event {
    case .ended: malloc_trim(0)
    case .progress(.score, _, _, _, _), .progress(.decide, _, _, _, _),
      .progress(.write, _, _, _, _):
      let now = DispatchTime.now().uptimeNanoseconds
      let then = last.load(ordering: .relaxed)
      guard now >= then + 250_000_000,
        last.compareExchange(expected: then, desired: now, ordering: .relaxed).exchanged
      else { return }
      malloc_trim(0)
    default: break
    }
  }
}
