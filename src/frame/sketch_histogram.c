/* frame/sketch_histogram.c -- a fine histogram whose range need not be known.
 *
 * A bin is never finer than 2^-60 of the largest magnitude, which is more than
 * doubles can tell apart there, so that numbers of bins fit int64_t.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/sketch_histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { BITS = 60, LEAST = -1070 };

bool
sketch_histogram_init(struct sketch_histogram *h, size_t n_fine,
                      struct error *err)
{
    *h = (struct sketch_histogram){
        .low = 1, .high = 0, .exponent = LEAST, .n_fine = n_fine};
    return (h->count = mem_try_array(n_fine, 2 * sizeof *h->count, err));
}

void
sketch_histogram_fini(struct sketch_histogram *h)
{
    free(h->count);
    h->count = NULL;
}

static uint64_t *
count_of(const struct sketch_histogram *h, int64_t i)
{
    return &h->count[(uint64_t)i & (h->n_fine - 1)];
}

static int64_t
bin_of(const struct sketch_histogram *h, double x)
{
    /* Exact: a power of two, and what rounds to 0 lies in bin 0 or -1. */
    return (int64_t)floor(ldexp(x, -h->exponent));
}

/* Down, also of negative numbers. */
static int64_t
half(int64_t i)
{
    return i >= 0 ? i / 2 : -((1 - i) / 2);
}

static void
widen(struct sketch_histogram *h)
{
    uint64_t *old = h->count + h->n_fine;
    int64_t low = h->low, high = h->high;

    h->exponent++;
    if (low > high)
        return;
    memcpy(old, h->count, h->n_fine * sizeof *old);
    memset(h->count, 0, h->n_fine * sizeof *old);
    for (int64_t i = low; i <= high; i++)
        *count_of(h, half(i)) += old[(uint64_t)i & (h->n_fine - 1)];
    h->low = half(low);
    h->high = half(high);
}

/* The bins of a number of that size fit an int64_t. */
static void
make_room(struct sketch_histogram *h, double x)
{
    int size = x == 0 ? LEAST : ilogb(x);

    if (h->low > h->high && size - BITS > h->exponent)
        h->exponent = size - BITS;
    while (size - BITS > h->exponent)
        widen(h);
}

void
sketch_histogram_add(struct sketch_histogram *h, double x, uint64_t weight)
{
    int64_t i, low, high;

    make_room(h, x);
    for (;;) {
        i = bin_of(h, x);
        low = h->low > h->high || i < h->low ? i : h->low;
        high = h->low > h->high || i > h->high ? i : h->high;
        if (high - low < (int64_t)h->n_fine)
            break;
        widen(h);
    }
    h->low = low;
    h->high = high;
    *count_of(h, i) += weight;
}

void
sketch_histogram_add_all(struct sketch_histogram *h, const double *x, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        /* Both factors are powers of two that a double can be. */
        int e = -h->exponent;
        double a = ldexp(1, e / 2), b = ldexp(1, e - e / 2);

        for (; k < n; k++) {
            double at = floor(x[k] * a * b);

            if (!(at >= (double)h->low && at <= (double)h->high) ||
                h->low > h->high)
                break;
            ++*count_of(h, (int64_t)at);
        }
        if (k < n)
            sketch_histogram_add(h, x[k], 1);
    }
}

/* Values below x, where bins are shared out evenly; *bin: those of the bin
 * that x lies within. */
static double
below(const struct sketch_histogram *h, double x, uint64_t *bin)
{
    double at = ldexp(x, -h->exponent), sum = 0;
    int64_t i = h->low;

    *bin = 0;
    for (; i <= h->high && (double)i + 1 <= at; i++)
        sum += (double)*count_of(h, i);
    if (i <= h->high && (double)i < at) {
        *bin = *count_of(h, i);
        sum += (double)*bin * (at - (double)i);
    }
    return sum;
}

uint64_t
sketch_histogram_cut(const struct sketch_histogram *h, double min, double max,
                     size_t n_bins, size_t *count)
{
    uint64_t bin, before = 0, error = 0, all = 0;
    double done = 0;

    for (int64_t i = h->low; i <= h->high; i++)
        all += *count_of(h, i);
    for (size_t k = 0; k < n_bins; k++) {
        double share = (double)(k + 1) / (double)n_bins;
        double to = min * (1 - share) + max * share, sum;

        if (k + 1 == n_bins) {
            sum = (double)all;
            bin = 0;
        } else {
            sum = fmin(rint(below(h, to, &bin)), (double)all);
        }
        count[k] = (size_t)fmax(sum - done, 0);
        done = fmax(sum, done);
        if (bin + before > error)
            error = bin + before;
        before = bin;
    }
    return error;
}
