/* frame/parquet_list.c -- one column of one row group whose rows are lists:
 * each becomes its JSON text, "[1, 2]".
 *
 * A value whose repetition level is r goes on with the list of depth r; 0 is
 * a new row.  Its definition level tells how deep it is there: up to
 * list_def[d] the list of depth d has this item, one less and the list is
 * empty, less and it, or what it is part of, is missing.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "frame/parquet_part.h"

enum { ROW_MAX_LEN = 1 << 30 };

struct list {
    struct pq_part *part;
    const struct pq_target *target;
    struct pq_feed feed;
    size_t row;    /* rows done */
    bool inside;   /* a row has begun */
    bool missing;  /* and is one that is not there */
    unsigned open; /* brackets */
    struct buf text;
    /* Values of the batch at hand. */
    size_t n_values, at;
    size_t left; /* of the page, after the batch */
    union {
        uint8_t bools[PQ_BATCH];
        int32_t dates[PQ_BATCH];
        int64_t ints[PQ_BATCH];
        double floats[PQ_BATCH];
    } value;
    struct str texts[PQ_BATCH];
};

static bool
damaged(struct error *err, const char *what)
{
    return error_set(err, ERR_PARSE, "%s", what);
}

/* ---- values ---- */

static bool
next_batch(struct list *l, struct error *err)
{
    l->n_values = l->left < PQ_BATCH ? l->left : PQ_BATCH;
    l->at = 0;
    l->left -= l->n_values;
    if (l->n_values == 0)
        return damaged(err, "fewer values than told");
    return l->part->leaf->type == COL_TEXT
               ? pq_feed_texts(&l->feed, l->n_values, l->texts, err)
               : pq_feed_numbers(&l->feed, l->n_values, &l->value, err);
}

static void
put_value(struct list *l, size_t i)
{
    char text[STR_F64_MAX + 8];
    struct buf *b = &l->text;

    switch (l->part->leaf->type) {
    case COL_BOOL:
        buf_puts(b, l->value.bools[i] ? "true" : "false");
        break;
    case COL_INT64:
        if (l->part->leaf->kind == PQ_KIND_U64)
            buf_printf(b, "%" PRIu64, (uint64_t)l->value.ints[i]);
        else
            buf_printf(b, "%" PRId64, l->value.ints[i]);
        break;
    case COL_FLOAT64:
        buf_json_double(b, l->value.floats[i]);
        break;
    case COL_DATE:
        buf_json(b, text, str_from_date(l->value.dates[i], text));
        break;
    case COL_TIMESTAMP:
        buf_json(b, text, str_from_timestamp(l->value.ints[i], text));
        break;
    default:
        buf_json(b, l->texts[i].p, l->texts[i].n);
    }
}

/* ---- rows ---- */

static void
close_to(struct list *l, unsigned depth)
{
    for (; l->open > depth; l->open--)
        buf_putc(&l->text, ']');
}

static bool
end_row(struct list *l, struct error *err)
{
    struct piece *piece = &l->part->piece;
    uint32_t *codes = l->target->data;

    if (!l->inside)
        return true;
    close_to(l, 0);
    l->inside = false;
    if (l->row >= piece->n)
        return damaged(err, "more values than rows");
    if (l->missing) {
        l->missing = false;
        return piece_set_missing(piece, l->row++, err);
    }
    return buf_check(&l->text, err) &&
           dict_add(l->target->dict, (struct str){l->text.data, l->text.len},
                    &codes[piece->first + l->row++], err);
}

/* The rest of an item that begins at depth `depth`. */
static bool
put_item(struct list *l, unsigned depth, uint32_t def, struct error *err)
{
    const struct pq_leaf *leaf = l->part->leaf;

    for (; depth <= leaf->max_rep; depth++) {
        if (def >= leaf->list_def[depth]) {
            buf_putc(&l->text, '[');
            l->open++;
            continue;
        }
        if (def + 1 == leaf->list_def[depth])
            buf_puts(&l->text, "[]");
        else if (depth == 1)
            l->missing = true;
        else
            buf_puts(&l->text, "null");
        return true;
    }
    if (def < leaf->max_def) {
        buf_puts(&l->text, "null");
        return true;
    }
    if (l->at == l->n_values && !next_batch(l, err))
        return false;
    put_value(l, l->at++);
    return true;
}

static bool
put_entry(struct list *l, uint32_t rep, uint32_t def, struct error *err)
{
    if (rep == 0) {
        if (!end_row(l, err))
            return false;
        buf_clear(&l->text);
        l->inside = true;
        return put_item(l, 1, def, err);
    }
    if (!l->inside || rep > l->open)
        return damaged(err, "damaged levels");
    if (l->text.len > ROW_MAX_LEN)
        return error_set(err, ERR_LIMIT, "a list of over 1 GiB");
    close_to(l, rep);
    buf_puts(&l->text, ", ");
    return put_item(l, rep + 1, def, err);
}

static bool
begin_levels(struct list *l, const struct pq_content *page,
             struct pq_levels *rep, struct pq_levels *def)
{
    const struct pq_leaf *leaf = l->part->leaf;

    return pq_levels_begin(rep, page->rep_encoding, page->rep, leaf->max_rep) &&
           pq_levels_begin(def, page->def_encoding, page->def, leaf->max_def);
}

/* How many values are there, which the decoders want to know first. */
static bool
count_values(struct list *l, const struct pq_content *page, size_t *n)
{
    unsigned max = l->part->leaf->max_def;
    struct pq_levels rep, def;
    uint32_t d[PQ_BATCH];

    *n = 0;
    if (!begin_levels(l, page, &rep, &def))
        return false;
    for (size_t i = 0, m; i < page->n; i += m) {
        m = page->n - i < PQ_BATCH ? page->n - i : PQ_BATCH;
        if (!pq_levels_next(&def, m, d))
            return false;
        for (size_t k = 0; k < m; k++)
            *n += d[k] == max;
    }
    return true;
}

static bool
read_page(struct list *l, const struct pq_content *page, struct error *err)
{
    struct pq_levels rep, def;
    uint32_t r[PQ_BATCH], d[PQ_BATCH];

    l->at = l->n_values = 0;
    if (!count_values(l, page, &l->left) || !begin_levels(l, page, &rep, &def))
        return damaged(err, "damaged levels");
    if (!pq_feed_values(&l->feed, page, l->left, err))
        return false;
    for (size_t i = 0, m; i < page->n; i += m) {
        m = page->n - i < PQ_BATCH ? page->n - i : PQ_BATCH;
        if (!pq_levels_next(&rep, m, r) || !pq_levels_next(&def, m, d))
            return damaged(err, "damaged levels");
        if (!progress_check(l->target->progress, err))
            return false;
        for (size_t k = 0; k < m; k++)
            if (!put_entry(l, r[k], d[k], err))
                return false;
    }
    return true;
}

static bool
read_pages(struct list *l, struct error *err)
{
    struct pq_content page;
    bool done = false;

    while (pq_feed_page(&l->feed, &page, &done, err))
        if (!read_page(l, &page, err))
            return false;
    return done && end_row(l, err) &&
           (l->row == l->part->piece.n ||
            damaged(err, "fewer values than rows"));
}

bool
pq_part_read_list(struct pq_part *p, const struct pq_target *t,
                  struct pq_scratch *s, struct error *err)
{
    struct list *l = mem_try_array(1, sizeof *l, err);
    bool ok;

    if (!l)
        return false;
    l->part = p;
    l->target = t;
    buf_init(&l->text);
    ok = pq_feed_begin(&l->feed, t->file, p->leaf, p->chunk, s, err) &&
         read_pages(l, err);
    pq_feed_end(&l->feed);
    buf_fini(&l->text);
    free(l);
    return ok;
}
