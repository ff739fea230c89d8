// Direct convolutions over `[images, height, width, channels]`, zero-padded by half the kernel: no unrolled patches,
// a tile of outputs stays in registers over all taps. Compiled for AVX-512, AVX2 and plain x86-64. The plain
// counterpart of the forward pass is `Plain.convolution`; the backward passes are held to finite differences.
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

/// y = bias + x * weight. x `[images, height, width, inputs]`, weight `[kernel, kernel, inputs, outputs]`, y
/// `[images, outHeight, outWidth, outputs]`.
void vm_convolution(vm_convolution_shape shape, const float *x, const float *weight, const float *bias, float *y,
                    float *scratch);
/// dx = the gradient by x, written over.
void vm_convolution_input_gradient(vm_convolution_shape shape, const float *dy, const float *weight, float *dx,
                                   float *scratch);
/// Adds the gradient by the weight to dweight.
void vm_convolution_weight_gradient(vm_convolution_shape shape, const float *x, const float *dy, float *dweight,
                                    float *scratch);

#ifdef __cplusplus
}
#endif
