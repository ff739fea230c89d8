// The two inner loops of a convolution, included once for each vector width by ConvolutionPaths.c, which defines
//   VECTOR_BYTES    of a register
//   TILE            how many output positions (or rows of the weight gradient) a tile spans
//   NAMED(name)     the name for this width
//   FOR_TARGET      the function attribute that allows the instructions
// A tile is TILE x PANEL sums, two registers to a row, which fit the register file together with two registers of
// weights; the other factor is broadcast.

typedef float NAMED(vector) __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
enum { NAMED(lanes) = VECTOR_BYTES / 4, NAMED(panel) = 2 * NAMED(lanes), NAMED(tile) = TILE };

/// The sums stay in registers only as long as no index into them is computed: whoever needs that takes them from here.
FOR_TARGET INLINE void NAMED(spill)(NAMED(vector) sums[TILE][2],
                                          float spilled[TILE][NAMED(panel)]) {
#pragma clang loop unroll(full)
  for (size_t i = 0; i < TILE; i++) {
    *(NAMED(vector) *)spilled[i] = sums[i][0];
    *(NAMED(vector) *)(spilled[i] + NAMED(lanes)) = sums[i][1];
  }
}

/// Where the inputs of TILE positions of a lattice lie, and their outputs; those beyond its end repeat the last one.
typedef struct {
  const float *from[TILE];
  size_t to[TILE];
} NAMED(places);

FOR_TARGET INLINE void NAMED(find)(const lattice *l, size_t position, const float *x, NAMED(places) * places) {
  size_t image = position / (l->rows * l->columns), within = position % (l->rows * l->columns);
  size_t row = within / l->columns, column = within % l->columns;
  for (size_t i = 0; i < TILE; i++) {
    places->from[i] = x + image * l->x_image + row * l->x_row + column * l->x_column;
    places->to[i] = image * l->y_image + row * l->y_row + column * l->y_column;
    if (position + i + 1 >= l->positions) continue;
    if (++column == l->columns) {
      column = 0;
      if (++row == l->rows) row = 0, image++;
    }
  }
}

/// Sums over the taps' rows for TILE positions and up to PANEL outputs.
FOR_TARGET static void NAMED(convolve_tile)(const lattice *l, const NAMED(places) * places, const float *panel,
                                            const float *bias, const float *added, size_t width, float *y) {
  const float *from[TILE];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < TILE; i++) from[i] = places->from[i];
  NAMED(vector) sums[TILE][2];
  for (size_t i = 0; i < TILE; i++) sums[i][0] = sums[i][1] = (NAMED(vector)){0};
  for (size_t tap = 0; tap < l->tap_rows; tap++) {
    for (size_t j = 0; j < l->run; j++) {
      NAMED(vector) first = *(const NAMED(vector) *)panel, second = *(const NAMED(vector) *)(panel + NAMED(lanes));
      panel += NAMED(panel);
#pragma clang loop unroll(full)
      for (size_t i = 0; i < TILE; i++) {
        sums[i][0] += from[i][j] * first;
        sums[i][1] += from[i][j] * second;
      }
    }
    for (size_t i = 0; i < TILE; i++) from[i] += l->tap_row;
  }
  const size_t *to = places->to;
  if (width == NAMED(panel)) {
    if (bias) {
      NAMED(vector) first = *(const NAMED(vector) *)bias, second = *(const NAMED(vector) *)(bias + NAMED(lanes));
#pragma clang loop unroll(full)
      for (size_t i = 0; i < TILE; i++) sums[i][0] += first, sums[i][1] += second;
    }
    if (added) {
#pragma clang loop unroll(full)
      for (size_t i = 0; i < TILE; i++) {
        sums[i][0] += *(const NAMED(vector) *)(added + to[i]);
        sums[i][1] += *(const NAMED(vector) *)(added + to[i] + NAMED(lanes));
      }
    }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < TILE; i++) {
      *(NAMED(vector) *)(y + to[i]) = sums[i][0];
      *(NAMED(vector) *)(y + to[i] + NAMED(lanes)) = sums[i][1];
    }
  } else {
    float spilled[TILE][NAMED(panel)];
    NAMED(spill)(sums, spilled);
    for (size_t i = 0; i < TILE; i++)
      for (size_t c = 0; c < width; c++)
        y[to[i] + c] = spilled[i][c] + (bias ? bias[c] : 0) + (added ? added[to[i] + c] : 0);
  }
}

FOR_TARGET static void NAMED(convolve)(const lattice *l, const float *x, const float *panels, const float *bias,
                                       const float *added, float *y) {
  size_t depth = l->tap_rows * l->run;
  NAMED(places) places;
  for (size_t position = 0; position < l->positions; position += TILE) {
    NAMED(find)(l, position, x, &places);
    for (size_t c = 0; c < l->outputs; c += NAMED(panel)) {
      size_t width = l->outputs - c < NAMED(panel) ? l->outputs - c : NAMED(panel);
      NAMED(convolve_tile)(l, &places, panels + c * depth, bias ? bias + c : NULL, added ? added + c : NULL, width,
                           y + c);
    }
  }
}

/// dweight[j, c] += sum over positions of x[j] * dy[c], for TILE inputs j of one row of taps and PANEL outputs c.
FOR_TARGET static void NAMED(weight_tile)(const lattice *l, const float *x, const float *dy, size_t inputs,
                                          size_t outputs, float *dweight) {
  NAMED(vector) sums[TILE][2];
  for (size_t i = 0; i < TILE; i++) sums[i][0] = sums[i][1] = (NAMED(vector)){0};
  size_t images = l->positions / (l->rows * l->columns);
  for (size_t image = 0; image < images; image++) {
    for (size_t row = 0; row < l->rows; row++) {
      const float *xs = x + image * l->x_image + row * l->x_row;
      const float *ds = dy + image * l->y_image + row * l->y_row;
      for (size_t column = 0; column < l->columns; column++) {
        NAMED(vector) first = *(const NAMED(vector) *)ds, second = *(const NAMED(vector) *)(ds + NAMED(lanes));
#pragma clang loop unroll(full)
        for (size_t i = 0; i < TILE; i++) {
          sums[i][0] += xs[i] * first;
          sums[i][1] += xs[i] * second;
        }
        xs += l->x_column;
        ds += l->y_column;
      }
    }
  }
  if (inputs == TILE && outputs == NAMED(panel)) {
#pragma clang loop unroll(full)
    for (size_t i = 0; i < TILE; i++) {
      *(NAMED(vector) *)(dweight + i * l->outputs) += sums[i][0];
      *(NAMED(vector) *)(dweight + i * l->outputs + NAMED(lanes)) += sums[i][1];
    }
  } else {
    float spilled[TILE][NAMED(panel)];
    NAMED(spill)(sums, spilled);
    for (size_t i = 0; i < inputs; i++)
      for (size_t c = 0; c < outputs; c++) dweight[i * l->outputs + c] += spilled[i][c];
  }
}

FOR_TARGET static void NAMED(add_weight_gradient)(const lattice *l, const float *x, const float *dy, float *dweight) {
  for (size_t tap = 0; tap < l->tap_rows; tap++) {
    for (size_t j = 0; j < l->run; j += TILE) {
      size_t inputs = l->run - j < TILE ? l->run - j : TILE;
      for (size_t c = 0; c < l->outputs; c += NAMED(panel)) {
        size_t outputs = l->outputs - c < NAMED(panel) ? l->outputs - c : NAMED(panel);
        NAMED(weight_tile)(l, x + tap * l->tap_row + j, dy + c, inputs, outputs,
                           dweight + (tap * l->run + j) * l->outputs + c);
      }
    }
  }
}
