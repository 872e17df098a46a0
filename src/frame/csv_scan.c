/* frame/csv_scan.c -- where fields and rows of delimited text end.
 *
 * Each block goes through two steps.  The marks say which bytes are quotes,
 * line ends and delimiters; this is what the machine's vectors do (a plain
 * twin gives the same bits).  The state machine then works on the masks:
 *
 *   in order     every quote toggles, so "within quotes" is the running xor
 *                of the quote bits; valid while each opening quote stands
 *                after a delimiter, a line end or the quote that closed just
 *                before (a doubled quote)
 *   not in order a quote within an unquoted field: the block's quotes are
 *                taken one by one, which gives the exact answer
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/csv_scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"

enum { BATCH = 32 }; /* blocks marked at a time */
enum { ROOM = CSV_BLOCK + 1 };

/* ---- marks ---- */

/* The high bit of each byte of x that is zero, exactly. */
static uint64_t
zero_bytes(uint64_t x)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);

    return ~(((x & low) + low) | x | low);
}

/* Bits of the 64 bytes at p that equal c: the high bits of eight bytes are
 * gathered by one multiplication. */
static uint64_t
equal_bits(const uint64_t words[8], char c)
{
    uint64_t all = UINT64_C(0x0101010101010101) * (unsigned char)c;
    uint64_t bits = 0;

    for (unsigned i = 0; i < 8; i++) {
        uint64_t hit = zero_bytes(words[i] ^ all) >> 7;

        bits |= (hit * UINT64_C(0x0102040810204080) >> 56) << (8 * i);
    }
    return bits;
}

static void
mark_plain(const char *p, size_t n, const char *delimiters, size_t n_delimiters,
           struct csv_marks *out)
{
    for (size_t b = 0; b < n; b++, p += CSV_BLOCK) {
        uint64_t words[8] = {0};

        for (unsigned i = 0; i < 8; i++)
            for (unsigned j = 0; j < 8; j++)
                words[i] |= (uint64_t)(unsigned char)p[8 * i + j] << (8 * j);
        out[b].quote = equal_bits(words, '"');
        out[b].lf = equal_bits(words, '\n');
        out[b].cr = equal_bits(words, '\r');
        out[b].zero = equal_bits(words, '\0');
        for (size_t d = 0; d < n_delimiters; d++)
            out[b].delimiter[d] = equal_bits(words, delimiters[d]);
    }
}

const struct csv_kernels csv_kernels_plain = {mark_plain};

const struct csv_kernels *
csv_kernels_best(void)
{
    return cpu_has_avx2() ? &csv_kernels_avx2 : &csv_kernels_plain;
}

struct csv_scan
csv_scan_of(struct str text, char delimiter)
{
    struct csv_scan s = {
        csv_kernels_best(), text.p, text.n, {',', ';', '\t', '|'}, 4};

    if (delimiter) {
        s.delimiters[0] = delimiter;
        s.n_delimiters = 1;
    }
    return s;
}

/* Blocks one after the other, marked a batch at a time.  The last one is
 * filled up with blanks. */
struct reader {
    const struct csv_scan *s;
    size_t at, end; /* bytes not yet marked */
    size_t n, next; /* blocks in the batch, the one to be handed out */
    struct csv_marks marks[BATCH];
};

static void
reader_init(struct reader *r, const struct csv_scan *s, size_t begin,
            size_t end)
{
    r->s = s;
    r->at = begin;
    r->end = end;
    r->n = r->next = 0;
}

static const struct csv_marks *
next_block(struct reader *r)
{
    const struct csv_scan *s = r->s;
    char last[CSV_BLOCK];

    if (r->next < r->n)
        return &r->marks[r->next++];
    if (r->at == r->end)
        return NULL;
    r->n = (r->end - r->at) / CSV_BLOCK;
    if (r->n > BATCH)
        r->n = BATCH;
    if (r->n > 0) {
        s->kernels->mark(s->p + r->at, r->n, s->delimiters, s->n_delimiters,
                         r->marks);
        r->at += r->n * CSV_BLOCK;
    } else {
        memset(last, ' ', sizeof last);
        memcpy(last, s->p + r->at, r->end - r->at);
        s->kernels->mark(last, 1, s->delimiters, s->n_delimiters, r->marks);
        r->at = r->end;
        r->n = 1;
    }
    r->next = 1;
    return &r->marks[0];
}

/* ---- the state machine ---- */

/* What the byte before a block was; bits 0, and `inside` all ones or zeros. */
struct state {
    uint64_t inside; /* within a quoted field */
    uint64_t edge;   /* a delimiter, a line end: a quote may open here */
    uint64_t closed; /* a quote that closed its field */
    uint64_t cr;     /* a CR outside quotes */
};

struct block {
    uint64_t outside; /* bytes not within quotes */
    uint64_t row_end;
    uint64_t stray; /* a byte after a closing quote that does not belong */
};

static const struct state at_row = {0, 1, 0, 0},
                          in_quotes = {~UINT64_C(0), 0, 0, 0};

/* Bit i is the xor of bits 0..i. */
static uint64_t
running_xor(uint64_t x)
{
    for (unsigned i = 1; i < 64; i *= 2)
        x ^= x << i;
    return x;
}

/* Quotes one by one: which bytes are within quotes, which quotes close. */
static uint64_t
walk_quotes(uint64_t quotes, uint64_t may_open, const struct state *st,
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

static struct block
step(struct state *st, const struct csv_marks *m, size_t n_delimiters)
{
    uint64_t edges = m->lf | m->cr, inside = st->inside, closing = 0;
    struct block b;

    for (size_t d = 0; d < n_delimiters; d++)
        edges |= m->delimiter[d];
    if (m->quote) {
        uint64_t may_open = edges << 1 | st->edge;
        uint64_t opening;

        inside ^= running_xor(m->quote);
        opening = m->quote & inside;
        closing = m->quote & ~inside;
        if (opening & ~(may_open | closing << 1 | st->closed))
            inside = walk_quotes(m->quote, may_open, st, &closing);
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
static size_t
after_row(const struct csv_scan *s, size_t row_end)
{
    bool crlf = s->p[row_end] == '\r' && row_end + 1 < s->len &&
                s->p[row_end + 1] == '\n';

    return row_end + 1 + crlf;
}

/* ---- counting ---- */

struct counter {
    const struct csv_scan *s;
    const size_t *expected;
    struct csv_count *out;
    size_t row;                    /* where the row at hand begins */
    size_t fields[CSV_DELIMITERS]; /* its delimiters so far */
    bool stray;
};

static void
count_row(struct counter *c, size_t end)
{
    if (end > c->row) {
        c->out->n_rows++;
        for (size_t d = 0; d < c->s->n_delimiters; d++) {
            c->out->n_good[d] += !c->stray && c->fields[d] == c->expected[d];
            c->out->n_fields[d] += c->fields[d] + 1;
        }
    }
    memset(c->fields, 0, sizeof c->fields);
    c->stray = false;
}

static void
count_part(struct counter *c, const struct csv_marks *m, const struct block *b,
           uint64_t part)
{
    for (size_t d = 0; d < c->s->n_delimiters; d++) {
        uint64_t bits = m->delimiter[d] & b->outside & part;

        if (bits)
            c->fields[d] += (size_t)__builtin_popcountll(bits);
    }
    c->stray |= (b->stray & part) != 0;
}

static void
count_block(struct counter *c, size_t at, size_t end_of_text,
            const struct csv_marks *m, const struct block *b)
{
    size_t n = end_of_text - at;
    /* Bytes after the last row end; not the blanks that fill up a block. */
    uint64_t left = n < CSV_BLOCK ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);

    for (uint64_t ends = b->row_end; ends; ends &= ends - 1) {
        uint64_t bit = ends & -ends;
        size_t end = at + (size_t)__builtin_ctzll(ends);

        count_part(c, m, b, left & (bit - 1));
        count_row(c, end);
        c->row = after_row(c->s, end);
        left &= ~(bit - 1) & ~bit;
    }
    count_part(c, m, b, left);
}

void
csv_count_rows(const struct csv_scan *s, size_t begin, size_t end,
               const size_t *expected, struct csv_count *out)
{
    struct counter c = {.s = s, .expected = expected, .out = out, .row = begin};
    struct state st = at_row;
    const struct csv_marks *m;
    struct reader r;
    uint64_t cr = 0; /* the last byte was a CR, quoted or not */

    *out = (struct csv_count){0};
    reader_init(&r, s, begin, end);
    for (size_t at = begin; (m = next_block(&r)); at += CSV_BLOCK) {
        struct block b = step(&st, m, s->n_delimiters);
        uint64_t lines = m->cr | (m->lf & ~(m->cr << 1 | cr));

        out->n_lines += (size_t)__builtin_popcountll(lines);
        out->has_quote |= m->quote != 0;
        out->has_zero |= m->zero != 0;
        cr = m->cr >> 63;
        count_block(&c, at, end, m, &b);
    }
    out->ends_inside = st.inside != 0;
    if (out->ends_inside)
        c.stray = true; /* never closed, if this is the end of the text */
    if (c.row < end)
        count_row(&c, end);
}

void
csv_skip_quoted(const struct csv_scan *s, size_t begin, size_t end,
                size_t *first_row, bool *ends_inside)
{
    struct state st = in_quotes;
    const struct csv_marks *m;
    struct reader r;

    *first_row = CSV_NOWHERE;
    reader_init(&r, s, begin, end);
    for (size_t at = begin; (m = next_block(&r)); at += CSV_BLOCK) {
        struct block b = step(&st, m, s->n_delimiters);

        if (b.row_end && *first_row == CSV_NOWHERE)
            *first_row = after_row(s, at + (size_t)__builtin_ctzll(b.row_end));
    }
    if (*first_row >= end)
        *first_row = CSV_NOWHERE;
    *ends_inside = st.inside != 0;
}

/* ---- indexing ---- */

/* The masks of one block become positions.  Branches are on whole masks:
 * where a row ends is looked up in the mask of row ends. */
static size_t
index_block(struct csv_index *x, const struct csv_scan *s, size_t begin,
            size_t at, const struct csv_marks *m, const struct block *b,
            size_t n_fields)
{
    uint64_t ends = (m->delimiter[0] & b->outside) | b->row_end;

    for (; ends; ends &= ends - 1) {
        size_t pos = at + (size_t)__builtin_ctzll(ends) - begin;

        if (!(b->row_end & ends & -ends)) {
            x->field[n_fields++] = (uint32_t)pos;
            continue;
        }
        if (pos > x->row[x->n_rows]) { /* else a blank row */
            x->field[n_fields++] = (uint32_t)pos;
            x->first[++x->n_rows] = (uint32_t)n_fields;
        }
        x->row[x->n_rows] = (uint32_t)(after_row(s, begin + pos) - begin);
    }
    return n_fields;
}

static bool
fail_changed(struct csv_index *x, struct error *err)
{
    csv_index_fini(x);
    return error_set(err, ERR_STATE, "%s", CSV_CHANGED);
}

bool
csv_index_init(struct csv_index *x, const struct csv_scan *s, size_t begin,
               size_t end, size_t n_rows, size_t n_fields, struct error *err)
{
    struct state st = at_row;
    const struct csv_marks *m;
    struct reader r;
    size_t k = 0;

    *x = (struct csv_index){0};
    assert(end - begin < UINT32_MAX);
    /* Room for a block too many: then the bytes are not those counted. */
    if (!(x->row = mem_try_array(n_rows + ROOM, sizeof *x->row, err)) ||
        !(x->first = mem_try_array(n_rows + ROOM, sizeof *x->first, err)) ||
        !(x->field = mem_try_array(n_fields + ROOM, sizeof *x->field, err))) {
        csv_index_fini(x);
        return false;
    }
    reader_init(&r, s, begin, end);
    for (size_t at = begin; (m = next_block(&r)); at += CSV_BLOCK) {
        struct block b = step(&st, m, 1);

        k = index_block(x, s, begin, at, m, &b, k);
        if (k > n_fields || x->n_rows > n_rows)
            return fail_changed(x, err);
    }
    if (begin + x->row[x->n_rows] < end) { /* no line end at the end */
        x->field[k++] = (uint32_t)(end - begin);
        x->first[++x->n_rows] = (uint32_t)k;
    }
    if (x->n_rows != n_rows || k != n_fields)
        return fail_changed(x, err);
    return true;
}

void
csv_index_fini(struct csv_index *x)
{
    free(x->row);
    free(x->first);
    free(x->field);
    *x = (struct csv_index){0};
}

/* ---- lines ---- */

size_t
csv_first_row(const struct csv_scan *s)
{
    size_t begin = 0;

    if (str_starts((struct str){s->p, s->len}, "\xef\xbb\xbf"))
        begin = 3;
    while (begin < s->len && (s->p[begin] == '\n' || s->p[begin] == '\r'))
        begin++;
    return begin;
}

size_t
csv_row_end(const struct csv_scan *s, size_t begin)
{
    struct state st = at_row;
    const struct csv_marks *m;
    struct reader r;

    reader_init(&r, s, begin, s->len);
    for (size_t at = begin; (m = next_block(&r)); at += CSV_BLOCK) {
        struct block b = step(&st, m, s->n_delimiters);

        if (b.row_end)
            return after_row(s, at + (size_t)__builtin_ctzll(b.row_end));
    }
    return s->len;
}

size_t
csv_next_line(const struct csv_scan *s, size_t from, size_t limit)
{
    size_t next;

    if (from == 0)
        return 0;
    for (size_t i = from - 1; i < limit; i++) {
        if (s->p[i] != '\n' && s->p[i] != '\r')
            continue;
        next = after_row(s, i);
        return next <= limit ? next : CSV_NOWHERE;
    }
    return CSV_NOWHERE;
}

size_t
csv_count_lines(const struct csv_scan *s, size_t begin, size_t end)
{
    size_t n = 0;

    for (size_t i = begin; i < end; i++)
        n += s->p[i] == '\r' ||
             (s->p[i] == '\n' && (i == begin || s->p[i - 1] != '\r'));
    return n;
}
