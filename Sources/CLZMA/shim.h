#pragma once
#include <lzma.h>

// Swift doesn't take the macro.
static const uint32_t lzma_concatenated = LZMA_CONCATENATED;
