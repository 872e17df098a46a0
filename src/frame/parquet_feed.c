/* frame/parquet_feed.c -- the values of a column chunk, one after the other.
 *
 * Numbers of a dictionary are converted once, when it is read.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/parquet_convert.h"
#include "frame/parquet_part.h"

void
pq_scratch_fini(struct pq_scratch *s)
{
    free(s->page.p);
    free(s->dictionary.p);
    free(s->entries.p);
    free(s->map.p);
    *s = (struct pq_scratch){0};
}

static bool
damaged(struct error *err, const char *what)
{
    return error_set(err, ERR_PARSE, "%s", what);
}

bool
pq_feed_begin(struct pq_feed *f, struct str file, const struct pq_leaf *l,
              const struct pq_chunk *c, struct pq_scratch *s, struct error *err)
{
    *f = (struct pq_feed){.leaf = l, .scratch = s};
    f->pages.page = &s->page;
    f->pages.dictionary = &s->dictionary;
    pq_values_init(&f->values, l);
    buf_init(&f->converted);
    buf_init(&f->dictionary_texts);
    return pq_pages_begin(&f->pages, file, l, c, err);
}

void
pq_feed_end(struct pq_feed *f)
{
    pq_values_fini(&f->values);
    buf_fini(&f->converted);
    buf_fini(&f->dictionary_texts);
}

const struct str *
pq_feed_entries(const struct pq_feed *f)
{
    return (const struct str *)(const void *)f->scratch->entries.p;
}

/* ---- values as they come ---- */

/* From stored texts: a decimal is the one number that may be stored so. */
static bool
decimals(struct pq_feed *f, size_t n, double *out, struct error *err)
{
    struct str text[PQ_BATCH];

    if (!pq_values_texts(&f->values, n, text, err))
        return false;
    for (size_t i = 0; i < n; i++)
        out[i] = pq_decimal((const uint8_t *)text[i].p, text[i].n,
                            f->leaf->element->scale);
    return true;
}

static bool
plain_numbers(struct pq_feed *f, size_t n, void *out, struct error *err)
{
    const uint8_t *raw;

    if (pq_stores_texts(f->leaf))
        return decimals(f, n, out, err);
    if (!pq_values_fixed(&f->values, n, &raw, err))
        return false;
    pq_convert(f->leaf, raw, n, out, &f->beyond);
    return true;
}

/* Put together in `room`; as that may move them, their places are found
 * last. */
static bool
converted_texts(struct pq_feed *f, size_t n, struct str *out, struct buf *room,
                struct error *err)
{
    bool stored = pq_stores_texts(f->leaf);
    size_t width = f->leaf->width, at = room->len;
    const uint8_t *raw = NULL;

    if (stored ? !pq_values_texts(&f->values, n, out, err)
               : !pq_values_fixed(&f->values, n, &raw, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t before = room->len;

        pq_convert_text(f->leaf,
                        stored ? (const uint8_t *)out[i].p : raw + i * width,
                        stored ? out[i].n : width, room);
        out[i].n = room->len - before;
    }
    if (!buf_check(room, err))
        return false;
    for (size_t i = 0; i < n; at += out[i++].n)
        out[i].p = room->data ? room->data + at : "";
    return true;
}

static bool
plain_texts(struct pq_feed *f, size_t n, struct str *out, struct error *err)
{
    if (f->leaf->kind == PQ_KIND_TEXT)
        return pq_values_texts(&f->values, n, out, err);
    buf_clear(&f->converted);
    return converted_texts(f, n, out, &f->converted, err);
}

/* ---- the dictionary ---- */

static bool
read_text_entries(struct pq_feed *f, size_t n, struct error *err)
{
    struct str *entry = (struct str *)(void *)f->scratch->entries.p;
    bool as_is = f->leaf->kind == PQ_KIND_TEXT;
    size_t at = 0;

    buf_clear(&f->dictionary_texts);
    for (size_t i = 0, m; i < n; i += m) {
        m = n - i < PQ_BATCH ? n - i : PQ_BATCH;
        if (as_is
                ? !pq_values_texts(&f->values, m, entry + i, err)
                : !converted_texts(f, m, entry + i, &f->dictionary_texts, err))
            return false;
    }
    /* The room may have moved between batches. */
    for (size_t i = 0; !as_is && i < n; at += entry[i++].n)
        entry[i].p =
            f->dictionary_texts.data ? f->dictionary_texts.data + at : "";
    return true;
}

static bool
read_number_entries(struct pq_feed *f, size_t n, struct error *err)
{
    size_t width = column_width(f->leaf->type);

    for (size_t i = 0, m; i < n; i += m) {
        m = n - i < PQ_BATCH ? n - i : PQ_BATCH;
        if (!plain_numbers(f, m, f->scratch->entries.p + i * width, err))
            return false;
    }
    return true;
}

static bool
read_dictionary(struct pq_feed *f, const struct pq_content *page,
                struct error *err)
{
    const struct pq_leaf *l = f->leaf;
    bool text = l->type == COL_TEXT;
    size_t least = l->width ? l->width : 4, bytes;

    /* Each entry takes its bytes, so the page bounds how many there are. */
    if (l->kind == PQ_KIND_BOOL || page->n > page->values.n / least)
        return damaged(err, "a damaged dictionary");
    if (!mem_mul(page->n, text ? sizeof(struct str) : column_width(l->type),
                 &bytes))
        return damaged(err, "a damaged dictionary");
    if (!pq_room_need(&f->scratch->entries, bytes + 1, err) ||
        !pq_values_begin(&f->values, PQ_PLAIN, page->values, page->n, err))
        return false;
    f->n_entries = page->n;
    return text ? read_text_entries(f, page->n, err)
                : read_number_entries(f, page->n, err);
}

bool
pq_feed_page(struct pq_feed *f, struct pq_content *page, bool *done,
             struct error *err)
{
    while (pq_pages_next(&f->pages, page, done, err)) {
        if (!page->is_dictionary)
            return true;
        if (!read_dictionary(f, page, err))
            return false;
    }
    return false;
}

bool
pq_feed_values(struct pq_feed *f, const struct pq_content *page, size_t n,
               struct error *err)
{
    return pq_values_begin(&f->values, page->encoding, page->values, n, err);
}

bool
pq_feed_codes(struct pq_feed *f, size_t n, uint32_t *out, struct error *err)
{
    uint32_t most = 0;

    if (!pq_values_codes(&f->values, n, out, err))
        return false;
    for (size_t i = 0; i < n; i++)
        most = out[i] > most ? out[i] : most;
    if (n > 0 && most >= f->n_entries)
        return damaged(err, "a code beyond the dictionary");
    return true;
}

bool
pq_feed_numbers(struct pq_feed *f, size_t n, void *out, struct error *err)
{
    const void *entries = f->scratch->entries.p;
    uint32_t code[PQ_BATCH];

    if (!f->values.has_codes)
        return plain_numbers(f, n, out, err);
    if (!pq_feed_codes(f, n, code, err))
        return false;
    if (column_width(f->leaf->type) == 8) {
        const uint64_t *entry = entries;
        uint64_t *to = out;

        for (size_t i = 0; i < n; i++)
            to[i] = entry[code[i]];
    } else { /* dates: a bool has no dictionary */
        const uint32_t *entry = entries;
        uint32_t *to = out;

        for (size_t i = 0; i < n; i++)
            to[i] = entry[code[i]];
    }
    return true;
}

bool
pq_feed_texts(struct pq_feed *f, size_t n, struct str *out, struct error *err)
{
    const struct str *entry = pq_feed_entries(f);
    uint32_t code[PQ_BATCH];

    if (!f->values.has_codes)
        return plain_texts(f, n, out, err);
    if (!pq_feed_codes(f, n, code, err))
        return false;
    for (size_t i = 0; i < n; i++)
        out[i] = entry[code[i]];
    return true;
}

/* ---- levels ---- */

bool
pq_levels_begin(struct pq_levels *l, enum pq_encoding encoding,
                struct str bytes, unsigned max)
{
    *l = (struct pq_levels){
        .max = max, .high_first = encoding == PQ_BIT_PACKED, .bytes = bytes};
    while (max >> l->width)
        l->width++;
    return pq_runs_init(&l->runs, bytes, l->width);
}

static bool
next_high_first(struct pq_levels *l, size_t n, uint32_t *out)
{
    if (l->at + (uint64_t)n * l->width > (uint64_t)l->bytes.n * 8)
        return false;
    for (size_t i = 0; i < n; i++) {
        out[i] = 0;
        for (unsigned b = 0; b < l->width; b++, l->at++)
            out[i] =
                out[i] << 1 |
                ((unsigned char)l->bytes.p[l->at / 8] >> (7 - l->at % 8) & 1u);
    }
    return true;
}

bool
pq_levels_next(struct pq_levels *l, size_t n, uint32_t *out)
{
    uint32_t most = 0;

    if (l->max == 0) {
        memset(out, 0, n * sizeof *out);
        return true;
    }
    if (l->high_first ? !next_high_first(l, n, out)
                      : !pq_runs_next(&l->runs, n, out))
        return false;
    for (size_t i = 0; i < n; i++)
        most = out[i] > most ? out[i] : most;
    return most <= l->max;
}
