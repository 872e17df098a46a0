/* frame/csv_scan_avx2.c -- marks of delimited text, 32 bytes at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/csv_scan.h"

#if HAVE_AVX2_TWIN

#include <immintrin.h>

struct halves {
    __m256i low, high;
};

TARGET_AVX2 static inline uint64_t
equal_bits(struct halves v, char c)
{
    __m256i all = _mm256_set1_epi8(c);
    unsigned low =
        (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v.low, all));
    unsigned high =
        (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v.high, all));

    return (uint64_t)high << 32 | low;
}

TARGET_AVX2 static void
mark_avx2(const char *p, size_t n, const char *delimiters, size_t n_delimiters,
          struct csv_marks *out)
{
    for (size_t b = 0; b < n; b++, p += CSV_BLOCK) {
        const __m256i *at = (const __m256i *)(const void *)p;
        struct halves v = {_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};

        out[b].quote = equal_bits(v, '"');
        out[b].lf = equal_bits(v, '\n');
        out[b].cr = equal_bits(v, '\r');
        out[b].zero = equal_bits(v, '\0');
        for (size_t d = 0; d < n_delimiters; d++)
            out[b].delimiter[d] = equal_bits(v, delimiters[d]);
    }
}

const struct csv_kernels csv_kernels_avx2 = {mark_avx2};

#else

/* Never chosen: cpu_has_avx2() is false here. */
const struct csv_kernels csv_kernels_avx2 = {0};

#endif
