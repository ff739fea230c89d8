#include "Resampling.h"

#include <string.h>

#include "Multiversioned.h"

INLINE uint8_t clipped(int32_t sum, int precision) {
  int32_t value = sum >> precision;
  return (uint8_t)(value < 0 ? 0 : (value > 255 ? 255 : value));
}

// Four lines at a time: a pixel of each, with the byte after it.
enum { lines = 4 };
typedef int32_t pixels4 __attribute__((vector_size(16 * lines)));
typedef uint8_t bytes4 __attribute__((vector_size(4 * lines)));
typedef uint32_t words4 __attribute__((vector_size(4 * lines)));

INLINE uint32_t word_at(const uint8_t *at) {
  uint32_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

INLINE void resample_line(const vm_resampling *along, const uint8_t *pixels, uint8_t *to) {
  for (size_t i = 0; i < along->outputs; i++, to += 3) {
    int32_t sum[3] = {1 << (along->precision - 1), 1 << (along->precision - 1), 1 << (along->precision - 1)};
    const uint8_t *at = pixels + 3 * along->firsts[i];
    for (int32_t k = 0; k < along->counts[i]; k++, at += 3)
      for (int c = 0; c < 3; c++) sum[c] += at[c] * along->weights[i * along->stride + (size_t)k];
    for (int c = 0; c < 3; c++) to[c] = clipped(sum[c], along->precision);
  }
}

MULTIVERSIONED void vm_resample_rows(vm_resampling along, const uint8_t *pixels, size_t width, size_t rows,
                                     uint8_t *to) {
  size_t line = 3 * width, out = 3 * along.outputs, row = 0;
  // The byte after the last pixel of the last line is nobody's: that line goes alone.
  for (; row + lines < rows; row += lines, pixels += lines * line, to += lines * out) {
    for (size_t i = 0; i < along.outputs; i++) {
      const uint8_t *at = pixels + 3 * along.firsts[i];
      const int32_t *weights = along.weights + i * along.stride;
      pixels4 sum = (pixels4){0} + (1 << (along.precision - 1));
      for (int32_t k = 0; k < along.counts[i]; k++, at += 3) {
        words4 words = {word_at(at), word_at(at + line), word_at(at + 2 * line), word_at(at + 3 * line)};
        sum += __builtin_convertvector((bytes4)words, pixels4) * weights[k];
      }
      sum >>= along.precision;
      sum = __builtin_elementwise_min(__builtin_elementwise_max(sum, (pixels4){0}), (pixels4){0} + 255);
      for (size_t r = 0; r < lines; r++)
        for (size_t c = 0; c < 3; c++) to[r * out + 3 * i + c] = (uint8_t)sum[4 * r + c];
    }
  }
  for (; row < rows; row++, pixels += line, to += out) resample_line(&along, pixels, to);
}

MULTIVERSIONED void vm_resample_columns(vm_resampling down, const uint8_t *restrict pixels, size_t line, size_t first,
                                        int32_t *restrict sums, uint8_t *restrict to) {
  const int32_t half = 1 << (down.precision - 1);
  for (size_t i = 0; i < down.outputs; i++, to += line) {
    const uint8_t *from = pixels + ((size_t)down.firsts[i] - first) * line;
    for (size_t x = 0; x < line; x++) sums[x] = half;
    for (int32_t k = 0; k < down.counts[i]; k++, from += line) {
      int32_t weight = down.weights[i * down.stride + (size_t)k];
      for (size_t x = 0; x < line; x++) sums[x] += from[x] * weight;
    }
    for (size_t x = 0; x < line; x++) to[x] = clipped(sums[x], down.precision);
  }
}
