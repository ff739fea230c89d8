// Elementwise and row-wise float kernels, compiled for AVX-512, AVX2 and plain x86-64 and chosen when the program
// starts. `rows` x `columns` arrays are row-major and dense. Each forward kernel has a plain counterpart in
// Layers/Plain.swift (vm_exp: the C library's), and LayersTests holds the one to the other; the backward kernels are
// held to finite differences of the layers that call them.
#pragma once
#include <stddef.h>

#include "Augmentation.h"
#include "ConvolutionKernels.h"
#include "Dictionary.h"
#include "ProbabilityRows.h"
#include "Resampling.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The widest vector path this machine takes: "avx512", "avx2" or "baseline".
const char *vm_vector_path(void);

/// y[i] = e^x[i] to 2 ulp for x in -87...88. Below that 0; above it e^88, which is finite.
void vm_exp(const float *x, float *y, size_t n);
/// Softmax of each row, in place; entries at or beyond lengths[row] become 0 (lengths may be NULL).
void vm_softmax_rows(float *x, size_t rows, size_t columns, const int *lengths);
/// dx = y * (dy - sum(y * dy)) for each row; writes over dy.
void vm_softmax_backward_rows(const float *y, float *dy, size_t rows, size_t columns);

/// y = x * sigmoid(1.702 x)
void vm_quick_gelu(const float *x, float *y, size_t n);
/// dx = dy * d/dx quick_gelu(x)
void vm_quick_gelu_backward(const float *x, const float *dy, float *dx, size_t n);

/// y = max(x, 0)
void vm_relu(const float *x, float *y, size_t n);
/// dx = dy where y > 0, else 0.
void vm_relu_backward(const float *y, const float *dy, float *dx, size_t n);

/// y = (x - mean) * rstd * gain + bias per row; statistics holds mean and rstd, [rows, 2].
void vm_layer_norm(const float *x, const float *gain, const float *bias, float *y, float *statistics, size_t rows,
                   size_t columns, float epsilon);
/// Writes dx, adds to dgain and dbias.
void vm_layer_norm_backward(const float *x, const float *gain, const float *statistics, const float *dy, float *dx,
                            float *dgain, float *dbias, size_t rows, size_t columns);

#define VM_RECTIFIED_INPUT 1
#define VM_RECTIFIED_OUTPUT 2
/// As vm_layer_norm, but the statistics are over all positions and channels of an image; gain and bias are a channel's.
/// Where `rectified` says so, the larger of a value and 0 is taken.
void vm_image_norm(const float *x, const float *gain, const float *bias, float *y, float *statistics, size_t images,
                   size_t positions, size_t channels, float epsilon, int rectified);
/// Writes dx, adds to dgain and dbias.
void vm_image_norm_backward(const float *x, const float *gain, const float *bias, const float *statistics,
                            const float *dy, float *dx, float *dgain, float *dbias, size_t images, size_t positions,
                            size_t channels, int rectified);

/// y[row] += bias
void vm_add_bias(float *y, const float *bias, size_t rows, size_t columns);
/// sums[column] += sum over rows of x
void vm_add_column_sums(const float *x, float *sums, size_t rows, size_t columns);
/// y += a * x
void vm_axpy(float a, const float *x, float *y, size_t n);
/// y = x + y
void vm_add(const float *x, float *y, size_t n);
/// sum = x + y
void vm_sum(const float *x, const float *y, float *sum, size_t n);
/// sum x * y
float vm_dot(const float *x, const float *y, size_t n);
/// sum x * x, added up in double precision.
double vm_sum_of_squares(const float *x, size_t n);

/// One AdamW step (Loshchilov & Hutter 2019): decoupled decay, bias-corrected moments. `gradient` is multiplied by
/// `scale` first (gradient clipping).
void vm_adamw(float *value, const float *gradient, float *m, float *v, size_t n, float scale, float rate, float beta1,
              float beta2, float epsilon, float decay, float correction1, float correction2);
/// average += (1 - keep) * (value - average)
void vm_moving_average(const float *value, float *average, size_t n, float keep);

#ifdef __cplusplus
}
#endif

#include "Transformer.h"
