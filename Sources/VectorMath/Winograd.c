// Winograd's minimal filtering for 3 x 3 filters (Lavin & Gray 2016): at stride 1 a tile of 4 x 4 outputs takes 36
// products a channel instead of 144, at stride 2 it takes 81. With A, B, G the transforms and d, g a tile's inputs and a
// filter,
//
//     y = A' [(G g G') * (B' d B)] A     (* by element)
//
// and for each element the sum over input channels is a matrix product over all tiles. The gradients are its
// transposes: by d a convolution with the filter turned round, by g it is G' [(B' d B) * (A dy A')] G.
#include "Winograd.h"

#include <string.h>

#include "ConvolutionPaths.h"

// At stride 2 the elements 0...3 of an axis share a filter.
enum { filters = 36 };

static size_t filter_of(size_t element, size_t axis) {
  size_t i = element / axis, j = element % axis;
  if (axis == 6) return element;
  return 6 * (i < 4 ? 0 : i - 3) + (j < 4 ? 0 : j - 3);
}

/// The pixel of what lies outside an image.
static const float outside[1 << 12] __attribute__((aligned(64)));

/// From one element's plane to the next: a cache line more than it holds, or all of a pixel's elements would meet in one
/// set of the cache.
static size_t apart(size_t floats) { return floats + 16; }

bool vm_winograd_takes(const vm_convolution_shape *s) {
  return s->kernel == 3 && s->stride <= 2 && s->height >= 4 * s->stride && s->width >= 4 * s->stride &&
         s->inputs % 16 == 0 && s->outputs % 16 == 0 && max_of(s->inputs, s->outputs) <= sizeof(outside) / sizeof(*outside);
}

/// One pass from images to images.
typedef struct {
  const vm_tiles *kind;
  size_t height, width, channels;           // in
  size_t out_height, out_width, out_channels;
  size_t down, across;                      // tiles of an image
  size_t tiles;                             // of all images
  size_t group;                             // tiles worked on at once
} pass;

static pass pass_of(const vm_convolution_shape *s, const vm_tiles *kind, bool back) {
  size_t out_height = (s->height - 1) / s->stride + 1, out_width = (s->width - 1) / s->stride + 1;
  pass p = {kind, s->height, s->width, s->inputs, out_height, out_width, s->outputs};
  if (back) p = (pass){kind, out_height, out_width, s->outputs, s->height, s->width, s->inputs};
  p.down = (p.out_height + kind->output - 1) / kind->output;
  p.across = (p.out_width + kind->output - 1) / kind->output;
  // Several tiles of each product (`longest_tile`), few enough for their elements to stay in the second-level cache.
  const size_t enough = 24;
  p.tiles = s->images * p.down * p.across;
  p.group = min_of(p.tiles, enough);
  return p;
}

/// Floats of the elements of a group before and after the products.
static size_t floats_of(const pass *p) {
  size_t channels = up_to(p->channels, widest_panel) + up_to(p->out_channels, widest_panel);
  return p->kind->axis * p->kind->axis * (p->group * channels + 2 * apart(0));
}

size_t vm_winograd_filters(const vm_convolution_shape *s) {
  return filters * apart(up_to(s->inputs, widest_panel) * up_to(s->outputs, widest_panel));
}

size_t vm_winograd_scratch(const vm_convolution_shape *s) {
  vm_convolution_kernels k = vm_convolution_kernels_here();
  const vm_winograd_transforms *w = &k.winograd[s->stride - 1];
  pass forward = pass_of(s, &w->forward, false), back = pass_of(s, &w->back, true);
  // For the gradients also filters, and filters turned round.
  size_t panels = vm_winograd_filters(s);
  return panels + max_of(max_of(floats_of(&forward), floats_of(&back)), panels / 4) + widest_panel;
}

static lattice products(size_t tiles, size_t inputs, size_t outputs, size_t wide) {
  return (lattice){.positions = tiles, .rows = 1, .columns = tiles, .x_column = inputs, .y_column = wide,
                   .tap_rows = 1, .run = inputs, .outputs = outputs};
}

/// How tiles lie on an image, along both axes.
typedef struct {
  size_t down, across, size, step, before;
} grid;

/// Where the pixels of a tile lie that begins `down` and `across` (below 0: before the image) on an image.
static void find_pixels(const float *x, size_t height, size_t width, size_t channels, size_t size, ptrdiff_t down,
                        ptrdiff_t across, const float **pixels) {
  bool whole = down >= 0 && across >= 0 && down + size <= height && across + size <= width;
  for (size_t v = 0; v < size; v++, pixels += size) {
    const float *line = x + ((down + (ptrdiff_t)v) * (ptrdiff_t)width + across) * (ptrdiff_t)channels;
    if (whole) {
      for (size_t h = 0; h < size; h++) pixels[h] = line + h * channels;
    } else {
      // What lies before the image is a huge number, too.
      bool inside = (size_t)(down + (ptrdiff_t)v) < height;
      for (size_t h = 0; h < size; h++)
        pixels[h] = inside && (size_t)(across + (ptrdiff_t)h) < width ? line + h * channels : outside;
    }
  }
}

/// `count` tiles of images, from the `first` on, to `[elements, tiles, wide]`.
static void transform(const float *x, size_t first, size_t count, size_t height, size_t width, size_t channels,
                      size_t wide, grid g, void (*one)(const float *const *, size_t, float *, size_t), float *to) {
  size_t plane = apart(count * wide);
  const float *pixels[81];
  for (size_t tile = first; tile < first + count; tile++, to += wide) {
    size_t row = tile / g.across % g.down, column = tile % g.across;
    const float *image = x + tile / (g.across * g.down) * height * width * channels;
    if (column == 0) {
      // Tiles hop from line to line, which the processor does not foresee.
      const float *next = image + min_of((row + 1) * g.step, height) * width * channels;
      for (size_t n = 0; n < g.step * width * channels; n += 16) __builtin_prefetch(next + n, 0, 2);
    }
    find_pixels(image, height, width, channels, g.size, (ptrdiff_t)(row * g.step) - (ptrdiff_t)g.before,
                (ptrdiff_t)(column * g.step) - (ptrdiff_t)g.before, pixels);
    one(pixels, channels, to, plane);
  }
}

static void transform_inputs(const pass *p, const float *x, size_t first, size_t count, float *to) {
  grid g = {p->down, p->across, p->kind->input, p->kind->step, p->kind->before};
  transform(x, first, count, p->height, p->width, p->channels, p->channels, g, p->kind->transform_input, to);
}

/// y = x convolved with the transformed filters, `[36, outputs / panel, inputs, panel]`.
static void convolve(const vm_convolution_kernels *k, const pass *p, const float *x, const float *panels,
                     const float *bias, const float *added, float *y, float *scratch) {
  size_t elements = p->kind->axis * p->kind->axis, out = p->kind->output;
  float *transformed = scratch, *sums = transformed + elements * apart(p->group * p->channels);
  for (size_t first = 0; first < p->tiles; first += p->group) {
    size_t tiles = min_of(p->group, p->tiles - first);
    transform_inputs(p, x, first, tiles, transformed);
    lattice l = products(tiles, p->channels, p->out_channels, p->out_channels);
    for (size_t e = 0; e < elements; e++)
      k->convolve(&l, transformed + e * apart(tiles * p->channels),
                  panels + filter_of(e, p->kind->axis) * apart(p->channels * up_to(p->out_channels, k->panel)), NULL,
                  NULL, sums + e * apart(tiles * p->out_channels));
    for (size_t tile = 0; tile < tiles; tile++) {
      size_t at = first + tile, image = at / (p->across * p->down);
      size_t row = at / p->across % p->down * out, column = at % p->across * out;
      size_t place = ((image * p->out_height + row) * p->out_width + column) * p->out_channels;
      p->kind->transform_output(sums + tile * p->out_channels, apart(tiles * p->out_channels), bias,
                                added ? added + place : NULL, p->out_channels, y + place,
                                p->out_width * p->out_channels, min_of(out, p->out_height - row),
                                min_of(out, p->out_width - column));
    }
  }
}

/// Filters `[3, 3, inputs, outputs]` to panels.
static void transform_filters(const vm_convolution_kernels *k, const vm_winograd_transforms *w, const float *weight,
                              size_t inputs, size_t outputs, float *panels) {
  size_t wide = up_to(outputs, k->panel);
  if (wide != outputs) memset(panels, 0, filters * apart(inputs * wide) * sizeof(float));
  for (size_t c = 0; c < outputs; c += k->panel)
    for (size_t i = 0; i < inputs; i++)
      w->transform_weight(weight + i * outputs + c, inputs * outputs, min_of(k->panel, outputs - c),
                          panels + c * inputs + i * k->panel, apart(inputs * wide));
}

void vm_winograd_prepare(const vm_convolution_shape *s, const float *weight, float *panels) {
  vm_convolution_kernels k = vm_convolution_kernels_here();
  transform_filters(&k, &k.winograd[s->stride - 1], weight, s->inputs, s->outputs, panels);
}

void vm_winograd(const vm_convolution_shape *s, const float *x, const float *panels, const float *bias,
                 const float *added, float *y, float *scratch) {
  vm_convolution_kernels k = vm_convolution_kernels_here();
  pass p = pass_of(s, &k.winograd[s->stride - 1].forward, false);
  convolve(&k, &p, x, panels, bias, added, y, scratch);
}

void vm_winograd_input_gradient(const vm_convolution_shape *s, const float *dy, const float *weight, float *dx,
                                float *scratch) {
  vm_convolution_kernels k = vm_convolution_kernels_here();
  const vm_winograd_transforms *w = &k.winograd[s->stride - 1];
  pass p = pass_of(s, &w->back, true);
  // The filters turned round and transposed to [3, 3, outputs, inputs].
  float *turned = scratch + filters * apart(s->outputs * up_to(s->inputs, k.panel));
  for (size_t tap = 0; tap < 9; tap++)
    for (size_t i = 0; i < s->inputs; i++)
      for (size_t o = 0; o < s->outputs; o++)
        turned[(tap * s->outputs + o) * s->inputs + i] = weight[((8 - tap) * s->inputs + i) * s->outputs + o];
  transform_filters(&k, w, turned, s->outputs, s->inputs, scratch);
  convolve(&k, &p, dy, scratch, NULL, NULL, dx, turned);
}

void vm_winograd_weight_gradient(const vm_convolution_shape *s, const float *x, const float *dy, float *dweight,
                                 float *scratch) {
  vm_convolution_kernels k = vm_convolution_kernels_here();
  const vm_winograd_transforms *w = &k.winograd[s->stride - 1];
  pass p = pass_of(s, &w->forward, false);
  size_t axis = p.kind->axis;
  size_t wide = up_to(s->outputs, k.panel), plane = apart(s->inputs * s->outputs);
  float *sums = scratch, *transformed = sums + filters * plane;
  float *slopes = transformed + axis * axis * apart(p.group * s->inputs);
  memset(sums, 0, filters * plane * sizeof(float));
  if (wide != s->outputs) memset(slopes, 0, axis * axis * apart(p.group * wide) * sizeof(float));
  for (size_t first = 0; first < p.tiles; first += p.group) {
    size_t tiles = min_of(p.group, p.tiles - first);
    transform_inputs(&p, x, first, tiles, transformed);
    transform(dy, first, tiles, p.out_height, p.out_width, s->outputs, wide, (grid){p.down, p.across, 4, 4, 0},
              w->transform_slope, slopes);
    lattice l = products(tiles, s->inputs, s->outputs, wide);
    for (size_t e = 0; e < axis * axis; e++)
      k.add_weight_gradient(&l, transformed + e * apart(tiles * s->inputs), slopes + e * apart(tiles * wide),
                            sums + filter_of(e, axis) * plane);
  }
  w->transform_weight_slope(sums, plane, s->inputs * s->outputs, dweight, s->inputs * s->outputs);
}
