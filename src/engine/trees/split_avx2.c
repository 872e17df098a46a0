/* engine/trees/split_avx2.c -- split_scan_plain(), four candidates at a time.
 *
 * The same operations in the same order on each candidate, without FMA, so the
 * same bits; of equal values the lowest place wins, as in the plain twin.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/split.h"

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

TARGET_AVX2 struct split_peak
split_scan_avx2(const struct split_scan *s)
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
        peak = better_of(peak, split_scan_plain(&rest));
    }
    return peak;
}
#else
struct split_peak
split_scan_avx2(const struct split_scan *s)
{
    return split_scan_plain(s);
}
#endif
