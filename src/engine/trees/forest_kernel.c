/* engine/trees/forest_kernel.c -- the range of a column and the sums of a side,
 * plainly.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/forest_kernel.h"

#include "base/pool.h"

struct forest_range
forest_range_from(struct forest_range r, const uint16_t *code, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t at = code[i], present = at > 0 ? at : UINT32_MAX;

        r.low = present < r.low ? present : r.low;
        r.high = at > r.high ? at : r.high;
        r.missing += at == 0;
    }
    return r;
}

static struct forest_range
range_plain(const uint16_t *code, size_t n)
{
    return forest_range_from((struct forest_range){UINT32_MAX, 0, 0}, code, n);
}

static double
fold(const double *lane)
{
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

struct forest_sum
forest_sum_from(struct forest_lanes *lanes, const struct forest_row *rows,
                const uint16_t *code, size_t begin, size_t n,
                struct forest_cut cut)
{
    for (size_t i = begin; i < n; i++) {
        bool left = forest_goes_left(cut, code[i]);
        /* A product, since a branch would be guessed wrong half the time. */
        double w = (double)rows[i].weight * left;

        lanes->n += left;
        lanes->weight[i % FOREST_LANES] += w;
        lanes->sum[i % FOREST_LANES] += w * rows[i].y;
    }
    return (struct forest_sum){(double)lanes->n, fold(lanes->weight),
                               fold(lanes->sum)};
}

static struct forest_sum
sum_left_plain(const struct forest_row *rows, const uint16_t *code, size_t n,
               struct forest_cut cut)
{
    struct forest_lanes lanes = {0};

    return forest_sum_from(&lanes, rows, code, 0, n, cut);
}

const struct forest_kernels forest_plain = {range_plain, sum_left_plain};

const struct forest_kernels *
forest_choose(void)
{
    return cpu_has_avx2() ? &forest_avx2 : &forest_plain;
}
