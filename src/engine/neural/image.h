/* engine/neural/image.h -- pictures as pixels.
 *
 * PNG and JPEG, known by their first bytes.  A picture is stretched to the
 * size that is wanted: each pixel is the mean of the area it covers, weighted
 * towards its middle (a triangle, as Pillow's BILINEAR does it), each side on
 * its own.  Grey becomes three equal numbers, or colours their luma; what is
 * transparent shows black.  A JPEG much larger than wanted is decoded at a
 * half, a quarter or an eighth of its size.
 *
 * Hostile bytes end in an error: sizes, memory and progressive scans are
 * bounded, and a picture that breaks off is refused, not filled with grey.
 * Home of png.h and jpeglib.h.
 * Threads: any.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_IMAGE_H
#define LATHE_ENGINE_NEURAL_IMAGE_H

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

enum {
    IMAGE_MAX_SIDE = 16384,
    IMAGE_MAX_PIXELS = 1 << 25,
    IMAGE_MAX_BYTES = 64 << 20
};

struct image_size {
    uint32_t h, w, c; /* c: 1 or 3 */
};

/* out: (h, w, c).  ERR_PARSE: no picture, a damaged one; ERR_LIMIT: one that
 * is too large. */
bool image_decode(struct str bytes, struct image_size want, uint8_t *out,
                  struct error *err) MUST_USE;
/* The same from a path or, where the text begins with "data:", from its bytes
 * in base64 behind the comma (RFC 2397).  Errors name the path. */
bool image_read(struct str place, struct image_size want, uint8_t *out,
                struct error *err) MUST_USE;
#endif
