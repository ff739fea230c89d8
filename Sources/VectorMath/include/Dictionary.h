// Patches of images, encoded against a dictionary (Coates, Lee & Ng 2011). Plain counterparts: Layers/PlainDictionary.swift.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Contrast-normalised patches of `side * side` RGB floats: (p - mean) / sqrt(variance + regulariser) over a patch's
/// patch * patch * 3 values. Patches start every `stride` pixels, `across` of them in a row; those of the rows
/// first ..< first + rows are taken. A patch whose values are all equal is all zeros, and is left out.
/// `to` and `places` hold rows * across patches; places[i] is the number (row * across + column) of patch i.
/// Returns how many patches were written.
size_t vm_normalised_patches(const float *image, size_t side, size_t patch, size_t stride, size_t across, size_t first,
                             size_t rows, float regulariser, float *to, int32_t *places);

/// For each row of x, [rows, atoms], with f = x + bias: adds max(f - threshold, 0) to the first `atoms` columns of row
/// cells[places[row]] of `sums`, and max(-f - threshold, 0) to the `atoms` after them.
void vm_two_sided_pool(const float *x, size_t rows, size_t atoms, const float *bias, float threshold,
                       const int32_t *places, const int32_t *cells, float *sums);

/// The index of the value farthest from 0, the first of equal ones; n is at least 1.
size_t vm_farthest(const float *x, size_t n);

/// IEEE 754 binary16, rounded to the nearest even, and back.
void vm_to_halves(const float *x, uint16_t *y, size_t n);
void vm_from_halves(const uint16_t *x, float *y, size_t n);

#ifdef __cplusplus
}
#endif
