// What the whole process, its libraries included, asks of malloc and of the processor.
#pragma once
#include <stddef.h>

/// Calls of malloc and its kin so far.
size_t allocations_count(void);
/// Those of at least 16 KiB: buffers, where the others are Swift's objects and small arrays.
size_t allocations_of_buffers(void);
/// The most resident memory since it was last forgotten, in KiB.
size_t peak_resident_kib(void);
void forget_peak_resident(void);
/// What all threads have worked so far.
double cpu_seconds(void);
