// An antialiased resize of 8-bit RGB in fixed point, one axis at a time: sums of weighted neighbours, rounded and clipped
// to a byte after each. Exact: every vector width gives the same bytes.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// For each of `outputs` places along an axis the inputs `firsts[i] ..< firsts[i] + counts[i]` and their weights, which
/// begin at weights[i * stride] and have `precision` bits after the point.
typedef struct {
  size_t outputs, stride;
  const int32_t *firsts, *counts, *weights;
  int precision;
} vm_resampling;

/// Along the rows: `rows` lines of `width` pixels to lines of `outputs` pixels.
void vm_resample_rows(vm_resampling along, const uint8_t *pixels, size_t width, size_t rows, uint8_t *to);
/// Down the columns: `outputs` lines of `line` bytes from lines of which the first is input `first`. `sums` holds `line`
/// numbers.
void vm_resample_columns(vm_resampling down, const uint8_t *pixels, size_t line, size_t first, int32_t *sums,
                         uint8_t *to);

#ifdef __cplusplus
}
#endif
