/* frame/csv_scan.c -- where fields and rows of delimited text end.
 *
 * Each block goes through two steps.  The marks say which bytes are quotes,
 * line ends and delimiters; this is what the machine's vectors do (a plain
 * twin gives the same bits).  The state machine of csv_scan_state.h then works
 * on the masks.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/csv_scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"

enum { BATCH = 32 }; /* blocks marked at a time */
/* Beyond the rows and fields of an index: a block too many, and what the twins
 * write at a time. */
enum { ROOM = 2 * CSV_BLOCK };

/* ---- marks ---- */

/* The lowest bit of each byte; what moves them into the highest byte. */
#define EACH_LOW UINT64_C(0x0101010101010101)
#define GATHER UINT64_C(0x0102040810204080)

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
    uint64_t all = EACH_LOW * (unsigned char)c;
    uint64_t bits = 0;

    for (unsigned i = 0; i < 8; i++) {
        uint64_t hit = zero_bytes(words[i] ^ all) >> 7;

        bits |= (hit * GATHER >> 56) << (8 * i);
    }
    return bits;
}

static void
mark_block(const char *p, const char *delimiters, size_t n_delimiters,
           struct csv_marks *out)
{
    uint64_t words[8] = {0}, high = 0;

    for (unsigned i = 0; i < 8; i++) {
        for (unsigned j = 0; j < 8; j++)
            words[i] |= (uint64_t)(unsigned char)p[8 * i + j] << (8 * j);
        high |= ((words[i] >> 7 & EACH_LOW) * GATHER >> 56) << (8 * i);
    }
    out->quote = equal_bits(words, '"');
    out->lf = equal_bits(words, '\n');
    out->cr = equal_bits(words, '\r');
    out->zero = equal_bits(words, '\0');
    out->high = high;
    for (size_t d = 0; d < n_delimiters; d++)
        out->delimiter[d] = equal_bits(words, delimiters[d]);
}

static void
mark(const char *p, size_t n, const char *delimiters, size_t n_delimiters,
     struct csv_marks *out)
{
    for (size_t b = 0; b < n; b++)
        mark_block(p + b * CSV_BLOCK, delimiters, n_delimiters, &out[b]);
}

static void
put(uint64_t bits, uint32_t at, uint32_t *out)
{
    for (; bits; bits &= bits - 1)
        *out++ = at + (uint32_t)__builtin_ctzll(bits);
}

#define SCAN_TARGET
#define SCAN_MARK mark_block
#define SCAN_PUT put
#include "frame/csv_scan_loops.h"

const struct csv_kernels csv_kernels_plain = {mark, count_rows, index_rows};

const struct csv_kernels *
csv_kernels_best(void)
{
    return cpu_has_avx512() ? &csv_kernels_avx512
           : cpu_has_avx2() ? &csv_kernels_avx2
                            : &csv_kernels_plain;
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

/* ---- the loops ---- */

void
csv_count_rows(const struct csv_scan *s, size_t begin, size_t end,
               const size_t *expected, struct csv_count *out)
{
    s->kernels->count(s, begin, end, expected, out);
}

void
csv_skip_quoted(const struct csv_scan *s, size_t begin, size_t end,
                size_t *first_row, bool *ends_inside)
{
    struct csv_state st = csv_in_quotes;
    const struct csv_marks *m;
    struct reader r;

    *first_row = CSV_NOWHERE;
    reader_init(&r, s, begin, end);
    for (size_t at = begin; (m = next_block(&r)); at += CSV_BLOCK) {
        struct csv_ends b = csv_step(&st, m, s->n_delimiters);

        if (b.row_end && *first_row == CSV_NOWHERE)
            *first_row =
                csv_after_row(s, at + (size_t)__builtin_ctzll(b.row_end));
    }
    if (*first_row >= end)
        *first_row = CSV_NOWHERE;
    *ends_inside = st.inside != 0;
}

static bool
make_room(struct csv_index *x, size_t n_rows, size_t n_fields,
          struct error *err)
{
    if (n_rows <= x->row_room && n_fields <= x->field_room)
        return true;
    csv_index_fini(x);
    if (!(x->row = mem_try_unset(n_rows, sizeof *x->row, err)) ||
        !(x->first = mem_try_unset(n_rows, sizeof *x->first, err)) ||
        !(x->field = mem_try_unset(n_fields, sizeof *x->field, err)))
        return false;
    x->row_room = n_rows;
    x->field_room = n_fields;
    return true;
}

bool
csv_index_fill(struct csv_index *x, const struct csv_scan *s, size_t begin,
               size_t end, size_t n_rows, size_t n_fields, struct error *err)
{
    assert(end - begin < UINT32_MAX);
    /* Room for more: then the bytes are not those counted. */
    if (!make_room(x, n_rows + ROOM, n_fields + ROOM, err)) {
        csv_index_fini(x);
        return false;
    }
    x->row[0] = x->first[0] = 0;
    x->n_rows = 0;
    if (s->kernels->index(x, s, begin, end, n_rows, n_fields))
        return true;
    csv_index_fini(x);
    return error_set(err, ERR_STATE, "%s", CSV_CHANGED);
}

bool
csv_index_init(struct csv_index *x, const struct csv_scan *s, size_t begin,
               size_t end, size_t n_rows, size_t n_fields, struct error *err)
{
    *x = (struct csv_index){0};
    return csv_index_fill(x, s, begin, end, n_rows, n_fields, err);
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
    struct csv_state st = csv_at_row;
    const struct csv_marks *m;
    struct reader r;

    reader_init(&r, s, begin, s->len);
    for (size_t at = begin; (m = next_block(&r)); at += CSV_BLOCK) {
        struct csv_ends b = csv_step(&st, m, s->n_delimiters);

        if (b.row_end)
            return csv_after_row(s, at + (size_t)__builtin_ctzll(b.row_end));
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
        next = csv_after_row(s, i);
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
