/* frame/sketch_histogram.h -- a fine histogram whose range need not be known.
 *
 * Bin i counts the values in [i * w, (i + 1) * w), where w is a power of two
 * that doubles, two bins becoming one, whenever the values span more than the
 * number of bins given.  So all counts are exact between the edges that there
 * are; between others a bin is shared out evenly.  The state depends on the set
 * of the values alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SKETCH_HISTOGRAM_H
#define LATHE_FRAME_SKETCH_HISTOGRAM_H

#include <stddef.h>

#include "frame/sketch.h"

struct sketch_histogram {
    int64_t low, high; /* bins that hold a value; low > high: none */
    int exponent;      /* of the width */
    uint64_t *count;   /* bin i is at i modulo n_fine; then as much scratch */
    size_t n_fine;
};

/* n_fine: a power of two. */
bool sketch_histogram_init(struct sketch_histogram *h, size_t n_fine,
                           struct error *err) MUST_USE;
void sketch_histogram_fini(struct sketch_histogram *h);
/* A finite value, so many times. */
void
sketch_histogram_add(struct sketch_histogram *h, double x, uint64_t weight);
/* n finite values. */
void
sketch_histogram_add_all(struct sketch_histogram *h, const double *x, size_t n);
/* Values in each of n_bins equal parts of [min, max], which hold all of them,
 * rounded so that they add up.  Returns how many values a count may be off by
 * at most. */
uint64_t sketch_histogram_cut(const struct sketch_histogram *h, double min,
                              double max, size_t n_bins, size_t *count);
#endif
