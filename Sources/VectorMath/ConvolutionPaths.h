// What the ways to compute a convolution share: the inner loops of this machine's vector width. Private to VectorMath.
#pragma once
#include <stddef.h>

/// Where the inputs and outputs of a set of positions lie, in floats: `positions` = images * rows * columns; at each,
/// `tap_rows` rows of `run` consecutive inputs, `tap_row` apart, make `outputs` sums.
typedef struct {
  size_t positions, rows, columns;
  size_t x_image, x_row, x_column;
  size_t y_image, y_row, y_column;
  size_t tap_rows, tap_row, run, outputs;
} lattice;

/// How Winograd.c cuts images into tiles and what becomes of them.
typedef struct {
  size_t axis;     // elements along one axis of a tile
  size_t input;    // pixels that a tile takes along one axis,
  size_t step;     // and by how many the next tile's lie further
  size_t before;   // zeros before the first pixel
  size_t output;   // pixels that a tile gives along one axis
  void (*transform_input)(const float *const *pixels, size_t channels, float *to, size_t plane);
  void (*transform_output)(const float *from, size_t plane, const float *bias, const float *added, size_t channels,
                           float *y, size_t row, size_t rows, size_t columns);
} vm_tiles;

/// Winograd's transforms for one stride.
typedef struct {
  vm_tiles forward, back;
  /// The transpose of `forward.transform_output`.
  void (*transform_slope)(const float *const *pixels, size_t channels, float *to, size_t plane);
  void (*transform_weight)(const float *weight, size_t tap, size_t channels, float *to, size_t plane);
  void (*transform_weight_slope)(const float *from, size_t plane, size_t channels, float *dweight, size_t tap);
} vm_winograd_transforms;

typedef struct {
  /// Outputs that one pass over the weights makes; weights come in panels `[outputs / panel, taps * run, panel]`,
  /// zero-filled.
  size_t panel;
  /// y = bias + added + x * weight; bias may be NULL, and so may what is added, `[positions, outputs]` like y.
  void (*convolve)(const lattice *, const float *x, const float *panels, const float *bias, const float *added,
                   float *y);
  /// dweight `[taps * run, outputs]` += x * dy. Reads up to `longest_tile` floats beyond x, and dy in whole panels.
  void (*add_weight_gradient)(const lattice *, const float *x, const float *dy, float *dweight);
  /// For strides 1 and 2.
  vm_winograd_transforms winograd[2];
} vm_convolution_kernels;

vm_convolution_kernels vm_convolution_kernels_here(void);

// The widest panel and the longest tile of any path, so that scratch is the same for all.
enum { widest_panel = 32, longest_tile = 12 };

static inline size_t min_of(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t max_of(size_t a, size_t b) { return a > b ? a : b; }
static inline size_t up_to(size_t a, size_t multiple) { return (a + multiple - 1) / multiple * multiple; }

/// Zeros before and after an axis.
typedef struct {
  size_t before, after;
} margin;

/// Copies `[images, height, width, channels]` into zeros with margins around it and `wide` channels.
void vm_pad(const float *x, float *padded, size_t images, size_t height, size_t width, size_t channels, size_t wide,
            margin rows, margin columns);
