#include "ConvolutionPaths.h"

#include <string.h>

#include "Multiversioned.h"
#include "VectorMath.h"

#define NAMED_FOR(name, suffix) name##_##suffix

#if defined(__x86_64__)
#define VECTOR_BYTES 64
#define TILE 12
#define NAMED(name) NAMED_FOR(name, avx512)
// clang otherwise prefers 256-bit registers on this target and splits the wider ones.
#define FOR_TARGET __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
#include "ConvolutionTiles.h"
#include "WinogradTiles.h"
#undef VECTOR_BYTES
#undef TILE
#undef NAMED
#undef FOR_TARGET

#define VECTOR_BYTES 32
#define TILE 6
#define NAMED(name) NAMED_FOR(name, avx2)
#define FOR_TARGET __attribute__((target("arch=x86-64-v3")))
#include "ConvolutionTiles.h"
#include "WinogradTiles.h"
#undef VECTOR_BYTES
#undef TILE
#undef NAMED
#undef FOR_TARGET
#endif

#define VECTOR_BYTES 16
#define TILE 6
#define NAMED(name) NAMED_FOR(name, baseline)
#define FOR_TARGET
#include "ConvolutionTiles.h"
#include "WinogradTiles.h"

#define PATH(name)                                                                          \
  (vm_convolution_kernels) {                                                                \
    panel_##name, convolve_##name, add_weight_gradient_##name, {                            \
      {{6, 6, 4, 1, 4, transform_input1_##name, transform_output1_##name},                  \
       {6, 6, 4, 1, 4, transform_input1_##name, transform_output1_##name},                  \
       transform_slope1_##name,                                                             \
       transform_weight1_##name,                                                            \
       transform_weight_slope1_##name},                                                     \
      {{9, 9, 8, 1, 4, transform_input2_##name, transform_output2_##name},                  \
       {9, 5, 4, 0, 8, transform_back_input2_##name, transform_back_output2_##name},        \
       transform_slope2_##name,                                                             \
       transform_weight2_##name,                                                            \
       transform_weight_slope2_##name},                                                     \
    }                                                                                       \
  }

vm_convolution_kernels vm_convolution_kernels_here(void) {
#if defined(__x86_64__)
  char path = vm_vector_path()[3];
  if (path == '5') return PATH(avx512);
  if (path == '2') return PATH(avx2);
#endif
  return PATH(baseline);
}

void vm_pad(const float *x, float *padded, size_t images, size_t height, size_t width, size_t channels, size_t wide,
            margin rows, margin columns) {
  size_t line = (columns.before + width + columns.after) * wide;
  for (size_t image = 0; image < images; image++) {
    memset(padded, 0, rows.before * line * sizeof(float));
    padded += rows.before * line;
    for (size_t row = 0; row < height; row++) {
      memset(padded, 0, columns.before * wide * sizeof(float));
      float *to = padded + columns.before * wide;
      if (wide == channels) {
        memcpy(to, x, width * channels * sizeof(float));
      } else {
        for (size_t column = 0; column < width; column++) {
          memcpy(to + column * wide, x + column * channels, channels * sizeof(float));
          memset(to + column * wide + channels, 0, (wide - channels) * sizeof(float));
        }
      }
      memset(to + width * wide, 0, columns.after * wide * sizeof(float));
      x += width * channels;
      padded += line;
    }
    memset(padded, 0, rows.after * line * sizeof(float));
    padded += rows.after * line;
  }
}

