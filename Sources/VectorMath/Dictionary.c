#include "Dictionary.h"

#include "Kernels.h"

// Differences from the first value: a patch of one value is then exactly 0, whatever the value.
INLINE void differences(const float *image, size_t line, size_t patch, float *restrict to, float *sum, float *squares) {
  REASSOCIATE
  float first = image[0], total = 0, square = 0;
  for (size_t row = 0; row < patch; row++, image += line, to += 3 * patch) {
    for (size_t i = 0; i < 3 * patch; i++) {
      float d = image[i] - first;
      to[i] = d;
      total += d;
      square += d * d;
    }
  }
  *sum = total;
  *squares = square;
}

MULTIVERSIONED size_t vm_normalised_patches(const float *image, size_t side, size_t patch, size_t stride, size_t across,
                                            size_t first, size_t rows, float regulariser, float *restrict to,
                                            int32_t *restrict places) {
  size_t line = 3 * side, n = 3 * patch * patch, count = 0;
  for (size_t row = first; row < first + rows; row++) {
    for (size_t column = 0; column < across; column++) {
      float sum, squares;
      differences(image + row * stride * line + 3 * column * stride, line, patch, to, &sum, &squares);
      if (squares == 0) continue;
      float mean = sum / (float)n;
      float variance = (squares - sum * mean) / (float)(n - 1);
      float scale = 1 / sqrtf((variance > 0 ? variance : 0) + regulariser);
      for (size_t i = 0; i < n; i++) to[i] = (to[i] - mean) * scale;
      to += n;
      places[count++] = (int32_t)(row * across + column);
    }
  }
  return count;
}

MULTIVERSIONED void vm_two_sided_pool(const float *x, size_t rows, size_t atoms, const float *bias, float threshold,
                                      const int32_t *places, const int32_t *cells, float *sums) {
  for (size_t row = 0; row < rows; row++, x += atoms) {
    float *restrict above = sums + (size_t)cells[places[row]] * 2 * atoms;
    float *restrict below = above + atoms;
    for (size_t k = 0; k < atoms; k++) {
      float f = x[k] + bias[k], up = f - threshold, down = -f - threshold;
      above[k] += up > 0 ? up : 0;
      below[k] += down > 0 ? down : 0;
    }
  }
}

MULTIVERSIONED size_t vm_farthest(const float *x, size_t n) {
  REASSOCIATE
  float top = -1;
  for (size_t i = 0; i < n; i++) {
    float size = fabsf(x[i]);
    top = size > top ? size : top;
  }
  for (size_t i = 0; i < n; i++) {
    if (fabsf(x[i]) == top) return i;
  }
  return 0;
}

MULTIVERSIONED void vm_to_halves(const float *x, uint16_t *y, size_t n) {
  _Float16 *to = (_Float16 *)y;
  for (size_t i = 0; i < n; i++) to[i] = (_Float16)x[i];
}

MULTIVERSIONED void vm_from_halves(const uint16_t *x, float *y, size_t n) {
  const _Float16 *from = (const _Float16 *)x;
  for (size_t i = 0; i < n; i++) y[i] = (float)from[i];
}
