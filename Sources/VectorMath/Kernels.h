// What every file of kernels begins with; not part of the public header.
#pragma once
#include "VectorMath.h"

#include <math.h>
#include <string.h>

#include "Multiversioned.h"

// Reductions may be reordered into vector lanes; the order is fixed at compile time for each path.
#define REASSOCIATE _Pragma("clang fp reassociate(on) contract(fast)")

// Cody-Waite reduction and a degree-6 polynomial (coefficients as in Cephes expf): 2 ulp over the normal range.
INLINE float exp_one(float x) {
  float clamped = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
  float n = __builtin_rintf(clamped * 1.44269504088896341f);
  float r = clamped - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  union {
    int i;
    float f;
  } power;
  power.i = ((int)n + 127) << 23;
  float y = p * power.f;
  return x < -87.0f ? 0.0f : y;
}

INLINE float sigmoid_one(float x) { return 1.0f / (1.0f + exp_one(-x)); }
