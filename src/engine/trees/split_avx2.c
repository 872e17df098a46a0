/* engine/trees/split_avx2.c -- sums and candidates, four at a time.
 *
 * The operations of the plain twins in their order on each candidate, without
 * FMA, so the same bits; of equal values the lowest place wins.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/split.h"

#include "base/attr.h"

#if HAVE_AVX2_TWIN
#include <immintrin.h>

struct quad {
    __m256d value, at;
};

static TARGET_AVX2 __m256d
four_values(const struct split_scan *s, size_t i)
{
    __m256d sign = _mm256_set1_pd(-0.0), zero = _mm256_setzero_pd();
    __m256d l1 = _mm256_set1_pd(s->l1), l2 = _mm256_set1_pd(s->l2);
    __m256d gl =
        _mm256_add_pd(_mm256_loadu_pd(s->g + i), _mm256_set1_pd(s->add_g));
    __m256d hl =
        _mm256_add_pd(_mm256_loadu_pd(s->h + i), _mm256_set1_pd(s->add_h));
    __m256d gr = _mm256_sub_pd(_mm256_set1_pd(s->total_g), gl);
    __m256d hr = _mm256_sub_pd(_mm256_set1_pd(s->total_h), hl);
    __m256d a = _mm256_sub_pd(_mm256_andnot_pd(sign, gl), l1);
    __m256d b = _mm256_sub_pd(_mm256_andnot_pd(sign, gr), l1);
    __m256d p = _mm256_add_pd(hl, l2), q = _mm256_add_pd(hr, l2);

    a = _mm256_max_pd(a, zero);
    b = _mm256_max_pd(b, zero);
    return _mm256_div_pd(_mm256_add_pd(_mm256_mul_pd(_mm256_mul_pd(a, a), q),
                                       _mm256_mul_pd(_mm256_mul_pd(b, b), p)),
                         _mm256_mul_pd(p, q));
}

static struct split_peak
better_of(struct split_peak a, struct split_peak b)
{
    if (b.value > a.value || (b.value == a.value && b.at < a.at))
        return b;
    return a;
}

static TARGET_AVX2 struct split_peak
scan(const struct split_scan *s)
{
    struct quad best = {_mm256_set1_pd(-1), _mm256_setzero_pd()};
    __m256d at = _mm256_add_pd(_mm256_set1_pd((double)s->first),
                               _mm256_set_pd(3, 2, 1, 0));
    struct split_peak peak = {-1, s->first};
    double value[4], place[4];
    size_t i = s->first;

    for (; i + 4 <= s->last + 1; i += 4) {
        __m256d v = four_values(s, i);
        __m256d more = _mm256_cmp_pd(v, best.value, _CMP_GT_OQ);

        best.value = _mm256_blendv_pd(best.value, v, more);
        best.at = _mm256_blendv_pd(best.at, at, more);
        at = _mm256_add_pd(at, _mm256_set1_pd(4));
    }
    if (i > s->first) {
        _mm256_storeu_pd(value, best.value);
        _mm256_storeu_pd(place, best.at);
        for (size_t k = 0; k < 4; k++)
            if (value[k] >= 0)
                peak = better_of(
                    peak, (struct split_peak){value[k], (size_t)place[k]});
    }
    if (i <= s->last) {
        struct split_scan rest = *s;

        rest.first = i;
        peak = better_of(peak, split_plain.scan(&rest));
    }
    return peak;
}
/* Four words that are numbers without sign below 2^32, exactly: put below the
 * 2^52 of a double. */
static TARGET_AVX2 __m256d
number(__m256i word, double less)
{
    __m256d two52 = _mm256_set1_pd(0x1p52);
    __m256d x = _mm256_or_pd(_mm256_castsi256_pd(word), two52);

    return _mm256_sub_pd(x, _mm256_set1_pd(less));
}

/* Each lane and those before it. */
static TARGET_AVX2 __m256i
running(__m256i x)
{
    __m256i zero = _mm256_setzero_si256(), half;

    x = _mm256_add_epi64(x, _mm256_slli_si256(x, 8));
    half = _mm256_permute4x64_epi64(x, 0x55);
    return _mm256_add_epi64(x, _mm256_blend_epi32(zero, half, 0xf0));
}

static TARGET_AVX2 void
sum(const int64_t *hist, size_t n, const struct hist_scale *scale, double *g,
    double *h)
{
    __m256d g_unit = _mm256_set1_pd(scale->g_unit);
    __m256d h_unit = _mm256_set1_pd(scale->h_unit);
    __m256i low = _mm256_set1_epi64x(0xffffffff);
    __m256i sign = _mm256_set1_epi64x(0x80000000);
    __m256i all = _mm256_setzero_si256();
    size_t k = 0;

    for (; k + 4 <= n; k += 4) {
        __m256i x = running(_mm256_loadu_si256((const void *)(hist + k)));
        __m256i high;

        x = _mm256_add_epi64(x, all);
        all = _mm256_permute4x64_epi64(x, 0xff);
        /* g with its sign turned is 2^31 more. */
        high = _mm256_xor_si256(_mm256_srli_epi64(x, 32), sign);
        _mm256_storeu_pd(g + k,
                         _mm256_mul_pd(number(high, 0x1p52 + 0x1p31), g_unit));
        _mm256_storeu_pd(
            h + k,
            _mm256_mul_pd(number(_mm256_and_si256(x, low), 0x1p52), h_unit));
    }
    for (int64_t packed = _mm256_extract_epi64(all, 0); k < n; k++) {
        packed += hist[k];
        g[k] = (double)hist_g(packed) * scale->g_unit;
        h[k] = (double)hist_h(packed) * scale->h_unit;
    }
}

const struct split_kernels split_avx2 = {scan, sum};
#else
const struct split_kernels split_avx2 = {NULL, NULL};
#endif
