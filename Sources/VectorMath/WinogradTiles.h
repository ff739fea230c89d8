// Winograd's transforms along one axis (see Winograd.c), and the loops that apply them along both. Included after
// ConvolutionTiles.h once for each vector width by ConvolutionPaths.c.

// Stride 1: F(4, 3) on the points 0, 1, -1, 2, -2 and infinity (Lavin & Gray 2016, section 4.3).

FOR_TARGET INLINE void NAMED(input1)(const NAMED(vector) d[6], NAMED(vector) to[6]) {
  NAMED(vector) even = d[4] - 4 * d[2], odd = d[3] - 4 * d[1];
  NAMED(vector) wide = d[4] - d[2], tall = 2 * (d[3] - d[1]);
  to[0] = 4 * d[0] - 5 * d[2] + d[4];
  to[1] = even + odd;
  to[2] = even - odd;
  to[3] = wide + tall;
  to[4] = wide - tall;
  to[5] = 4 * d[1] - 5 * d[3] + d[5];
}

FOR_TARGET INLINE void NAMED(output1)(const NAMED(vector) m[6], NAMED(vector) to[4]) {
  NAMED(vector) one = m[1] + m[2], other = m[1] - m[2], two = m[3] + m[4], twice = m[3] - m[4];
  to[0] = m[0] + one + two;
  to[1] = other + 2 * twice;
  to[2] = one + 4 * two;
  to[3] = other + 8 * twice + m[5];
}

FOR_TARGET INLINE void NAMED(slope1)(const NAMED(vector) d[4], NAMED(vector) to[6]) {
  NAMED(vector) even = d[0] + d[2], odd = d[1] + d[3], far = d[0] + 4 * d[2], wide = 2 * d[1] + 8 * d[3];
  to[0] = d[0];
  to[1] = even + odd;
  to[2] = even - odd;
  to[3] = far + wide;
  to[4] = far - wide;
  to[5] = d[3];
}

FOR_TARGET INLINE void NAMED(weight1)(const NAMED(vector) g[3], NAMED(vector) to[6]) {
  NAMED(vector) near = (g[0] + g[2]) * (-1.0f / 6), far = g[0] * (1.0f / 24) + g[2] * (1.0f / 6);
  NAMED(vector) half = g[1] * (1.0f / 6), small = g[1] * (1.0f / 12);
  to[0] = g[0] * 0.25f;
  to[1] = near - half;
  to[2] = near + half;
  to[3] = far + small;
  to[4] = far - small;
  to[5] = g[2];
}

FOR_TARGET INLINE void NAMED(weight_slope1)(const NAMED(vector) u[6], NAMED(vector) to[3]) {
  NAMED(vector) near = u[1] + u[2], far = u[3] + u[4];
  to[0] = u[0] * 0.25f - near * (1.0f / 6) + far * (1.0f / 24);
  to[1] = (u[2] - u[1]) * (1.0f / 6) + (u[3] - u[4]) * (1.0f / 12);
  to[2] = (far - near) * (1.0f / 6) + u[5];
}

// Stride 2: the middle tap meets every second input alone (elements 0...3), the outer two taps meet the inputs between
// as F(4, 2) on the points 0, 1, -1, 2 and infinity (elements 4...8).

FOR_TARGET INLINE void NAMED(between)(NAMED(vector) a, NAMED(vector) b, NAMED(vector) c, NAMED(vector) d,
                                      NAMED(vector) e, NAMED(vector) to[5]) {
  to[0] = 2 * (a - c) + d - b;
  to[1] = d - c - 2 * b;
  to[2] = 2 * b - 3 * c + d;
  to[3] = d - b;
  to[4] = 2 * (b - d) + e - c;
}

FOR_TARGET INLINE void NAMED(input2)(const NAMED(vector) d[9], NAMED(vector) to[9]) {
  for (size_t i = 0; i < 4; i++) to[i] = d[2 * i + 1];
  NAMED(between)(d[0], d[2], d[4], d[6], d[8], to + 4);
}

FOR_TARGET INLINE void NAMED(output2)(const NAMED(vector) m[9], NAMED(vector) to[4]) {
  NAMED(vector) one = m[5] + m[6], other = m[5] - m[6];
  to[0] = m[0] + m[4] + one + m[7];
  to[1] = m[1] + other + 2 * m[7];
  to[2] = m[2] + one + 4 * m[7];
  to[3] = m[3] + other + 8 * m[7] + m[8];
}

FOR_TARGET INLINE void NAMED(slope2)(const NAMED(vector) d[4], NAMED(vector) to[9]) {
  NAMED(vector) even = d[0] + d[2], odd = d[1] + d[3];
  for (size_t i = 0; i < 4; i++) to[i] = d[i];
  to[4] = d[0];
  to[5] = even + odd;
  to[6] = even - odd;
  to[7] = d[0] + 2 * d[1] + 4 * d[2] + 8 * d[3];
  to[8] = d[3];
}

FOR_TARGET INLINE void NAMED(weight2)(const NAMED(vector) g[3], NAMED(vector) to[6]) {
  to[0] = g[1];
  to[1] = 0.5f * g[0];
  to[2] = -0.5f * (g[0] + g[2]);
  to[3] = (g[2] - g[0]) * (1.0f / 6);
  to[4] = g[0] * (1.0f / 6) + g[2] * (1.0f / 3);
  to[5] = g[2];
}

FOR_TARGET INLINE void NAMED(weight_slope2)(const NAMED(vector) u[6], NAMED(vector) to[3]) {
  to[0] = 0.5f * (u[1] - u[2]) + (u[4] - u[3]) * (1.0f / 6);
  to[1] = u[0];
  to[2] = u[3] * (1.0f / 6) - 0.5f * u[2] + u[4] * (1.0f / 3) + u[5];
}

// Its gradient by the input: outputs in, every second input from the middle tap and those between from the outer two.

FOR_TARGET INLINE void NAMED(back_input2)(const NAMED(vector) d[5], NAMED(vector) to[9]) {
  for (size_t i = 0; i < 4; i++) to[i] = d[i];
  NAMED(between)(d[0], d[1], d[2], d[3], d[4], to + 4);
}

FOR_TARGET INLINE void NAMED(back_output2)(const NAMED(vector) m[9], NAMED(vector) to[8]) {
  NAMED(vector) one = m[5] + m[6], other = m[5] - m[6];
  for (size_t i = 0; i < 4; i++) to[2 * i] = m[i];
  to[1] = m[4] + one + m[7];
  to[3] = other + 2 * m[7];
  to[5] = one + 4 * m[7];
  to[7] = other + 8 * m[7] + m[8];
}

#define UNROLLED _Pragma("clang loop unroll(full)") for
#define VECTOR_AT(p) (*(NAMED(vector) *)(p))
#define CONSTANT_AT(p) (*(const NAMED(vector) *)(p))

/// Applies ONE along the columns, then along the rows: FROM x FROM vectors of channels to TO x TO.
#define BOTH_AXES(FROM, TO, ONE, LOAD, STORE)                         \
  for (size_t c = 0; c < channels; c += NAMED(lanes)) {               \
    NAMED(vector) half[FROM][TO], line[FROM], result[TO];             \
    UNROLLED(size_t j = 0; j < FROM; j++) {                           \
      UNROLLED(size_t i = 0; i < FROM; i++) line[i] = LOAD;           \
      NAMED(ONE)(line, half[j]);                                      \
    }                                                                 \
    UNROLLED(size_t i = 0; i < TO; i++) {                             \
      UNROLLED(size_t j = 0; j < FROM; j++) line[j] = half[j][i];     \
      NAMED(ONE)(line, result);                                       \
      UNROLLED(size_t j = 0; j < TO; j++) STORE;                      \
    }                                                                 \
  }

/// FROM x FROM pixels of `channels` to elements, `plane` apart.
#define PIXELS_TO_ELEMENTS(NAME, FROM, TO, ONE)                                                                       \
  FOR_TARGET static void NAMED(NAME)(const float *const *pixels, size_t channels, float *to, size_t plane) {          \
    BOTH_AXES(FROM, TO, ONE, CONSTANT_AT(pixels[FROM * i + j] + c),                                                   \
              VECTOR_AT(to + (TO * i + j) * plane + c) = result[j])                                                   \
  }
PIXELS_TO_ELEMENTS(transform_input1, 6, 6, input1)
PIXELS_TO_ELEMENTS(transform_input2, 9, 9, input2)
PIXELS_TO_ELEMENTS(transform_back_input2, 5, 9, back_input2)
PIXELS_TO_ELEMENTS(transform_slope1, 4, 6, slope1)
PIXELS_TO_ELEMENTS(transform_slope2, 4, 9, slope2)

/// Elements to the pixels of a tile that lie within `rows` and `columns`, plus the bias and what is added, if anything.
#define ELEMENTS_TO_PIXELS(NAME, FROM, TO, ONE)                                                                       \
  FOR_TARGET static void NAMED(NAME)(const float *from, size_t plane, const float *bias, const float *added,          \
                                     size_t channels, float *y, size_t row, size_t rows, size_t columns) {            \
    BOTH_AXES(FROM, TO, ONE, CONSTANT_AT(from + (FROM * i + j) * plane + c), {                                        \
      if (bias) result[j] += CONSTANT_AT(bias + c);                                                                   \
      size_t place = i * row + j * channels + c;                                                                      \
      if (i < rows && j < columns) VECTOR_AT(y + place) = added ? result[j] + CONSTANT_AT(added + place) : result[j]; \
    })                                                                                                                \
  }
ELEMENTS_TO_PIXELS(transform_output1, 6, 4, output1)
ELEMENTS_TO_PIXELS(transform_output2, 9, 4, output2)
ELEMENTS_TO_PIXELS(transform_back_output2, 9, 8, back_output2)

/// Taps, `tap` floats apart, to elements, and back: adds the taps' slopes.
#define TAPS_AND_ELEMENTS(WEIGHT, SLOPE, ONE, BACK)                                                                   \
  FOR_TARGET static void NAMED(WEIGHT)(const float *weight, size_t tap, size_t channels, float *to, size_t plane) {   \
    BOTH_AXES(3, 6, ONE, CONSTANT_AT(weight + (3 * i + j) * tap + c),                                                 \
              VECTOR_AT(to + (6 * i + j) * plane + c) = result[j])                                                    \
  }                                                                                                                   \
  FOR_TARGET static void NAMED(SLOPE)(const float *from, size_t plane, size_t channels, float *dweight, size_t tap) { \
    BOTH_AXES(6, 3, BACK, CONSTANT_AT(from + (6 * i + j) * plane + c),                                                \
              VECTOR_AT(dweight + (3 * i + j) * tap + c) += result[j])                                                \
  }
TAPS_AND_ELEMENTS(transform_weight1, transform_weight_slope1, weight1, weight_slope1)
TAPS_AND_ELEMENTS(transform_weight2, transform_weight_slope2, weight2, weight_slope2)

#undef UNROLLED
#undef BOTH_AXES
#undef VECTOR_AT
#undef CONSTANT_AT
#undef PIXELS_TO_ELEMENTS
#undef ELEMENTS_TO_PIXELS
#undef TAPS_AND_ELEMENTS
