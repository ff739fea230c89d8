// Private to VectorMath: the fast way for 3 x 3 convolutions of strides 1 and 2.
#pragma once
#include <stdbool.h>

#include "ConvolutionKernels.h"

/// Whether this way is open, and pays.
bool vm_winograd_takes(const vm_convolution_shape *shape);
size_t vm_winograd_filters(const vm_convolution_shape *shape);
size_t vm_winograd_scratch(const vm_convolution_shape *shape);
void vm_winograd_prepare(const vm_convolution_shape *shape, const float *weight, float *filters);
void vm_winograd(const vm_convolution_shape *shape, const float *x, const float *filters, const float *bias,
                 const float *added, float *y, float *scratch);
void vm_winograd_input_gradient(const vm_convolution_shape *shape, const float *dy, const float *weight, float *dx,
                                float *scratch);
void vm_winograd_weight_gradient(const vm_convolution_shape *shape, const float *x, const float *dy, float *dweight,
                                 float *scratch);
