#pragma once
#include <errno.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

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

/// Bytes that are sent to the disk, or waited for, at once. Not even a kill ends such a call before its time: on a disk of
/// 10 MB/s it takes a tenth of a second.
enum { writeback_window = 1 << 20 };

/// fsync, window by window: a process that is killed meanwhile ends with the window.
/// Returns 0 or an errno.
static inline int sync_file(int descriptor) {
    struct stat info;
    if (fstat(descriptor, &info) != 0) return errno;
    for (long start = 0; start < info.st_size; start += writeback_window) {
        start_writeback(descriptor, start + writeback_window, writeback_window);
        int code = finish_writeback(descriptor, start, writeback_window);
        if (code != 0) return code;
    }
    return fsync(descriptor) == 0 ? 0 : errno;
}
