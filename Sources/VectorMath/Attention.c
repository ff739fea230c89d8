#include "Kernels.h"

// Products of an item's short rows, where a call of a BLAS costs more than the product. Rows of the right factor and of
// the result are padded to whole vectors.

#define LANES 16
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef float loose_lanes __attribute__((vector_size(4 * LANES), aligned(4)));

INLINE size_t padded(size_t n) { return (n + LANES - 1) / LANES * LANES; }

// c[rows][ROWS x VECTORS * LANES] = alpha * a b over k; a's element (i, k) lies at a[i * down + k * along].
#define TILE(ROWS, VECTORS)                                                                         \
  do {                                                                                              \
    lanes sum[ROWS][VECTORS];                                                                       \
    for (int i = 0; i < ROWS; i++)                                                                  \
      for (int v = 0; v < VECTORS; v++) sum[i][v] = (lanes){0};                                     \
    for (size_t p = 0; p < k; p++) {                                                                \
      const float *bp = b + p * ldb + column;                                                       \
      const float *ap = a + row * down + p * along;                                                 \
      for (int i = 0; i < ROWS; i++)                                                                \
        for (int v = 0; v < VECTORS; v++)                                                           \
          sum[i][v] += ap[i * down] * *(const loose_lanes *)(bp + v * LANES);                       \
    }                                                                                               \
    for (int i = 0; i < ROWS; i++)                                                                  \
      for (int v = 0; v < VECTORS; v++)                                                             \
        *(loose_lanes *)(c + (row + i) * ldc + column + v * LANES) = alpha * sum[i][v];             \
  } while (0)

// c [m, n] = alpha * a b, with b [k, n] and n a multiple of LANES.
INLINE void product(const float *a, size_t down, size_t along, const float *b, size_t ldb, float *c, size_t ldc,
                    size_t m, size_t n, size_t k, float alpha) {
  size_t row = 0;
  for (; row + 4 <= m; row += 4) {
    size_t column = 0;
    for (; column + 2 * LANES <= n; column += 2 * LANES) TILE(4, 2);
    if (column < n) TILE(4, 1);
  }
  for (; row < m; row++)
    for (size_t column = 0; column < n; column += LANES) TILE(1, 1);
}

// The rows of x, [length, stride], cut to `size` columns and padded with zeros.
INLINE void pack(const float *x, size_t stride, float *y, size_t length, size_t size) {
  size_t width = padded(size);
  for (size_t i = 0; i < length; i++) {
    memcpy(y + i * width, x + i * stride, size * sizeof(float));
    memset(y + i * width + size, 0, (width - size) * sizeof(float));
  }
}

// The same, transposed: y is [size, padded(length)].
INLINE void pack_transposed(const float *x, size_t stride, float *y, size_t length, size_t size) {
  size_t width = padded(length);
  // Row by row: the rows lie a whole number of cache pages apart, and columns of them would push one another out.
  for (size_t i = 0; i < length; i++)
    for (size_t d = 0; d < size; d++) y[d * width + i] = x[i * stride + d];
  for (size_t d = 0; d < size; d++)
    for (size_t i = length; i < width; i++) y[d * width + i] = 0;
}

// Softmax of the first `length` of `width` entries, a multiple of LANES; the others become 0.
INLINE void softmax_row(float *x, size_t length, size_t width) {
  REASSOCIATE
  for (size_t c = length; c < width; c++) x[c] = -INFINITY;
  // A loop over floats would stay one of single floats, since it would have to mind NaN.
  lanes tops = *(const loose_lanes *)x;
  for (size_t c = LANES; c < width; c += LANES) tops = __builtin_elementwise_max(tops, *(const loose_lanes *)(x + c));
  float top = __builtin_reduce_max(tops);
  float sum = 0;
  for (size_t c = 0; c < width; c++) {
    float e = exp_one(x[c] - top);
    x[c] = e;
    sum += e;
  }
  float inverse = 1.0f / sum;
  for (size_t c = 0; c < width; c++) x[c] *= inverse;
}

size_t vm_attention_scratch(size_t length, size_t head) {
  return head * padded(length) + length * padded(head) + 4 * (padded(length) + padded(head));
}

MULTIVERSIONED void vm_attention(const float *qkv, float *y, float *scratch, size_t length, size_t columns,
                                 size_t heads, int causal) {
  size_t size = columns / heads, stride = 3 * columns, width = padded(length), depth = padded(size);
  float scale = 1.0f / sqrtf((float)size);
  float *keys = scratch, *values = keys + size * width, *weights = values + length * depth;
  float *mixed = weights + 4 * width;
  for (size_t head = 0; head < heads; head++) {
    const float *q = qkv + head * size;
    pack_transposed(q + columns, stride, keys, length, size);
    pack(q + 2 * columns, stride, values, length, size);
    for (size_t row = 0; row < length; row += 4) {
      size_t rows = length - row < 4 ? length - row : 4;
      size_t seen = causal ? row + rows : length;
      product(q + row * stride, stride, 1, keys, width, weights, width, rows, padded(seen), size, scale);
      for (size_t i = 0; i < rows; i++) softmax_row(weights + i * width, causal ? row + i + 1 : length, padded(seen));
      product(weights, width, 1, values, depth, mixed, depth, rows, depth, seen, 1);
      for (size_t i = 0; i < rows; i++)
        memcpy(y + (row + i) * columns + head * size, mixed + i * depth, size * sizeof(float));
    }
  }
}

size_t vm_attention_backward_scratch(size_t length, size_t head) {
  return 2 * head * padded(length) + 4 * length * padded(head) + 2 * length * padded(length);
}

MULTIVERSIONED void vm_attention_backward(const float *qkv, const float *dy, float *dqkv, float *scratch,
                                          size_t length, size_t columns, size_t heads, int causal) {
  size_t size = columns / heads, stride = 3 * columns, width = padded(length), depth = padded(size);
  float scale = 1.0f / sqrtf((float)size);
  float *keys_t = scratch, *values_t = keys_t + size * width;
  float *queries = values_t + size * width, *keys = queries + length * depth;
  float *slopes = keys + length * depth, *result = slopes + length * depth;
  float *weights = result + length * depth, *dweights = weights + length * width;
  for (size_t head = 0; head < heads; head++) {
    const float *q = qkv + head * size;
    float *dq = dqkv + head * size;
    pack_transposed(q + columns, stride, keys_t, length, size);
    pack_transposed(q + 2 * columns, stride, values_t, length, size);
    pack(q, stride, queries, length, size);
    pack(q + columns, stride, keys, length, size);
    pack(dy + head * size, columns, slopes, length, size);
    product(q, stride, 1, keys_t, width, weights, width, length, width, size, scale);
    for (size_t i = 0; i < length; i++) softmax_row(weights + i * width, causal ? i + 1 : length, width);
    product(slopes, depth, 1, values_t, width, dweights, width, length, width, size, 1);
    vm_softmax_backward_rows(weights, dweights, length, width);
    for (int part = 0; part < 3; part++) {
      if (part == 0) product(dweights, width, 1, keys, depth, result, depth, length, depth, length, scale);
      if (part == 1) product(dweights, 1, width, queries, depth, result, depth, length, depth, length, scale);
      if (part == 2) product(weights, 1, width, slopes, depth, result, depth, length, depth, length, 1);
      for (size_t i = 0; i < length; i++)
        memcpy(dq + i * stride + part * columns, result + i * depth, size * sizeof(float));
    }
  }
}
