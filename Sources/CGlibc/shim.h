#pragma once
#include <errno.h>
#include <malloc.h>

// The system's headers have it for programs that define _GNU_SOURCE, which Swift's own modules don't.
int sync_file_range(int descriptor, long offset, long count, unsigned int flags);

/// Has the kernel begin to write a range of a file to the disk, and doesn't wait for it. Where that can't be done nothing is.
static inline void start_writeback(int descriptor, long offset, long count) {
    (void)sync_file_range(descriptor, offset, count, 2 /* SYNC_FILE_RANGE_WRITE */);
}

/// Waits until a range of a file is on the disk (though perhaps not yet where the file's length is noted).
/// Returns 0, also where that can't be done, or the error of writing it, which a later sync doesn't tell any more.
static inline int finish_writeback(int descriptor, long offset, long count) {
    if (sync_file_range(descriptor, offset, count, 7 /* WAIT_BEFORE | WRITE | WAIT_AFTER */) == 0) return 0;
    return errno == ESPIPE || errno == EINVAL || errno == ENOSYS ? 0 : errno;
}
