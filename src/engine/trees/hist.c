/* engine/trees/hist.c -- histograms of quantised gradients.
 *
 * The loop over rows is what training costs.  Measured on 28 columns of 255
 * bins, nanoseconds per bin update: 1.45 with codes loaded as bytes (a byte may
 * alias the histogram, so the compiler loads again after every store); 0.31
 * with codes loaded as words and strides known to the compiler, which is one
 * store a cycle.  Half as many bits for the sums, columns in groups that fit
 * the nearest cache, and two rows at a time were no faster.
 *
 * Rows picked by a list, one in 32, cost 0.45 when they are fetched in two
 * steps and lie in large pages, 1.0 in small ones, and 4 when they are not
 * fetched; 0.70 when they are fetched into the nearest cache at once, which has
 * few places for what is on its way.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/hist.h"

#include "base/attr.h"

enum {
    AHEAD = 8, /* rows fetched into the nearest cache before they are added */
    FAR = 64,  /* rows fetched into the next one */
    LINE_WORDS = 8, /* of a cache line */
    /* Rows of more words are added some words at a time. */
    MOST_WORDS = 512,
    BLOCK_WORDS = 32
};

struct hist_scale
hist_scale(float max_g, float min_h, float max_h)
{
    struct hist_scale s = {.same_h = min_h == max_h};

    if (max_g > 0) {
        s.g_unit = (double)max_g / (HIST_MAX_G - 1);
        s.g_inverse = (HIST_MAX_G - 1) / (double)max_g;
    }
    if (max_h > 0) {
        s.h_unit = s.same_h ? (double)max_h : (double)max_h / (HIST_MAX_H - 1);
        s.h_inverse = s.same_h ? 0 : (HIST_MAX_H - 1) / (double)max_h;
    }
    return s;
}

/* 0 <= dither < 1: multiples of the golden ratio, modulo one. */
static double
dither(uint32_t row, uint32_t salt)
{
    return (double)(row * 2654435769u + salt) * 0x1p-32;
}

struct hist_quantum
hist_quantise(const struct hist_scale *s, struct gradient g, uint32_t row,
              uint32_t salt)
{
    double u = dither(row, salt), v = dither(row, ~salt * 2246822519u);
    /* The offset makes truncation round down. */
    double qg = (double)g.g * s->g_inverse + (u + 32768);
    double qh = (double)g.h * s->h_inverse + v;
    int32_t h = (int32_t)qh;

    /* At least 1, so that a hessian of 0 means "no row". */
    return (struct hist_quantum){(int16_t)((int32_t)qg - 32768),
                                 (uint16_t)(h > 1 ? h : 1)};
}

void
hist_quantise_plain(const struct hist_scale *s, const struct gradient *g,
                    size_t begin, size_t end, uint32_t salt,
                    struct hist_quantum *q)
{
    for (size_t i = begin; i < end; i++)
        q[i] = hist_quantise(s, g[i], (uint32_t)i, salt);
}

hist_quantise_fn *
hist_quantise_choose(void)
{
    if (cpu_has_avx512())
        return hist_quantise_avx512;
    return cpu_has_avx2() ? hist_quantise_avx2 : hist_quantise_plain;
}

static INLINE_ALWAYS void
add_wide_word(int64_t *h, uint64_t codes, int64_t v)
{
    h[codes & 255] += v;
    h[256 + (codes >> 8 & 255)] += v;
    h[512 + (codes >> 16 & 255)] += v;
    h[768 + (codes >> 24 & 255)] += v;
    h[1024 + (codes >> 32 & 255)] += v;
    h[1280 + (codes >> 40 & 255)] += v;
    h[1536 + (codes >> 48 & 255)] += v;
    h[1792 + (codes >> 56)] += v;
}

static INLINE_ALWAYS void
add_word(int64_t *h, const struct binned_slot *s, uint64_t codes, int64_t v)
{
    h[s[0].first + (codes & 255)] += v;
    h[s[1].first + (codes >> 8 & 255)] += v;
    h[s[2].first + (codes >> 16 & 255)] += v;
    h[s[3].first + (codes >> 24 & 255)] += v;
    h[s[4].first + (codes >> 32 & 255)] += v;
    h[s[5].first + (codes >> 40 & 255)] += v;
    h[s[6].first + (codes >> 48 & 255)] += v;
    h[s[7].first + (codes >> 56)] += v;
}

/* The first n slots, n < BINNED_WORD. */
static INLINE_ALWAYS void
add_part(int64_t *h, const struct binned_slot *s, size_t n, uint64_t codes,
         int64_t v)
{
    switch (n) {
    case 7:
        h[s[6].first + (codes >> 48 & 255)] += v; /* fall through */
    case 6:
        h[s[5].first + (codes >> 40 & 255)] += v; /* fall through */
    case 5:
        h[s[4].first + (codes >> 32 & 255)] += v; /* fall through */
    case 4:
        h[s[3].first + (codes >> 24 & 255)] += v; /* fall through */
    case 3:
        h[s[2].first + (codes >> 16 & 255)] += v; /* fall through */
    case 2:
        h[s[1].first + (codes >> 8 & 255)] += v; /* fall through */
    case 1:
        h[s[0].first + (codes & 255)] += v; /* fall through */
    default:
        break;
    }
}

/* The words of a row by their kind: stores may not be thought to change them. */
struct layout {
    const struct binned_slot *slot; /* of the first word that is not wide */
    size_t n_wide, n_full, rest;    /* words, words, slots */
};

static struct layout
layout_of(const struct binned *b)
{
    return (struct layout){b->place + b->n_wide * BINNED_WORD, b->n_wide,
                           b->n_places / BINNED_WORD - b->n_wide,
                           b->n_places % BINNED_WORD};
}

/* One row, whose codes stand at `at`; n_wide is known to the compiler. */
static INLINE_ALWAYS void
add_row(const struct layout *l, const uint64_t *at, int64_t v, int64_t *narrow,
        size_t n_wide)
{
    const size_t width = BINNED_WORD * BINNED_WIDE;
    const struct binned_slot *slot = l->slot;

    for (size_t w = 4; w < n_wide; w++)
        add_wide_word(narrow + w * width, at[w], v);
    if (n_wide > 3)
        add_wide_word(narrow + 3 * width, at[3], v);
    if (n_wide > 2)
        add_wide_word(narrow + 2 * width, at[2], v);
    if (n_wide > 1)
        add_wide_word(narrow + width, at[1], v);
    if (n_wide > 0)
        add_wide_word(narrow, at[0], v);
    at += n_wide;
    for (size_t w = 0; w < l->n_full; w++, slot += BINNED_WORD)
        add_word(narrow, slot, *at++, v);
    if (l->rest)
        add_part(narrow, slot, l->rest, *at, v);
}

static INLINE_ALWAYS void
fetch_row(const uint64_t *at, size_t n_words)
{
    for (size_t w = 0; w < n_words; w += LINE_WORDS)
        PREFETCH(at + w);
}

static INLINE_ALWAYS void
fetch_row_far(const uint64_t *at, size_t n_words)
{
    for (size_t w = 0; w < n_words; w += LINE_WORDS)
        PREFETCH_FAR(at + w);
}

/* Rows begin..end-1 of the table, or of a list. */
struct stretch {
    const uint32_t *rows; /* NULL: the table */
    size_t begin, end;
    const struct hist_quantum *q;
};

/* n_wide and n_words, of a row, are known to the compiler. */
static INLINE_ALWAYS void
add_rows(const struct binned *b, const struct stretch *s, int64_t *narrow,
         size_t n_wide, size_t n_words)
{
    const struct layout l = layout_of(b);
    const struct hist_quantum *q = s->q;
    const uint64_t *codes = b->row;
    const uint32_t *rows = s->rows;
    size_t end = s->end, i = s->begin;
    size_t last = end - i < FAR ? i : end - FAR;

    if (!rows) {
        for (; i < end; i++)
            add_row(&l, codes + i * n_words, hist_pack(q[i]), narrow, n_wide);
        return;
    }
    for (size_t k = i; k < end && k < i + FAR; k++) {
        PREFETCH_FAR(q + rows[k]);
        fetch_row_far(codes + rows[k] * n_words, n_words);
    }
    for (; i < last; i++) {
        size_t later = rows[i + FAR], soon = rows[i + AHEAD], row = rows[i];

        PREFETCH_FAR(q + later);
        fetch_row_far(codes + later * n_words, n_words);
        PREFETCH(q + soon);
        fetch_row(codes + soon * n_words, n_words);
        add_row(&l, codes + row * n_words, hist_pack(q[row]), narrow, n_wide);
    }
    for (; i < end; i++)
        add_row(&l, codes + rows[i] * n_words, hist_pack(q[rows[i]]), narrow,
                n_wide);
}

typedef void
add_fn(const struct binned *b, const struct stretch *s, int64_t *narrow);

/* A row of one word more than the wide ones is the usual case. */
#define ADD_ROWS(n)                                                           \
    static void add_rows_##n(const struct binned *b, const struct stretch *s, \
                             int64_t *narrow)                                 \
    {                                                                         \
        if (b->n_words == (n) + 1)                                            \
            add_rows(b, s, narrow, n, (n) + 1);                               \
        else                                                                  \
            add_rows(b, s, narrow, n, b->n_words);                            \
    }
ADD_ROWS(0)
ADD_ROWS(1)
ADD_ROWS(2)
ADD_ROWS(3)
ADD_ROWS(4)

static void
add_rows_more(const struct binned *b, const struct stretch *s, int64_t *narrow)
{
    add_rows(b, s, narrow, b->n_wide, b->n_words);
}

/* Long slots one by one: a histogram of thousands of bins fills a cache by
 * itself. */
static void
add_long(const struct binned *b, size_t slot, const struct stretch *s,
         int64_t *narrow)
{
    const uint16_t *code = binned_long(b, slot);
    int64_t *h = narrow + b->slot[slot].first;
    size_t last = s->end - s->begin < FAR ? s->begin : s->end - FAR;

    if (!s->rows) {
        for (size_t i = s->begin; i < s->end; i++)
            h[code[i]] += hist_pack(s->q[i]);
        return;
    }
    for (size_t i = s->begin; i < s->end; i++) {
        size_t row = s->rows[i];

        if (i < last) {
            PREFETCH(code + s->rows[i + FAR]);
            PREFETCH(s->q + s->rows[i + FAR]);
        }
        h[code[row]] += hist_pack(s->q[row]);
    }
}

/* Rows of many words, some words at a time: their part of the histogram stays
 * in the cache. */
static void
add_blocks(const struct binned *b, const struct stretch *s, int64_t *narrow)
{
    size_t full = b->n_places / BINNED_WORD, rest = b->n_places % BINNED_WORD;

    for (size_t first = 0; first < b->n_words; first += BLOCK_WORDS) {
        size_t last = first + BLOCK_WORDS < full ? first + BLOCK_WORDS : full;

        for (size_t i = s->begin; i < s->end; i++) {
            size_t row = s->rows ? s->rows[i] : i;
            const uint64_t *at = b->row + row * b->n_words;
            int64_t v = hist_pack(s->q[row]);

            for (size_t w = first; w < last; w++)
                add_word(narrow, b->place + w * BINNED_WORD, at[w], v);
            if (last == full && rest)
                add_part(narrow, b->place + full * BINNED_WORD, rest, at[full],
                         v);
        }
    }
}

static void
add(const struct binned *b, struct stretch s, int64_t *narrow)
{
    static add_fn *const fn[] = {add_rows_0, add_rows_1, add_rows_2, add_rows_3,
                                 add_rows_4};
    size_t n = sizeof fn / sizeof *fn;

    for (size_t slot = b->n_narrow; slot < b->n_slots; slot++)
        add_long(b, slot, &s, narrow);
    if (b->n_words > MOST_WORDS)
        add_blocks(b, &s, narrow);
    else
        (b->n_wide < n ? fn[b->n_wide] : add_rows_more)(b, &s, narrow);
}

void
hist_add(const struct binned *b, const uint32_t *rows, size_t n,
         const struct hist_quantum *q, int64_t *narrow)
{
    add(b, (struct stretch){rows, 0, n, q}, narrow);
}

void
hist_add_range(const struct binned *b, size_t begin, size_t end,
               const struct hist_quantum *q, int64_t *narrow)
{
    add(b, (struct stretch){NULL, begin, end, q}, narrow);
}

void
hist_add_words_plain(int64_t *to, const int64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

void
hist_take_words_plain(int64_t *to, const int64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] -= from[i];
}

void
hist_fold(int64_t *to, const int64_t *from, size_t begin, size_t end)
{
    (cpu_has_avx2() ? hist_add_words_avx2 : hist_add_words_plain)(
        to + begin, from + begin, end - begin);
}

void
hist_fold_wide(int64_t *to, const int64_t *narrow, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        to[2 * i] += hist_g(narrow[i]);
        to[2 * i + 1] += hist_h(narrow[i]);
    }
}

void
hist_subtract(int64_t *parent, bool parent_wide, const int64_t *child,
              bool child_wide, size_t begin, size_t end)
{
    if (parent_wide && !child_wide) {
        for (size_t i = begin; i < end; i++) {
            parent[2 * i] -= hist_g(child[i]);
            parent[2 * i + 1] -= hist_h(child[i]);
        }
        return;
    }

    /* A narrow parent has no wide child. */
    size_t words = parent_wide ? 2 : 1, at = begin * words;

    (cpu_has_avx2() ? hist_take_words_avx2 : hist_take_words_plain)(
        parent + at, child + at, (end - begin) * words);
}
