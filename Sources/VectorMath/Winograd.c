// Winograd's minimal filtering F(4 x 4, 3 x 3) (Lavin & Gray 2016): a tile of 4 x 4 outputs takes 36 products a channel
// instead of 144. With A, B, G the transforms and d, g a tile's inputs and a filter,
//
//     y = A' [(G g G') * (B' d B)] A     (* by element)
//
// and for each of the 36 elements the sum over input channels is a matrix product over all tiles. The gradients are its
// transposes: by d the same with the filter turned round, by g it is G' [(B' d B) * (A dy A')] G.
#include "Winograd.h"

#include <string.h>

#include "ConvolutionPaths.h"

enum { elements = 36 };

bool vm_winograd_takes(const vm_convolution_shape *s) {
  return s->kernel == 3 && s->stride == 1 && s->height >= 4 && s->width >= 4 && s->inputs % 16 == 0 &&
         s->outputs % 16 == 0;
}

typedef struct {
  size_t down, across;  // tiles of an image
  size_t group;         // images worked on at once: enough tiles to be worth reading the weights for
} tiling;

static tiling tiling_of(const vm_convolution_shape *s) {
  tiling t = {.down = (s->height + 3) / 4, .across = (s->width + 3) / 4};
  const size_t enough = 48;
  t.group = min_of(s->images, (enough + t.down * t.across - 1) / (t.down * t.across));
  return t;
}

static size_t tiles_of(const tiling *t) { return t->group * t->down * t->across; }

/// Floats of a group of images padded to whole tiles and their edges.
static size_t padded_of(const tiling *t, size_t channels) {
  return t->group * (4 * t->down + 2) * (4 * t->across + 2) * channels;
}

size_t vm_winograd_scratch(const vm_convolution_shape *s) {
  tiling t = tiling_of(s);
  size_t inputs = up_to(s->inputs, widest_panel), outputs = up_to(s->outputs, widest_panel);
  size_t widest = max_of(inputs, outputs);
  return elements * inputs * outputs * 2 + elements * tiles_of(&t) * (inputs + outputs) + padded_of(&t, widest) +
         8 * widest_panel;
}

static lattice products(size_t tiles, size_t inputs, size_t outputs, size_t wide) {
  return (lattice){.positions = tiles, .rows = 1, .columns = tiles, .x_column = inputs, .y_column = wide,
                   .tap_rows = 1, .run = inputs, .outputs = outputs};
}

/// Pads `images` images and transforms their tiles to `[36, tiles, channels]`.
static void transform_images(const vm_convolution_kernels *k, const tiling *t, const vm_convolution_shape *s,
                             const float *x, size_t images, size_t channels, float *padded, float *to) {
  size_t line = (4 * t->across + 2) * channels, plane = images * t->down * t->across * channels;
  vm_pad(x, padded, images, s->height, s->width, channels, channels, (margin){1, 4 * t->down + 1 - s->height},
         (margin){1, 4 * t->across + 1 - s->width});
  for (size_t i = 0; i < images; i++)
    for (size_t row = 0; row < t->down; row++)
      for (size_t column = 0; column < t->across; column++, to += channels)
        k->transform_input(padded + (i * (4 * t->down + 2) + 4 * row) * line + 4 * column * channels, line, channels,
                           to, plane);
}

/// y = x convolved with the transformed filters `panels`, `[36, outputs / panel, inputs, panel]`.
static void convolve(const vm_convolution_kernels *k, const vm_convolution_shape *s, size_t inputs, size_t outputs,
                     const float *x, const float *panels, const float *bias, float *y, float *scratch) {
  tiling t = tiling_of(s);
  float *transformed = scratch, *sums = transformed + elements * tiles_of(&t) * inputs;
  float *padded = sums + elements * tiles_of(&t) * outputs;
  for (size_t first = 0; first < s->images; first += t.group) {
    size_t images = min_of(t.group, s->images - first), tiles = images * t.down * t.across;
    transform_images(k, &t, s, x + first * s->height * s->width * inputs, images, inputs, padded, transformed);
    lattice l = products(tiles, inputs, outputs, outputs);
    for (size_t e = 0; e < elements; e++)
      k->convolve(&l, transformed + e * tiles * inputs, panels + e * inputs * up_to(outputs, k->panel), NULL,
                  sums + e * tiles * outputs);
    const float *from = sums;
    for (size_t i = first; i < first + images; i++)
      for (size_t row = 0; row < 4 * t.down; row += 4)
        for (size_t column = 0; column < 4 * t.across; column += 4, from += outputs)
          k->transform_output(from, tiles * outputs, bias, outputs,
                              y + ((i * s->height + row) * s->width + column) * outputs, s->width * outputs,
                              min_of(4, s->height - row), min_of(4, s->width - column));
  }
}

void vm_winograd(const vm_convolution_shape *s, const float *x, const float *weight, const float *bias, float *y,
                 float *scratch) {
  vm_convolution_kernels k = vm_convolution_kernels_here();
  size_t wide = up_to(s->outputs, k.panel);
  memset(scratch, 0, elements * s->inputs * wide * sizeof(float));
  for (size_t c = 0; c < s->outputs; c += k.panel)
    for (size_t i = 0; i < s->inputs; i++)
      k.transform_weight(weight + i * s->outputs + c, s->inputs * s->outputs, min_of(k.panel, s->outputs - c),
                         scratch + c * s->inputs + i * k.panel, s->inputs * wide);
  convolve(&k, s, s->inputs, s->outputs, x, scratch, bias, y, scratch + elements * s->inputs * wide);
}

void vm_winograd_input_gradient(const vm_convolution_shape *s, const float *dy, const float *weight, float *dx,
                                float *scratch) {
  vm_convolution_kernels k = vm_convolution_kernels_here();
  size_t wide = up_to(s->inputs, k.panel);
  // The filters turned round and transposed to [3, 3, outputs, inputs].
  float *turned = scratch + elements * s->outputs * wide;
  for (size_t tap = 0; tap < 9; tap++)
    for (size_t i = 0; i < s->inputs; i++)
      for (size_t o = 0; o < s->outputs; o++)
        turned[(tap * s->outputs + o) * s->inputs + i] = weight[((8 - tap) * s->inputs + i) * s->outputs + o];
  memset(scratch, 0, elements * s->outputs * wide * sizeof(float));
  for (size_t c = 0; c < s->inputs; c += k.panel)
    for (size_t o = 0; o < s->outputs; o++)
      k.transform_weight(turned + o * s->inputs + c, s->outputs * s->inputs, min_of(k.panel, s->inputs - c),
                         scratch + c * s->outputs + o * k.panel, s->outputs * wide);
  convolve(&k, s, s->outputs, s->inputs, dy, scratch, NULL, dx, turned);
}

void vm_winograd_weight_gradient(const vm_convolution_shape *s, const float *x, const float *dy, float *dweight,
                                 float *scratch) {
  vm_convolution_kernels k = vm_convolution_kernels_here();
  tiling t = tiling_of(s);
  size_t wide = up_to(s->outputs, k.panel), plane = s->inputs * s->outputs;
  float *sums = scratch, *transformed = sums + elements * plane;
  float *slopes = transformed + elements * tiles_of(&t) * s->inputs + longest_tile;
  float *padded = slopes + elements * tiles_of(&t) * wide;
  memset(sums, 0, elements * plane * sizeof(float));
  if (wide != s->outputs) memset(slopes, 0, elements * tiles_of(&t) * wide * sizeof(float));
  for (size_t first = 0; first < s->images; first += t.group) {
    size_t images = min_of(t.group, s->images - first), tiles = images * t.down * t.across;
    transform_images(&k, &t, s, x + first * s->height * s->width * s->inputs, images, s->inputs, padded, transformed);
    vm_pad(dy + first * s->height * s->width * s->outputs, padded, images, s->height, s->width, s->outputs, s->outputs,
           (margin){0, 4 * t.down - s->height}, (margin){0, 4 * t.across - s->width});
    size_t line = 4 * t.across * s->outputs;
    float *to = slopes;
    for (size_t row = 0; row < images * t.down; row++)
      for (size_t column = 0; column < t.across; column++, to += wide)
        k.transform_slope(padded + 4 * row * line + 4 * column * s->outputs, line, s->outputs, to, tiles * wide);
    lattice l = products(tiles, s->inputs, s->outputs, wide);
    for (size_t e = 0; e < elements; e++)
      k.add_weight_gradient(&l, transformed + e * tiles * s->inputs, slopes + e * tiles * wide, sums + e * plane);
  }
  k.transform_weight_slope(sums, plane, plane, dweight, plane);
}
