/* engine/classic/block_avx512.c -- the kernels of block.c, eight doubles at a time.
 *
 * The same operations on each result in the same order, without FMA: the same
 * bits.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/attr.h"
#include "engine/classic/block.h"

#if HAVE_AVX512_TWIN
#include <immintrin.h>

enum { LANES = 8, WIDE = 2 * LANES, TALL = 4 };

TARGET_AVX512 static INLINE_ALWAYS __m512d
add_term(__m512d sum, __m512d a, __m512d b, int product)
{
    __m512d d;

    if (product)
        return _mm512_add_pd(sum, _mm512_mul_pd(a, b));
    d = _mm512_sub_pd(a, b);
    return _mm512_add_pd(sum, _mm512_mul_pd(d, d));
}

/* n rows times WIDE results, kept in registers. */
TARGET_AVX512 static INLINE_ALWAYS void
tile(const struct block *k, size_t i, size_t c, size_t n, int product)
{
    const double *a = k->a + i * k->a_row, *b = k->b + c;
    double *out = k->out + i * k->out_row + c;
    __m512d sum[TALL][2];

    for (size_t r = 0; r < n; r++)
        for (size_t v = 0; v < 2; v++)
            sum[r][v] = product
                            ? _mm512_loadu_pd(out + r * k->out_row + v * LANES)
                            : _mm512_setzero_pd();
    for (size_t j = 0; j < k->p; j++, a += k->a_col, b += k->b_row) {
        __m512d b0 = _mm512_loadu_pd(b), b1 = _mm512_loadu_pd(b + LANES);

        for (size_t r = 0; r < n; r++) {
            __m512d x = _mm512_set1_pd(a[r * k->a_row]);

            sum[r][0] = add_term(sum[r][0], x, b0, product);
            sum[r][1] = add_term(sum[r][1], x, b1, product);
        }
    }
    for (size_t r = 0; r < n; r++)
        for (size_t v = 0; v < 2; v++)
            _mm512_storeu_pd(out + r * k->out_row + v * LANES, sum[r][v]);
}

TARGET_AVX512 static INLINE_ALWAYS void
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

TARGET_AVX512 static void
distance(const struct block *k)
{
    run(k, 0);
}

TARGET_AVX512 static void
product(const struct block *k)
{
    run(k, 1);
}

TARGET_AVX512 static double
change(const struct block_change *c)
{
    __m512d by_v = _mm512_set1_pd(c->by_v), by_w = _mm512_set1_pd(c->by_w);
    __m512d by_next = _mm512_set1_pd(c->by_next), sum = _mm512_setzero_pd();
    double s[LANES];
    size_t j = 0;

    for (; j + LANES <= c->n; j += LANES) {
        __m512d x = _mm512_sub_pd(
            _mm512_loadu_pd(c->row + j),
            _mm512_add_pd(_mm512_mul_pd(by_v, _mm512_loadu_pd(c->w + j)),
                          _mm512_mul_pd(by_w, _mm512_loadu_pd(c->v + j))));

        _mm512_storeu_pd(c->row + j, x);
        _mm512_storeu_pd(c->sum + j, _mm512_add_pd(_mm512_loadu_pd(c->sum + j),
                                                   _mm512_mul_pd(by_next, x)));
        sum =
            _mm512_add_pd(sum, _mm512_mul_pd(x, _mm512_loadu_pd(c->next + j)));
    }
    _mm512_storeu_pd(s, sum);
    return (((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))) +
           block_change_rest(c, j);
}

const struct block_kernels block_avx512 = {distance, product, change};
#endif
