/* engine/classic/block.c -- the plain kernels, and the choice.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/block.h"

#include "base/attr.h"
#include "base/pool.h"

enum { WIDE = 8 };

/* WIDE results of one row, side by side. */
static INLINE_ALWAYS void
row_part(const struct block *k, size_t i, size_t c, size_t n, int product)
{
    double *out = k->out + i * k->out_row + c, sum[WIDE];

    for (size_t v = 0; v < n; v++)
        sum[v] = product ? out[v] : 0;
    for (size_t j = 0; j < k->p; j++) {
        double a = k->a[i * k->a_row + j * k->a_col];
        const double *b = k->b + j * k->b_row + c;

        for (size_t v = 0; v < n; v++) {
            double d = a - b[v];

            sum[v] += product ? a * b[v] : d * d;
        }
    }
    for (size_t v = 0; v < n; v++)
        out[v] = sum[v];
}

void
block_rest(const struct block *k, size_t first, int product)
{
    for (size_t i = 0; i < k->n_a; i++) {
        size_t c = first;

        for (; c + WIDE <= k->n_b; c += WIDE)
            row_part(k, i, c, WIDE, product);
        if (c < k->n_b)
            row_part(k, i, c, k->n_b - c, product);
    }
}

static void
distance(const struct block *k)
{
    block_rest(k, 0, 0);
}

static void
product(const struct block *k)
{
    block_rest(k, 0, 1);
}

static INLINE_ALWAYS double
change_one(const struct block_change *c, size_t j)
{
    double x = c->row[j] - (c->by_v * c->w[j] + c->by_w * c->v[j]);

    c->row[j] = x;
    c->sum[j] += c->by_next * x;
    return x * c->next[j];
}

double
block_change_rest(const struct block_change *c, size_t first)
{
    double sum = 0;

    for (size_t j = first; j < c->n; j++)
        sum += change_one(c, j);
    return sum;
}

static double
change(const struct block_change *c)
{
    double s[WIDE] = {0};
    size_t j = 0;

    for (; j + WIDE <= c->n; j += WIDE)
        for (size_t v = 0; v < WIDE; v++)
            s[v] += change_one(c, j + v);
    return (((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))) +
           block_change_rest(c, j);
}

const struct block_kernels block_plain = {distance, product, change};

const struct block_kernels *
block_kernels(void)
{
#if HAVE_AVX512_TWIN
    if (cpu_has_avx512())
        return &block_avx512;
#endif
#if HAVE_AVX2_TWIN
    if (cpu_has_avx2())
        return &block_avx2;
#endif
    return &block_plain;
}
