/* engine/neural/kernel_avx512.c -- the products, sixteen numbers at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/kernel.h"

#if HAVE_AVX512_TWIN
#include <immintrin.h>

#define V_TARGET TARGET_AVX512
#define VEC __m512
#define V_LANES 16
#define V_TILE 12
#define V_ZERO _mm512_setzero_ps()
#define V_LOAD(p) _mm512_loadu_ps(p)
#define V_SPREAD(x) _mm512_set1_ps(x)
#define V_ADD(a, b) _mm512_add_ps(a, b)
#define V_SUB(a, b) _mm512_sub_ps(a, b)
#define V_MUL(a, b) _mm512_mul_ps(a, b)
#define V_DIV(a, b) _mm512_div_ps(a, b)
#define V_SQRT(a) _mm512_sqrt_ps(a)
/* As the comparisons of C have it: what is no number is not over 0. */
#define V_CUT(x) _mm512_max_ps(x, V_ZERO)
#define V_MAX(a, b) _mm512_max_ps(a, b)
#define V_WHERE_OVER_0(y, d) \
    _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, V_ZERO, _CMP_GT_OQ), d)
#define V_WHERE_EQUAL(x, y, d) \
    _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, y, _CMP_EQ_OQ), d)
#define V_WHERE_OTHER(x, y, d) \
    _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, y, _CMP_NEQ_UQ), d)
#define DVEC __m512d
#define D_ZERO _mm512_setzero_pd()
#define D_LOW(x) _mm512_cvtps_pd(_mm512_castps512_ps256(x))
#define D_HIGH(x) _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1))
#define D_ADD(a, b) _mm512_add_pd(a, b)
#define D_FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#define D_STORE(p, x) _mm512_storeu_pd(p, x)
#define V_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define V_MASK(n) ((__mmask16)((1u << (n)) - 1))
#define V_LOAD_PART(p, n) _mm512_maskz_loadu_ps(V_MASK(n), p)
#define V_STORE_PART(p, n, x) _mm512_mask_storeu_ps(p, V_MASK(n), x)
#include "engine/neural/kernel_loops.h"

const struct kernels kernels_avx512 = {
    scale_all, sums_all, unscale_all, max_all,   unmax_all, uncut_all,
    cut_all,   add_all,  rows_all,    outer_all, adam_all};
#else
/* Never chosen: cpu_has_avx512() is false here. */
const struct kernels kernels_avx512 = {.rows = NULL};
#endif
