/* frame/csv_cells_avx2.c -- numbers of delimited text, 16 bytes at a time.
 *
 * A number's lengths, sign and point vary from value to value: here nothing
 * branches on them.  The 16 bytes that end where the number ends are loaded,
 * those before it cleared, the point taken out by a shuffle that moves up what
 * stands before it; four multiplications then join the 16 digits.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/attr.h"
#include "frame/csv_cells.h"

#if HAVE_AVX2_TWIN

#include <immintrin.h>

#include "frame/csv_value.h"

enum { WIDE = 16, TEN_EXACT = 22 };

/* Loaded from WIDE - n: the last n bytes are ones, the others zeros. */
static const unsigned char keep[2 * WIDE] = {
    [16] = 255, [17] = 255, [18] = 255, [19] = 255, [20] = 255, [21] = 255,
    [22] = 255, [23] = 255, [24] = 255, [25] = 255, [26] = 255, [27] = 255,
    [28] = 255, [29] = 255, [30] = 255, [31] = 255};

/* Row `at` takes out byte `at` and moves up those before it; the last one
 * takes out none. */
#define NONE 0x80
static const unsigned char without[WIDE + 1][WIDE] = {
    {NONE, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {NONE, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {NONE, 0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {NONE, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {NONE, 0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {NONE, 0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {NONE, 0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {NONE, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15},
    {NONE, 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15},
    {NONE, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15},
    {NONE, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15},
    {NONE, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15},
    {NONE, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15},
    {NONE, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15},
    {NONE, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15},
    {NONE, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
};

static const double ten_to[TEN_EXACT + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* The last n (1..WIDE) bytes before `end` are digits and at most one point:
 * their number, and at which byte of 16 the point stands, WIDE for none. */
TARGET_AVX2 static inline bool
digits_before(const char *end, size_t n, uint64_t *m, unsigned *point)
{
    const __m128i tens = _mm_set1_epi16(0x010a),
                  hundreds = _mm_set1_epi32(0x00010064),
                  more = _mm_set1_epi32(0x00012710);
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(end - WIDE));
    __m128i mask = _mm_loadu_si128((const __m128i *)(const void *)(keep + n));
    unsigned points;
    uint64_t halves;

    v = _mm_and_si128(_mm_xor_si128(v, _mm_set1_epi8('0')), mask);
    points = (unsigned)_mm_movemask_epi8(
        _mm_cmpeq_epi8(v, _mm_set1_epi8('.' ^ '0')));
    *point = (unsigned)__builtin_ctz(points | 1u << WIDE);
    v = _mm_shuffle_epi8(
        v, _mm_loadu_si128((const __m128i *)(const void *)without[*point]));
    if (!_mm_testz_si128(_mm_subs_epu8(v, _mm_set1_epi8(9)),
                         _mm_set1_epi8(-1)) ||
        n == (points != 0))
        return false;
    v = _mm_maddubs_epi16(v, tens);
    v = _mm_madd_epi16(v, hundreds);
    v = _mm_madd_epi16(_mm_packus_epi32(v, v), more);
    halves = (uint64_t)_mm_cvtsi128_si64(v);
    *m = (halves & 0xffffffff) * 100000000 + (halves >> 32);
    return true;
}

TARGET_AVX2 static size_t
ints_avx2(const struct csv_cells *c, size_t i, size_t n, int64_t *out)
{
    for (; i < n; i++) {
        const char *s = c->base + c->from[i], *end = c->base + c->to[i];
        int64_t sign = -(int64_t)(s < end && *s == '-');
        size_t len;
        unsigned point;
        uint64_t m;

        s -= sign;
        len = (size_t)(end - s);
        if (len - 1 >= WIDE || end - c->text < WIDE ||
            !digits_before(end, len, &m, &point) || point < WIDE)
            break;
        out[i] = ((int64_t)m ^ sign) - sign;
    }
    return i;
}

/* m * 10^e where one operation on doubles rounds once. */
static inline bool
scale(uint64_t m, int e, bool negative, double *out)
{
    double x = (double)(int64_t)m;

    if (m >= UINT64_C(1) << 53 || e < -TEN_EXACT || e > TEN_EXACT)
        return false;
    x = e < 0 ? x / ten_to[-e] : x * ten_to[e];
    *out = negative ? -x : x;
    return true;
}

/* "1.234567e-05": a sign and two digits behind the letter. */
TARGET_AVX2 static bool
with_exponent(const char *text, const char *s, const char *end, double *out)
{
    bool negative = *s == '-';
    unsigned tens, ones, point;
    const char *letter;
    uint64_t m;
    int e;

    s += negative;
    if (end - s < 5)
        return false;
    letter = end - 4;
    if (letter - s > WIDE || letter - text < WIDE ||
        (*letter != 'e' && *letter != 'E') ||
        (letter[1] != '-' && letter[1] != '+'))
        return false;
    tens = (unsigned char)letter[2] - '0';
    ones = (unsigned char)letter[3] - '0';
    if (tens > 9 || ones > 9 ||
        !digits_before(letter, (size_t)(letter - s), &m, &point))
        return false;
    e = (int)(tens * 10 + ones);
    e = letter[1] == '-' ? -e : e;
    return scale(m, e - (point < WIDE ? WIDE - 1 - (int)point : 0), negative,
                 out);
}

TARGET_AVX2 static size_t
floats_avx2(const struct csv_cells *c, size_t i, size_t n, double *out)
{
    /* What to divide by, from where the point stands. */
    static const double by[WIDE + 1] = {1e15, 1e14, 1e13, 1e12, 1e11, 1e10,
                                        1e9,  1e8,  1e7,  1e6,  1e5,  1e4,
                                        1e3,  1e2,  1e1,  1e0,  1e0};

    for (; i < n; i++) {
        const char *s = c->base + c->from[i], *end = c->base + c->to[i];
        uint64_t negative = s < end && *s == '-', m;
        size_t len = (size_t)(end - s) - negative;
        unsigned point;

        if (len - 1 < WIDE && end - c->text >= WIDE &&
            digits_before(end, len, &m, &point) && m < UINT64_C(1) << 53) {
            __m128d x = _mm_set_sd((double)(int64_t)m / by[point]);
            __m128i sign = _mm_cvtsi64_si128((int64_t)(negative << 63));

            out[i] = _mm_cvtsd_f64(_mm_xor_pd(x, _mm_castsi128_pd(sign)));
        } else if (len == 0 || (!with_exponent(c->text, s, end, &out[i]) &&
                                !csv_fast_f64(c->text, s, end, &out[i]))) {
            break;
        }
    }
    return i;
}

const struct csv_cell_kernels csv_cells_avx2 = {ints_avx2, floats_avx2};

#else

/* Never chosen: cpu_has_avx2() is false here. */
const struct csv_cell_kernels csv_cells_avx2 = {0};

#endif
