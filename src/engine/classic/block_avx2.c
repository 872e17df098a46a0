/* engine/classic/block_avx2.c -- the kernels of block.c, four doubles at a time.
 *
 * The same operations on each result in the same order, without FMA: the same
 * bits.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/attr.h"
#include "engine/classic/block.h"

#if HAVE_AVX2_TWIN
#include <immintrin.h>

enum { LANES = 4, WIDE = 2 * LANES, TALL = 4 };

TARGET_AVX2 static INLINE_ALWAYS __m256d
add_term(__m256d sum, __m256d a, __m256d b, int product)
{
    __m256d d;

    if (product)
        return _mm256_add_pd(sum, _mm256_mul_pd(a, b));
    d = _mm256_sub_pd(a, b);
    return _mm256_add_pd(sum, _mm256_mul_pd(d, d));
}

/* n rows times WIDE results, kept in registers. */
TARGET_AVX2 static INLINE_ALWAYS void
tile(const struct block *k, size_t i, size_t c, size_t n, int product)
{
    const double *a = k->a + i * k->a_row, *b = k->b + c;
    double *out = k->out + i * k->out_row + c;
    __m256d sum[TALL][2];

    for (size_t r = 0; r < n; r++)
        for (size_t v = 0; v < 2; v++)
            sum[r][v] = product
                            ? _mm256_loadu_pd(out + r * k->out_row + v * LANES)
                            : _mm256_setzero_pd();
    for (size_t j = 0; j < k->p; j++, a += k->a_col, b += k->b_row) {
        __m256d b0 = _mm256_loadu_pd(b), b1 = _mm256_loadu_pd(b + LANES);

        for (size_t r = 0; r < n; r++) {
            __m256d x = _mm256_set1_pd(a[r * k->a_row]);

            sum[r][0] = add_term(sum[r][0], x, b0, product);
            sum[r][1] = add_term(sum[r][1], x, b1, product);
        }
    }
    for (size_t r = 0; r < n; r++)
        for (size_t v = 0; v < 2; v++)
            _mm256_storeu_pd(out + r * k->out_row + v * LANES, sum[r][v]);
}

TARGET_AVX2 static INLINE_ALWAYS void
run(const struct block *k, int product)
{
    size_t c = 0;

    for (; c + WIDE <= k->n_b; c += WIDE) {
        size_t i = 0;

        for (; i + TALL <= k->n_a; i += TALL)
            tile(k, i, c, TALL, product);
        for (; i < k->n_a; i++)
            tile(k, i, c, 1, product);
    }
    if (c < k->n_b)
        block_rest(k, c, product);
}

TARGET_AVX2 static void
distance(const struct block *k)
{
    run(k, 0);
}

TARGET_AVX2 static void
product(const struct block *k)
{
    run(k, 1);
}

/* Four entries; their products. */
TARGET_AVX2 static INLINE_ALWAYS __m256d
change_four(const struct block_change *c, size_t j)
{
    __m256d by = _mm256_add_pd(
        _mm256_mul_pd(_mm256_set1_pd(c->by_v), _mm256_loadu_pd(c->w + j)),
        _mm256_mul_pd(_mm256_set1_pd(c->by_w), _mm256_loadu_pd(c->v + j)));
    __m256d x = _mm256_sub_pd(_mm256_loadu_pd(c->row + j), by);

    _mm256_storeu_pd(c->row + j, x);
    _mm256_storeu_pd(
        c->sum + j,
        _mm256_add_pd(_mm256_loadu_pd(c->sum + j),
                      _mm256_mul_pd(_mm256_set1_pd(c->by_next), x)));
    return _mm256_mul_pd(x, _mm256_loadu_pd(c->next + j));
}

TARGET_AVX2 static double
change(const struct block_change *c)
{
    __m256d low = _mm256_setzero_pd(), high = low;
    double s[LANES];
    size_t j = 0;

    for (; j + 2 * LANES <= c->n; j += 2 * LANES) {
        low = _mm256_add_pd(low, change_four(c, j));
        high = _mm256_add_pd(high, change_four(c, j + LANES));
    }
    _mm256_storeu_pd(s, _mm256_add_pd(low, high));
    return ((s[0] + s[2]) + (s[1] + s[3])) + block_change_rest(c, j);
}

const struct block_kernels block_avx2 = {distance, product, change};
#endif
