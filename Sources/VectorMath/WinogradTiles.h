// Winograd's transforms, included after ConvolutionTiles.h once for each vector width by ConvolutionPaths.c.

// One-dimensional transforms of F(4, 3), for points 0, 1, -1, 2, -2 and infinity (Lavin & Gray 2016, section 4.3).

FOR_TARGET INLINE void NAMED(input_six)(const NAMED(vector) d[6], NAMED(vector) to[6]) {
  NAMED(vector) even = d[4] - 4 * d[2], odd = d[3] - 4 * d[1];
  NAMED(vector) wide = d[4] - d[2], tall = 2 * (d[3] - d[1]);
  to[0] = 4 * d[0] - 5 * d[2] + d[4];
  to[1] = even + odd;
  to[2] = even - odd;
  to[3] = wide + tall;
  to[4] = wide - tall;
  to[5] = 4 * d[1] - 5 * d[3] + d[5];
}

FOR_TARGET INLINE void NAMED(output_four)(const NAMED(vector) m[6], NAMED(vector) to[4]) {
  NAMED(vector) one = m[1] + m[2], other = m[1] - m[2], two = m[3] + m[4], twice = m[3] - m[4];
  to[0] = m[0] + one + two;
  to[1] = other + 2 * twice;
  to[2] = one + 4 * two;
  to[3] = other + 8 * twice + m[5];
}

FOR_TARGET INLINE void NAMED(slope_six)(const NAMED(vector) d[4], NAMED(vector) to[6]) {
  NAMED(vector) even = d[0] + d[2], odd = d[1] + d[3], far = d[0] + 4 * d[2], wide = 2 * d[1] + 8 * d[3];
  to[0] = d[0];
  to[1] = even + odd;
  to[2] = even - odd;
  to[3] = far + wide;
  to[4] = far - wide;
  to[5] = d[3];
}

FOR_TARGET INLINE void NAMED(weight_six)(const NAMED(vector) g[3], NAMED(vector) to[6]) {
  NAMED(vector) near = (g[0] + g[2]) * (-1.0f / 6), far = g[0] * (1.0f / 24) + g[2] * (1.0f / 6);
  NAMED(vector) half = g[1] * (1.0f / 6), small = g[1] * (1.0f / 12);
  to[0] = g[0] * 0.25f;
  to[1] = near - half;
  to[2] = near + half;
  to[3] = far + small;
  to[4] = far - small;
  to[5] = g[2];
}

FOR_TARGET INLINE void NAMED(weight_slope_three)(const NAMED(vector) u[6], NAMED(vector) to[3]) {
  NAMED(vector) near = u[1] + u[2], far = u[3] + u[4];
  to[0] = u[0] * 0.25f - near * (1.0f / 6) + far * (1.0f / 24);
  to[1] = (u[2] - u[1]) * (1.0f / 6) + (u[3] - u[4]) * (1.0f / 12);
  to[2] = (far - near) * (1.0f / 6) + u[5];
}

/// Loads, transforms down the columns, then along the rows: `FROM` x `FROM` vectors to `TO` x `TO`.
#define TWO_DIMENSIONAL(FROM, TO, ONE, LOAD, STORE)        \
  for (size_t c = 0; c < channels; c += NAMED(lanes)) {    \
    NAMED(vector) half[FROM][TO], line[FROM], result[TO];  \
    _Pragma("clang loop unroll(full)")                     \
    for (size_t j = 0; j < FROM; j++) {                    \
      _Pragma("clang loop unroll(full)")                   \
      for (size_t i = 0; i < FROM; i++) line[i] = LOAD;    \
      NAMED(ONE)(line, half[j]);                           \
    }                                                      \
    _Pragma("clang loop unroll(full)")                     \
    for (size_t i = 0; i < TO; i++) {                      \
      _Pragma("clang loop unroll(full)")                   \
      for (size_t j = 0; j < FROM; j++) line[j] = half[j][i]; \
      NAMED(ONE)(line, result);                            \
      _Pragma("clang loop unroll(full)")                   \
      for (size_t j = 0; j < TO; j++) STORE;               \
    }                                                      \
  }
#define VECTOR_AT(p) (*(NAMED(vector) *)(p))
#define CONSTANT_AT(p) (*(const NAMED(vector) *)(p))

FOR_TARGET static void NAMED(transform_input)(const float *x, size_t row, size_t channels, float *to, size_t plane) {
  TWO_DIMENSIONAL(6, 6, input_six, CONSTANT_AT(x + i * row + j * channels + c),
                  VECTOR_AT(to + (6 * i + j) * plane + c) = result[j])
}

FOR_TARGET static void NAMED(transform_output)(const float *from, size_t plane, const float *bias, size_t channels,
                                               float *y, size_t row, size_t rows, size_t columns) {
  if (rows == 4 && columns == 4) {
    TWO_DIMENSIONAL(6, 4, output_four, CONSTANT_AT(from + (6 * i + j) * plane + c),
                    VECTOR_AT(y + i * row + j * channels + c) = bias ? result[j] + CONSTANT_AT(bias + c) : result[j])
  } else {
    TWO_DIMENSIONAL(6, 4, output_four, CONSTANT_AT(from + (6 * i + j) * plane + c),
                    if (i < rows && j < columns) VECTOR_AT(y + i * row + j * channels + c) =
                        bias ? result[j] + CONSTANT_AT(bias + c) : result[j])
  }
}

FOR_TARGET static void NAMED(transform_slope)(const float *dy, size_t row, size_t channels, float *to, size_t plane) {
  TWO_DIMENSIONAL(4, 6, slope_six, CONSTANT_AT(dy + i * row + j * channels + c),
                  VECTOR_AT(to + (6 * i + j) * plane + c) = result[j])
}

FOR_TARGET static void NAMED(transform_weight)(const float *weight, size_t tap, size_t channels, float *to,
                                               size_t plane) {
  TWO_DIMENSIONAL(3, 6, weight_six, CONSTANT_AT(weight + (3 * i + j) * tap + c),
                  VECTOR_AT(to + (6 * i + j) * plane + c) = result[j])
}

FOR_TARGET static void NAMED(transform_weight_slope)(const float *from, size_t plane, size_t channels, float *dweight,
                                                     size_t tap) {
  TWO_DIMENSIONAL(6, 3, weight_slope_three, CONSTANT_AT(from + (6 * i + j) * plane + c),
                  VECTOR_AT(dweight + (3 * i + j) * tap + c) += result[j])
}

#undef TWO_DIMENSIONAL
#undef VECTOR_AT
#undef CONSTANT_AT
