/* engine/trees/part_avx2.c -- marking 32 rows, moving four, at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/part.h"

#include <string.h>

#include "base/attr.h"

#if HAVE_AVX2_TWIN
#include <immintrin.h>

enum { WORD = 64, HALF = 32, LANES = 4 };

/* 32 codes: byte code / 8 of the set, then its bit code % 8. */
static TARGET_AVX2 uint32_t
mark_half(const uint8_t *code, __m256i low, __m256i high)
{
    __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);
    __m256i c = _mm256_loadu_si256((const void *)code);
    __m256i nth =
        _mm256_and_si256(_mm256_srli_epi16(c, 3), _mm256_set1_epi8(15));
    __m256i byte = _mm256_blendv_epi8(_mm256_shuffle_epi8(low, nth),
                                      _mm256_shuffle_epi8(high, nth), c);
    __m256i one =
        _mm256_shuffle_epi8(bit, _mm256_and_si256(c, _mm256_set1_epi8(7)));
    __m256i in = _mm256_cmpeq_epi8(_mm256_and_si256(byte, one), one);

    return (uint32_t)_mm256_movemask_epi8(in);
}

static TARGET_AVX2 size_t
mark(const uint8_t *code, size_t n, const uint64_t *set, uint64_t *bits)
{
    __m256i low =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)set));
    __m256i high =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)(set + 2)));
    size_t count = 0;

    for (size_t at = 0; at < n; at += WORD) {
        uint64_t in = n - at < WORD ? (UINT64_C(1) << (n - at)) - 1 : ~0ull;
        uint8_t last[WORD] = {0};
        const uint8_t *c = code + at;
        uint64_t word;

        if (n - at < WORD)
            c = memcpy(last, c, n - at);
        word = mark_half(c, low, high);
        word |= (uint64_t)mark_half(c + HALF, low, high) << HALF;
        bits[at / WORD] = word & in;
        count += (size_t)_mm_popcnt_u64(word & in);
    }
    return count;
}

/* By four bits: the places of the set ones, then those of the others. */
static const uint32_t ORDER[16] = {
    0x03020100, 0x03020100, 0x03020001, 0x03020100, 0x03010002, 0x03010200,
    0x03000201, 0x03020100, 0x02010003, 0x02010300, 0x02000301, 0x02030100,
    0x01000302, 0x01030200, 0x00030201, 0x03020100,
};

/* Four words in that order. */
static TARGET_AVX2 __m128i
sorted(__m128i row, unsigned b)
{
    __m128i place = _mm_cvtepu8_epi32(_mm_cvtsi32_si128((int)ORDER[b]));

    return _mm_castps_si128(_mm_permutevar_ps(_mm_castsi128_ps(row), place));
}

/* Lanes 0..n-1. */
static TARGET_AVX2 __m128i
first(unsigned n)
{
    return _mm_cmpgt_epi32(_mm_set1_epi32((int)n), _mm_setr_epi32(0, 1, 2, 3));
}

static TARGET_AVX2 void
move(const uint32_t *rows, size_t n, const uint64_t *bits, uint32_t *left,
     uint32_t *right)
{
    size_t at = 0;

    for (; at + LANES <= n; at += LANES) {
        unsigned b = bits[at / WORD] >> (at % WORD) & 15;
        unsigned l = (unsigned)_mm_popcnt_u32(b);
        __m128i row = sorted(_mm_loadu_si128((const void *)(rows + at)), b);
        __m128i is_left = first(l);

        _mm_maskstore_epi32((int *)left, is_left, row);
        /* The right ones stand behind the left ones already. */
        _mm_maskstore_epi32((int *)right - l,
                            _mm_xor_si128(is_left, _mm_set1_epi32(-1)), row);
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

const struct part_kernels part_avx2 = {mark, move};
#else
const struct part_kernels part_avx2 = {NULL, NULL};
#endif
