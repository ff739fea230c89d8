import CMalloc

/// How malloc deals with large blocks.
enum Allocator {
  /// Blocks of a megabyte or more (a shard's, zstd's) go back to the system when they are freed. Left alone, glibc takes
  /// them from the arena of the thread that asks, once one was freed; every thread's arena then keeps as much as it ever
  /// held, and what small things lie between makes it grow with the number of shards.
  static func returnLargeBlocks() {
    mallopt(M_MMAP_THRESHOLD, 1 << 20)
    // With the other one set it would stay at 128 KiB: an image's bytes would go back and forth.
    mallopt(M_TRIM_THRESHOLD, 2 << 20)
  }

  /// Gives the system all that is free, also between what is held: a stage's leftovers serve no other.
  static func returnFree() { malloc_trim(0) }
}
