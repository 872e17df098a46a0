/* base/fmath_avx512.c -- exp and the logistic, eight numbers at a time.
 *
 * The operations of the plain functions in their order, without FMA: the same bits.
 * Arguments far from 0 and NaN are left to the plain functions.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/fmath.h"

#include <stdbool.h>

#include "base/attr.h"

#if HAVE_AVX512_TWIN
#include <immintrin.h>

/* The names of the plain text, eight lanes wide. */
#define ALL(x) _mm512_set1_pd(x)
#define ADD(a, b) _mm512_add_pd(a, b)
#define SUB(a, b) _mm512_sub_pd(a, b)
#define MUL(a, b) _mm512_mul_pd(a, b)

struct eight {
    __m512d hi, lo; /* (hi + lo) * scale = exp(x) */
    __m512d scale;
};

static TARGET_AVX512 INLINE_ALWAYS struct eight
exp_parts(__m512d x)
{
    __m512d rounder = ALL(0x1.8p52);
    __m512d shifted = ADD(MUL(x, ALL(0x1.71547652b82fep0)), rounder);
    __m512d k = SUB(shifted, rounder);
    __m512d high = SUB(x, MUL(k, ALL(0x1.62e42feep-1)));
    __m512d low = MUL(k, ALL(0x1.a39ef35793c76p-33));
    __m512d r = SUB(high, low);
    __m512d c = SUB(SUB(high, r), low);
    __m512d r2 = MUL(r, r), r4 = MUL(r2, r2);
    __m512d a = ADD(ADD(ALL(1.0 / 2), MUL(r, ALL(1.0 / 6))),
                    MUL(r2, ADD(ALL(1.0 / 24), MUL(r, ALL(1.0 / 120)))));
    __m512d b = ADD(ADD(ALL(1.0 / 720), MUL(r, ALL(1.0 / 5040))),
                    MUL(r2, ADD(ALL(1.0 / 40320), MUL(r, ALL(1.0 / 362880)))));
    __m512d d =
        ADD(ADD(ALL(1.0 / 3628800), MUL(r, ALL(1.0 / 39916800))),
            MUL(r2, ADD(ALL(1.0 / 479001600), MUL(r, ALL(1.0 / 6227020800)))));
    __m512d t = ADD(MUL(r2, ADD(a, MUL(r4, ADD(b, MUL(r4, d))))), c);
    __m512d s = ADD(r, t);
    __m512d s_low = ADD(SUB(r, s), t);
    __m512d e = ADD(ALL(1.0), s);
    /* k stands in the low bits of `shifted`, and moves into the exponent. */
    __m512i bias = _mm512_set1_epi64(1023);
    __m512i bits = _mm512_add_epi64(_mm512_castpd_si512(shifted), bias);

    return (struct eight){e, ADD(ADD(SUB(ALL(1.0), e), s), s_low),
                          _mm512_castsi512_pd(_mm512_slli_epi64(bits, 52))};
}

static TARGET_AVX512 __m512d
upper(__m512d x)
{
    return _mm512_and_pd(x,
                         _mm512_castsi512_pd(_mm512_set1_epi64(~0x7ffffffLL)));
}

static TARGET_AVX512 __m512d
eight_sigmoids(__m512d x)
{
    __m512d zero = _mm512_setzero_pd(), one = ALL(1.0);
    __mmask8 negative = _mm512_cmp_pd_mask(x, zero, _CMP_LT_OQ);
    struct eight parts = exp_parts(_mm512_or_pd(x, ALL(-0.0)));
    __m512d e = MUL(parts.hi, parts.scale);
    __m512d e_low = MUL(parts.lo, parts.scale);
    __m512d s = ADD(one, e);
    __m512d s_low = ADD(SUB(e, SUB(s, one)), e_low);
    __m512d n = _mm512_mask_mov_pd(one, negative, e);
    __m512d n_low = _mm512_maskz_mov_pd(negative, e_low);
    __m512d q = _mm512_div_pd(n, s);
    __m512d qh = upper(q), ql = SUB(q, qh), sh = upper(s), sl = SUB(s, sh);
    __m512d rest = SUB(SUB(SUB(SUB(n, MUL(qh, sh)), MUL(qh, sl)), MUL(ql, sh)),
                       MUL(ql, sl));

    return ADD(q, _mm512_div_pd(ADD(rest, SUB(n_low, MUL(q, s_low))), s));
}

/* Are all of |x| <= most?  NaN is not. */
static TARGET_AVX512 bool
all_within(__m512d x, double most)
{
    __m512d size = _mm512_andnot_pd(ALL(-0.0), x);

    return _mm512_cmp_pd_mask(size, ALL(most), _CMP_LE_OQ) == 0xff;
}

TARGET_AVX512 void
fm_exp_all_avx512(const double *x, size_t n, double *out)
{
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        __m512d v = _mm512_loadu_pd(x + i);

        if (all_within(v, 690)) {
            struct eight e = exp_parts(v);

            _mm512_storeu_pd(out + i, MUL(ADD(e.hi, e.lo), e.scale));
        } else {
            fm_exp_all_plain(x + i, 8, out + i);
        }
    }
    fm_exp_all_plain(x + i, n - i, out + i);
}

TARGET_AVX512 void
fm_sigmoid_all_avx512(const double *x, size_t n, double *out)
{
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        __m512d v = _mm512_loadu_pd(x + i);

        if (all_within(v, 40))
            _mm512_storeu_pd(out + i, eight_sigmoids(v));
        else
            fm_sigmoid_all_plain(x + i, 8, out + i);
    }
    fm_sigmoid_all_plain(x + i, n - i, out + i);
}
#else
void
fm_exp_all_avx512(const double *x, size_t n, double *out)
{
    fm_exp_all_plain(x, n, out);
}

void
fm_sigmoid_all_avx512(const double *x, size_t n, double *out)
{
    fm_sigmoid_all_plain(x, n, out);
}
#endif
