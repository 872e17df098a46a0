/* engine/neural/kernel.c -- the products in plain C, and which twin runs.
 *
 * A fused multiply-add rounds once.  Where the machine has none, that is had
 * from doubles: the product of two floats is exact there, and the sum, rounded
 * to a double, rounds to the same float unless it came to lie half way between
 * two of them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/kernel.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/pool.h"

/* Of the 29 bits that a float has not: the highest alone is half way. */
#define LOST_BITS 0x1fffffffu
#define HALF_WAY 0x10000000u

static inline float
fused(float a, float b, float c)
{
    double s = (double)a * (double)b + (double)c;
    uint64_t bits;

    memcpy(&bits, &s, sizeof bits);
    if ((bits & LOST_BITS) == HALF_WAY || (fabs(s) < (double)FLT_MIN && s != 0))
        return fmaf(a, b, c);
    return (float)s;
}

static void
rows_tile(const struct kernel_rows *k, size_t i, size_t j, size_t n)
{
    const float *b = k->b + j * (k->n_runs * k->run);
    float *out = k->out + i * k->stride + j, sum[KERNEL_PANEL];

    for (size_t c = 0; c < n; c++)
        sum[c] = k->bias ? k->bias[j + c] : k->add ? out[c] : 0;
    for (size_t s = 0; s < k->n_runs; s++) {
        const float *a = k->a + i * k->step + s * k->jump;

        for (size_t t = 0; t < k->run; t++, b += KERNEL_PANEL)
            for (size_t c = 0; c < n; c++)
                sum[c] = fused(a[t], b[c], sum[c]);
    }
    memcpy(out, sum, n * sizeof *out);
}

static void
rows_plain(const struct kernel_rows *k)
{
    for (size_t j = 0; j < k->n; j += KERNEL_PANEL)
        for (size_t i = 0; i < k->m; i++)
            rows_tile(k, i, j,
                      k->n - j < KERNEL_PANEL ? k->n - j : KERNEL_PANEL);
}

static void
outer_plain(const struct kernel_outer *k)
{
    for (size_t y = 0; y < k->n_lines; y++)
        for (size_t x = 0; x < k->m; x++) {
            const float *a = k->a + y * k->line + x * k->step;
            const float *d = k->d + (y * k->m + x) * k->d_step;

            for (size_t u = 0; u < k->n_a; u++)
                for (size_t j = 0; j < k->n_d; j++)
                    k->out[u * k->stride + j] =
                        fused(a[u], d[j], k->out[u * k->stride + j]);
        }
}

static void
adam_plain(const struct kernel_adam *k)
{
    for (size_t i = 0; i < k->n; i++) {
        float g = k->g[i] * k->scale + k->pull * k->w[i];

        k->m[i] = k->keep_m * k->m[i] + (1 - k->keep_m) * g;
        k->v[i] = k->keep_v * k->v[i] + (1 - k->keep_v) * (g * g);
        k->w[i] =
            (k->w[i] - k->shrink * k->w[i]) -
            k->rate * k->m[i] / (sqrtf(k->v[i] * k->by_v) + KERNEL_ADAM_LEAST);
    }
}

static void
scale_plain(const struct kernel_scale *k)
{
    const float *x = k->x;
    float *out = k->out;

    for (size_t i = 0; i < k->places; i++)
        for (size_t c = 0; c < k->n; c++, x++, out++) {
            *out = *x * k->factor[c] + k->shift[c];
            if (k->cut)
                *out = *out > 0 ? *out : 0;
        }
}

static void
sums_plain(const struct kernel_sums *k)
{
    const float *x = k->x, *y = k->y;

    memset(k->sum, 0, 2 * k->n * sizeof *k->sum);
    for (size_t i = 0; i < k->places; i++)
        for (size_t c = 0; c < k->n; c++, x++, y++) {
            k->sum[c] += (double)*x;
            k->sum[k->n + c] += (double)*x * (double)*y;
        }
}

static void
unscale_plain(const struct kernel_unscale *k)
{
    const float *d = k->d, *z = k->z;
    float *out = k->out;

    for (size_t i = 0; i < k->places; i++)
        for (size_t c = 0; c < k->n; c++, d++, z++, out++) {
            float v = k->slope[c] * *d + (k->bend[c] * *z + k->level[c]);

            *out = k->add ? *out + v : v;
        }
}

static void
max_plain(const struct kernel_window *k)
{
    for (size_t c = 0; c < k->n; c++) {
        float most = k->x[c];

        for (size_t v = 0; v < k->h; v++)
            for (size_t w = 0; w < k->w; w++) {
                float x = k->x[v * k->line + w * k->n + c];

                most = x > most ? x : most;
            }
        k->out[c] = most;
    }
}

static void
unmax_plain(const struct kernel_window *k)
{
    for (size_t c = 0; c < k->n; c++) {
        bool found = false;

        for (size_t v = 0; v < k->h; v++)
            for (size_t w = 0; w < k->w && !found; w++) {
                size_t at = v * k->line + w * k->n + c;

                if ((found = k->x[at] == k->y[c]))
                    k->to[at] += k->d[c];
            }
    }
}

static void
uncut_plain(const float *y, size_t n, float *d)
{
    for (size_t i = 0; i < n; i++)
        d[i] = y[i] > 0 ? d[i] : 0;
}

static void
cut_plain(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] > 0 ? x[i] : 0;
}

static void
add_plain(const float *x, const float *y, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] + y[i];
}

const struct kernels kernels_plain = {scale_plain, sums_plain,  unscale_plain,
                                      max_plain,   unmax_plain, uncut_plain,
                                      cut_plain,   add_plain,   rows_plain,
                                      outer_plain, adam_plain};

const struct kernels *
kernels_best(void)
{
    return cpu_has_avx512() ? &kernels_avx512
           : cpu_has_avx2() ? &kernels_avx2
                            : &kernels_plain;
}

size_t
kernel_panel_len(size_t rows, size_t cols)
{
    return rows * ((cols + KERNEL_PANEL - 1) / KERNEL_PANEL * KERNEL_PANEL);
}

void
kernel_pack(const struct kernel_pack *p)
{
    for (size_t j = 0; j < p->cols; j += KERNEL_PANEL) {
        size_t n = p->cols - j < KERNEL_PANEL ? p->cols - j : KERNEL_PANEL;
        float *out = p->out + j * p->total + p->skip * KERNEL_PANEL;

        for (size_t r = 0; r < p->rows; r++, out += KERNEL_PANEL) {
            const float *b = p->b + r * p->row + j * p->col;

            for (size_t c = 0; c < n; c++)
                out[c] = b[c * p->col];
        }
    }
}
