/* engine/neural/kernel_avx2.c -- the products, eight numbers at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/kernel.h"

#if HAVE_AVX2_TWIN
#include <immintrin.h>
#include <stdint.h>

static TARGET_FMA INLINE_ALWAYS __m256i
mask_of(size_t n)
{
    __m256i lane = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);

    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)n), lane);
}

#define V_TARGET TARGET_FMA
#define VEC __m256
#define V_LANES 8
#define V_TILE 6
#define V_ZERO _mm256_setzero_ps()
#define V_LOAD(p) _mm256_loadu_ps(p)
#define V_SPREAD(x) _mm256_set1_ps(x)
#define V_ADD(a, b) _mm256_add_ps(a, b)
#define V_SUB(a, b) _mm256_sub_ps(a, b)
#define V_MUL(a, b) _mm256_mul_ps(a, b)
#define V_DIV(a, b) _mm256_div_ps(a, b)
#define V_SQRT(a) _mm256_sqrt_ps(a)
/* As the comparisons of C have it: what is no number is not over 0. */
#define V_CUT(x) _mm256_max_ps(x, V_ZERO)
#define V_MAX(a, b) _mm256_max_ps(a, b)
#define V_WHERE_OVER_0(y, d) \
    _mm256_and_ps(_mm256_cmp_ps(y, V_ZERO, _CMP_GT_OQ), d)
#define V_WHERE_EQUAL(x, y, d) _mm256_and_ps(_mm256_cmp_ps(x, y, _CMP_EQ_OQ), d)
#define V_WHERE_OTHER(x, y, d) \
    _mm256_and_ps(_mm256_cmp_ps(x, y, _CMP_NEQ_UQ), d)
#define DVEC __m256d
#define D_ZERO _mm256_setzero_pd()
#define D_LOW(x) _mm256_cvtps_pd(_mm256_castps256_ps128(x))
#define D_HIGH(x) _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))
#define D_ADD(a, b) _mm256_add_pd(a, b)
#define D_FMA(a, b, c) _mm256_fmadd_pd(a, b, c)
#define D_STORE(p, x) _mm256_storeu_pd(p, x)
#define V_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define V_LOAD_PART(p, n) _mm256_maskload_ps(p, mask_of(n))
#define V_STORE_PART(p, n, x) _mm256_maskstore_ps(p, mask_of(n), x)
#include "engine/neural/kernel_loops.h"

const struct kernels kernels_avx2 = {scale_all, sums_all,  unscale_all, max_all,
                                     unmax_all, uncut_all, cut_all,     add_all,
                                     rows_all,  outer_all, adam_all};
#else
/* Never chosen: cpu_has_avx2() is false here. */
const struct kernels kernels_avx2 = {.rows = NULL};
#endif
