#pragma once
#include <errno.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

// The system's headers have it for programs that define _GNU_SOURCE, which Swift's own modules don't.
int sync_file_range(int descriptor, long offset, long count, unsigned int flags);

/// Bytes for which one call waits until they are on the disk: not even a kill ends such a call before its time. On a disk
/// of 10 MB/s that is a tenth of a second.
enum { writeback_window = 1 << 20 };

static inline int writeback(int descriptor, long offset, long count, unsigned int flags) {
    if (sync_file_range(descriptor, offset, count, flags) == 0) return 0;
    // A pipe, or a kernel that hasn't got it: the sync at the end does it all.
    return errno == ESPIPE || errno == ENOSYS ? 0 : errno;
}

/// Has the kernel begin to write a range of a file to the disk, and doesn't wait for it. Where that can't be done nothing is.
/// Returns 0 or an errno, which a later sync doesn't always tell any more; what lacked memory is written when it is waited for.
static inline int start_writeback(int descriptor, long offset, long count) {
    int code = writeback(descriptor, offset, count, 2 /* SYNC_FILE_RANGE_WRITE */);
    return code == ENOMEM || code == EAGAIN ? 0 : code;
}

/// Waits, window by window, until a range of a file is on the disk (though perhaps not yet where the file's length is noted).
/// Returns 0, also where that can't be done, or the errno of writing it, which a later sync doesn't tell any more.
static inline int finish_writeback(int descriptor, long offset, long count) {
    for (long end = offset + count; offset < end; offset += writeback_window) {
        long size = end - offset < writeback_window ? end - offset : writeback_window;
        int code = writeback(descriptor, offset, size, 7 /* WAIT_BEFORE | WRITE | WAIT_AFTER */);
        if (code != 0) return code;
    }
    return 0;
}

/// fsync, a file window by window: a process that is killed meanwhile ends with the window. Only the end, where the file's
/// length is noted and the disk empties its own cache, goes on until it is done.
/// Returns 0, also for a pipe or a terminal, which can't be synced, or an errno.
static inline int sync_file(int descriptor) {
    struct stat info;
    if (fstat(descriptor, &info) != 0) return errno;
    for (long offset = 0; S_ISREG(info.st_mode) && offset < info.st_size; offset += writeback_window) {
        int code = start_writeback(descriptor, offset + writeback_window, writeback_window);
        if (code == 0) code = finish_writeback(descriptor, offset, writeback_window);
        if (code != 0) return code;
    }
    if (fsync(descriptor) == 0 || (errno == EINVAL && !S_ISREG(info.st_mode))) return 0;
    return errno;
}
