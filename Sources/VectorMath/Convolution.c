#include "ConvolutionKernels.h"

#include <string.h>

#include "ConvolutionPaths.h"
#include "Winograd.h"


static size_t output_side(const vm_convolution_shape *s, size_t side) {
  return (side + 2 * (s->kernel / 2) - s->kernel) / s->stride + 1;
}

/// Images are padded and convolved in groups that stay in the second-level cache.
static size_t group_of(const vm_convolution_shape *s, size_t floats_per_image) {
  const size_t budget = 48 << 10;
  return max_of(1, min_of(s->images, budget / floats_per_image));
}

/// How far the outputs that an input's gradient comes from reach beyond the output, along one axis: with
/// `i + pad = stride * q + r`, taps r, r + stride, ... of the kernel meet outputs q, q - 1, ....
static margin gradient_margin(const vm_convolution_shape *s, size_t side) {
  size_t pad = s->kernel / 2, out = output_side(s, side);
  size_t most = (s->kernel + s->stride - 1) / s->stride;
  size_t first = pad / s->stride, last = (side - 1 + pad) / s->stride;
  return (margin){most - 1 > first ? most - 1 - first : 0, last + 1 > out ? last + 1 - out : 0};
}

static size_t padded_input(const vm_convolution_shape *s) {
  size_t pad = s->kernel / 2;
  return (s->height + 2 * pad) * (s->width + 2 * pad) * s->inputs;
}

static size_t padded_slope(const vm_convolution_shape *s) {
  margin m = gradient_margin(s, s->height), n = gradient_margin(s, s->width);
  return (output_side(s, s->height) + m.before + m.after) * (output_side(s, s->width) + n.before + n.after) *
         s->outputs;
}

static size_t wide_slope(const vm_convolution_shape *s) {
  return output_side(s, s->height) * output_side(s, s->width) * up_to(s->outputs, widest_panel);
}

size_t vm_convolution_scratch(vm_convolution_shape s) {
  if (vm_winograd_takes(&s)) return vm_winograd_scratch(&s);
  size_t widest = up_to(max_of(s.inputs, s.outputs), widest_panel);
  size_t panels = s.kernel * s.kernel * max_of(s.inputs, s.outputs) * widest;
  size_t input = padded_input(&s) * group_of(&s, padded_input(&s));
  size_t slope = padded_slope(&s) * group_of(&s, padded_slope(&s));
  size_t both = input + wide_slope(&s) * group_of(&s, padded_input(&s));
  return max_of(panels + max_of(input, slope), both) + 4 * widest_panel;
}

size_t vm_convolution_filters(vm_convolution_shape s) {
  if (vm_winograd_takes(&s)) return vm_winograd_filters(&s);
  return s.kernel * s.kernel * s.inputs * up_to(s.outputs, widest_panel);
}

void vm_convolution_prepare(vm_convolution_shape s, const float *weight, float *filters) {
  if (vm_winograd_takes(&s)) {
    vm_winograd_prepare(&s, weight, filters);
    return;
  }
  vm_convolution_kernels k = vm_convolution_kernels_here();
  size_t depth = s.kernel * s.kernel * s.inputs;
  for (size_t c = 0; c < s.outputs; c += k.panel) {
    size_t count = min_of(k.panel, s.outputs - c);
    for (size_t j = 0; j < depth; j++) {
      float *row = filters + c * depth + j * k.panel;
      memcpy(row, weight + j * s.outputs + c, count * sizeof(float));
      memset(row + count, 0, (k.panel - count) * sizeof(float));
    }
  }
}

void vm_convolution(vm_convolution_shape s, const float *x, const float *filters, const float *bias,
                    const float *added, float *y, float *scratch) {
  if (vm_winograd_takes(&s)) {
    vm_winograd(&s, x, filters, bias, added, y, scratch);
    return;
  }
  vm_convolution_kernels k = vm_convolution_kernels_here();
  size_t height = output_side(&s, s.height), width = output_side(&s, s.width), half = s.kernel / 2;
  size_t line = (s.width + 2 * half) * s.inputs, image = (s.height + 2 * half) * line;
  size_t group = group_of(&s, image);
  for (size_t first = 0; first < s.images; first += group) {
    size_t images = min_of(group, s.images - first);
    vm_pad(x + first * s.height * s.width * s.inputs, scratch, images, s.height, s.width, s.inputs, s.inputs,
           (margin){half, half}, (margin){half, half});
    lattice l = {.positions = images * height * width, .rows = height, .columns = width,
                 .x_image = image, .x_row = s.stride * line, .x_column = s.stride * s.inputs,
                 .y_image = height * width * s.outputs, .y_row = width * s.outputs, .y_column = s.outputs,
                 .tap_rows = s.kernel, .tap_row = line, .run = s.kernel * s.inputs, .outputs = s.outputs};
    size_t place = first * l.y_image;
    k.convolve(&l, scratch, filters, bias, added ? added + place : NULL, y + place);
  }
}

/// The taps of the kernel along one axis that meet inputs of residue `r`, and those inputs.
typedef struct {
  size_t taps;          // how many; tap t (ascending output) is kernel index r + stride * (taps - 1 - t)
  size_t first, count;  // inputs first, first + stride, ...
  size_t start;         // of the first input's taps, as an index into the padded outputs
} residue;

static residue residue_of(const vm_convolution_shape *s, size_t side, size_t r) {
  size_t half = s->kernel / 2;
  residue c = {.taps = r < s->kernel ? (s->kernel - r + s->stride - 1) / s->stride : 0};
  c.first = (r + s->stride * half - half) % s->stride;
  c.count = c.first < side ? (side - c.first + s->stride - 1) / s->stride : 0;
  size_t q = (c.first + half) / s->stride;
  c.start = q + gradient_margin(s, side).before + 1 - max_of(c.taps, 1);
  return c;
}

void vm_convolution_input_gradient(vm_convolution_shape s, const float *dy, const float *weight, float *dx,
                                   float *scratch) {
  if (vm_winograd_takes(&s)) {
    vm_winograd_input_gradient(&s, dy, weight, dx, scratch);
    return;
  }
  vm_convolution_kernels k = vm_convolution_kernels_here();
  size_t height = output_side(&s, s.height), width = output_side(&s, s.width);
  margin rows = gradient_margin(&s, s.height), columns = gradient_margin(&s, s.width);
  size_t line = (width + columns.before + columns.after) * s.outputs;
  size_t image = (height + rows.before + rows.after) * line;
  float *padded = scratch + s.kernel * s.kernel * s.outputs * up_to(s.inputs, k.panel);
  // Each pair of residues has the panels of its own taps, one after another.
  float *panels = scratch;
  for (size_t ry = 0; ry < s.stride; ry++) {
    for (size_t rx = 0; rx < s.stride; rx++) {
      residue v = residue_of(&s, s.height, ry), h = residue_of(&s, s.width, rx);
      for (size_t c = 0; c < s.inputs; c += k.panel) {
        for (size_t tap = 0; tap < v.taps * h.taps; tap++) {
          size_t ky = ry + s.stride * (v.taps - 1 - tap / h.taps), kx = rx + s.stride * (h.taps - 1 - tap % h.taps);
          const float *w = weight + (ky * s.kernel + kx) * s.inputs * s.outputs;
          for (size_t o = 0; o < s.outputs; o++)
            for (size_t i = 0; i < k.panel; i++) *panels++ = c + i < s.inputs ? w[(c + i) * s.outputs + o] : 0;
        }
      }
    }
  }
  size_t group = group_of(&s, image);
  for (size_t first = 0; first < s.images; first += group) {
    size_t images = min_of(group, s.images - first);
    vm_pad(dy + first * height * width * s.outputs, padded, images, height, width, s.outputs, s.outputs, rows, columns);
    panels = scratch;
    for (size_t ry = 0; ry < s.stride; ry++) {
      for (size_t rx = 0; rx < s.stride; rx++) {
        residue v = residue_of(&s, s.height, ry), h = residue_of(&s, s.width, rx);
        lattice l = {.positions = images * v.count * h.count, .rows = v.count, .columns = h.count,
                     .x_image = image, .x_row = line, .x_column = s.outputs,
                     .y_image = s.height * s.width * s.inputs, .y_row = s.stride * s.width * s.inputs,
                     .y_column = s.stride * s.inputs,
                     .tap_rows = h.taps ? v.taps : 0, .tap_row = line, .run = h.taps * s.outputs,
                     .outputs = s.inputs};
        k.convolve(&l, padded + v.start * line + h.start * s.outputs, panels, NULL, NULL,
                   dx + first * l.y_image + (v.first * s.width + h.first) * s.inputs);
        panels += v.taps * h.taps * s.outputs * up_to(s.inputs, k.panel);
      }
    }
  }
}

void vm_convolution_weight_gradient(vm_convolution_shape s, const float *x, const float *dy, float *dweight,
                                    float *scratch) {
  if (vm_winograd_takes(&s)) {
    vm_winograd_weight_gradient(&s, x, dy, dweight, scratch);
    return;
  }
  vm_convolution_kernels k = vm_convolution_kernels_here();
  size_t height = output_side(&s, s.height), width = output_side(&s, s.width), half = s.kernel / 2;
  size_t line = (s.width + 2 * half) * s.inputs, image = (s.height + 2 * half) * line;
  size_t wide = up_to(s.outputs, k.panel);
  size_t group = group_of(&s, image);
  float *slope = scratch + group * image + longest_tile;
  for (size_t first = 0; first < s.images; first += group) {
    size_t images = min_of(group, s.images - first);
    const float *d = dy + first * height * width * s.outputs;
    vm_pad(x + first * s.height * s.width * s.inputs, scratch, images, s.height, s.width, s.inputs, s.inputs,
           (margin){half, half}, (margin){half, half});
    if (wide != s.outputs) {
      vm_pad(d, slope, images, height, width, s.outputs, wide, (margin){0, 0}, (margin){0, 0});
      d = slope;
    }
    lattice l = {.positions = images * height * width, .rows = height, .columns = width,
                 .x_image = image, .x_row = s.stride * line, .x_column = s.stride * s.inputs,
                 .y_image = height * width * wide, .y_row = width * wide, .y_column = wide,
                 .tap_rows = s.kernel, .tap_row = line, .run = s.kernel * s.inputs, .outputs = s.outputs};
    k.add_weight_gradient(&l, scratch, d, dweight);
  }
}
