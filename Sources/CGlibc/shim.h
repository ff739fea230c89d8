#pragma once
#include <malloc.h>

// The system's headers have it for programs that define _GNU_SOURCE, which Swift's own modules don't.
int sync_file_range(int descriptor, long offset, long count, unsigned int flags);

/// Has the kernel begin to write a range of a file to the disk, and doesn't wait for it. Where that can't be done nothing is.
static inline void start_writeback(int descriptor, long offset, long count) {
    (void)sync_file_range(descriptor, offset, count, 2 /* SYNC_FILE_RANGE_WRITE */);
}
