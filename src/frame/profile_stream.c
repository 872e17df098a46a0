/* One pass: columns side by side, then what is told of rows; in the end the
 * sketches become a profile, and what is measured on a sample is measured on
 * one.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/profile_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/mem.h"
#include "frame/profile_stream_part.h"

/* Bytes of a column of many values at full size, texts included, and the part
 * of the budget that all columns may take. */
enum { COLUMN_BYTES = 3 << 20, SHARE = 5 };

static const struct gather_sizes full = {32768, 4096, 1024, 4096},
                                 least = {512, 64, 16, 256};

struct gathering {
    struct stream *stream;
    const struct profile_options *o;
    struct pool *pool;
    struct progress *progress;
    size_t n_cols;
    struct gather *col;
    struct error *error; /* one a column */
    const struct frame *batch;
    size_t *order; /* in which columns are taken up */
    struct absence absence;
    struct repeats *repeats;
    struct profile_other *other; /* NULL: none beyond memory */
    struct sampler *sampler;
    struct tail *tail; /* NULL: no series */
    uint64_t n_rows;
};

/* ---- making ready ---- */

static size_t
shrunk(size_t size, size_t smallest, unsigned shift)
{
    return size >> shift > smallest ? size >> shift : smallest;
}

/* Half as large, until all columns go into their share of the memory. */
static struct gather_sizes
sizes_for(size_t n_cols)
{
    uint64_t share = budget_bytes() / SHARE / (n_cols + 1);
    unsigned shift = 0;

    while (shift < 12 && (uint64_t)COLUMN_BYTES >> shift > share)
        shift++;
    return (struct gather_sizes){shrunk(full.distinct, least.distinct, shift),
                                 shrunk(full.width, least.width, shift),
                                 shrunk(full.heavy, least.heavy, shift),
                                 shrunk(full.fine, least.fine, shift)};
}

bool
gather_needs_scratch(struct gather *g, struct error *err)
{
    return g->scratch ||
           (g->scratch = mem_try_unset(1, sizeof *g->scratch, err));
}

static void
drop_scratch(struct gather *g)
{
    free(g->scratch);
    g->scratch = NULL;
}

static bool
gather_init(struct gather *g, enum col_type type, struct gather_sizes size,
            uint64_t seed, struct error *err)
{
    g->type = type;
    g->size = size;
    g->seed = seed;
    g->min_length = SIZE_MAX;
    return type == COL_BOOL || sketch_distinct_init(&g->distinct, size.distinct,
                                                    type == COL_TEXT, err);
}

void
gather_fini(struct gather *g)
{
    sketch_distinct_fini(&g->distinct);
    sketch_heavy_fini(&g->heavy);
    if (g->many) {
        sketch_quantile_fini(&g->many->quantile);
        sketch_histogram_fini(&g->many->histogram);
        free(g->many->block);
    }
    free(g->many);
    free(g->tally);
    dict_unref(g->dict);
    free(g->scratch);
    free(g->count);
    free(g->hash);
    free(g->bit);
    free(g->segment);
}

/* Texts first: what takes long must not come last, when the other threads have
 * nothing left to do. */
static void
set_order(struct gathering *w)
{
    size_t n = 0;

    for (int text = 1; text >= 0; text--)
        for (size_t i = 0; i < w->n_cols; i++)
            if ((w->col[i].type == COL_TEXT) == text)
                w->order[n++] = i;
}

static bool
gathering_init(struct gathering *w, struct error *err)
{
    const struct frame *head = stream_head(w->stream);
    struct gather_sizes size;
    uint64_t n, *known = stream_rows(w->stream, &n) ? &n : NULL;

    w->n_cols = frame_cols(head);
    size = sizes_for(w->n_cols);
    if (!(w->col = mem_try_array(w->n_cols, sizeof *w->col, err)) ||
        !(w->error = mem_try_array(w->n_cols, sizeof *w->error, err)) ||
        !(w->order = mem_try_array(w->n_cols, sizeof *w->order, err)))
        return false;
    for (size_t i = 0; i < w->n_cols; i++)
        if (!gather_init(&w->col[i], column_type(frame_column(head, i)), size,
                         i, err))
            return false;
    set_order(w);
    return absence_init(&w->absence, w->n_cols, known, err) &&
           (!w->o->against_rows ||
            (w->other = profile_other_new(w->o->against_rows, head, w->progress,
                                          err))) &&
           (w->repeats = repeats_new(head, w->o->against, w->pool, err)) &&
           (w->sampler = sampler_new(head, known, err)) &&
           (!w->o->time || (w->tail = tail_new(head, err)));
}

static void
gathering_fini(struct gathering *w)
{
    for (size_t i = 0; w->col && i < w->n_cols; i++)
        gather_fini(&w->col[i]);
    free(w->col);
    free(w->error);
    free(w->order);
    absence_fini(&w->absence);
    repeats_free(w->repeats);
    profile_other_free(w->other);
    sampler_free(w->sampler);
    tail_free(w->tail);
}

/* ---- a batch ---- */

/* A dictionary that all batches have counts once. */
static void
add_bytes(struct gather *g, const struct column *c)
{
    const struct dict *d = g->type == COL_TEXT ? column_dict(c) : NULL;

    g->bytes += column_bytes(c);
    if (!d)
        return;
    if (d == g->dict) {
        g->bytes -= dict_bytes(d);
        return;
    }
    dict_unref(g->dict);
    g->dict = dict_ref(d);
}

static bool
add_column(struct gathering *w, struct gather *g, const struct column *c,
           struct error *err)
{
    add_bytes(g, c);
    if (!absence_column(&w->absence, g, c, err))
        return false;
    if (g->type == COL_TEXT)
        return gather_texts(g, c, err);
    if (g->type != COL_BOOL)
        return gather_numbers(g, c, err);
    gather_bools(g, c);
    return true;
}

static void
gather_column(void *ctx, size_t i, size_t begin, size_t end)
{
    struct gathering *w = ctx;
    size_t col = w->order[i];
    struct gather *g = &w->col[col];

    (void)begin;
    (void)end;
    if (progress_check(w->progress, &w->error[col]))
        /* A failure is in the error, which is looked at when all are done. */
        (void)!add_column(w, g, frame_column(w->batch, col), &w->error[col]);
    drop_scratch(g);
}

static bool
first_error(const struct gathering *w, struct error *err)
{
    for (size_t i = 0; i < w->n_cols; i++)
        if (w->error[i].code != ERR_NONE) {
            *err = w->error[i];
            return false;
        }
    return true;
}

static bool
gather_batch(struct gathering *w, const struct frame *f, struct error *err)
{
    size_t n = frame_rows(f);

    w->batch = f;
    w->n_rows += n;
    absence_begin(&w->absence, w->col, n);
    pool_for(w->pool, w->n_cols, 1, gather_column, w);
    if (!first_error(w, err) ||
        !absence_rows(&w->absence, w->col, n, w->pool, err) ||
        !repeats_add(w->repeats, w->col, f, w->pool, err) ||
        !sampler_add(w->sampler, f, err) ||
        (w->other && !profile_other_meet(w->other, f, w->pool, err)))
        return false;
    if (w->tail)
        tail_add(w->tail, f);
    return true;
}

static bool
gather_all(struct gathering *w, struct error *err)
{
    struct frame *f;

    while (stream_next(w->stream, &f, err)) {
        bool ok;

        if (!f)
            return true;
        ok = progress_check(w->progress, err) && gather_batch(w, f, err);
        frame_unref(f);
        if (!ok)
            return false;
    }
    return false;
}

/* ---- in the end ---- */

struct ending {
    struct gathering *w;
    struct profile *p;
};

static void
end_column(void *ctx, size_t col, size_t begin, size_t end)
{
    struct ending *e = ctx;
    struct gather *g = &e->w->col[col];
    struct profile_column *out = &e->p->column[col];
    struct error *err = &e->w->error[col];
    bool ok;

    (void)begin;
    (void)end;
    if (!progress_check(e->w->progress, err))
        return;
    ok = g->type == COL_TEXT   ? gather_texts_end(g, out, err)
         : g->type == COL_BOOL ? gather_bools_end(g, out, err)
                               : gather_numbers_end(g, out, err);
    if (ok && profile_look(e->p, out, e->w->progress, err))
        profile_drop_flat_top(out);
    drop_scratch(g);
}

/* Over time, with the last rows in the place of the sample. */
static bool
follow(struct gathering *w, struct profile *p, struct error *err)
{
    struct frame *sample = p->frame, *last = tail_frame(w->tail, err);
    size_t time;
    bool ok;

    if (!last || !frame_need(last, w->o->time, &time, err)) {
        frame_unref(last);
        return false;
    }
    p->frame = last;
    ok = profile_follow(p, time, w->pool, w->progress, err);
    p->frame = sample;
    frame_unref(last);
    return ok;
}

static struct profile *
begin_profile(struct gathering *w, struct error *err)
{
    uint64_t *row = NULL;
    struct frame *sample = sampler_frame(w->sampler, &row, err);
    struct profile *p =
        sample ? profile_alloc(sample, w->o->target, err) : NULL;

    frame_unref(sample);
    if (!p) {
        free(row);
        return NULL;
    }
    p->sample = row;
    p->n_rows = (size_t)w->n_rows;
    p->bytes = frame_bytes(stream_head(w->stream));
    for (size_t i = 0; i < w->n_cols; i++)
        p->bytes += w->col[i].bytes;
    p->streamed = true;
    return p;
}

static bool
meet_other(struct gathering *w, struct profile_options *o,
           struct profile_overlap *overlap, struct error *err)
{
    if (!w->other)
        return true;
    o->against = profile_other_sample(w->other);
    return profile_other_end(w->other, overlap, w->pool, w->progress, err);
}

static struct profile *
end_all(struct gathering *w, struct error *err)
{
    struct profile *p = begin_profile(w, err);
    struct profile_options o = *w->o;
    struct ending e = {w, p};
    struct profile_overlap overlap = {0};

    if (!p)
        return NULL;
    progress_begin(w->progress, "profiling columns", 0);
    pool_for(w->pool, w->n_cols, 1, end_column, &e);
    if (first_error(w, err) && absence_end(&w->absence, w->col, p, err) &&
        repeats_end(w->repeats, p, &overlap, w->pool, w->progress, err) &&
        (!w->o->time || follow(w, p, err)) &&
        meet_other(w, &o, &overlap, err) &&
        profile_complete(p, &o, &overlap, w->pool, w->progress, err))
        return p;
    profile_free(p);
    return NULL;
}

struct profile *
profile_stream(struct stream *s, const struct profile_options *o,
               struct progress *progress, struct error *err)
{
    struct gathering w = {
        .stream = s, .o = o, .pool = stream_pool(s), .progress = progress};
    struct profile *p = NULL;
    size_t col;

    if ((o->target && !stream_need(s, o->target, &col, err)) ||
        (o->time && !stream_need(s, o->time, &col, err)))
        return NULL;
    if (gathering_init(&w, err) && gather_all(&w, err))
        p = end_all(&w, err);
    gathering_fini(&w);
    return p;
}
