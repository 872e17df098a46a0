/* engine/trees/hist_avx2.c -- quantising rows, and sums of histograms, four at a
 * time.
 *
 * The same operations in the same order, without FMA, so the same bits.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/hist.h"

#include "base/attr.h"

#if HAVE_AVX2_TWIN
#include <immintrin.h>

enum { LANES = 4 };

/* Each unsigned word * 2^-32, exactly: put below the 2^52 of a double. */
static TARGET_AVX2 __m256d
fraction(__m128i word)
{
    __m256d two52 = _mm256_set1_pd(0x1p52);
    __m256i low = _mm256_cvtepu32_epi64(word);
    __m256d x = _mm256_or_pd(_mm256_castsi256_pd(low), two52);

    return _mm256_mul_pd(_mm256_sub_pd(x, two52), _mm256_set1_pd(0x1p-32));
}

/* x * inverse + offset, towards zero. */
static TARGET_AVX2 __m128i
steps(__m128 x, double inverse, __m256d offset)
{
    __m256d y = _mm256_mul_pd(_mm256_cvtps_pd(x), _mm256_set1_pd(inverse));

    return _mm256_cvttpd_epi32(_mm256_add_pd(y, offset));
}

TARGET_AVX2 void
hist_quantise_avx2(const struct hist_scale *s, const struct gradient *g,
                   size_t begin, size_t end, uint32_t salt,
                   struct hist_quantum *q)
{
    __m128i golden = _mm_set1_epi32((int)2654435769u);
    __m128i salt_g = _mm_set1_epi32((int)salt);
    __m128i salt_h = _mm_set1_epi32((int)(~salt * 2246822519u));
    __m256d middle = _mm256_set1_pd(32768);
    size_t i = begin;

    for (; i + LANES <= end; i += LANES) {
        __m128i row = _mm_add_epi32(_mm_set1_epi32((int)(uint32_t)i),
                                    _mm_setr_epi32(0, 1, 2, 3));
        __m128i step = _mm_mullo_epi32(row, golden);
        __m256d u = fraction(_mm_add_epi32(step, salt_g));
        __m256d v = fraction(_mm_add_epi32(step, salt_h));
        __m128 a = _mm_loadu_ps(&g[i].g), b = _mm_loadu_ps(&g[i + 2].g);
        __m128i qg = steps(_mm_shuffle_ps(a, b, 0x88), s->g_inverse,
                           _mm256_add_pd(u, middle));
        __m128i qh = steps(_mm_shuffle_ps(a, b, 0xdd), s->h_inverse, v);

        qg = _mm_and_si128(_mm_sub_epi32(qg, _mm_set1_epi32(32768)),
                           _mm_set1_epi32(0xffff));
        qh = _mm_slli_epi32(_mm_max_epi32(qh, _mm_set1_epi32(1)), 16);
        _mm_storeu_si128((void *)(q + i), _mm_or_si128(qg, qh));
    }
    hist_quantise_plain(s, g, i, end, salt, q);
}

TARGET_AVX2 void
hist_add_words_avx2(int64_t *to, const int64_t *from, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        __m256i a = _mm256_loadu_si256((const void *)(to + i));
        __m256i b = _mm256_loadu_si256((const void *)(from + i));

        _mm256_storeu_si256((void *)(to + i), _mm256_add_epi64(a, b));
    }
    hist_add_words_plain(to + i, from + i, n - i);
}

TARGET_AVX2 void
hist_take_words_avx2(int64_t *to, const int64_t *from, size_t n)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        __m256i a = _mm256_loadu_si256((const void *)(to + i));
        __m256i b = _mm256_loadu_si256((const void *)(from + i));

        _mm256_storeu_si256((void *)(to + i), _mm256_sub_epi64(a, b));
    }
    hist_take_words_plain(to + i, from + i, n - i);
}
#else
void
hist_quantise_avx2(const struct hist_scale *s, const struct gradient *g,
                   size_t begin, size_t end, uint32_t salt,
                   struct hist_quantum *q)
{
    hist_quantise_plain(s, g, begin, end, salt, q);
}

void
hist_add_words_avx2(int64_t *to, const int64_t *from, size_t n)
{
    hist_add_words_plain(to, from, n);
}

void
hist_take_words_avx2(int64_t *to, const int64_t *from, size_t n)
{
    hist_take_words_plain(to, from, n);
}
#endif
