/* frame/csv_scan_avx2.c -- marks of delimited text, 32 bytes at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/attr.h"
#include "frame/csv_scan.h"

#if HAVE_AVX2_TWIN

#include <immintrin.h>

struct halves {
    __m256i low, high;
};

TARGET_AVX2 static INLINE_ALWAYS uint64_t
both(unsigned low, unsigned high)
{
    return (uint64_t)high << 32 | low;
}

TARGET_AVX2 static INLINE_ALWAYS uint64_t
equal_bits(struct halves v, char c)
{
    __m256i all = _mm256_set1_epi8(c);

    return both((unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v.low, all)),
                (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v.high, all)));
}

TARGET_AVX2 static INLINE_ALWAYS void
mark_block(const char *p, const char *delimiters, size_t n_delimiters,
           struct csv_marks *out)
{
    const __m256i *at = (const __m256i *)(const void *)p;
    struct halves v = {_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};

    out->quote = equal_bits(v, '"');
    out->lf = equal_bits(v, '\n');
    out->cr = equal_bits(v, '\r');
    out->zero = equal_bits(v, '\0');
    out->high = both((unsigned)_mm256_movemask_epi8(v.low),
                     (unsigned)_mm256_movemask_epi8(v.high));
    for (size_t d = 0; d < n_delimiters; d++)
        out->delimiter[d] = equal_bits(v, delimiters[d]);
}

TARGET_AVX2 static void
mark(const char *p, size_t n, const char *delimiters, size_t n_delimiters,
     struct csv_marks *out)
{
    for (size_t b = 0; b < n; b++)
        mark_block(p + b * CSV_BLOCK, delimiters, n_delimiters, &out[b]);
}

/* Eight at a time: how many there are is hardly ever guessed right. */
TARGET_AVX2 static INLINE_ALWAYS void
put(uint64_t bits, uint32_t at, uint32_t *out)
{
    for (; bits; out += 8)
        for (unsigned i = 0; i < 8; i++) {
            out[i] = at + (uint32_t)_tzcnt_u64(bits);
            bits &= bits - 1;
        }
}

#define SCAN_TARGET TARGET_AVX2
#define SCAN_MARK mark_block
#define SCAN_PUT put
#include "frame/csv_scan_loops.h"

const struct csv_kernels csv_kernels_avx2 = {mark, count_rows, index_rows};

#else

/* Never chosen: cpu_has_avx2() is false here. */
const struct csv_kernels csv_kernels_avx2 = {0};

#endif
