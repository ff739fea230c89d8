#include "Kernels.h"

const char *vm_vector_path(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd"))
    return "avx512";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "avx2";
#endif
  return "baseline";
}

MULTIVERSIONED void vm_exp(const float *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = exp_one(x[i]);
}

MULTIVERSIONED void vm_softmax_rows(float *x, size_t rows, size_t columns, const int *lengths) {
  REASSOCIATE
  for (size_t r = 0; r < rows; r++) {
    float *row = x + r * columns;
    size_t length = lengths ? (size_t)lengths[r] : columns;
    float top = -INFINITY;
    for (size_t c = 0; c < length; c++) top = row[c] > top ? row[c] : top;
    float sum = 0;
    for (size_t c = 0; c < length; c++) {
      float e = exp_one(row[c] - top);
      row[c] = e;
      sum += e;
    }
    float inverse = sum > 0 ? 1.0f / sum : 0.0f;
    for (size_t c = 0; c < length; c++) row[c] *= inverse;
    for (size_t c = length; c < columns; c++) row[c] = 0;
  }
}

MULTIVERSIONED void vm_softmax_backward_rows(const float *y, float *dy, size_t rows, size_t columns) {
  REASSOCIATE
  for (size_t r = 0; r < rows; r++) {
    const float *yr = y + r * columns;
    float *dr = dy + r * columns;
    float sum = 0;
    for (size_t c = 0; c < columns; c++) sum += yr[c] * dr[c];
    for (size_t c = 0; c < columns; c++) dr[c] = yr[c] * (dr[c] - sum);
  }
}

MULTIVERSIONED void vm_quick_gelu(const float *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = x[i] * sigmoid_one(1.702f * x[i]);
}

MULTIVERSIONED void vm_quick_gelu_backward(const float *x, const float *dy, float *dx, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float s = sigmoid_one(1.702f * x[i]);
    dx[i] = dy[i] * (s + 1.702f * x[i] * s * (1.0f - s));
  }
}

MULTIVERSIONED void vm_relu(const float *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : 0;
}

MULTIVERSIONED void vm_relu_backward(const float *y, const float *dy, float *dx, size_t n) {
  for (size_t i = 0; i < n; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
}

MULTIVERSIONED void vm_layer_norm(const float *x, const float *gain, const float *bias, float *y, float *statistics,
                                  size_t rows, size_t columns, float epsilon) {
  REASSOCIATE
  for (size_t r = 0; r < rows; r++) {
    const float *xr = x + r * columns;
    float *yr = y + r * columns;
    float sum = 0;
    for (size_t c = 0; c < columns; c++) sum += xr[c];
    float mean = sum / (float)columns;
    float squares = 0;
    for (size_t c = 0; c < columns; c++) squares += (xr[c] - mean) * (xr[c] - mean);
    float rstd = 1.0f / sqrtf(squares / (float)columns + epsilon);
    statistics[2 * r] = mean;
    statistics[2 * r + 1] = rstd;
    for (size_t c = 0; c < columns; c++) yr[c] = (xr[c] - mean) * rstd * gain[c] + bias[c];
  }
}

MULTIVERSIONED void vm_layer_norm_backward(const float *x, const float *gain, const float *statistics,
                                           const float *dy, float *dx, float *dgain, float *dbias, size_t rows,
                                           size_t columns) {
  REASSOCIATE
  for (size_t r = 0; r < rows; r++) {
    const float *xr = x + r * columns;
    const float *dyr = dy + r * columns;
    float *dxr = dx + r * columns;
    float mean = statistics[2 * r], rstd = statistics[2 * r + 1];
    float sum = 0, weighted = 0;
    for (size_t c = 0; c < columns; c++) {
      float normal = (xr[c] - mean) * rstd;
      float scaled = dyr[c] * gain[c];
      sum += scaled;
      weighted += scaled * normal;
      dgain[c] += dyr[c] * normal;
      dbias[c] += dyr[c];
    }
    sum /= (float)columns;
    weighted /= (float)columns;
    for (size_t c = 0; c < columns; c++) {
      float normal = (xr[c] - mean) * rstd;
      dxr[c] = rstd * (dyr[c] * gain[c] - sum - normal * weighted);
    }
  }
}

// What image norm takes for a value that is smaller, before and after.
typedef struct {
  float input, output;
} floors;

INLINE floors floors_of(int rectified) {
  return (floors){rectified & VM_RECTIFIED_INPUT ? 0 : -INFINITY, rectified & VM_RECTIFIED_OUTPUT ? 0 : -INFINITY};
}

INLINE float at_least(float x, float floor) { return x > floor ? x : floor; }

MULTIVERSIONED void vm_image_norm(const float *restrict x, const float *restrict gain, const float *restrict bias,
                                  float *restrict y, float *restrict statistics, size_t images, size_t positions,
                                  size_t channels, float epsilon, int rectified) {
  REASSOCIATE
  size_t n = positions * channels;
  floors floor = floors_of(rectified);
  for (size_t i = 0; i < images; i++) {
    const float *xi = x + i * n;
    float *yi = y + i * n;
    // One pass for both moments, about a value that is near the mean, so that nothing cancels.
    float near = 0;
    for (size_t c = 0; c < channels; c++) near += at_least(xi[c], floor.input);
    near /= (float)channels;
    float sum = 0, squares = 0;
    for (size_t k = 0; k < n; k++) {
      float off = at_least(xi[k], floor.input) - near;
      sum += off;
      squares += off * off;
    }
    sum /= (float)n;
    squares = fmaxf(squares - sum * sum * (float)n, 0);
    float mean = near + sum;
    float rstd = 1.0f / sqrtf(squares / (float)n + epsilon);
    statistics[2 * i] = mean;
    statistics[2 * i + 1] = rstd;
    for (size_t p = 0; p < positions; p++)
      for (size_t c = 0; c < channels; c++) {
        float value = at_least(xi[p * channels + c], floor.input);
        yi[p * channels + c] = at_least((value - mean) * rstd * gain[c] + bias[c], floor.output);
      }
  }
}

MULTIVERSIONED void vm_image_norm_backward(const float *restrict x, const float *restrict gain,
                                           const float *restrict bias, const float *restrict statistics,
                                           const float *restrict dy, float *restrict dx, float *restrict dgain,
                                           float *restrict dbias, size_t images, size_t positions, size_t channels,
                                           int rectified) {
  REASSOCIATE
  size_t n = positions * channels;
  floors floor = floors_of(rectified);
  for (size_t i = 0; i < images; i++) {
    float mean = statistics[2 * i], rstd = statistics[2 * i + 1];
    float sum = 0, weighted = 0;
    for (size_t p = 0; p < positions; p++) {
      const float *xp = x + i * n + p * channels;
      const float *dyp = dy + i * n + p * channels;
      for (size_t c = 0; c < channels; c++) {
        float normal = (at_least(xp[c], floor.input) - mean) * rstd;
        float slope = normal * gain[c] + bias[c] > floor.output ? dyp[c] : 0;
        float scaled = slope * gain[c];
        sum += scaled;
        weighted += scaled * normal;
        dgain[c] += slope * normal;
        dbias[c] += slope;
      }
    }
    sum /= (float)n;
    weighted /= (float)n;
    for (size_t p = 0; p < positions; p++) {
      const float *xp = x + i * n + p * channels;
      const float *dyp = dy + i * n + p * channels;
      float *dxp = dx + i * n + p * channels;
      for (size_t c = 0; c < channels; c++) {
        float normal = (at_least(xp[c], floor.input) - mean) * rstd;
        float slope = normal * gain[c] + bias[c] > floor.output ? dyp[c] : 0;
        float inner = rstd * (slope * gain[c] - sum - normal * weighted);
        dxp[c] = xp[c] > floor.input ? inner : 0;
      }
    }
  }
}

MULTIVERSIONED void vm_add_bias(float *y, const float *bias, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) y[r * columns + c] += bias[c];
}

MULTIVERSIONED void vm_add_column_sums(const float *x, float *sums, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) sums[c] += x[r * columns + c];
}

MULTIVERSIONED void vm_axpy(float a, const float *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}

MULTIVERSIONED void vm_add(const float *x, float *y, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] += x[i];
}

MULTIVERSIONED void vm_sum(const float *x, const float *y, float *sum, size_t n) {
  for (size_t i = 0; i < n; i++) sum[i] = x[i] + y[i];
}

MULTIVERSIONED float vm_dot(const float *x, const float *y, size_t n) {
  REASSOCIATE
  float sum = 0;
  for (size_t i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

MULTIVERSIONED double vm_sum_of_squares(const float *x, size_t n) {
  REASSOCIATE
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}

MULTIVERSIONED void vm_adamw(float *restrict value, const float *restrict gradient, float *restrict m,
                             float *restrict v, size_t n, float scale, float rate, float beta1, float beta2,
                             float epsilon, float decay, float correction1, float correction2) {
  REASSOCIATE
  float by1 = rate / correction1, by2 = 1.0f / correction2, left = 1.0f - rate * decay;
  for (size_t i = 0; i < n; i++) {
    float g = gradient[i] * scale;
    float mi = beta1 * m[i] + (1 - beta1) * g;
    float vi = beta2 * v[i] + (1 - beta2) * g * g;
    m[i] = mi;
    v[i] = vi;
    // The builtin, since the library's root also sets errno, one element at a time.
    value[i] = left * value[i] - by1 * mi / (__builtin_elementwise_sqrt(vi * by2) + epsilon);
  }
}

MULTIVERSIONED void vm_moving_average(const float *value, float *average, size_t n, float keep) {
  for (size_t i = 0; i < n; i++) average[i] += (1 - keep) * (value[i] - average[i]);
}
