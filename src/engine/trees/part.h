/* engine/trees/part.h -- which rows of a leaf go left, and the two lists of them.
 *
 * A split is a set of codes: of 256, or of as many as a long slot has.  Parting
 * takes two steps, since several threads share the rows of a large leaf:
 * part_mark() turns a stretch of rows into bits and counts them, and once all
 * stretches are counted part_move() copies the rows of each to where its shares
 * begin.  The order is kept.
 *
 * The codes of rows on a list are brought together first, and then marked like
 * those of neighbours: on the machines it was measured on this takes a third of
 * the time of a gathering instruction.
 *
 * Threads: functions touch only what they are given.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_PART_H
#define LATHE_ENGINE_TREES_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PART_SET_WORDS = 4 /* of 64 bits */ };

struct part_kernels {
    /* Bit i of bits: is code[i] in the set?  How many are.  Bits past n in the
     * last word are 0. */
    size_t (*mark)(const uint8_t *code, size_t n, const uint64_t *set,
                   uint64_t *bits);
    /* Rows whose bit is set to left, the others to right; neither may overlap
     * rows. */
    void (*move)(const uint32_t *rows, size_t n, const uint64_t *bits,
                 uint32_t *left, uint32_t *right);
};

extern const struct part_kernels part_plain;
extern const struct part_kernels part_avx2;   /* where cpu_has_avx2() */
extern const struct part_kernels part_avx512; /* where cpu_has_avx512() */
const struct part_kernels *part_choose(void);

/* As mark, of code[rows[i] * stride].  sparse: is nearly every row in a line of
 * memory of its own? */
size_t part_mark_list(const struct part_kernels *k, const uint8_t *code,
                      size_t stride, const uint32_t *rows, size_t n,
                      bool sparse, const uint64_t *set, uint64_t *bits);
/* mark() for codes of 16 bits, whose set has a bit for each. */
size_t part_mark_long(const uint16_t *code, const uint32_t *rows, size_t n,
                      const uint64_t *set, uint64_t *bits);
#endif
