/* engine/trees/part_avx512.c -- marking 64 rows, moving 16, at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/part.h"

#include "base/attr.h"

#if HAVE_AVX512_TWIN
#include <immintrin.h>

enum { WORD = 64, LANES = 16 };

/* 64 codes: byte code / 8 of the set, then its bit code % 8. */
static TARGET_AVX512 size_t
mark(const uint8_t *code, size_t n, const uint64_t *set, uint64_t *bits)
{
    __m512i low = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)set));
    __m512i high =
        _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)(set + 2)));
    __m512i bit = _mm512_set1_epi64((long long)0x8040201008040201);
    __m512i seven = _mm512_set1_epi8(7), fifteen = _mm512_set1_epi8(15);
    size_t count = 0;

    for (size_t at = 0; at < n; at += WORD) {
        __mmask64 in = n - at < WORD ? (UINT64_C(1) << (n - at)) - 1 : ~0ull;
        __m512i c = _mm512_maskz_loadu_epi8(in, code + at);
        __m512i nth = _mm512_and_si512(_mm512_srli_epi16(c, 3), fifteen);
        __m512i byte = _mm512_mask_shuffle_epi8(
            _mm512_shuffle_epi8(low, nth), _mm512_movepi8_mask(c), high, nth);
        __m512i one = _mm512_shuffle_epi8(bit, _mm512_and_si512(c, seven));
        uint64_t word = _mm512_mask_test_epi8_mask(in, byte, one);

        bits[at / WORD] = word;
        count += (size_t)_mm_popcnt_u64(word);
    }
    return count;
}

static TARGET_AVX512 void
put(uint32_t *to, __m512i rows, __mmask16 which, unsigned n)
{
    _mm512_mask_storeu_epi32(to, (__mmask16)((1u << n) - 1),
                             _mm512_maskz_compress_epi32(which, rows));
}

static TARGET_AVX512 void
move(const uint32_t *rows, size_t n, const uint64_t *bits, uint32_t *left,
     uint32_t *right)
{
    size_t at = 0;

    for (; at + LANES <= n; at += LANES) {
        __m512i row = _mm512_loadu_si512(rows + at);
        __mmask16 which = (__mmask16)(bits[at / WORD] >> (at % WORD));
        unsigned l = (unsigned)_mm_popcnt_u32(which);

        put(left, row, which, l);
        put(right, row, (__mmask16)~which, LANES - l);
        left += l;
        right += LANES - l;
    }
    for (; at < n; at++) {
        if (bits[at / WORD] >> (at % WORD) & 1)
            *left++ = rows[at];
        else
            *right++ = rows[at];
    }
}

const struct part_kernels part_avx512 = {mark, move};
#else
const struct part_kernels part_avx512 = {NULL, NULL};
#endif
