// What a transformer needs beside the kernels of VectorMath.h: activations with their bias, and attention.
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// y = x * Phi(x), the exact GELU (by erf, to 2e-7; Abramowitz & Stegun 7.1.26), not its tanh approximation.
void vm_gelu(const float *x, float *y, size_t n);
/// dx = dy * d/dx gelu(x)
void vm_gelu_backward(const float *x, const float *dy, float *dx, size_t n);
/// x[row] = gelu(x[row] + bias), in place.
void vm_bias_gelu(float *x, const float *bias, size_t rows, size_t columns);
/// x[row] = quick_gelu(x[row] + bias), in place.
void vm_bias_quick_gelu(float *x, const float *bias, size_t rows, size_t columns);

/// One item of multi-head self-attention. `qkv` is [length, 3 * columns]: queries, keys, values, each with the heads one
/// after another; y is [length, columns]. `causal`: a position sees itself and those before it.
/// `scratch` holds vm_attention_scratch floats.
void vm_attention(const float *qkv, float *y, float *scratch, size_t length, size_t columns, size_t heads, int causal);
/// Writes dqkv, [length, 3 * columns], from dy, [length, columns]; the weights are computed anew.
/// `scratch` holds vm_attention_backward_scratch floats.
void vm_attention_backward(const float *qkv, const float *dy, float *dqkv, float *scratch, size_t length,
                           size_t columns, size_t heads, int causal);
/// Floats of scratch memory for an item of this length and heads of this size.
size_t vm_attention_scratch(size_t length, size_t head);
size_t vm_attention_backward_scratch(size_t length, size_t head);

#ifdef __cplusplus
}
#endif
