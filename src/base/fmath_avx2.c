/* base/fmath_avx2.c -- exp and the logistic, four numbers at a time.
 *
 * The operations of the plain functions in their order, without FMA: the same bits.
 * Arguments far from 0 and NaN are left to the plain functions.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/fmath.h"

#include <stdbool.h>

#include "base/attr.h"

#if HAVE_AVX2_TWIN
#include <immintrin.h>

/* The names of the plain text, four lanes wide. */
#define ALL(x) _mm256_set1_pd(x)
#define ADD(a, b) _mm256_add_pd(a, b)
#define SUB(a, b) _mm256_sub_pd(a, b)
#define MUL(a, b) _mm256_mul_pd(a, b)

struct quad {
    __m256d hi, lo; /* (hi + lo) * scale = exp(x) */
    __m256d scale;
};

static TARGET_AVX2 INLINE_ALWAYS struct quad
exp_parts(__m256d x)
{
    __m256d rounder = ALL(0x1.8p52);
    __m256d shifted = ADD(MUL(x, ALL(0x1.71547652b82fep0)), rounder);
    __m256d k = SUB(shifted, rounder);
    __m256d high = SUB(x, MUL(k, ALL(0x1.62e42feep-1)));
    __m256d low = MUL(k, ALL(0x1.a39ef35793c76p-33));
    __m256d r = SUB(high, low);
    __m256d c = SUB(SUB(high, r), low);
    __m256d r2 = MUL(r, r), r4 = MUL(r2, r2);
    __m256d a = ADD(ADD(ALL(1.0 / 2), MUL(r, ALL(1.0 / 6))),
                    MUL(r2, ADD(ALL(1.0 / 24), MUL(r, ALL(1.0 / 120)))));
    __m256d b = ADD(ADD(ALL(1.0 / 720), MUL(r, ALL(1.0 / 5040))),
                    MUL(r2, ADD(ALL(1.0 / 40320), MUL(r, ALL(1.0 / 362880)))));
    __m256d d =
        ADD(ADD(ALL(1.0 / 3628800), MUL(r, ALL(1.0 / 39916800))),
            MUL(r2, ADD(ALL(1.0 / 479001600), MUL(r, ALL(1.0 / 6227020800)))));
    __m256d t = ADD(MUL(r2, ADD(a, MUL(r4, ADD(b, MUL(r4, d))))), c);
    __m256d s = ADD(r, t);
    __m256d s_low = ADD(SUB(r, s), t);
    __m256d e = ADD(ALL(1.0), s);
    /* k stands in the low bits of `shifted`, and moves into the exponent. */
    __m256i bias = _mm256_set1_epi64x(1023);
    __m256i bits = _mm256_add_epi64(_mm256_castpd_si256(shifted), bias);

    return (struct quad){e, ADD(ADD(SUB(ALL(1.0), e), s), s_low),
                         _mm256_castsi256_pd(_mm256_slli_epi64(bits, 52))};
}

static TARGET_AVX2 __m256d
upper(__m256d x)
{
    return _mm256_and_pd(x,
                         _mm256_castsi256_pd(_mm256_set1_epi64x(~0x7ffffffLL)));
}

static TARGET_AVX2 __m256d
four_sigmoids(__m256d x)
{
    __m256d zero = _mm256_setzero_pd(), one = ALL(1.0);
    __m256d negative = _mm256_cmp_pd(x, zero, _CMP_LT_OQ);
    struct quad parts = exp_parts(_mm256_or_pd(x, ALL(-0.0)));
    __m256d e = MUL(parts.hi, parts.scale);
    __m256d e_low = MUL(parts.lo, parts.scale);
    __m256d s = ADD(one, e);
    __m256d s_low = ADD(SUB(e, SUB(s, one)), e_low);
    __m256d n = _mm256_blendv_pd(one, e, negative);
    __m256d n_low = _mm256_and_pd(e_low, negative);
    __m256d q = _mm256_div_pd(n, s);
    __m256d qh = upper(q), ql = SUB(q, qh), sh = upper(s), sl = SUB(s, sh);
    __m256d rest = SUB(SUB(SUB(SUB(n, MUL(qh, sh)), MUL(qh, sl)), MUL(ql, sh)),
                       MUL(ql, sl));

    return ADD(q, _mm256_div_pd(ADD(rest, SUB(n_low, MUL(q, s_low))), s));
}

/* Are all of |x| <= most?  NaN is not. */
static TARGET_AVX2 bool
all_within(__m256d x, double most)
{
    __m256d size = _mm256_andnot_pd(ALL(-0.0), x);

    return _mm256_movemask_pd(_mm256_cmp_pd(size, ALL(most), _CMP_LE_OQ)) == 15;
}

TARGET_AVX2 void
fm_exp_all_avx2(const double *x, size_t n, double *out)
{
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        __m256d v = _mm256_loadu_pd(x + i);

        if (all_within(v, 690)) {
            struct quad e = exp_parts(v);

            _mm256_storeu_pd(out + i, MUL(ADD(e.hi, e.lo), e.scale));
        } else {
            fm_exp_all_plain(x + i, 4, out + i);
        }
    }
    fm_exp_all_plain(x + i, n - i, out + i);
}

TARGET_AVX2 void
fm_sigmoid_all_avx2(const double *x, size_t n, double *out)
{
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        __m256d v = _mm256_loadu_pd(x + i);

        if (all_within(v, 40))
            _mm256_storeu_pd(out + i, four_sigmoids(v));
        else
            fm_sigmoid_all_plain(x + i, 4, out + i);
    }
    fm_sigmoid_all_plain(x + i, n - i, out + i);
}
#else
void
fm_exp_all_avx2(const double *x, size_t n, double *out)
{
    fm_exp_all_plain(x, n, out);
}

void
fm_sigmoid_all_avx2(const double *x, size_t n, double *out)
{
    fm_sigmoid_all_plain(x, n, out);
}
#endif
