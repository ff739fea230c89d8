// How a kernel is compiled for each vector width and chosen when the program starts. Private to VectorMath.
#pragma once

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// Kernels are chosen before the sanitizer is there, which the chooser calls: the program would die as it starts.
#define MULTIVERSIONED
#endif
#endif
#if defined(MULTIVERSIONED)
#elif defined(__x86_64__)
#define MULTIVERSIONED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MULTIVERSIONED
#endif
#define INLINE static inline __attribute__((always_inline))
