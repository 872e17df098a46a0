/* session/explanation.c -- an answer to "why?": make it, write it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/explanation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/target.h"

enum { COUNT_MAX = 2 * STR_F64_MAX + 16 };

static const char *const words[] = {"gain",       "shares",     "row",
                                    "pairs",      "importance", "permutation",
                                    "dependence", "individual"};

const char *
explanation_word(enum explanation_kind k)
{
    return words[k];
}

bool
explanation_way(const char *word, enum explain_way *out, struct error *err)
{
    static const char *const ways[] = {"auto", "path", "background", "kernel"};

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(word, ways[i]) == 0) {
            *out = (enum explain_way)i;
            return true;
        }
    return error_set(err, ERR_RANGE,
                     "way is '%.64s', expected auto, path, background or "
                     "kernel",
                     word);
}

/* ---- making ---- */

/* Which of its names; "0.1" for "q0.1". */
static bool
find_name(const struct explain_names *names, const char *name, long *out,
          struct error *err)
{
    size_t at = names->n;

    if (!names->made)
        at = target_class_named(names->name, names->n, str_of(name));
    for (size_t i = 0; names->made && i < names->n; i++)
        if (strcmp(names->name[i] + (name[0] != 'q'), name) == 0)
            at = i;
    if (at == names->n)
        return error_set(err, ERR_NOTFOUND, "the model has no %s '%.64s'",
                         names->word, name);
    *out = (long)at;
    return true;
}

static bool
find_class(const struct model *m, const char *name, long *out,
           struct error *err)
{
    const char *const *classes;
    size_t n = model_classes(m, &classes);
    struct explain_names names;
    bool ok;

    *out = -1;
    if (!name)
        return true;
    if (n == 2)
        return error_set(err, ERR_RANGE,
                         "the model tells '%s' from '%s': there is one output",
                         classes[1], classes[0]);
    if (!explain_names_init(&names, m, err))
        return false;
    ok = names.n ? find_name(&names, name, out, err)
                 : error_set(err, ERR_RANGE, "the model has no classes");
    explain_names_fini(&names);
    return ok;
}

static struct frame *
draw_rows(const struct frame *f, size_t most, uint64_t seed, struct error *err)
{
    struct frame *out;
    uint32_t *row;
    size_t n;

    if (frame_rows(f) <= most)
        return frame_ref(f);
    if (!explain_draw(frame_rows(f), most, seed, &row, &n, err))
        return NULL;
    out = frame_take(f, row, n, err);
    free(row);
    return out;
}

/* How many rows answer it. */
static size_t
rows_most(const struct model *m, const struct explanation_request *r)
{
    if (r->rows)
        return r->rows;
    if (r->kind != EXPLANATION_SHUFFLE &&
        (explain_asks(m) || r->shares.way == EXPLAIN_KERNEL))
        return EXPLAIN_ASKED;
    return r->kind == EXPLANATION_PAIRS ? EXPLAIN_PAIRED
           : r->kind == EXPLANATION_RANKING || r->kind == EXPLANATION_SHUFFLE ||
                   r->chart
               ? EXPLAIN_RANKED
               : frame_rows(r->data);
}

/* The rows to explain: one, or all, or so many of them. */
static struct frame *
choose_rows(const struct explanation *e, const struct explanation_request *r,
            uint64_t seed, struct error *err)
{
    size_t n = frame_rows(r->data);

    if (r->row == 0)
        return draw_rows(r->data, rows_most(e->model, r), seed, err);
    if (r->row > n) {
        error_set(err, ERR_RANGE, "row %zu of %zu", r->row, n);
        return NULL;
    }
    return frame_slice(r->data, r->row - 1, r->row, err);
}

/* "1 row", "1,000 of 53,940 rows". */
static void
put_count(size_t n, size_t all, char out[COUNT_MAX])
{
    char few[STR_F64_MAX], many[STR_F64_MAX];

    str_from_count(n, few);
    str_from_count(all, many);
    if (n < all)
        snprintf(out, COUNT_MAX, "%s of %s rows", few, many);
    else
        snprintf(out, COUNT_MAX, "%s %s", few, n == 1 ? "row" : "rows");
}

/* "log odds of churn = Yes". */
static void
put_subject(const struct explanation *e, const char *scale,
            const struct explain_names *names, char *out, size_t len)
{
    const char *const *classes;
    size_t n = model_classes(e->model, &classes);

    if (!model_target(e->model))
        snprintf(out, len, "%s of %s", scale, model_family(e->model)->title);
    else if (n == 2)
        snprintf(out, len, "%s of %s = %s", scale, model_target(e->model),
                 classes[1]);
    else if (names->made && e->output >= 0)
        snprintf(out, len, "%s of %s", names->name[e->output],
                 model_target(e->model));
    else if (names->made)
        snprintf(out, len, "quantiles of %s", model_target(e->model));
    else if (n > 2 && e->output >= 0)
        snprintf(out, len, "%s of %s = %s", scale, model_target(e->model),
                 classes[e->output]);
    else if (n > 2)
        snprintf(out, len, "%s of the classes of %s", scale,
                 model_target(e->model));
    else
        snprintf(out, len, "%s of %s", scale, model_target(e->model));
}

/* Shares are of what the learner says, not of what a calibration makes of it. */
static void
put_calibration(const struct explanation *e, struct shares *s)
{
    const struct finish *f = model_finish(e->model);
    size_t len = strlen(s->note);

    if (f && f->calibrated)
        snprintf(s->note + len, sizeof s->note - len,
                 " · of the score before it is calibrated by %s",
                 calibrate_word(f->calibration.kind));
}

/* What forecasts answers a row by those before it. */
static bool
make_answer(struct explanation *e, const struct train *ctx, struct error *err)
{
    if (e->kind != EXPLANATION_ROW || model_family(e->model)->forecast)
        return true;
    e->answer = model_predict_frame(e->model, e->rows, ctx->pool, err);
    return e->answer != NULL;
}

static bool
make_shares(struct explanation *e, const struct explanation_request *r,
            const struct train *ctx, struct error *err)
{
    struct explain_options o = r->shares;
    char subject[200], count[COUNT_MAX];

    o.pairs = r->kind == EXPLANATION_PAIRS;
    /* A part is explained against the table that it is from. */
    if (!o.background && explain_wants_background(e->model, o.way))
        o.background = r->data;
    e->row = r->row ? r->row : 1;
    if (!(e->rows = choose_rows(e, r, ctx->seed, err)) ||
        !explain_shares(e->model, e->rows, &o, ctx, &e->shares, err) ||
        !(e->ranking = shares_importance(&e->shares, err)) ||
        !make_answer(e, ctx, err))
        return false;
    put_calibration(e, &e->shares);
    put_subject(e, e->shares.scale, &e->shares.names, subject, sizeof subject);
    put_count(e->shares.n, r->row ? 1 : frame_rows(r->data), count);
    snprintf(e->note, sizeof e->note, "%s · %s · %s", count, subject,
             e->shares.note);
    if (r->kind == EXPLANATION_RANKING)
        e->frame = frame_ref(e->ranking);
    else
        e->frame = shares_frame(&e->shares, e->output, err);
    return e->frame != NULL;
}

static bool
make_shuffle(struct explanation *e, const struct explanation_request *r,
             const struct train *ctx, struct error *err)
{
    struct shuffle_options o = {.repeats = r->repeats};
    struct metric asked;
    char count[COUNT_MAX], whole[STR_F64_MAX];

    if (!model_target(e->model))
        return error_set(err, ERR_RANGE,
                         "%s has no target that shuffling could cost; shares "
                         "(shap) tell what an input does",
                         model_family(e->model)->name);
    asked = *metric_default(model_problem(e->model));
    if (r->metric &&
        !metric_parse(r->metric, model_problem(e->model), &asked, err))
        return false;
    o.metric = &asked;
    snprintf(e->metric, sizeof e->metric, "%s", asked.name);
    /* Where rows are ranked among each other none of them is left out. */
    e->rows = asked.grouped && !r->rows
                  ? frame_ref(r->data)
                  : draw_rows(r->data, rows_most(e->model, r), ctx->seed, err);
    if (!e->rows)
        return false;
    e->frame = explain_shuffle(e->model, e->rows, &o, ctx, &e->whole, err);
    put_count(frame_rows(e->rows), frame_rows(r->data), count);
    str_from_number(e->whole, 5, whole);
    snprintf(e->note, sizeof e->note,
             "%s · what %s loses from %s when a column is shuffled · "
             "%zu repeats, seed %llu",
             count, o.metric->name, whole,
             o.repeats ? o.repeats : (size_t)EXPLAIN_REPEATS,
             (unsigned long long)ctx->seed);
    return e->frame != NULL;
}

static bool
make_effect(struct explanation *e, const struct explanation_request *r,
            const struct train *ctx, struct error *err)
{
    bool curves = r->kind == EXPLANATION_CURVES;
    struct effect_options o = {.column = r->column,
                               .points = r->points,
                               .rows = r->rows  ? r->rows
                                       : curves ? EXPLAIN_CURVES
                                                : 0};
    char subject[200], count[COUNT_MAX];

    if (!explain_effect(e->model, r->data, &o, ctx, &e->effect, err))
        return false;
    put_subject(e, e->effect.scale, &e->effect.names, subject, sizeof subject);
    put_count(e->effect.n_rows, frame_rows(r->data), count);
    snprintf(e->note, sizeof e->note, "%s by %s · %s", subject,
             e->effect.column, count);
    e->frame = curves ? effect_curves(&e->effect, e->output, err)
                      : effect_frame(&e->effect, e->output, err);
    return e->frame != NULL;
}

static bool
make_gain(struct explanation *e, struct error *err)
{
    snprintf(e->note, sizeof e->note, "%s",
             "what each input contributes, as the model knows it; the sum is "
             "100 %");
    e->frame = model_importance(e->model, err);
    return e->frame != NULL;
}

bool
explanation_make(const struct model *m, const struct explanation_request *r,
                 const struct train *ctx, struct explanation *out,
                 struct error *err)
{
    bool ok;

    *out = (struct explanation){.kind = r->kind, .model = model_ref(m)};
    ok = find_class(m, r->class, &out->output, err);
    if (ok && r->kind == EXPLANATION_GAIN)
        ok = make_gain(out, err);
    else if (ok && r->kind == EXPLANATION_SHUFFLE)
        ok = make_shuffle(out, r, ctx, err);
    else if (ok && r->kind >= EXPLANATION_EFFECT)
        ok = make_effect(out, r, ctx, err);
    else if (ok)
        ok = make_shares(out, r, ctx, err);
    if (!ok)
        explanation_fini(out);
    return ok;
}

void
explanation_fini(struct explanation *e)
{
    shares_fini(&e->shares);
    effect_fini(&e->effect);
    frame_unref(e->frame);
    frame_unref(e->ranking);
    frame_unref(e->rows);
    frame_unref(e->answer);
    model_unref(e->model);
    *e = (struct explanation){.output = -1};
}

/* ---- writing ---- */

static void
put_rows(const struct frame *f, struct json_writer *w)
{
    struct buf rows;

    buf_init(&rows);
    frame_json(f, 0, frame_rows(f), &rows);
    json_put_raw(w, rows.data ? rows.data : "[]");
    buf_fini(&rows);
}

void
explanation_json(const struct explanation *e, struct json_writer *w)
{
    json_open(w, '{');
    json_name(w, "kind");
    json_put_string(w, words[e->kind]);
    json_name(w, "note");
    json_put_string(w, e->note);
    if (e->shares.model) {
        json_name(w, "scale");
        json_put_string(w, e->shares.scale);
        json_name(w, "margins");
        json_open(w, '[');
        for (size_t i = 0; i < e->shares.n * e->shares.k; i++)
            json_put_double(
                w, shares_margin(&e->shares, i / e->shares.k, i % e->shares.k));
        json_close(w, ']');
    }
    if (e->answer) {
        json_name(w, "answer");
        put_rows(e->answer, w);
    }
    if (e->metric[0]) {
        json_name(w, "metric");
        json_put_string(w, e->metric);
        json_name(w, "value");
        json_put_double(w, e->whole);
    }
    if (e->ranking && e->kind != EXPLANATION_RANKING) {
        json_name(w, "importance");
        put_rows(e->ranking, w);
    }
    json_name(w, "rows");
    put_rows(e->frame, w);
    json_close(w, '}');
}
