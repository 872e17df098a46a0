/* engine/trees/gradient_avx2.c -- what is done to every gradient, four rows at a
 * time.
 *
 * The same operations on each row, so the same bits; the largest and smallest
 * are the same in any order.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/gradient.h"

#include <math.h>

#include "base/attr.h"

#if HAVE_AVX2_TWIN
#include <immintrin.h>

enum { LANES = 4 };

static TARGET_AVX2 void
binary(const double *p, const double *y, size_t n, double least_h,
       struct gradient *to)
{
    __m256d one = _mm256_set1_pd(1), least = _mm256_set1_pd(least_h);
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        __m256d v = _mm256_loadu_pd(p + i);
        __m256d h = _mm256_mul_pd(v, _mm256_sub_pd(one, v));
        __m128 g = _mm256_cvtpd_ps(_mm256_sub_pd(v, _mm256_loadu_pd(y + i)));
        __m128 s = _mm256_cvtpd_ps(_mm256_max_pd(h, least));

        _mm_storeu_ps(&to[i].g, _mm_unpacklo_ps(g, s));
        _mm_storeu_ps(&to[i + 2].g, _mm_unpackhi_ps(g, s));
    }
    gradient_plain.binary(p + i, y + i, n - i, least_h, to + i);
}

/* |g| and h of four rows: g in the even lanes. */
static TARGET_AVX2 __m256
sizes(const struct gradient *g, __m256 nothing)
{
    __m256 even = _mm256_castsi256_ps(_mm256_set1_epi64x(0x7fffffff));
    __m256 odd = _mm256_castsi256_ps(_mm256_set1_epi64x(~0xffffffffLL));
    __m256 v = _mm256_loadu_ps(&g->g);
    __m256 h = _mm256_movehdup_ps(v);
    __m256 none = _mm256_cmp_ps(h, _mm256_setzero_ps(), _CMP_EQ_OQ);

    v = _mm256_and_ps(v, _mm256_or_ps(even, odd));
    return _mm256_blendv_ps(v, nothing, none);
}

static TARGET_AVX2 struct gradient_extent
measure(const struct gradient *g, size_t n)
{
    __m256 zero = _mm256_setzero_ps(), none = _mm256_set1_ps(INFINITY);
    __m256 most = zero, least = none;
    struct gradient_extent e;
    float high[2 * LANES], low[2 * LANES];
    size_t i = 0;

    /* Of two numbers of which the first is NaN these take the second. */
    for (; i + LANES <= n; i += LANES) {
        most = _mm256_max_ps(sizes(g + i, zero), most);
        least = _mm256_min_ps(sizes(g + i, none), least);
    }
    _mm256_storeu_ps(high, most);
    _mm256_storeu_ps(low, least);
    e = gradient_plain.measure(g + i, n - i);
    for (size_t k = 0; k < LANES; k++) {
        e.max_g = fmaxf(e.max_g, high[2 * k]);
        e.max_h = fmaxf(e.max_h, high[2 * k + 1]);
        e.min_h = fminf(e.min_h, low[2 * k + 1]);
    }
    return e;
}

const struct gradient_kernels gradient_avx2 = {binary, measure};
#else
const struct gradient_kernels gradient_avx2 = {NULL, NULL};
#endif
