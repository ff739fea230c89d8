// The kernels of ProbabilityRows.h for one type, which is a macro: REAL, its BITS, LANES of it in 64 bytes and a MASK of as
// many bits. Private to ProbabilityRows.c, which includes it once for each type.
//
// A row is taken LANES at a time. Where that doesn't come out even, the last ones are taken up to the row's end and overlap
// those before: neither a maximum, nor the first column of something, nor whether there is any minds seeing a value twice.

typedef REAL NAMED(reals) __attribute__((ext_vector_type(LANES)));
typedef BITS NAMED(whole) __attribute__((ext_vector_type(LANES)));
typedef _Bool NAMED(flags) __attribute__((ext_vector_type(LANES)));

#define LOAD(vector, from) memcpy(&vector, from, sizeof vector)
// A bit for each lane of a comparison that holds.
#define TO_MASK(mask, comparison)                                                    \
  do {                                                                               \
    NAMED(flags) flags = __builtin_convertvector(comparison, NAMED(flags));          \
    memcpy(&mask, &flags, sizeof mask);                                              \
  } while (0)

MULTIVERSIONED int NAMED(vm_are_probabilities)(const REAL *x, size_t n) {
  // As unsigned numbers, the bit patterns of negative numbers and of NaN lie above that of 1.
  UNSIGNED_BITS top = 0, one;
  REAL value = 1;
  memcpy(&one, &value, sizeof one);
  for (size_t i = 0; i < n; i++) {
    UNSIGNED_BITS bits;
    memcpy(&bits, x + i, sizeof bits);
    top = bits > top ? bits : top;
  }
  return top <= one;
}

INLINE int32_t NAMED(narrow_top)(const REAL *row, size_t columns, const REAL *bounds, uint8_t *passes) {
  size_t top = 0;
  uint8_t passed = 0;
  for (size_t k = 0; k < columns; k++) {
    passed |= row[k] >= bounds[k];
    top = row[k] > row[top] ? k : top;
  }
  *passes = passed;
  return row[top] > 0 ? (int32_t)top : -1;
}

MULTIVERSIONED void NAMED(vm_top_columns)(const REAL *x, size_t rows, size_t columns, const REAL *bounds, int32_t *tops,
                                          uint8_t *passes) {
  for (size_t r = 0; r < rows; r++, x += columns) {
    if (columns < LANES) {
      tops[r] = NAMED(narrow_top)(x, columns, bounds, passes + r);
      continue;
    }
    // Of positive numbers, the bit patterns sort like the numbers, above those of negative ones.
    NAMED(whole) largest = 0, passed = 0;
    for (size_t start = 0; start < columns; start += LANES) {
      size_t at = start + LANES <= columns ? start : columns - LANES;
      NAMED(reals) values, least;
      NAMED(whole) bits;
      LOAD(values, x + at);
      LOAD(bits, x + at);
      LOAD(least, bounds + at);
      largest = __builtin_elementwise_max(largest, bits);
      passed |= values >= least;
    }
    passes[r] = __builtin_reduce_or(passed) != 0;
    BITS top = __builtin_reduce_max(largest);
    NAMED(whole) all = top;
    // From the end, so that the first column is the last to be found: without a branch that nobody can predict.
    size_t column = 0;
    for (size_t end = (columns + LANES - 1) / LANES; end > 0; end--) {
      size_t at = end * LANES <= columns ? (end - 1) * LANES : columns - LANES;
      NAMED(whole) bits;
      MASK equal;
      LOAD(bits, x + at);
      TO_MASK(equal, bits == all);
      column = equal ? at + (size_t)__builtin_ctz(equal | 1u << 31) : column;
    }
    tops[r] = top > 0 ? (int32_t)column : -1;
  }
}

INLINE int NAMED(reaches)(const REAL *row, size_t columns, REAL given, const REAL *floors) {
  if (columns < LANES) {
    int any = 0;
    for (size_t k = 0; k < columns; k++) any |= row[k] - given >= floors[k];
    return any;
  }
  NAMED(whole) any = 0;
  for (size_t start = 0; start < columns; start += LANES) {
    size_t at = start + LANES <= columns ? start : columns - LANES;
    NAMED(reals) values, least;
    LOAD(values, row + at);
    LOAD(least, floors + at);
    any |= values - given >= least;
  }
  return __builtin_reduce_or(any) != 0;
}

MULTIVERSIONED size_t NAMED(vm_reaching_rows)(const REAL *x, size_t rows, size_t columns, const int32_t *labels,
                                              const REAL *floors, int32_t *found) {
  size_t count = 0;
  for (size_t r = 0; r < rows; r++, x += columns) {
    size_t label = (size_t)labels[r];
    found[count] = (int32_t)r;
    count += NAMED(reaches)(x, columns, x[label], floors + label * columns) ? 1 : 0;
  }
  return count;
}

MULTIVERSIONED size_t NAMED(vm_reaching_columns)(const REAL *x, size_t columns, REAL given, const REAL *floors,
                                                 int32_t *found) {
  size_t count = 0, k = 0;
  for (; k + LANES <= columns; k += LANES) {
    NAMED(reals) values, least;
    MASK hits;
    LOAD(values, x + k);
    LOAD(least, floors + k);
    TO_MASK(hits, values - given >= least);
    for (unsigned rest = hits; rest; rest &= rest - 1) found[count++] = (int32_t)(k + (size_t)__builtin_ctz(rest));
  }
  for (; k < columns; k++) {
    if (x[k] - given >= floors[k]) found[count++] = (int32_t)k;
  }
  return count;
}

#undef REAL
#undef BITS
#undef UNSIGNED_BITS
#undef LANES
#undef MASK
#undef NAMED
#undef LOAD
#undef TO_MASK
