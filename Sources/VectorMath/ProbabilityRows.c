#include "ProbabilityRows.h"

#include <string.h>

#include "Multiversioned.h"

#define REAL float
#define BITS int32_t
#define UNSIGNED_BITS uint32_t
#define LANES 16
#define MASK uint16_t
#define NAMED(name) name##_f32
#include "ProbabilityRowKernels.h"

#define REAL double
#define BITS int64_t
#define UNSIGNED_BITS uint64_t
#define LANES 8
#define MASK uint8_t
#define NAMED(name) name##_f64
#include "ProbabilityRowKernels.h"
