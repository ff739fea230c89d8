#include "Augmentation.h"

#include "Multiversioned.h"

/// Between which two positions of `0..<side` output `i` lies, and how much of the second it takes.
typedef struct {
  int first, second;
  float weight;
} tap;

INLINE tap tap_of(size_t i, size_t side, float start, float length) {
  float at = start + ((float)i + 0.5f) * length / (float)side - 0.5f;
  float top = (float)(side - 1);
  float low = at < 0 ? 0 : (at > top ? top : at);
  int first = (int)low;
  return (tap){first, first + 1 < (int)side ? first + 1 : (int)side - 1, low - (float)first};
}

size_t vm_crop_scratch(size_t side) { return 5 * 3 * side; }

MULTIVERSIONED void vm_crop(const unsigned char *restrict pixels, size_t side, float left, float top, float width, float height,
                            bool mirrored, const float *gains, float *restrict to, float *restrict scratch) {
  size_t n = 3 * side;
  float *line = scratch, *weight = line + n, *gain = weight + n;
  int *first = (int *)(gain + n), *second = first + n;
  for (size_t i = 0; i < side; i++) {
    tap t = tap_of(mirrored ? side - 1 - i : i, side, left, width);
    for (size_t c = 0; c < 3; c++) {
      first[3 * i + c] = 3 * t.first + (int)c;
      second[3 * i + c] = 3 * t.second + (int)c;
      weight[3 * i + c] = t.weight;
      gain[3 * i + c] = gains[c];
    }
  }
  for (size_t row = 0; row < side; row++, to += n) {
    tap t = tap_of(row, side, top, height);
    const unsigned char *upper = pixels + (size_t)t.first * n, *lower = pixels + (size_t)t.second * n;
    for (size_t i = 0; i < n; i++) line[i] = (float)upper[i] + (float)(lower[i] - upper[i]) * t.weight;
    for (size_t i = 0; i < n; i++) {
      float a = line[first[i]], b = line[second[i]];
      to[i] = (a + (b - a) * weight[i] - 127.5f) * gain[i];
    }
  }
}
