/* engine/trees/forest_kernel_avx2.c -- the range of sixteen codes and the sums
 * of eight rows at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/forest_kernel.h"

#include "base/attr.h"

#if HAVE_AVX2_TWIN
#include <immintrin.h>

enum { CODES = 16, ROWS = 8 };

static TARGET_AVX2 struct forest_range
range(const uint16_t *code, size_t n)
{
    /* One less than the code, so that the missing are the largest. */
    __m256i one = _mm256_set1_epi16(1), low = _mm256_set1_epi16(-1);
    __m256i high = _mm256_setzero_si256(), zero = high;
    uint16_t least[CODES], most[CODES];
    struct forest_range r = {UINT32_MAX, 0, 0};
    size_t i = 0;

    for (; i + CODES <= n; i += CODES) {
        __m256i c = _mm256_loadu_si256((const __m256i *)(code + i));
        unsigned none =
            (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi16(c, zero));

        low = _mm256_min_epu16(low, _mm256_sub_epi16(c, one));
        high = _mm256_max_epu16(high, c);
        r.missing += (size_t)__builtin_popcount(none) / 2;
    }
    _mm256_storeu_si256((__m256i *)least, low);
    _mm256_storeu_si256((__m256i *)most, high);
    for (size_t k = 0; k < CODES; k++) {
        if (least[k] + 1u < r.low && least[k] < UINT16_MAX)
            r.low = least[k] + 1u;
        r.high = most[k] > r.high ? most[k] : r.high;
    }
    return forest_range_from(r, code + i, n - i);
}

/* Lanes hold rows 0, 2, 1, 3 of four. */
enum { CROSSED = 0xd8 };

struct four {
    __m256d weight, sum;
};

static inline TARGET_AVX2 void
add_four(struct four *to, const struct forest_row *rows, __m128i left)
{
    __m256d a = _mm256_loadu_pd((const double *)(const void *)rows);
    __m256d b = _mm256_loadu_pd((const double *)(const void *)(rows + 2));
    __m256i odd = _mm256_setr_epi32(1, 3, 5, 7, 1, 3, 5, 7);
    __m256 pairs = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
    __m256d y = _mm256_unpackhi_pd(a, b);
    __m256d w = _mm256_cvtps_pd(
        _mm256_castps256_ps128(_mm256_permutevar8x32_ps(pairs, odd)));
    __m256i in = _mm256_permute4x64_epi64(_mm256_cvtepi16_epi64(left), CROSSED);

    w = _mm256_and_pd(w, _mm256_castsi256_pd(in));
    to->weight = _mm256_add_pd(to->weight, w);
    to->sum = _mm256_add_pd(to->sum, _mm256_mul_pd(w, y));
}

static TARGET_AVX2 void
store_four(const struct four *v, double *weight, double *sum)
{
    _mm256_storeu_pd(weight, _mm256_permute4x64_pd(v->weight, CROSSED));
    _mm256_storeu_pd(sum, _mm256_permute4x64_pd(v->sum, CROSSED));
}

static TARGET_AVX2 struct forest_sum
sum_left(const struct forest_row *rows, const uint16_t *code, size_t n,
         struct forest_cut cut)
{
    __m128i skip = _mm_set1_epi16((short)cut.skip);
    __m128i last = _mm_set1_epi16((short)(uint16_t)(cut.n - 1));
    struct four low = {_mm256_setzero_pd(), _mm256_setzero_pd()}, high = low;
    struct forest_lanes lanes = {0};
    size_t i = 0;

    for (; i + ROWS <= n; i += ROWS) {
        __m128i c =
            _mm_sub_epi16(_mm_loadu_si128((const __m128i *)(code + i)), skip);
        __m128i left = _mm_cmpeq_epi16(_mm_min_epu16(c, last), c);

        lanes.n +=
            (size_t)__builtin_popcount((unsigned)_mm_movemask_epi8(left)) / 2;
        add_four(&low, rows + i, left);
        add_four(&high, rows + i + 4, _mm_unpackhi_epi64(left, left));
    }
    store_four(&low, lanes.weight, lanes.sum);
    store_four(&high, lanes.weight + 4, lanes.sum + 4);
    return forest_sum_from(&lanes, rows, code, i, n, cut);
}

const struct forest_kernels forest_avx2 = {range, sum_left};
#else
const struct forest_kernels forest_avx2 = {NULL, NULL};
#endif
