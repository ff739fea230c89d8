#pragma once
#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_customMem, which the shared library exports too
#include <zstd.h>
#include <sys/mman.h>

// The length stands before the memory, which zstd wants aligned as malloc does it.
enum { mapped_prefix = 64 };

static inline void *allocate_mapped(void *opaque, size_t size) {
    size_t length = size + mapped_prefix;
    char *memory = (char *)mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    *(size_t *)memory = length;
    return memory + mapped_prefix;
}

static inline void free_mapped(void *opaque, void *memory) {
    if (memory == NULL) return;
    char *start = (char *)memory - mapped_prefix;
    munmap(start, *(size_t *)start);
}

/// A compressor whose megabytes go back to the system when it is freed. malloc takes them from what is free in the thread's
/// arena, where there is enough, and keeps them there.
static inline ZSTD_CCtx *create_mapped_compressor(void) {
    ZSTD_customMem memory = {allocate_mapped, free_mapped, NULL};
    return ZSTD_createCCtx_advanced(memory);
}
