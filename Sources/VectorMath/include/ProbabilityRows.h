// Rows of predicted probabilities, `[rows, columns]`, in two types: _f32 takes floats, _f64 doubles. Plain counterparts:
// ConfidentLearning/ClassLabels/PlainRow.swift.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Whether all values are in 0...1; false also for a -0.
int vm_are_probabilities_f32(const float *x, size_t n);
int vm_are_probabilities_f64(const double *x, size_t n);

/// For each row the first column of its largest value, or -1 where that isn't above 0, and whether any value is at least
/// its column's bound. No value is a NaN.
void vm_top_columns_f32(const float *x, size_t rows, size_t columns, const float *bounds, int32_t *tops,
                        uint8_t *passes);
void vm_top_columns_f64(const double *x, size_t rows, size_t columns, const double *bounds, int32_t *tops,
                        uint8_t *passes);

/// The rows with a column in which x - x[label] is at least floors[label, column]; labels are columns, floors are
/// `[columns, columns]`. Returns how many there are.
size_t vm_reaching_rows_f32(const float *x, size_t rows, size_t columns, const int32_t *labels, const float *floors,
                            int32_t *found);
size_t vm_reaching_rows_f64(const double *x, size_t rows, size_t columns, const int32_t *labels, const double *floors,
                            int32_t *found);

/// The columns of one row in which x - given is at least the floor. Returns how many there are.
size_t vm_reaching_columns_f32(const float *x, size_t columns, float given, const float *floors, int32_t *found);
size_t vm_reaching_columns_f64(const double *x, size_t columns, double given, const double *floors, int32_t *found);

#ifdef __cplusplus
}
#endif
