/* engine/model_fit_stream.c -- from a stream to a fitted model.
 *
 * The rows are gone through twice.  The first time counts them and the values
 * of the target, and takes two samples into memory: rows to learn preparation
 * and cuts from, and rows to stop early by.  Whether a row is in a sample
 * follows from the seed and its number alone.  The second time the family is
 * fed all rows but those held out.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/room.h"
#include "base/sort.h"
#include "engine/model_fit.h"
#include "frame/fingerprint.h"
#include "frame/gather.h"
#include "frame/stack.h"
#include "frame/stream_verbs.h"

enum {
    LOOK_ROWS = 1 << 18, /* as many as cuts are learnt from */
    SAMPLE_SHARE = 8,    /* of the budget, for each sample */
    KINDS = TARGET_MAX_CLASSES + 1,
    STREAM_HOLDOUT = 0x686f6c64,
    STREAM_LOOK = 0x6c6f6f6b
};

/* Different values of the target, as the rows where they come first. */
struct kinds {
    struct dict *texts;   /* of a text */
    double number[KINDS]; /* of all else, ascending */
    size_t n;
    struct frame_list rows; /* of the target alone */
};

struct feeding {
    struct fit f;
    struct stream *stream;
    size_t col;        /* of the target */
    size_t weight_col; /* of the weights, where there are any */
    double valid_share, look_share;
    struct kinds kinds;
    struct frame_list look, valid;
    uint64_t n_rows, n_held_out, n_missing; /* n_missing: of the target */
    uint32_t *chosen;                       /* rows of the batch at hand */
    size_t cap;
    struct room y, weight;
    uint64_t row; /* of the stream, the next one */
    size_t n_fed;
    size_t left;    /* memory for what is made of the rows */
    size_t *wanted; /* columns that are fed: inputs, target, weight */
    size_t n_wanted;
};

/* ---- which rows ---- */

static bool
is_held_out(const struct feeding *g, uint64_t row)
{
    return g->valid_share > 0 &&
           rng_unit(g->f.ctx->seed, STREAM_HOLDOUT, row) < g->valid_share;
}

static bool
is_looked_at(const struct feeding *g, uint64_t row)
{
    return g->look_share >= 1 ||
           rng_unit(g->f.ctx->seed, STREAM_LOOK, row) < g->look_share;
}

static bool
make_room(struct feeding *g, const struct frame *batch, struct error *err)
{
    uint32_t *more;

    if (frame_rows(batch) <= g->cap)
        return true;
    more = mem_try_resize(g->chosen, frame_rows(batch), sizeof *more, err);
    if (!more)
        return false;
    g->chosen = more;
    g->cap = frame_rows(batch);
    return true;
}

/* With texts of their own: a few rows of each batch would keep the texts of all,
 * which is about the file. */
static bool
keep_chosen(struct feeding *g, const struct frame *batch, size_t n,
            struct frame_list *list, struct error *err)
{
    struct frame *rows;

    if (n == 0)
        return true;
    rows = stack_apart(batch, g->chosen, n, g->f.ctx->pool, err);
    return rows && frame_list_add(list, rows, err);
}

static bool
take_samples(struct feeding *g, const struct frame *batch, struct error *err)
{
    size_t n = 0;

    for (uint32_t i = 0; i < frame_rows(batch); i++)
        if (is_held_out(g, g->n_rows + i))
            g->chosen[n++] = i;
    g->n_held_out += n;
    if (!keep_chosen(g, batch, n, &g->valid, err))
        return false;
    n = 0;
    for (uint32_t i = 0; i < frame_rows(batch); i++)
        if (!is_held_out(g, g->n_rows + i) && is_looked_at(g, g->n_rows + i))
            g->chosen[n++] = i;
    return keep_chosen(g, batch, n, &g->look, err);
}

/* ---- the target ---- */

static bool
new_text(struct kinds *k, const struct column *c, size_t row, bool *fresh,
         struct error *err)
{
    size_t before = dict_count(k->texts);
    uint32_t code;

    if (!dict_add(k->texts, column_text(c, row), &code, err))
        return false;
    *fresh = dict_count(k->texts) > before;
    return true;
}

static bool
new_number(struct kinds *k, double x)
{
    size_t at = sort_below(k->number, k->n, x);

    if (at < k->n && k->number[at] == x)
        return false;
    memmove(k->number + at + 1, k->number + at,
            (k->n - at) * sizeof *k->number);
    k->number[at] = x;
    return true;
}

/* Rows of the batch whose target is there and was not met before. */
static bool
take_kinds(struct feeding *g, const struct frame *batch, struct error *err)
{
    const struct column *c = frame_column(batch, g->col);
    bool text = column_type(c) == COL_TEXT, fresh;
    struct kinds *k = &g->kinds;
    struct frame *target;
    size_t n = 0;

    for (uint32_t i = 0; i < column_rows(c); i++) {
        double x = text ? 0 : column_number(c, i);

        if (!column_is_valid(c, i) || isnan(x)) {
            g->n_missing++;
            continue;
        }
        if (isinf(x))
            return error_set(err, ERR_RANGE,
                             "target '%s' is infinite in row %llu", g->f.target,
                             (unsigned long long)(g->n_rows + i + 1));
        if (k->n == KINDS)
            continue;
        fresh = !text && new_number(k, x);
        if (text && !new_text(k, c, i, &fresh, err))
            return false;
        if (fresh) {
            g->chosen[n++] = i;
            k->n++;
        }
    }
    if (n == 0)
        return true;
    target = frame_select(batch, &g->col, 1, err);
    if (!target)
        return false;
    fresh = keep_chosen(g, target, n, &k->rows, err);
    frame_unref(target);
    return fresh;
}

/* What the values say of the target: as if they were the whole table. */
static bool
learn_target(struct feeding *g, struct error *err)
{
    struct fit *f = &g->f;
    struct frame *rows;
    bool ok;

    if (g->n_missing)
        return error_set(err, ERR_RANGE,
                         "target '%s' is missing in %llu of %llu rows: keep "
                         "those where %s is not null",
                         f->target, (unsigned long long)g->n_missing,
                         (unsigned long long)g->n_rows, f->target);
    rows = frame_list_stack(&g->kinds.rows, stream_head(g->stream),
                            f->ctx->pool, err);
    ok = rows &&
         target_fit(rows, f->target,
                    model_fit_problem(f->family, f->params, f->o->problem),
                    &f->all, err) &&
         target_set_positive(&f->all, f->target, f->o->positive, err) &&
         model_fit_settle(f, err);
    frame_unref(rows);
    frame_list_clear(&g->kinds.rows);
    return ok;
}

/* ---- the first time ---- */

/* The share of n rows that are `most`, or take the memory of a sample. */
static double
share_of(const struct frame *batch, uint64_t n, double most)
{
    double row = (double)frame_bytes(batch) / (double)frame_rows(batch) + 1;
    double fit = (double)budget_bytes() / SAMPLE_SHARE / row;

    return fmin(1, fmin(most, fit) / (double)n);
}

static bool
choose_shares(struct feeding *g, const struct frame *batch, uint64_t n,
              struct error *err)
{
    double share = 0;

    if (!g->f.o->valid && !model_fit_share(&g->f, &share, err))
        return false;
    g->valid_share = fmin(share, share_of(batch, n, share * (double)n));
    g->look_share = share_of(batch, n, LOOK_ROWS);
    return true;
}

static bool
look(struct feeding *g, struct error *err)
{
    struct fingerprint *print = fingerprint_new(stream_head(g->stream), err);
    struct frame *batch = NULL;
    uint64_t n;
    bool ok = print && stream_count(g->stream, &n, err);

    while (ok && (ok = stream_next(g->stream, &batch, err)) && batch) {
        ok = make_room(g, batch, err) &&
             (g->n_rows > 0 || choose_shares(g, batch, n, err)) &&
             fingerprint_add(print, batch, err) && take_kinds(g, batch, err) &&
             take_samples(g, batch, err);
        g->n_rows += frame_rows(batch);
        frame_unref(batch);
    }
    if (ok && g->n_rows == 0)
        ok = error_set(err, ERR_RANGE, "target '%s' has no rows", g->f.target);
    ok = ok && fingerprint_end(print, g->f.m->fingerprint, err);
    fingerprint_free(print);
    return ok;
}

/* The samples as frames, with their targets. */
static bool
settle_samples(struct feeding *g, struct error *err)
{
    struct fit *f = &g->f;
    const struct frame *head = stream_head(g->stream);
    struct pool *pool = f->ctx->pool;

    f->train = frame_list_stack(&g->look, head, pool, err);
    frame_list_clear(&g->look);
    f->valid = f->o->valid ? frame_ref(f->o->valid)
                           : frame_list_stack(&g->valid, head, pool, err);
    frame_list_clear(&g->valid);
    if (!f->train || !f->valid)
        return false;
    if (frame_rows(f->valid) == 0)
        return target_take(&f->all, NULL, 0, &f->y_valid, err);
    return (target_apply(&f->all, f->valid, f->target, &f->y_valid, err) &&
            model_fit_weigh(f, &f->y_valid, f->valid, err) &&
            target_counts(&f->y_valid, err)) ||
           error_prefix(err, "validation rows: ");
}

/* ---- the second time ---- */

/* Only the inputs and the target are taken along. */
static bool
choose_columns(struct feeding *g, struct error *err)
{
    size_t n;
    const struct input *in = prepare_inputs(g->f.m->prepare, &n);

    g->wanted = mem_try_array(n + 2, sizeof *g->wanted, err);
    for (size_t i = 0; g->wanted && i < n; i++)
        if (!stream_need(g->stream, in[i].name, &g->wanted[i], err))
            return false;
    if (!g->wanted)
        return false;
    g->wanted[n] = g->col;
    g->wanted[n + 1] = g->weight_col;
    g->n_wanted = n + (g->f.o->weight ? 2 : 1);
    return true;
}

/* The rows of a batch that are learnt from. */
static struct frame *
train_rows(struct feeding *g, const struct frame *batch, struct error *err)
{
    struct frame *narrow = frame_select(batch, g->wanted, g->n_wanted, err);
    struct frame *rows = NULL;
    size_t n = 0;

    if (narrow && make_room(g, batch, err)) {
        for (uint32_t i = 0; i < frame_rows(batch); i++)
            if (!is_held_out(g, g->row + i))
                g->chosen[n++] = i;
        rows = n == frame_rows(batch)
                   ? frame_ref(narrow)
                   : gather_frame(narrow, g->chosen, n, g->f.ctx->pool, err);
    }
    frame_unref(narrow);
    g->row += frame_rows(batch);
    return rows;
}

static struct design *
make_part(struct feeding *g, const struct frame *rows, struct error *err)
{
    struct fit *f = &g->f;
    struct target y;

    if (!target_apply(&f->all, rows, f->target, &y, err))
        return NULL;
    if (!model_fit_weigh(f, &y, rows, err)) {
        target_fini(&y);
        return NULL;
    }
    if (y.n > f->y.n - g->n_fed) {
        target_fini(&y);
        error_set(err, ERR_STATE, "the table has grown while it was read");
        return NULL;
    }
    memcpy(f->y.y + g->n_fed, y.y, y.n * sizeof *y.y);
    if (f->o->weight)
        memcpy(f->y.weight + g->n_fed, y.weight, y.n * sizeof *y.weight);
    g->n_fed += y.n;
    target_fini(&y);
    return prepare_apply(f->m->prepare, rows, f->ctx->pool, err);
}

static bool
feed_next(void *ctx, struct design **out, struct error *err)
{
    struct feeding *g = ctx;
    struct frame *batch, *rows;

    *out = NULL;
    for (;;) {
        if (!stream_next(g->stream, &batch, err))
            return false;
        if (!batch)
            return true;
        rows = train_rows(g, batch, err);
        frame_unref(batch);
        if (!rows)
            return false;
        if (frame_rows(rows) > 0)
            break;
        frame_unref(rows);
    }
    *out = make_part(g, rows, err);
    frame_unref(rows);
    return *out != NULL;
}

static bool
feed_rewind(void *ctx, struct error *err)
{
    struct feeding *g = ctx;

    g->row = 0;
    g->n_fed = 0;
    stream_expect(g->stream);
    return stream_rewind(g->stream, err);
}

static bool
make_target(struct feeding *g, struct error *err)
{
    struct fit *f = &g->f;

    if (!target_take(&f->all, NULL, 0, &f->y, err))
        return false;
    free(f->y.y);
    f->y.n = (size_t)(g->n_rows - g->n_held_out);
    f->y.y = room_init(&g->y, f->y.n, sizeof *f->y.y, &g->left, err);
    if (f->y.y && f->o->weight)
        f->y.weight =
            room_init(&g->weight, f->y.n, sizeof *f->y.weight, &g->left, err);
    return f->y.y && (!f->o->weight || f->y.weight);
}

/* ---- all of it ---- */

static bool
feeding_run(struct feeding *g, struct error *err)
{
    struct fit *f = &g->f;
    struct model *m = f->m;
    struct design_feed feed = {0, feed_next, feed_rewind, g, &g->left};

    if (!stream_need(g->stream, f->target, &g->col, err))
        return error_prefix(err, "target: ");
    if (f->o->weight &&
        !stream_need(g->stream, f->o->weight, &g->weight_col, err))
        return error_prefix(err, "weight: ");
    stream_expect(g->stream);
    if (!(g->kinds.texts = dict_new(err)) || !look(g, err) ||
        !learn_target(g, err) || !settle_samples(g, err) ||
        !model_fit_prepare(f, err) || !choose_columns(g, err) ||
        !make_target(g, err) || !stream_rewind(g->stream, err))
        return false;
    m->n_train = feed.n_rows = f->y.n;
    m->n_valid = f->y_valid.n;
    f->feed = &feed;
    return model_fit_learn(f, f->params, model_fit_patience(f), err) &&
           (!m->n_valid || model_fit_score(f, err)) && model_fit_close(f, err);
}

static void
feeding_fini(struct feeding *g)
{
    if (g->y.p)
        g->f.y.y = NULL; /* the room's */
    if (g->weight.p)
        g->f.y.weight = NULL;
    room_fini(&g->y);
    room_fini(&g->weight);
    dict_unref(g->kinds.texts);
    frame_list_clear(&g->kinds.rows);
    frame_list_clear(&g->look);
    frame_list_clear(&g->valid);
    free(g->chosen);
    free(g->wanted);
}

bool
model_fit_streams(const struct family *family, const struct model_options *o,
                  struct error *err)
{
    if (!family->feeds)
        return error_set(err, ERR_LIMIT,
                         "%s learns from tables that fit in memory; sample "
                         "the rows, raise LATHE_MEMORY, or train gbdt or sgd",
                         family->name);
    if (o && o->offset)
        return error_set(err, ERR_LIMIT,
                         "an offset is for a table that fits in memory");
    if (o && o->group)
        return error_set(err, ERR_LIMIT,
                         "queries are learnt only from a table that fits in "
                         "memory");
    if (o && o->init)
        return error_set(err, ERR_LIMIT,
                         "a model goes on only with a table that fits in "
                         "memory");
    if (o && o->class_weight)
        return error_set(err, ERR_LIMIT,
                         "classes are weighed only on a table that fits in "
                         "memory; a column of weights may be of any size");
    if (o && !prepare_steps_stream(o->prepare, err))
        return false;
    if (o && finish_wanted(&o->finish))
        return error_set(err, ERR_LIMIT,
                         "calibration, thresholds and ranges are learnt only "
                         "from a table that fits in memory");
    if (o && (o->split_group || o->split_time))
        return error_set(err, ERR_LIMIT,
                         "rows are split by groups or time only in a table "
                         "that fits in memory");
    return !o || !o->refit ||
           error_set(err, ERR_LIMIT,
                     "a model is refitted only on a table that fits in memory");
}

struct model *
model_fit_stream(const struct family *family, const struct params *p,
                 struct stream *s, const char *target,
                 const struct model_options *o, const struct train *ctx,
                 struct error *err)
{
    struct feeding g = {.f = {.family = family,
                              .params = p,
                              .o = o,
                              .ctx = ctx,
                              .target = target},
                        .stream = s,
                        .left = (size_t)(budget_bytes() / 2)};
    bool ok;

    if (!model_fit_streams(family, o, err) ||
        !model_fit_target_check(family, target, o, err))
        return NULL;
    ok = model_fit_begin(&g.f, err) && feeding_run(&g, err);
    feeding_fini(&g);
    return model_fit_end(&g.f, ok);
}
