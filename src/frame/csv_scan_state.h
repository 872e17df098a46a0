/* frame/csv_scan_state.h -- from the marks of a block to where rows end.
 *
 *   in order     every quote toggles, so "within quotes" is the running xor
 *                of the quote bits; valid while each opening quote stands
 *                after a delimiter, a line end or the quote that closed just
 *                before (a doubled quote)
 *   not in order a quote within an unquoted field: the block's quotes are
 *                taken one by one, which gives the exact answer
 *
 * Inlined into the loops of each twin.  Internal to csv.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CSV_SCAN_STATE_H
#define LATHE_FRAME_CSV_SCAN_STATE_H

#include "base/attr.h"
#include "frame/csv_scan.h"

/* What the byte before a block was; bits 0, and `inside` all ones or zeros. */
struct csv_state {
    uint64_t inside; /* within a quoted field */
    uint64_t edge;   /* a delimiter, a line end: a quote may open here */
    uint64_t closed; /* a quote that closed its field */
    uint64_t cr;     /* a CR outside quotes */
};

struct csv_ends {
    uint64_t outside; /* bytes not within quotes */
    uint64_t row_end;
    uint64_t stray; /* a byte after a closing quote that does not belong */
};

static const struct csv_state csv_at_row = {0, 1, 0, 0},
                              csv_in_quotes = {~UINT64_C(0), 0, 0, 0};

/* Bit i is the xor of bits 0..i. */
static INLINE_ALWAYS uint64_t
csv_running_xor(uint64_t x)
{
    for (unsigned i = 1; i < 64; i *= 2)
        x ^= x << i;
    return x;
}

/* Quotes one by one: which bytes are within quotes, which quotes close. */
static inline uint64_t
csv_walk_quotes(uint64_t quotes, uint64_t may_open, const struct csv_state *st,
                uint64_t *closing)
{
    uint64_t inside = st->inside;

    *closing = 0;
    for (; quotes; quotes &= quotes - 1) {
        uint64_t bit = quotes & -quotes;
        uint64_t from_here = ~(bit - 1);
        bool reopens = (*closing << 1 | st->closed) & bit;

        if (inside & bit) {
            *closing |= bit;
            inside &= ~from_here;
        } else if (reopens || (may_open & bit)) {
            inside |= from_here;
        }
    }
    return inside;
}

static INLINE_ALWAYS struct csv_ends
csv_step(struct csv_state *st, const struct csv_marks *m, size_t n_delimiters)
{
    uint64_t edges = m->lf | m->cr, inside = st->inside, closing = 0;
    struct csv_ends b;

    for (size_t d = 0; d < n_delimiters; d++)
        edges |= m->delimiter[d];
    if (m->quote) {
        uint64_t may_open = edges << 1 | st->edge;
        uint64_t opening;

        inside ^= csv_running_xor(m->quote);
        opening = m->quote & inside;
        closing = m->quote & ~inside;
        if (opening & ~(may_open | closing << 1 | st->closed))
            inside = csv_walk_quotes(m->quote, may_open, st, &closing);
    }
    b.outside = ~inside;
    b.stray = (closing << 1 | st->closed) & ~(edges | m->quote);
    b.row_end = (m->cr | (m->lf & ~(m->cr << 1 | st->cr))) & b.outside;
    st->inside = (uint64_t)0 - (inside >> 63);
    st->edge = edges >> 63;
    st->closed = closing >> 63;
    st->cr = (m->cr & b.outside) >> 63;
    return b;
}

/* Where the row after a row end begins: one further for CRLF. */
static INLINE_ALWAYS size_t
csv_after_row(const struct csv_scan *s, size_t row_end)
{
    bool crlf = s->p[row_end] == '\r' && row_end + 1 < s->len &&
                s->p[row_end + 1] == '\n';

    return row_end + 1 + crlf;
}

/* The bytes of a block that are text when n are left. */
static INLINE_ALWAYS uint64_t
csv_text_bits(size_t n)
{
    return n < CSV_BLOCK ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);
}

/* The marks of those bytes alone. */
static inline void
csv_cut_marks(struct csv_marks *m, size_t n, size_t n_delimiters)
{
    uint64_t text = csv_text_bits(n);

    m->quote &= text;
    m->lf &= text;
    m->cr &= text;
    m->zero &= text;
    m->high &= text;
    for (size_t d = 0; d < n_delimiters; d++)
        m->delimiter[d] &= text;
}
#endif
