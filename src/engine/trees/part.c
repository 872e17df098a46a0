/* engine/trees/part.c -- which rows of a leaf go left, plainly.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/part.h"

#include "base/attr.h"
#include "base/pool.h"

enum {
    WORD = 64,
    BLOCK = 1024, /* codes brought together at a time */
    AHEAD = 128   /* rows fetched before they are */
};

/* The set as a byte for each code: a look-up instead of shifts. */
static void
spread(const uint64_t *set, uint8_t *in)
{
    for (size_t k = 0; k < 256; k++)
        in[k] = set[k / 64] >> (k % 64) & 1;
}

static size_t
mark_plain(const uint8_t *code, size_t n, const uint64_t *set, uint64_t *bits)
{
    uint8_t in[256];
    size_t count = 0;

    spread(set, in);
    for (size_t at = 0; at < n; at += WORD) {
        size_t len = n - at < WORD ? n - at : WORD;
        uint64_t word = 0;

        for (size_t i = 0; i < len; i++) {
            uint64_t left = in[code[at + i]];

            word |= left << i;
            count += left;
        }
        bits[at / WORD] = word;
    }
    return count;
}

size_t
part_mark_long(const uint16_t *code, const uint32_t *rows, size_t n,
               const uint64_t *set, uint64_t *bits)
{
    size_t count = 0;

    for (size_t at = 0; at < n; at += WORD) {
        size_t len = n - at < WORD ? n - at : WORD;
        uint64_t word = 0;

        for (size_t i = 0; i < len; i++) {
            unsigned k = code[rows[at + i]];
            uint64_t left = set[k / 64] >> (k % 64) & 1;

            word |= left << i;
            count += left;
        }
        bits[at / WORD] = word;
    }
    return count;
}

static void
move_plain(const uint32_t *rows, size_t n, const uint64_t *bits, uint32_t *left,
           uint32_t *right)
{
    size_t l = 0, r = 0;

    for (size_t i = 0; i < n; i++) {
        if (bits[i / WORD] >> (i % WORD) & 1)
            left[l++] = rows[i];
        else
            right[r++] = rows[i];
    }
}

const struct part_kernels part_plain = {mark_plain, move_plain};

const struct part_kernels *
part_choose(void)
{
    if (cpu_has_avx512())
        return &part_avx512;
    return cpu_has_avx2() ? &part_avx2 : &part_plain;
}

/* ---- rows on a list ---- */

static INLINE_ALWAYS void
bring(const uint8_t *code, size_t stride, const uint32_t *rows, size_t n,
      uint8_t *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = code[rows[i] * stride];
}

/* The same; rows may be read up to rows[limit - 1]. */
static void
bring_sparse(const uint8_t *code, size_t stride, const uint32_t *rows, size_t n,
             size_t limit, uint8_t *to)
{
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < limit)
            PREFETCH_FAR(code + rows[i + AHEAD] * stride);
        to[i] = code[rows[i] * stride];
    }
}

size_t
part_mark_list(const struct part_kernels *k, const uint8_t *code, size_t stride,
               const uint32_t *rows, size_t n, bool sparse, const uint64_t *set,
               uint64_t *bits)
{
    uint8_t block[BLOCK];
    size_t count = 0;

    for (size_t i = 0; sparse && i < n && i < AHEAD; i++)
        PREFETCH_FAR(code + rows[i] * stride);
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t m = n - at < BLOCK ? n - at : BLOCK;

        if (sparse)
            bring_sparse(code, stride, rows + at, m, n - at, block);
        else if (stride == 1)
            bring(code, 1, rows + at, m, block);
        else
            bring(code, stride, rows + at, m, block);
        count += k->mark(block, m, set, bits + at / WORD);
    }
    return count;
}
