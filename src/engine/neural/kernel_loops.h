/* engine/neural/kernel_loops.h -- the two products over tiles in registers.
 *
 * A twin defines V_TARGET, VEC of V_LANES floats, V_TILE rows of a tile and
 * the operations below, includes this, and has rows_all() and outer_all().
 * A tile is V_TILE rows of two vectors, which are sums; a row's number is
 * spread over a vector and multiplied into both.  The loops over rows and
 * vectors are of fixed length and must be unrolled, or the sums would live in
 * memory.  Internal to kernel_*.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_NEURAL_KERNEL_LOOPS_H
#define LATHE_ENGINE_NEURAL_KERNEL_LOOPS_H

#include "engine/neural/kernel.h"

#ifdef V_TARGET

enum { MAX_TILE = 12, WIDE = 2 * V_LANES };

/* Sums of rows and of columns that a tile begins with or ends as. */
#define EACH_ROW _Pragma("GCC unroll 12") for (unsigned u = 0; u < rows; u++)
#define EACH_VECTOR _Pragma("GCC unroll 2") for (unsigned v = 0; v < vecs; v++)

/* Columns of vector v of a tile that has n. */
V_TARGET static INLINE_ALWAYS size_t
columns_of(size_t n, unsigned v)
{
    size_t begin = (size_t)v * V_LANES;

    return n <= begin ? 0 : n - begin < V_LANES ? n - begin : V_LANES;
}

V_TARGET static INLINE_ALWAYS void
rows_tile(const struct kernel_rows *k, size_t i, size_t j, size_t n,
          const unsigned rows, const unsigned vecs)
{
    size_t step = k->step, depth = k->n_runs * k->run;
    const float *b =
        k->b + j / KERNEL_PANEL * KERNEL_PANEL * depth + j % KERNEL_PANEL;
    float *out = k->out + i * k->stride + j;
    VEC sum[MAX_TILE][2];

    EACH_ROW
    EACH_VECTOR
    {
        const float *from = k->bias  ? k->bias + j
                            : k->add ? out + u * k->stride
                                     : NULL;

        sum[u][v] =
            from ? V_LOAD_PART(from + v * V_LANES, columns_of(n, v)) : V_ZERO;
    }
    for (size_t s = 0; s < k->n_runs; s++) {
        /* Every third row has a pointer; those between are one and two steps
         * from it, which addresses say for nothing. */
        const float *p0 = k->a + i * step + s * k->jump, *end = p0 + k->run;
        const float *p3 = p0 + 3 * step, *p6 = p0 + 6 * step,
                    *p9 = p0 + 9 * step;

        for (; p0 < end; p0++, p3++, p6++, p9++, b += KERNEL_PANEL) {
            VEC b0 = V_LOAD(b), b1 = vecs > 1 ? V_LOAD(b + V_LANES) : b0;

            EACH_ROW
            {
                const float *p = u < 3 ? p0 : u < 6 ? p3 : u < 9 ? p6 : p9;
                VEC x = V_SPREAD(p[u % 3 * step]);

                sum[u][0] = V_FMA(x, b0, sum[u][0]);
                if (vecs > 1)
                    sum[u][1] = V_FMA(x, b1, sum[u][1]);
            }
        }
    }
    EACH_ROW
    EACH_VECTOR
    V_STORE_PART(out + u * k->stride + v * V_LANES, columns_of(n, v),
                 sum[u][v]);
}

V_TARGET static INLINE_ALWAYS void
rows_band(const struct kernel_rows *k, size_t j, size_t n, const unsigned vecs)
{
    size_t i = 0;

    for (; i + V_TILE <= k->m; i += V_TILE)
        rows_tile(k, i, j, n, V_TILE, vecs);
    if (V_TILE > 8 && i + 8 <= k->m) {
        rows_tile(k, i, j, n, 8, vecs);
        i += 8;
    }
    if (i + 4 <= k->m) {
        rows_tile(k, i, j, n, 4, vecs);
        i += 4;
    }
    if (i + 2 <= k->m) {
        rows_tile(k, i, j, n, 2, vecs);
        i += 2;
    }
    if (i < k->m)
        rows_tile(k, i, j, n, 1, vecs);
}

V_TARGET static void
rows_all(const struct kernel_rows *k)
{
    for (size_t j = 0; j < k->n; j += WIDE) {
        size_t n = k->n - j < WIDE ? k->n - j : WIDE;

        if (n > V_LANES)
            rows_band(k, j, n, 2);
        else
            rows_band(k, j, n, 1);
    }
}

/* whole: every vector has all its columns. */
V_TARGET static INLINE_ALWAYS void
outer_tile(const struct kernel_outer *k, size_t at, size_t j, size_t n,
           const unsigned rows, const unsigned vecs, const bool whole)
{
    float *out = k->out + at * k->stride + j;
    const float *d = k->d + j;
    VEC sum[MAX_TILE][2];

    EACH_ROW
    EACH_VECTOR
    sum[u][v] =
        V_LOAD_PART(out + u * k->stride + v * V_LANES, columns_of(n, v));
    for (size_t y = 0; y < k->n_lines; y++) {
        const float *a = k->a + y * k->line + at;

        for (size_t x = 0; x < k->m; x++, a += k->step, d += k->d_step) {
            VEC d0 = whole ? V_LOAD(d) : V_LOAD_PART(d, columns_of(n, 0));
            VEC d1 = vecs == 1 ? d0
                     : whole   ? V_LOAD(d + V_LANES)
                               : V_LOAD_PART(d + V_LANES, columns_of(n, 1));

            EACH_ROW
            {
                VEC p = V_SPREAD(a[u]);

                sum[u][0] = V_FMA(p, d0, sum[u][0]);
                if (vecs > 1)
                    sum[u][1] = V_FMA(p, d1, sum[u][1]);
            }
        }
    }
    EACH_ROW
    EACH_VECTOR
    V_STORE_PART(out + u * k->stride + v * V_LANES, columns_of(n, v),
                 sum[u][v]);
}

V_TARGET static INLINE_ALWAYS void
outer_band(const struct kernel_outer *k, size_t j, size_t n,
           const unsigned vecs, const bool whole)
{
    size_t u = 0;

    for (; u + V_TILE <= k->n_a; u += V_TILE)
        outer_tile(k, u, j, n, V_TILE, vecs, whole);
    if (V_TILE > 8 && u + 8 <= k->n_a) {
        outer_tile(k, u, j, n, 8, vecs, whole);
        u += 8;
    }
    if (u + 4 <= k->n_a) {
        outer_tile(k, u, j, n, 4, vecs, whole);
        u += 4;
    }
    if (u + 2 <= k->n_a) {
        outer_tile(k, u, j, n, 2, vecs, whole);
        u += 2;
    }
    if (u < k->n_a)
        outer_tile(k, u, j, n, 1, vecs, whole);
}

V_TARGET static void
outer_all(const struct kernel_outer *k)
{
    for (size_t j = 0; j < k->n_d; j += WIDE) {
        size_t n = k->n_d - j < WIDE ? k->n_d - j : WIDE;

        if (n == WIDE)
            outer_band(k, j, n, 2, true);
        else if (n > V_LANES)
            outer_band(k, j, n, 2, false);
        else if (n == V_LANES)
            outer_band(k, j, n, 1, true);
        else
            outer_band(k, j, n, 1, false);
    }
}

V_TARGET static INLINE_ALWAYS void
adam_some(const struct kernel_adam *k, size_t i, size_t n)
{
    VEC w = V_LOAD_PART(k->w + i, n), m = V_LOAD_PART(k->m + i, n);
    VEC v = V_LOAD_PART(k->v + i, n), g = V_LOAD_PART(k->g + i, n);
    VEC down;

    g = V_ADD(V_MUL(g, V_SPREAD(k->scale)), V_MUL(V_SPREAD(k->pull), w));
    m = V_ADD(V_MUL(V_SPREAD(k->keep_m), m), V_MUL(V_SPREAD(1 - k->keep_m), g));
    v = V_ADD(V_MUL(V_SPREAD(k->keep_v), v),
              V_MUL(V_SPREAD(1 - k->keep_v), V_MUL(g, g)));
    down =
        V_ADD(V_SQRT(V_MUL(v, V_SPREAD(k->by_v))), V_SPREAD(KERNEL_ADAM_LEAST));
    w = V_SUB(w, V_MUL(V_SPREAD(k->shrink), w));
    w = V_SUB(w, V_DIV(V_MUL(V_SPREAD(k->rate), m), down));
    V_STORE_PART(k->w + i, n, w);
    V_STORE_PART(k->m + i, n, m);
    V_STORE_PART(k->v + i, n, v);
}

V_TARGET static void
adam_all(const struct kernel_adam *k)
{
    for (size_t i = 0; i < k->n; i += V_LANES)
        adam_some(k, i, k->n - i < V_LANES ? k->n - i : V_LANES);
}

#endif
#endif
