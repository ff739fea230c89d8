#include "Kernels.h"

// Phi(x) and e^(-x^2/2). 1 - erf(z) = t P(t) e^(-z^2), t = 1 / (1 + 0.3275911 z) for z >= 0 (Abramowitz & Stegun
// 7.1.26): the tail is taken as it is for negative x, so that nothing cancels there.
INLINE float normal_cdf(float x, float *density) {
  float z = fabsf(x) * 0.70710678118654752f;
  float t = 1.0f / (1.0f + 0.3275911f * z);
  float p = 1.061405429f;
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  float e = exp_one(-0.5f * x * x);
  float half_tail = 0.5f * p * t * e;
  *density = e;
  return x < 0 ? half_tail : 1.0f - half_tail;
}

INLINE float gelu_one(float x) {
  float density;
  return x * normal_cdf(x, &density);
}

MULTIVERSIONED void vm_gelu(const float *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = gelu_one(x[i]);
}

MULTIVERSIONED void vm_gelu_backward(const float *x, const float *dy, float *dx, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float density;
    float cdf = normal_cdf(x[i], &density);
    dx[i] = dy[i] * (cdf + x[i] * 0.39894228040143268f * density);
  }
}

MULTIVERSIONED void vm_bias_gelu(float *x, const float *bias, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    float *restrict row = x + r * columns;
    for (size_t c = 0; c < columns; c++) row[c] = gelu_one(row[c] + bias[c]);
  }
}

MULTIVERSIONED void vm_bias_quick_gelu(float *x, const float *bias, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    float *restrict row = x + r * columns;
    for (size_t c = 0; c < columns; c++) {
      float v = row[c] + bias[c];
      row[c] = v * sigmoid_one(1.702f * v);
    }
  }
}
