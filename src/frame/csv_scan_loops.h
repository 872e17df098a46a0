/* frame/csv_scan_loops.h -- the two loops over delimited text that matter.
 *
 * A twin defines SCAN_TARGET (what machine its functions are for), SCAN_MARK
 * (the marks of one block) and SCAN_PUT (the bits of a mask as positions),
 * includes this and has count_rows() and index_rows() for that machine.
 * Internal to csv.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CSV_SCAN_LOOPS_H
#define LATHE_FRAME_CSV_SCAN_LOOPS_H

#include <string.h>

#include "frame/csv.h"
#include "frame/csv_scan_state.h"
#include "frame/encoding.h"

#ifdef SCAN_TARGET

/* The marks of the block at `at`; what is behind `end` is not looked at. */
SCAN_TARGET static INLINE_ALWAYS void
marks_at(const struct csv_scan *s, size_t at, size_t end, size_t n_delimiters,
         struct csv_marks *m)
{
    char last[CSV_BLOCK] = {0};

    if (end - at >= CSV_BLOCK) {
        SCAN_MARK(s->p + at, s->delimiters, n_delimiters, m);
        return;
    }
    memcpy(last, s->p + at, end - at);
    SCAN_MARK(last, s->delimiters, n_delimiters, m);
    csv_cut_marks(m, end - at, n_delimiters);
}

/* ---- counting ---- */

struct counter {
    const struct csv_scan *s;
    const size_t *expected;
    struct csv_count *out;
    size_t row;                    /* where the row at hand begins */
    size_t fields[CSV_DELIMITERS]; /* its delimiters so far */
    uint64_t stray;
    size_t text_to; /* bytes before are UTF-8, or are known not to be */
};

SCAN_TARGET static INLINE_ALWAYS void
count_row(struct counter *c, size_t end, size_t n_delimiters)
{
    if (end > c->row) {
        c->out->n_rows++;
        for (size_t d = 0; d < n_delimiters; d++) {
            c->out->n_good[d] += !c->stray && c->fields[d] == c->expected[d];
            c->out->n_fields[d] += c->fields[d] + 1;
            if (c->fields[d] >= CSV_CELLS_MAX) {
                c->out->n_wide[d] = c->fields[d] + 1;
                c->out->wide_at[d] = c->row;
            }
        }
    }
    for (size_t d = 0; d < n_delimiters; d++)
        c->fields[d] = 0;
    c->stray = 0;
}

SCAN_TARGET static INLINE_ALWAYS void
count_part(struct counter *c, const struct csv_marks *m,
           const struct csv_ends *b, uint64_t part, size_t n_delimiters)
{
    for (size_t d = 0; d < n_delimiters; d++)
        c->fields[d] +=
            (size_t)__builtin_popcountll(m->delimiter[d] & b->outside & part);
    c->stray |= b->stray & part;
}

SCAN_TARGET static INLINE_ALWAYS void
count_block(struct counter *c, size_t at, const struct csv_marks *m,
            const struct csv_ends *b, uint64_t text, size_t n_delimiters)
{
    uint64_t left = text; /* bytes after the last row end */

    for (uint64_t ends = b->row_end; ends; ends &= ends - 1) {
        uint64_t bit = ends & -ends;
        size_t end = at + (size_t)__builtin_ctzll(ends);

        count_part(c, m, b, left & (bit - 1), n_delimiters);
        count_row(c, end, n_delimiters);
        c->row = csv_after_row(c->s, end);
        left &= ~(bit - 1) & ~bit;
    }
    count_part(c, m, b, left, n_delimiters);
}

/* Bytes that are not ASCII: do they make sequences of UTF-8? */
static inline void
check_high(struct counter *c, size_t at, uint64_t high, size_t end)
{
    for (; high; high &= high - 1) {
        size_t i = at + (size_t)__builtin_ctzll(high);
        size_t n;

        if (i < c->text_to)
            continue;
        n = encoding_sequence(c->s->p + i, end - i);
        c->out->foreign |= n == 0;
        c->text_to = i + n;
    }
}

SCAN_TARGET static INLINE_ALWAYS void
count_all(const struct csv_scan *s, size_t begin, size_t end,
          const size_t *expected, struct csv_count *out, size_t n_delimiters)
{
    struct counter c = {.s = s, .expected = expected, .out = out, .row = begin};
    struct csv_state st = csv_at_row;
    uint64_t cr = 0; /* the last byte was a CR, quoted or not */
    uint64_t quote = 0, zero = 0;

    *out = (struct csv_count){0};
    for (size_t at = begin; at < end;) {
        struct csv_marks m;
        struct csv_ends b;

        marks_at(s, at, end, n_delimiters, &m);
        b = csv_step(&st, &m, n_delimiters);
        out->n_lines +=
            (size_t)__builtin_popcountll(m.cr | (m.lf & ~(m.cr << 1 | cr)));
        quote |= m.quote;
        zero |= m.zero;
        cr = m.cr >> 63;
        count_block(&c, at, &m, &b, csv_text_bits(end - at), n_delimiters);
        if (m.high)
            check_high(&c, at, m.high, end);
        at = end - at < CSV_BLOCK ? end : at + CSV_BLOCK;
    }
    out->has_quote = quote != 0;
    out->has_zero = zero != 0;
    out->ends_inside = st.inside != 0;
    if (out->ends_inside)
        c.stray = 1; /* never closed, if this is the end of the text */
    if (c.row < end)
        count_row(&c, end, n_delimiters);
}

SCAN_TARGET static void
count_rows(const struct csv_scan *s, size_t begin, size_t end,
           const size_t *expected, struct csv_count *out)
{
    if (s->n_delimiters == 1)
        count_all(s, begin, end, expected, out, 1);
    else
        count_all(s, begin, end, expected, out, s->n_delimiters);
}

/* ---- indexing ---- */

/* The masks of one block become positions, counted from the base. */
SCAN_TARGET static INLINE_ALWAYS size_t
index_block(struct csv_index *x, const struct csv_scan *s, size_t base,
            size_t at, const struct csv_marks *m, const struct csv_ends *b,
            size_t n_fields)
{
    uint64_t ends = (m->delimiter[0] & b->outside) | b->row_end;

    for (uint64_t rows = b->row_end; rows; rows &= rows - 1) {
        uint64_t bit = rows & -rows;
        size_t pos = at + (size_t)__builtin_ctzll(rows);

        if (pos - base > x->row[x->n_rows])
            x->first[++x->n_rows] =
                (uint32_t)(n_fields + (size_t)__builtin_popcountll(
                                          ends & (bit | (bit - 1))));
        else
            ends &= ~bit; /* a blank row */
        x->row[x->n_rows] = (uint32_t)(csv_after_row(s, pos) - base);
    }
    SCAN_PUT(ends, (uint32_t)(at - base), x->field + n_fields);
    return n_fields + (size_t)__builtin_popcountll(ends);
}

SCAN_TARGET static bool
index_rows(struct csv_index *x, const struct csv_scan *s, size_t begin,
           size_t end, size_t n_rows, size_t n_fields)
{
    struct csv_state st = csv_at_row;
    size_t k = 0;

    for (size_t at = begin; at < end;) {
        struct csv_marks m;
        struct csv_ends b;

        marks_at(s, at, end, 1, &m);
        b = csv_step(&st, &m, 1);
        k = index_block(x, s, begin, at, &m, &b, k);
        if (k > n_fields || x->n_rows > n_rows)
            return false;
        at = end - at < CSV_BLOCK ? end : at + CSV_BLOCK;
    }
    if (begin + x->row[x->n_rows] < end) { /* no line end at the end */
        x->field[k++] = (uint32_t)(end - begin);
        x->first[++x->n_rows] = (uint32_t)k;
    }
    return x->n_rows == n_rows && k == n_fields;
}
#endif
#endif
