/* engine/trees/split_avx512.c -- sums and candidates, eight at a time.
 *
 * The operations of the plain twins in their order on each candidate, without
 * FMA, so the same bits; of equal values the lowest place wins.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/split.h"

#include "base/attr.h"

#if HAVE_AVX512_TWIN
#include <immintrin.h>

enum { LANES = 8 };

static INLINE_ALWAYS __mmask8
lanes(size_t n)
{
    return (__mmask8)(n < LANES ? (1u << n) - 1 : 0xff);
}

/* Each lane and those before it. */
static TARGET_AVX512 INLINE_ALWAYS __m512i
running(__m512i x)
{
    __m512i zero = _mm512_setzero_si512();

    x = _mm512_add_epi64(x, _mm512_alignr_epi64(x, zero, 7));
    x = _mm512_add_epi64(x, _mm512_alignr_epi64(x, zero, 6));
    return _mm512_add_epi64(x, _mm512_alignr_epi64(x, zero, 4));
}

static TARGET_AVX512 void
sum(const int64_t *hist, size_t n, const struct hist_scale *scale, double *g,
    double *h)
{
    __m512d g_unit = _mm512_set1_pd(scale->g_unit);
    __m512d h_unit = _mm512_set1_pd(scale->h_unit);
    __m512i low = _mm512_set1_epi64(0xffffffff);
    __m512i all = _mm512_setzero_si512(), last = _mm512_set1_epi64(7);

    for (size_t k = 0; k < n; k += LANES) {
        __mmask8 in = lanes(n - k);
        __m512i x = running(_mm512_maskz_loadu_epi64(in, hist + k));

        x = _mm512_add_epi64(x, all);
        all = _mm512_permutexvar_epi64(last, x);
        _mm512_mask_storeu_pd(
            g + k, in,
            _mm512_mul_pd(_mm512_cvtepi64_pd(_mm512_srai_epi64(x, 32)),
                          g_unit));
        _mm512_mask_storeu_pd(
            h + k, in,
            _mm512_mul_pd(_mm512_cvtepi64_pd(_mm512_and_si512(x, low)),
                          h_unit));
    }
}

/* With l1 = 0, |x| - l1 and x have the same square. */
static TARGET_AVX512 INLINE_ALWAYS __m512d
shrunk(__m512d x, __m512d l1, bool any_l1)
{
    if (!any_l1)
        return x;
    return _mm512_max_pd(_mm512_sub_pd(_mm512_abs_pd(x), l1),
                         _mm512_setzero_pd());
}

static TARGET_AVX512 INLINE_ALWAYS __m512d
values(const struct split_scan *s, __m512d g, __m512d h, bool any_l1)
{
    __m512d l1 = _mm512_set1_pd(s->l1), l2 = _mm512_set1_pd(s->l2);
    __m512d gl = _mm512_add_pd(g, _mm512_set1_pd(s->add_g));
    __m512d hl = _mm512_add_pd(h, _mm512_set1_pd(s->add_h));
    __m512d gr = _mm512_sub_pd(_mm512_set1_pd(s->total_g), gl);
    __m512d hr = _mm512_sub_pd(_mm512_set1_pd(s->total_h), hl);
    __m512d a = shrunk(gl, l1, any_l1), b = shrunk(gr, l1, any_l1);
    __m512d p = _mm512_add_pd(hl, l2), q = _mm512_add_pd(hr, l2);

    return _mm512_div_pd(_mm512_add_pd(_mm512_mul_pd(_mm512_mul_pd(a, a), q),
                                       _mm512_mul_pd(_mm512_mul_pd(b, b), p)),
                         _mm512_mul_pd(p, q));
}

static TARGET_AVX512 INLINE_ALWAYS struct split_peak
scan_all(const struct split_scan *s, bool any_l1)
{
    __m512d best = _mm512_set1_pd(-1);
    __m512i step = _mm512_set1_epi64(LANES);
    __m512i place = _mm512_add_epi64(_mm512_set1_epi64((long long)s->first),
                                     _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7));
    __m512i best_at = place;
    double value;

    for (size_t i = s->first; i <= s->last; i += LANES) {
        __mmask8 in = lanes(s->last + 1 - i);
        __m512d v = values(s, _mm512_maskz_loadu_pd(in, s->g + i),
                           _mm512_maskz_loadu_pd(in, s->h + i), any_l1);
        __mmask8 more = _mm512_mask_cmp_pd_mask(in, v, best, _CMP_GT_OQ);

        best = _mm512_mask_mov_pd(best, more, v);
        best_at = _mm512_mask_mov_epi64(best_at, more, place);
        place = _mm512_add_epi64(place, step);
    }
    value = _mm512_reduce_max_pd(best);
    if (!(value > -1))
        return (struct split_peak){-1, s->first};
    return (struct split_peak){
        value, (size_t)_mm512_mask_reduce_min_epu64(
                   _mm512_cmp_pd_mask(best, _mm512_set1_pd(value), _CMP_EQ_OQ),
                   best_at)};
}

static TARGET_AVX512 struct split_peak
scan(const struct split_scan *s)
{
    return s->l1 == 0 ? scan_all(s, false) : scan_all(s, true);
}

const struct split_kernels split_avx512 = {scan, sum};
#else
const struct split_kernels split_avx512 = {NULL, NULL};
#endif
