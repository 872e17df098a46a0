/* frame/csv_cells_avx512.c -- numbers of delimited text, four at a time.
 *
 * As csv_cells_avx2.c does for one: here the last 16 bytes of four fields are
 * the four lanes of a register, and what a lane has to leave out (what stands
 * before the field, a sign, the point) are masks of its 16 bits within one
 * word.  Four fields of which one is not of the common form are left to that
 * twin.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/attr.h"
#include "frame/csv_cells.h"

#if HAVE_AVX512_TWIN

#include <immintrin.h>
#include <stdbool.h>

enum { WIDE = 16, LANES = 4 };

/* The lowest and the highest bit of each lane. */
#define LOW UINT64_C(0x0001000100010001)
#define HIGH UINT64_C(0x8000800080008000)

/* The highest bit of each lane that has any. */
TARGET_AVX512 static INLINE_ALWAYS uint64_t
lanes_with_any(uint64_t x)
{
    return (((x & ~HIGH) + ~HIGH) | x) & HIGH;
}

/* Four fields: their digits as one number each, whether that is negative, and
 * in `shifted` how many bytes up to the point, 0 where there is none. */
struct quad {
    __m512i number, shifted; /* each twice, in both halves of a lane */
};

enum { NEGATIVE = 32 }; /* within `shifted` */

TARGET_AVX512 static INLINE_ALWAYS __m512i
load_quad(const char *base, const uint32_t *to)
{
    const char *p = base - WIDE;
    __m512i v = _mm512_castsi128_si512(
        _mm_loadu_si128((const __m128i *)(const void *)(p + to[0])));

    v = _mm512_inserti32x4(
        v, _mm_loadu_si128((const __m128i *)(const void *)(p + to[1])), 1);
    v = _mm512_inserti32x4(
        v, _mm_loadu_si128((const __m128i *)(const void *)(p + to[2])), 2);
    return _mm512_inserti32x4(
        v, _mm_loadu_si128((const __m128i *)(const void *)(p + to[3])), 3);
}

/* Where each field begins in its lane, in every byte of the lane. */
TARGET_AVX512 static INLINE_ALWAYS bool
begins(const uint32_t *from, const uint32_t *to, __m512i *out)
{
    const __m512i spread =
        _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
    __m128i len =
        _mm_sub_epi32(_mm_loadu_si128((const __m128i *)(const void *)to),
                      _mm_loadu_si128((const __m128i *)(const void *)from));
    __m128i left = _mm_sub_epi32(_mm_set1_epi32(WIDE), len);
    __m512i wide;

    if (_mm_movemask_epi8(left) & 0x8888) /* longer than a lane */
        return false;
    wide = _mm512_permutexvar_epi32(spread, _mm512_castsi128_si512(left));
    *out = _mm512_shuffle_epi8(wide, _mm512_setzero_si512());
    return true;
}

TARGET_AVX512 static INLINE_ALWAYS bool
read_quad(const struct csv_cells *c, size_t i, bool points, struct quad *q)
{
    const __m512i place = _mm512_broadcast_i32x4(
        _mm_set_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    __m512i v, first, ones;
    uint64_t field, point = 0, minus, digit, upto = 0;

    if (!begins(c->from + i, c->to + i, &first))
        return false;
    v = _mm512_xor_si512(load_quad(c->base, c->to + i), _mm512_set1_epi8('0'));
    field = _mm512_cmpge_epu8_mask(place, first);
    digit = _mm512_mask_cmple_epu8_mask(field, v, _mm512_set1_epi8(9));
    minus = _mm512_mask_cmpeq_epi8_mask(_mm512_cmpeq_epi8_mask(place, first), v,
                                        _mm512_set1_epi8('-' ^ '0'));
    if (points) {
        uint64_t below;

        point =
            _mm512_mask_cmpeq_epi8_mask(field, v, _mm512_set1_epi8('.' ^ '0'));
        /* In each lane: all bits below the point, none when there is none. */
        below = (point | HIGH) - LOW;
        if (point & below) /* a second point */
            return false;
        upto = lanes_with_any(point);
        upto = (below & ~HIGH & (upto - (upto >> 15))) | point;
    }
    if ((digit | minus | point) != field || lanes_with_any(digit) != HIGH)
        return false;
    v = _mm512_maskz_mov_epi8(digit, v);
    if (points)
        v = _mm512_mask_mov_epi8(v, upto, _mm512_bslli_epi128(v, 1));
    v = _mm512_maddubs_epi16(v, _mm512_set1_epi16(0x010a));
    v = _mm512_madd_epi16(v, _mm512_set1_epi32(0x00010064));
    v = _mm512_madd_epi16(_mm512_packus_epi32(v, v),
                          _mm512_set1_epi32(0x00012710));
    q->number =
        _mm512_add_epi64(_mm512_mul_epu32(v, _mm512_set1_epi64(100000000)),
                         _mm512_srli_epi64(v, 32));
    ones = _mm512_or_si512(_mm512_maskz_set1_epi8(minus, NEGATIVE),
                           _mm512_maskz_set1_epi8(upto, 1));
    ones = _mm512_sad_epu8(ones, _mm512_setzero_si512());
    q->shifted =
        _mm512_add_epi64(ones, _mm512_shuffle_epi32(ones, (_MM_PERM_ENUM)0x4e));
    return true;
}

/* Of a register's eight words every other one. */
TARGET_AVX512 static INLINE_ALWAYS __m256i
even_words(__m512i v)
{
    return _mm512_castsi512_si256(
        _mm512_permutexvar_epi64(_mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0), v));
}

/* May the bytes before the fields be loaded?  They end one after the other. */
static inline bool
has_room(const struct csv_cells *c, size_t i)
{
    return c->base + c->to[i] - c->text >= WIDE;
}

TARGET_AVX512 static INLINE_ALWAYS bool
four_ints(const struct csv_cells *c, size_t i, int64_t *out)
{
    __m256i m, sign;
    struct quad q;

    if (!has_room(c, i) || !read_quad(c, i, false, &q))
        return false;
    m = even_words(q.number);
    sign = _mm256_slli_epi64(even_words(q.shifted), 58);
    sign = _mm256_srai_epi64(sign, 63);
    m = _mm256_sub_epi64(_mm256_xor_si256(m, sign), sign);
    _mm256_storeu_si256((__m256i *)(void *)(out + i), m);
    return true;
}

TARGET_AVX512 static INLINE_ALWAYS bool
four_floats(const struct csv_cells *c, size_t i, double *out)
{
    /* By where the point stands: at byte 0, at byte 1, ... */
    const __m512d by_low =
        _mm512_set_pd(1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15);
    const __m512d by_high =
        _mm512_set_pd(1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7);
    const __m512i exact = _mm512_set1_epi64((long long)1 << 53);
    __m512i at, sign;
    struct quad q;
    __m512d x;

    if (!has_room(c, i) || !read_quad(c, i, true, &q) ||
        _mm512_cmpge_epu64_mask(q.number, exact))
        return false;
    at = _mm512_sub_epi64(q.shifted, _mm512_set1_epi64(1));
    x = _mm512_div_pd(_mm512_cvtepi64_pd(q.number),
                      _mm512_permutex2var_pd(by_low, at, by_high));
    sign = _mm512_and_si512(_mm512_slli_epi64(q.shifted, 58),
                            _mm512_set1_epi64(INT64_MIN));
    sign = _mm512_xor_si512(sign, _mm512_castpd_si512(x));
    _mm256_storeu_si256((__m256i *)(void *)(out + i), even_words(sign));
    return true;
}

TARGET_AVX512 static size_t
ints_avx512(const struct csv_cells *c, size_t i, size_t n, int64_t *out)
{
    for (size_t end; i < n; i = end) {
        end = n - i < LANES ? n : i + LANES;
        if (end - i == LANES && four_ints(c, i, out))
            continue;
        if ((i = csv_cells_avx2.ints(c, i, end, out)) < end)
            return i;
    }
    return n;
}

TARGET_AVX512 static size_t
floats_avx512(const struct csv_cells *c, size_t i, size_t n, double *out)
{
    for (size_t end; i < n; i = end) {
        end = n - i < LANES ? n : i + LANES;
        if (end - i == LANES && four_floats(c, i, out))
            continue;
        if ((i = csv_cells_avx2.floats(c, i, end, out)) < end)
            return i;
    }
    return n;
}

const struct csv_cell_kernels csv_cells_avx512 = {ints_avx512, floats_avx512};

#else

/* Never chosen: cpu_has_avx512() is false here. */
const struct csv_cell_kernels csv_cells_avx512 = {0};

#endif
