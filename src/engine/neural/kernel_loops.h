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

/* ---- loops over places ---- */

/* The numbers from c on that go into a vector. */
V_TARGET static INLINE_ALWAYS size_t
lanes_of(size_t n, size_t c)
{
    return n - c < V_LANES ? n - c : V_LANES;
}

V_TARGET static INLINE_ALWAYS void
scale_some(const struct kernel_scale *k, size_t c, size_t lanes, bool cut)
{
    VEC f = V_LOAD_PART(k->factor + c, lanes);
    VEC s = V_LOAD_PART(k->shift + c, lanes);

    for (size_t i = 0; i < k->places; i++) {
        VEC x = V_LOAD_PART(k->x + i * k->n + c, lanes);

        x = V_ADD(V_MUL(x, f), s);
        V_STORE_PART(k->out + i * k->n + c, lanes, cut ? V_CUT(x) : x);
    }
}

V_TARGET static void
scale_all(const struct kernel_scale *k)
{
    for (size_t c = 0; c < k->n; c += V_LANES)
        if (k->cut)
            scale_some(k, c, lanes_of(k->n, c), true);
        else
            scale_some(k, c, lanes_of(k->n, c), false);
}

/* The product of two floats is exact in doubles: fused or not, it is the same.
 */
V_TARGET static void
sums_all(const struct kernel_sums *k)
{
    for (size_t c = 0; c < k->n; c += V_LANES) {
        size_t lanes = lanes_of(k->n, c);
        DVEC s0 = D_ZERO, s1 = D_ZERO, p0 = D_ZERO, p1 = D_ZERO;
        double sum[2][V_LANES];

        for (size_t i = 0; i < k->places; i++) {
            VEC x = V_LOAD_PART(k->x + i * k->n + c, lanes);
            VEC y = V_LOAD_PART(k->y + i * k->n + c, lanes);
            DVEC x0 = D_LOW(x), x1 = D_HIGH(x);

            s0 = D_ADD(s0, x0);
            s1 = D_ADD(s1, x1);
            p0 = D_FMA(x0, D_LOW(y), p0);
            p1 = D_FMA(x1, D_HIGH(y), p1);
        }
        D_STORE(sum[0], s0);
        D_STORE(sum[0] + V_LANES / 2, s1);
        D_STORE(sum[1], p0);
        D_STORE(sum[1] + V_LANES / 2, p1);
        for (size_t i = 0; i < lanes; i++) {
            k->sum[c + i] = sum[0][i];
            k->sum[k->n + c + i] = sum[1][i];
        }
    }
}

V_TARGET static INLINE_ALWAYS void
unscale_some(const struct kernel_unscale *k, size_t c, size_t lanes, bool add)
{
    VEC slope = V_LOAD_PART(k->slope + c, lanes);
    VEC bend = V_LOAD_PART(k->bend + c, lanes);
    VEC level = V_LOAD_PART(k->level + c, lanes);

    for (size_t i = 0; i < k->places; i++) {
        VEC d = V_LOAD_PART(k->d + i * k->n + c, lanes);
        VEC z = V_LOAD_PART(k->z + i * k->n + c, lanes);
        float *out = k->out + i * k->n + c;
        VEC v = V_ADD(V_MUL(slope, d), V_ADD(V_MUL(bend, z), level));

        V_STORE_PART(out, lanes, add ? V_ADD(V_LOAD_PART(out, lanes), v) : v);
    }
}

V_TARGET static void
unscale_all(const struct kernel_unscale *k)
{
    for (size_t c = 0; c < k->n; c += V_LANES)
        if (k->add)
            unscale_some(k, c, lanes_of(k->n, c), true);
        else
            unscale_some(k, c, lanes_of(k->n, c), false);
}

V_TARGET static void
max_all(const struct kernel_window *k)
{
    for (size_t c = 0; c < k->n; c += V_LANES) {
        size_t lanes = lanes_of(k->n, c);
        VEC most = V_LOAD_PART(k->x + c, lanes);

        for (size_t v = 0; v < k->h; v++)
            for (size_t w = 0; w < k->w; w++)
                most =
                    V_MAX(V_LOAD_PART(k->x + v * k->line + w * k->n + c, lanes),
                          most);
        V_STORE_PART(k->out + c, lanes, most);
    }
}

V_TARGET static void
unmax_all(const struct kernel_window *k)
{
    for (size_t c = 0; c < k->n; c += V_LANES) {
        size_t lanes = lanes_of(k->n, c);
        VEC y = V_LOAD_PART(k->y + c, lanes), d = V_LOAD_PART(k->d + c, lanes);

        for (size_t v = 0; v < k->h; v++)
            for (size_t w = 0; w < k->w; w++) {
                size_t at = v * k->line + w * k->n + c;
                VEC x = V_LOAD_PART(k->x + at, lanes);
                VEC to = V_LOAD_PART(k->to + at, lanes);

                /* What was given away is given once. */
                V_STORE_PART(k->to + at, lanes,
                             V_ADD(to, V_WHERE_EQUAL(x, y, d)));
                d = V_WHERE_OTHER(x, y, d);
            }
    }
}

V_TARGET static void
uncut_all(const float *y, size_t n, float *d)
{
    for (size_t i = 0; i < n; i += V_LANES) {
        size_t lanes = lanes_of(n, i);

        V_STORE_PART(d + i, lanes,
                     V_WHERE_OVER_0(V_LOAD_PART(y + i, lanes),
                                    V_LOAD_PART(d + i, lanes)));
    }
}

V_TARGET static void
cut_all(float *x, size_t n)
{
    for (size_t i = 0; i < n; i += V_LANES) {
        size_t lanes = lanes_of(n, i);

        V_STORE_PART(x + i, lanes, V_CUT(V_LOAD_PART(x + i, lanes)));
    }
}

V_TARGET static void
add_all(const float *x, const float *y, size_t n, float *out)
{
    for (size_t i = 0; i < n; i += V_LANES) {
        size_t lanes = lanes_of(n, i);

        V_STORE_PART(
            out + i, lanes,
            V_ADD(V_LOAD_PART(x + i, lanes), V_LOAD_PART(y + i, lanes)));
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
