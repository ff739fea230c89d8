// Convolutions over `[images, height, width, channels]`, zero-padded by half the kernel, without unrolled patches: a tile
// of outputs stays in registers over all taps; 3 x 3 filters over multiples of 16 channels go Winograd's way, which takes
// a quarter (stride 1) or little more than half (stride 2) of the products. Compiled for AVX-512, AVX2 and plain x86-64.
// The plain counterpart of the forward pass is `Plain.convolution`; the backward passes are held to finite differences.
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The shape of one square convolution; the side of the output is (side + 2 * (kernel / 2) - kernel) / stride + 1.
typedef struct {
  size_t images, height, width, inputs;
  size_t kernel, stride, outputs;
} vm_convolution_shape;

/// How many floats of scratch any of the functions below takes.
size_t vm_convolution_scratch(vm_convolution_shape shape);

/// How many floats the filters take as `vm_convolution` has them.
size_t vm_convolution_filters(vm_convolution_shape shape);
/// weight `[kernel, kernel, inputs, outputs]` to filters, for any number of images.
void vm_convolution_prepare(vm_convolution_shape shape, const float *weight, float *filters);
/// y = bias + added + x * weight. x `[images, height, width, inputs]`, y and `added` (which may be NULL)
/// `[images, outHeight, outWidth, outputs]`.
void vm_convolution(vm_convolution_shape shape, const float *x, const float *filters, const float *bias,
                    const float *added, float *y, float *scratch);
/// dx = the gradient by x, written over.
void vm_convolution_input_gradient(vm_convolution_shape shape, const float *dy, const float *weight, float *dx,
                                   float *scratch);
/// Adds the gradient by the weight to dweight.
void vm_convolution_weight_gradient(vm_convolution_shape shape, const float *x, const float *dy, float *dweight,
                                    float *scratch);

#ifdef __cplusplus
}
#endif
