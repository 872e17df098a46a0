/* frame/codec_crc_avx2.c -- most of a CRC-32 at once.
 *
 * Bytes are a polynomial over bits, and their CRC its remainder by P.  A block
 * of 128 bits that is D bits before another can be added to that one, after it
 * was multiplied by x^D modulo P: each half by a constant of its own, both
 * without carries.  Four blocks go on side by side, 512 bits at a step, and
 * are then added up 128 bits apart.  As the CRC takes bits in turned order,
 * constants are turned too and shifted by one:
 *   FAR   x^(512 + 32), x^(512 - 32)
 *   NEAR  x^(128 + 32), x^(128 - 32)
 * The register begins as all ones, which is what the first 32 bits are added.
 * Source:  Gopal et al., "Fast CRC computation for generic polynomials using
 *          PCLMULQDQ", Intel 2009.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/attr.h"
#include "frame/codec_crc.h"

#if HAVE_AVX2_TWIN

#include <assert.h>
#include <immintrin.h>

#include "base/pool.h"

#define FAR_HIGH 0x01c6e41596
#define FAR_LOW 0x0154442bd4
#define NEAR_HIGH 0x00ccaa009e
#define NEAR_LOW 0x01751997d0

bool
crc_can_fold(void)
{
    return cpu_has_avx2() && __builtin_cpu_supports("pclmul");
}

TARGET_CRC static inline __m128i
load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

TARGET_CRC static inline __m128i
fold(__m128i x, __m128i by, __m128i onto)
{
    __m128i low = _mm_clmulepi64_si128(x, by, 0x00);
    __m128i high = _mm_clmulepi64_si128(x, by, 0x11);

    return _mm_xor_si128(_mm_xor_si128(low, high), onto);
}

TARGET_CRC size_t
crc_fold(const uint8_t *p, size_t n, uint8_t *out)
{
    const __m128i far = _mm_set_epi64x(FAR_HIGH, FAR_LOW);
    const __m128i near = _mm_set_epi64x(NEAR_HIGH, NEAR_LOW);
    __m128i x[4];
    size_t at = CRC_FOLD_LEAST;

    assert(n >= CRC_FOLD_LEAST);
    for (size_t k = 0; k < 4; k++)
        x[k] = load(p + 16 * k);
    x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128(-1));
    for (; n - at >= 64; at += 64)
        for (size_t k = 0; k < 4; k++)
            x[k] = fold(x[k], far, load(p + at + 16 * k));
    for (size_t k = 1; k < 4; k++)
        x[k] = fold(x[k - 1], near, x[k]);
    for (; n - at >= 16; at += 16)
        x[3] = fold(x[3], near, load(p + at));
    _mm_storeu_si128((__m128i *)(void *)out, x[3]);
    return at;
}

#else

bool
crc_can_fold(void)
{
    return false;
}

/* Never called. */
size_t
crc_fold(const uint8_t *p, size_t n, uint8_t *out)
{
    (void)p;
    (void)n;
    (void)out;
    return 0;
}

#endif
