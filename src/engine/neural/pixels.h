/* engine/neural/pixels.h -- rows that are images.
 *
 * Either the columns of a table are the pixels, row by row, the channels of a
 * pixel side by side; or its one column says where a picture is (image.h).
 * Pictures are decoded on the pool: once, where they fit into a quarter of
 * budget_bytes(), else each time they are wanted.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_PIXELS_H
#define LATHE_ENGINE_NEURAL_PIXELS_H

#include "base/pool.h"
#include "base/progress.h"
#include "engine/encode.h"
#include "engine/neural/image.h"
#include "engine/neural/pass.h"

/* What is done to an image in training, each time anew, by the seed. */
struct pixels_change {
    bool flip;         /* left and right, every second time */
    uint32_t shift;    /* pixels, at most, each way */
    double crop;       /* of each side, at most; what is left is stretched */
    double brightness; /* share, at most, each way */
    uint64_t seed;
};

struct pixels {
    const struct design *d;
    struct image_size size;
    bool files;
    float *number;               /* (rows, numbers of an image), or NULL */
    uint8_t *byte;               /* the same, of pictures, or NULL */
    const float *mean, *inverse; /* of each channel; borrowed */
    struct pixels_change change;
};

/* The rows of d kept in memory, where that is possible. */
bool pixels_init(struct pixels *p, const struct design *d,
                 struct image_size size, struct pool *pool,
                 struct progress *progress, struct error *err) MUST_USE;
void pixels_fini(struct pixels *p);
/* Mean of each channel, and 1 / its deviation; on at most 1024 rows. */
bool pixels_measure(const struct pixels *p, struct pool *pool,
                    const struct progress *stop, float *mean, float *inverse,
                    struct error *err) MUST_USE;
/* As net_rows.take: ctx is the pixels, scaled; what is missing is 0. */
bool pixels_take(const void *ctx, const struct net_wanted *w,
                 struct error *err) MUST_USE;
static inline size_t
image_numbers(struct image_size s)
{
    return (size_t)s.h * s.w * s.c;
}
#endif
