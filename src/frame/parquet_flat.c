/* frame/parquet_flat.c -- one column of one row group, a value a row.
 *
 * Values lie in pages without those that are missing.  They are put at the
 * front of their rows' stretch of the column and then moved apart, from the
 * last one on.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/parquet_part.h"

struct flat {
    struct pq_part *part;
    const struct pq_target *target;
    struct pq_feed feed;
    bool has_map; /* scratch->map is that of the dictionary */
};

static bool
damaged(struct error *err, const char *what)
{
    return error_set(err, ERR_PARSE, "%s", what);
}

/* ---- which are missing ---- */

static bool
holes_by_level(struct pq_levels *l, size_t n, uint64_t *bits, size_t at,
               size_t *n_present)
{
    uint32_t level[64];

    for (size_t i = 0, m; i < n; i += m) {
        uint64_t word = 0;

        m = n - i < 64 ? n - i : 64;
        if (!pq_levels_next(l, m, level))
            return false;
        for (size_t k = 0; k < m; k++)
            word |= (uint64_t)(level[k] < l->max) << k;
        *n_present += m - (size_t)__builtin_popcountll(word);
        pq_put_bits(bits, at + i, word, m);
    }
    return true;
}

/* Mark what is missing of the page whose first row is `row` of the part. */
static bool
read_holes(struct flat *f, const struct pq_content *page, size_t row,
           size_t *n_present, struct error *err)
{
    struct piece *piece = &f->part->piece;
    unsigned max = f->part->leaf->max_def;
    struct pq_levels levels;
    bool ok;

    *n_present = 0;
    if (max == 0) {
        *n_present = page->n;
        return true;
    }
    if (!piece->missing &&
        !(piece->missing =
              mem_try_array(piece->n / 64 + 2, sizeof *piece->missing, err)))
        return false;
    ok = pq_levels_begin(&levels, page->def_encoding, page->def, max);
    if (ok && max == 1 && page->def_encoding == PQ_RLE)
        ok = pq_runs_holes(&levels.runs, page->n, piece->missing, row,
                           n_present);
    else if (ok)
        ok = holes_by_level(&levels, page->n, piece->missing, row, n_present);
    return ok || damaged(err, "damaged levels");
}

/* Move n_dense values at v apart, so that bit at + i of `missing` tells that
 * value i is not there. */
#define SPREAD(name, type)                                             \
    static void name(type *v, size_t n_dense, const uint64_t *missing, \
                     size_t at, size_t n)                              \
    {                                                                  \
        while (n > n_dense && n_dense > 0) {                           \
            size_t i = --n + at;                                       \
            size_t here = (~missing[i / 64] >> (i % 64)) & 1;          \
            type x = v[n_dense - 1];                                   \
                                                                       \
            v[n] = here ? x : 0;                                       \
            n_dense -= here;                                           \
        }                                                              \
        if (n > n_dense)                                               \
            memset(v, 0, n * sizeof *v);                               \
    }
SPREAD(spread8, uint8_t)
SPREAD(spread32, uint32_t)
SPREAD(spread64, uint64_t)

static void
spread(void *v, size_t width, size_t n_dense, const uint64_t *missing,
       size_t at, size_t n)
{
    if (width == 8)
        spread64(v, n_dense, missing, at, n);
    else if (width == 4)
        spread32(v, n_dense, missing, at, n);
    else
        spread8(v, n_dense, missing, at, n);
}

/* ---- values ---- */

/* Codes of the column, or places, for the texts of the dictionary. */
static bool
make_map(struct flat *f, struct error *err)
{
    const struct str *entry = pq_feed_entries(&f->feed);
    struct pq_room *room = &f->feed.scratch->map;
    const char *block = f->target->block;
    size_t n = f->feed.n_entries;
    uint32_t *map;

    if (f->has_map)
        return true;
    if (!pq_room_need(room, n * sizeof *map + 1, err))
        return false;
    map = (uint32_t *)(void *)room->p;
    for (size_t i = 0; block && i < n; i++)
        map[i] = (uint32_t)(entry[i].p - block);
    f->has_map = block || dict_add_many(f->target->dict, entry, n, map, err);
    return f->has_map;
}

static bool
read_plain(struct flat *f, size_t n, uint32_t *out, struct error *err)
{
    struct str text[PQ_BATCH];

    if (f->target->block && f->feed.values.encoding != PQ_PLAIN)
        return damaged(err, "a file that changes while it is read");
    if (f->target->block)
        return pq_values_places(&f->feed.values, n, f->target->block, out, err);
    return pq_feed_texts(&f->feed, n, text, err) &&
           dict_add_many(f->target->dict, text, n, out, err);
}

static bool
read_codes(struct flat *f, size_t n, uint32_t *out, struct error *err)
{
    const uint32_t *map;

    if (!f->feed.values.has_codes)
        return read_plain(f, n, out, err);
    if (!make_map(f, err) || !pq_feed_codes(&f->feed, n, out, err))
        return false;
    map = (const uint32_t *)(const void *)f->feed.scratch->map.p;
    for (size_t i = 0; i < n; i++)
        out[i] = map[out[i]];
    return true;
}

static bool
read_page(struct flat *f, const struct pq_content *page, size_t row,
          struct error *err)
{
    const struct pq_leaf *l = f->part->leaf;
    const struct piece *piece = &f->part->piece;
    size_t width = column_width(l->type), n;
    unsigned char *to = f->target->data;

    to += (piece->first + row) * width;
    if (!read_holes(f, page, row, &n, err) ||
        !pq_feed_values(&f->feed, page, n, err))
        return false;
    for (size_t i = 0, m; i < n; i += m) {
        void *at = to + i * width;

        m = n - i < PQ_BATCH ? n - i : PQ_BATCH;
        if (!(l->type == COL_TEXT ? read_codes(f, m, at, err)
                                  : pq_feed_numbers(&f->feed, m, at, err)))
            return false;
    }
    if (n < page->n)
        spread(to, width, n, piece->missing, row, page->n);
    return true;
}

static bool
read_pages(struct flat *f, struct error *err)
{
    size_t row = 0, n_rows = f->part->piece.n;
    struct pq_content page;
    bool done = false;

    while (pq_feed_page(&f->feed, &page, &done, err)) {
        if (page.n > n_rows - row)
            return damaged(err, "more values than rows");
        if (!progress_check(f->target->progress, err) ||
            !read_page(f, &page, row, err))
            return false;
        row += page.n;
    }
    return done && (row == n_rows || damaged(err, "fewer values than rows"));
}

bool
pq_part_read_flat(struct pq_part *p, const struct pq_target *t,
                  struct pq_scratch *s, struct error *err)
{
    struct flat f = {.part = p, .target = t};
    bool ok = pq_feed_begin(&f.feed, t->file, p->leaf, p->chunk, s, err);

    if (t->block)
        f.feed.pages.stay = &p->stay;
    ok = ok && read_pages(&f, err);
    p->beyond = f.feed.beyond;
    pq_feed_end(&f.feed);
    return ok;
}
