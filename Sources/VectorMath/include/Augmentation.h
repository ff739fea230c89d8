// Random crops of thumbnails. The plain counterpart is `Plain.crop`.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How many floats of scratch `vm_crop` takes.
size_t vm_crop_scratch(size_t side);
/// A rectangle of `side * side` RGB pixels, resampled bilinearly to the same side: for each value v of channel c
/// (v - 127.5) * gains[c]. `mirrored` turns it left to right. Positions are in pixels; the rectangle may not leave the image.
void vm_crop(const unsigned char *pixels, size_t side, float left, float top, float width, float height,
             bool mirrored, const float *gains, float *to, float *scratch);

#ifdef __cplusplus
}
#endif
