/* Columns first, in parallel; then rows that repeat; then how columns relate;
 * then the alerts, which only read what is there by now.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/profile.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/profile_part.h"
#include "frame/rowgroup.h"

struct turn {
    size_t col, cost;
};

struct work {
    struct profile *p;
    struct progress *progress;
    struct feature *feature;
    struct error *error; /* one a column */
    struct turn *order;  /* in which columns are taken up */
    bool wide;
};

/* ---- columns --------------------------------------------------------- */

static void
column_init(struct profile_column *out, const struct frame *f, size_t col)
{
    const struct column *c = frame_column(f, col);

    out->name = frame_name(f, col);
    out->type = column_type(c);
    out->n = column_rows(c);
    out->mean = out->sd = out->min = out->max = NAN;
    out->skew = out->kurtosis = out->sum = out->target_score = NAN;
    out->mad = out->mutual = NAN;
    out->bytes = column_bytes(c);
    for (size_t i = 0; i < PROFILE_QUANTILES; i++)
        out->quantile[i] = NAN;
}

void
profile_drop_flat_top(struct profile_column *c)
{
    if (c->n_top < PROFILE_TOP || c->top[0].count > 1)
        return;
    while (c->n_top > 0)
        free(c->top[--c->n_top].text);
}

static bool
is_counted(const struct profile_column *c)
{
    return c->type == COL_TEXT || c->type == COL_BOOL;
}

static void
measure(struct work *w, size_t col, struct pool *pool)
{
    struct profile_column *out = &w->p->column[col];
    const struct column *c = frame_column(w->p->frame, col);
    struct error *err = &w->error[col];

    if (!progress_check(w->progress, err))
        return;
    if (!(is_counted(out) ? profile_category(c, out, w->progress, err)
                          : profile_number(c, out, pool, w->progress, err)) ||
        !profile_look(w->p, out, w->progress, err))
        return;
    profile_drop_flat_top(out);
    progress_add(w->progress, 1);
}

static void
measure_column(void *ctx, size_t i, size_t begin, size_t end)
{
    struct work *w = ctx;
    size_t col = w->order[i].col;

    (void)begin;
    (void)end;
    if (!w->wide || is_counted(&w->p->column[col]))
        measure(w, col, NULL);
}

/* Texts first, those of most values before others: what takes long must not
 * come last, when the other threads have nothing left to do. */
static int
longer(const void *x, const void *y)
{
    const struct turn *a = x, *b = y;

    if (a->cost != b->cost)
        return a->cost > b->cost ? -1 : 1;
    return (a->col > b->col) - (a->col < b->col);
}

static void
set_order(struct work *w)
{
    const struct profile *p = w->p;

    for (size_t i = 0; i < p->n_cols; i++) {
        const struct column *c = frame_column(p->frame, i);

        w->order[i].col = i;
        w->order[i].cost =
            column_type(c) == COL_TEXT ? 1 + dict_count(column_dict(c)) : 0;
    }
    qsort(w->order, p->n_cols, sizeof *w->order, longer);
}

/* Sorting one column on all threads leaves them idle in between; many columns
 * side by side do not, where there is memory for it. */
static bool
is_wide(const struct profile *p, const struct pool *pool)
{
    size_t rows = frame_rows(p->frame), threads = pool ? pool_threads(pool) : 1;

    return rows >= PROFILE_WIDE &&
           (p->n_cols < 2 * threads ||
            rows > PROFILE_BESIDE / (2 * sizeof(uint64_t)) / threads);
}

/* Columns side by side; or numbers of a long table one after the other, each
 * on all threads, which also bounds the memory. */
static void
measure_columns(struct work *w, struct pool *pool)
{
    size_t n = w->p->n_cols;

    w->wide = is_wide(w->p, pool);
    set_order(w);
    progress_begin(w->progress, "profiling columns", n);
    pool_for(pool, n, 1, measure_column, w);
    for (size_t i = 0; w->wide && i < n; i++)
        if (!is_counted(&w->p->column[i]))
            measure(w, i, pool);
}

static void
sample_column(void *ctx, size_t col, size_t begin, size_t end)
{
    struct work *w = ctx;

    (void)begin;
    (void)end;
    if (progress_check(w->progress, &w->error[col]) &&
        feature_init(&w->feature[col], w->p, col, &w->error[col]))
        progress_add(w->progress, 1);
}

static bool
first_error(const struct work *w, struct error *err)
{
    for (size_t i = 0; i < w->p->n_cols; i++)
        if (w->error[i].code != ERR_NONE) {
            *err = w->error[i];
            return false;
        }
    return true;
}

/* ---- rows ------------------------------------------------------------ */

/* Where all values of a column differ, so do all rows. */
static bool
has_key(const struct profile *p)
{
    for (size_t i = 0; i < p->n_cols; i++)
        if (p->column[i].n_distinct == p->n_rows)
            return true;
    return false;
}

static bool
count_duplicates(struct profile *p, struct pool *pool,
                 const struct progress *progress, struct error *err)
{
    size_t *by = mem_try_array(p->n_cols, sizeof *by, err);
    struct rowgroup g = {0};
    bool ok = by;

    for (size_t i = 0; by && i < p->n_cols; i++)
        by[i] = i;
    ok = ok && rowgroup_find(p->frame, by, p->n_cols, pool, progress, &g, err);
    if (ok && p->n_cols > 0)
        p->n_duplicates = frame_rows(p->frame) - g.n_groups;
    rowgroup_fini(&g);
    free(by);
    return ok;
}

/* ---- the whole ------------------------------------------------------- */

static bool
work_init(struct work *w, struct error *err)
{
    size_t n = w->p->n_cols;

    return (w->feature = mem_try_array(n, sizeof *w->feature, err)) &&
           (w->error = mem_try_array(n, sizeof *w->error, err)) &&
           (w->order = mem_try_array(n, sizeof *w->order, err));
}

static void
work_fini(struct work *w)
{
    for (size_t i = 0; w->feature && i < w->p->n_cols; i++)
        feature_fini(&w->feature[i]);
    free(w->feature);
    free(w->error);
    free(w->order);
}

static bool
complete(struct work *w, const struct profile_options *o,
         const struct profile_overlap *overlap, struct pool *pool,
         struct error *err)
{
    struct profile *p = w->p;
    size_t target = 0, time = 0;

    if ((o->target && !frame_need(p->frame, o->target, &target, err)) ||
        (o->time && !frame_need(p->frame, o->time, &time, err)))
        return false;
    progress_begin(w->progress, "comparing columns", p->n_cols);
    pool_for(pool, p->n_cols, 1, sample_column, w);
    return first_error(w, err) &&
           profile_relate(p, w->feature, o->slow, pool, w->progress, err) &&
           (!p->target ||
            profile_score(p, w->feature, target, pool, w->progress, err)) &&
           (!o->time || p->times ||
            profile_follow(p, time, pool, w->progress, err)) &&
           (!o->against || profile_compare(p, w->feature, o, overlap, pool,
                                           w->progress, err)) &&
           profile_judge(p, w->feature, o, err) &&
           (!o->redact || profile_redact(p, err));
}

bool
profile_complete(struct profile *p, const struct profile_options *o,
                 const struct profile_overlap *overlap, struct pool *pool,
                 struct progress *progress, struct error *err)
{
    struct work w = {.p = p, .progress = progress};
    bool ok = work_init(&w, err) && complete(&w, o, overlap, pool, err);

    work_fini(&w);
    return ok;
}

/* Against a table beyond memory: a sample of it, and what is told of all. */
static bool
complete_beside(struct work *w, const struct profile_options *o,
                struct pool *pool, struct error *err)
{
    struct profile_options with = *o;
    struct profile_overlap overlap;
    struct profile_other *other;
    bool ok;

    if (!o->against_rows)
        return complete(w, o, NULL, pool, err);
    other = profile_other_new(o->against_rows, w->p->frame, w->progress, err);
    ok = other && profile_other_meet(other, w->p->frame, pool, err) &&
         profile_other_end(other, &overlap, pool, w->progress, err);
    if (ok) {
        with.against = profile_other_sample(other);
        ok = complete(w, &with, &overlap, pool, err);
    }
    profile_other_free(other);
    return ok;
}

static bool
fill(struct work *w, const struct profile_options *o, struct pool *pool,
     struct error *err)
{
    struct profile *p = w->p;

    measure_columns(w, pool);
    if (!first_error(w, err))
        return false;
    progress_begin(w->progress, "looking for repeated rows", 0);
    if (!has_key(p) && !count_duplicates(p, pool, w->progress, err))
        return false;
    return profile_near(p, pool, err) &&
           profile_missing(p, pool, w->progress, err) &&
           complete_beside(w, o, pool, err);
}

struct profile *
profile_alloc(const struct frame *f, const char *target, struct error *err)
{
    struct profile *p = mem_try_array(1, sizeof *p, err);

    if (!p)
        return NULL;
    p->frame = frame_ref(f);
    p->n_rows = frame_rows(f);
    p->bytes = frame_bytes(f);
    if (!(p->column = mem_try_array(frame_cols(f), sizeof *p->column, err)) ||
        (target && !(p->target = mem_try_text(target, strlen(target), err)))) {
        profile_free(p);
        return NULL;
    }
    p->n_cols = frame_cols(f);
    for (size_t i = 0; i < p->n_cols; i++)
        column_init(&p->column[i], f, i);
    return p;
}

struct profile *
profile_new(const struct frame *f, const struct profile_options *o,
            struct pool *pool, struct progress *progress, struct error *err)
{
    struct work w = {.progress = progress};
    size_t col;
    bool ok;

    if ((o->target && !frame_need(f, o->target, &col, err)) ||
        (o->time && !frame_need(f, o->time, &col, err)) ||
        !frame_settle(f, pool, progress, err) ||
        !(w.p = profile_alloc(f, o->target, err)))
        return NULL;
    ok = work_init(&w, err) && fill(&w, o, pool, err);
    work_fini(&w);
    if (!ok) {
        profile_free(w.p);
        return NULL;
    }
    return w.p;
}

uint64_t
profile_row(const struct profile *p, size_t row)
{
    return p->sample ? p->sample[row] : row;
}

static void
free_top(struct profile_top *top, size_t n)
{
    while (n > 0)
        free(top[--n].text);
}

static void
column_fini(struct profile_column *c)
{
    free_top(c->top, c->n_top);
    free_top(c->low, c->n_low);
    free_top(c->high, c->n_high);
    if (c->words) {
        free_top(c->words->top, c->words->n_top);
        free(c->words->odd);
    }
    free(c->words);
    free(c->by_class);
    free(c->series);
}

void
profile_free(struct profile *p)
{
    if (!p)
        return;
    for (size_t i = 0; p->column && i < p->n_cols; i++)
        column_fini(&p->column[i]);
    free(p->column);
    free(p->alert);
    free(p->link);
    free(p->target);
    for (size_t i = 0; p->class_name && i < p->n_classes; i++)
        free(p->class_name[i]);
    free(p->class_name);
    free(p->class_rows);
    for (size_t i = 0; i < RELATION_N; i++)
        free(p->relation[i]);
    free(p->nullity);
    free(p->band);
    free(p->sample);
    free(p->pattern_bits);
    profile_against_free(p->against);
    free(p->times);
    frame_unref(p->frame);
    free(p);
}
