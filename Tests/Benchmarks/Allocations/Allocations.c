#include "Allocations.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

// An executable's malloc takes the place of glibc's, which stays to be had under these names.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_size_t calls, buffers;

static void note(size_t size) {
  atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
  if (size >= 16 << 10) atomic_fetch_add_explicit(&buffers, 1, memory_order_relaxed);
}

void *malloc(size_t size) {
  note(size);
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  note(count * size);
  return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
  note(size);
  return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
  note(size);
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
  *result = memalign(alignment, size);
  return *result ? 0 : ENOMEM;
}

size_t allocations_count(void) { return calls; }
size_t allocations_of_buffers(void) { return buffers; }

// getrusage's figure would begin with what the parent had when it forked.
size_t peak_resident_kib(void) {
  FILE *status = fopen("/proc/self/status", "r");
  size_t kib = 0;
  char line[256];
  while (status && fgets(line, sizeof line, status))
    if (sscanf(line, "VmHWM: %zu", &kib) == 1) break;
  if (status) fclose(status);
  return kib;
}

void forget_peak_resident(void) {
  FILE *references = fopen("/proc/self/clear_refs", "w");
  if (!references) return;
  fputs("5", references);
  fclose(references);
}

double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}
