/* frame/csv_scan_avx512.c -- marks of delimited text, 64 bytes at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/attr.h"
#include "frame/csv_scan.h"

#if HAVE_AVX512_TWIN

#include <immintrin.h>

TARGET_AVX512 static INLINE_ALWAYS uint64_t
equal_bits(__m512i v, char c)
{
    return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c));
}

TARGET_AVX512 static INLINE_ALWAYS void
mark_block(const char *p, const char *delimiters, size_t n_delimiters,
           struct csv_marks *out)
{
    __m512i v = _mm512_loadu_si512((const void *)p);

    out->quote = equal_bits(v, '"');
    out->lf = equal_bits(v, '\n');
    out->cr = equal_bits(v, '\r');
    out->zero = equal_bits(v, '\0');
    out->high = _mm512_movepi8_mask(v);
    for (size_t d = 0; d < n_delimiters; d++)
        out->delimiter[d] = equal_bits(v, delimiters[d]);
}

TARGET_AVX512 static void
mark(const char *p, size_t n, const char *delimiters, size_t n_delimiters,
     struct csv_marks *out)
{
    for (size_t b = 0; b < n; b++)
        mark_block(p + b * CSV_BLOCK, delimiters, n_delimiters, &out[b]);
}

/* The numbers 0 to 63 that have a bit, closed up, sixteen at a time. */
TARGET_AVX512 static INLINE_ALWAYS void
put(uint64_t bits, uint32_t at, uint32_t *out)
{
    const __m512i numbers = _mm512_set_epi8(
        63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46,
        45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28,
        27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10,
        9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i base = _mm512_set1_epi32((int)at);
    __m512i v = _mm512_maskz_compress_epi8(bits, numbers);
    size_t n = (size_t)__builtin_popcountll(bits);

    for (;;) {
        __m512i wide = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(v));

        _mm512_storeu_si512((void *)out, _mm512_add_epi32(wide, base));
        if (n <= 16)
            return;
        n -= 16;
        out += 16;
        v = _mm512_alignr_epi64(v, v, 2);
    }
}

#define SCAN_TARGET TARGET_AVX512
#define SCAN_MARK mark_block
#define SCAN_PUT put
#include "frame/csv_scan_loops.h"

const struct csv_kernels csv_kernels_avx512 = {mark, count_rows, index_rows};

#else

/* Never chosen: cpu_has_avx512() is false here. */
const struct csv_kernels csv_kernels_avx512 = {0};

#endif
