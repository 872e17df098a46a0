/* engine/trees/hist_avx512.c -- hist_quantise_plain(), eight rows at a time.
 *
 * The same operations in the same order, without FMA, so the same bits.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/hist.h"

#include "base/attr.h"

#if HAVE_AVX512_TWIN
#include <immintrin.h>

enum { LANES = 8 };

/* Each unsigned word * 2^-32, exactly. */
static TARGET_AVX512 INLINE_ALWAYS __m512d
fraction(__m256i word)
{
    return _mm512_mul_pd(_mm512_cvtepu32_pd(word), _mm512_set1_pd(0x1p-32));
}

/* x * inverse + offset, towards zero. */
static TARGET_AVX512 INLINE_ALWAYS __m256i
steps(__m256 x, double inverse, __m512d offset)
{
    __m512d y = _mm512_mul_pd(_mm512_cvtps_pd(x), _mm512_set1_pd(inverse));

    return _mm512_cvttpd_epi32(_mm512_add_pd(y, offset));
}

TARGET_AVX512 void
hist_quantise_avx512(const struct hist_scale *s, const struct gradient *g,
                     size_t begin, size_t end, uint32_t salt,
                     struct hist_quantum *q)
{
    __m256i golden = _mm256_set1_epi32((int)2654435769u);
    __m256i salt_g = _mm256_set1_epi32((int)salt);
    __m256i salt_h = _mm256_set1_epi32((int)(~salt * 2246822519u));
    __m256i even = _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14);
    __m256i odd = _mm256_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15);
    __m512d middle = _mm512_set1_pd(32768);
    size_t i = begin;

    for (; i + LANES <= end; i += LANES) {
        __m256i row =
            _mm256_add_epi32(_mm256_set1_epi32((int)(uint32_t)i),
                             _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
        __m256i step = _mm256_mullo_epi32(row, golden);
        __m512d u = fraction(_mm256_add_epi32(step, salt_g));
        __m512d v = fraction(_mm256_add_epi32(step, salt_h));
        __m256 a = _mm256_loadu_ps(&g[i].g), b = _mm256_loadu_ps(&g[i + 4].g);
        __m256i qg = steps(_mm256_permutex2var_ps(a, even, b), s->g_inverse,
                           _mm512_add_pd(u, middle));
        __m256i qh = steps(_mm256_permutex2var_ps(a, odd, b), s->h_inverse, v);

        qg = _mm256_and_si256(_mm256_sub_epi32(qg, _mm256_set1_epi32(32768)),
                              _mm256_set1_epi32(0xffff));
        qh = _mm256_slli_epi32(_mm256_max_epi32(qh, _mm256_set1_epi32(1)), 16);
        _mm256_storeu_si256((void *)(q + i), _mm256_or_si256(qg, qh));
    }
    hist_quantise_plain(s, g, i, end, salt, q);
}
#else
void
hist_quantise_avx512(const struct hist_scale *s, const struct gradient *g,
                     size_t begin, size_t end, uint32_t salt,
                     struct hist_quantum *q)
{
    hist_quantise_plain(s, g, begin, end, salt, q);
}
#endif
