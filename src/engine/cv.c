/* engine/cv.c -- cross-validation by seed.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/cv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/builder.h"
#include "frame/gather.h"

struct crossing {
    const struct family *family;
    const struct params *params;
    const struct frame *frame;
    const char *target;
    const struct cv_options *o;
    struct model_options model;
    const struct train *ctx;
    bool in_order; /* by time, without a column of it */
    struct split_plan plan;
    struct cv_result *out;
};

/* The classes and the column that groups or orders the rows. */
static struct frame *
table_by(const struct crossing *c, const char *strata, struct error *err)
{
    const char *by = c->o->group ? c->o->group : c->o->time;
    const struct target *truth = &c->out->truth;
    struct frame *y, *both = NULL;
    size_t col;

    if (truth->problem == PROBLEM_REGRESSION || c->o->time || c->in_order)
        return frame_ref(c->frame);
    y = target_frame(truth, err);
    if (!y || !by)
        return y;
    if (frame_need(c->frame, by, &col, err)) {
        const char *const names[] = {strata, by};
        struct column *const columns[] = {
            column_ref(frame_column(y, 0)),
            column_ref(frame_column(c->frame, col))};

        both = frame_new(truth->n, 2, names, columns, err);
    }
    frame_unref(y);
    return both;
}

static bool
folds_make(struct crossing *c, struct error *err)
{
    const char *group = c->o->group;
    const char *strata = group && strcmp(group, "y") == 0 ? "class" : "y";
    bool classes = c->out->truth.problem != PROBLEM_REGRESSION && !c->o->time;
    struct split_by by = {.stratify = classes ? group ? strata : "y" : NULL,
                          .group = group,
                          .time = c->o->time,
                          .in_order = c->in_order,
                          .gap = c->o->gap,
                          .window = c->o->window,
                          .each = c->o->each,
                          .seed = c->ctx->seed};
    struct frame *table = table_by(c, strata, err);
    bool ok = table && split_plan_make(table, c->o->k, &by, &c->plan, err);

    frame_unref(table);
    if (!ok)
        return false;
    c->out->row_fold = c->plan.fold;
    c->out->gap = by.gap;
    c->plan.fold = NULL;
    return true;
}

/* Rows of a fold; the plan lends its folds for the call. */
static bool
fold_part(struct crossing *c, unsigned fold, struct split *s, struct error *err)
{
    bool ok;

    c->plan.fold = c->out->row_fold;
    ok = split_plan_part(&c->plan, fold, s, err);
    c->plan.fold = NULL;
    return ok;
}

static size_t
class_at(const struct model *m, const char *name)
{
    const char *const *names;
    size_t n = model_classes(m, &names), i = 0;

    while (i < n && strcmp(names[i], name) != 0)
        i++;
    return i;
}

/* Put a fold's predictions where the rows are.  A class that the fold's
 * training rows lack has probability 0. */
static void
scatter(struct crossing *c, const struct model *m, const struct prediction *p,
        const uint32_t *rows)
{
    size_t k = c->out->out.k;

    for (size_t j = 0; j < k; j++) {
        size_t from = k == 1 ? 0 : class_at(m, c->out->truth.classes[j]);

        for (size_t i = 0; i < p->n; i++)
            c->out->out.value[rows[i] * k + j] =
                from < p->k ? p->value[i * p->k + from] : 0;
    }
}

static bool
score_fold(struct crossing *c, unsigned fold, const struct split *s,
           struct error *err)
{
    struct cv_result *r = c->out;
    size_t k = r->out.k;
    double *p = mem_try_array(s->n_test * k, sizeof *p, err);
    struct metric_rows rows = {.n = s->n_test, .k = k, .p = p};
    struct target y;

    if (!p || !target_take(&r->truth, s->test, s->n_test, &y, err)) {
        free(p);
        return false;
    }
    for (size_t i = 0; i < s->n_test; i++)
        memcpy(p + i * k, r->out.value + s->test[i] * k, k * sizeof *p);
    rows.problem = y.problem;
    rows.y = y.y;
    rows.weight = y.weight;
    rows.group = y.group;
    for (size_t m = 0; m < r->metrics.n; m++) {
        const struct metric *metric = r->metrics.metric[m];
        double v = metric_measure(metric, &rows);
        char name[64];

        r->fold[fold * r->metrics.n + m] = v;
        snprintf(name, sizeof name, "cv.%s", metric->name);
        event_emit(&c->ctx->sink, name, fold + 1, v);
    }
    target_fini(&y);
    free(p);
    return true;
}

/* ---- nested ---- */

/* The names, which may be NULL, and this one. Freed by the caller. */
static const char **
with_name(const char *const *names, const char *name, struct error *err)
{
    const char **out;
    bool there = false;
    size_t n = 0;

    while (names && names[n])
        there |= strcmp(names[n++], name) == 0;
    if (!(out = mem_try_array(n + 2, sizeof *out, err)))
        return NULL;
    for (size_t i = 0; i < n; i++)
        out[i] = names[i];
    out[n] = there ? NULL : name;
    return out;
}

/* How a candidate does on the training rows of a fold. */
static bool
inner_score(const struct crossing *c, const struct frame *train, size_t which,
            const struct metric *by, double *score, struct error *err)
{
    struct train ctx = {.pool = c->ctx->pool,
                        .progress = c->ctx->progress,
                        .seed = c->ctx->seed,
                        .loss = c->ctx->loss};
    struct cv_options o = *c->o;
    const char **names = with_name(c->model.metrics, by->name, err);
    struct model_options model = c->model;
    struct cv_result r;
    bool ok;

    if (!names)
        return false;

    o.n_candidates = 0;
    o.k = o.inner ? o.inner : CV_INNER;
    o.model = &model;
    model.metrics = names;
    ok = cv_run(c->family, c->o->candidates[which], train, c->target, &o, &ctx,
                &r, err);
    free(names);
    if (!ok)
        return error_prefix(err, "candidate %zu (%s): ", which + 1,
                            c->out->candidate[which]);
    *score = (double)NAN;
    for (size_t m = 0; m < r.metrics.n; m++)
        if (strcmp(r.metrics.metric[m]->name, by->name) == 0)
            *score = r.mean[m];
    cv_result_fini(&r);
    return true;
}

static bool
choose(struct crossing *c, const struct frame *train, unsigned fold,
       const struct params **out, struct error *err)
{
    enum problem problem = c->out->truth.problem;
    struct metric by = *metric_default(problem);
    double best = (double)NAN;

    *out = c->params;
    if (c->o->n_candidates == 0)
        return true;
    if (c->o->by && !metric_parse(c->o->by, problem, &by, err))
        return false;
    for (size_t i = 0; i < c->o->n_candidates; i++) {
        double v = (double)NAN;

        if (!inner_score(c, train, i, &by, &v, err))
            return false;
        if (i > 0 && !(by.larger_is_better ? v > best : v < best) &&
            !isnan(best))
            continue;
        best = v;
        c->out->chosen[fold] = (unsigned)i;
    }
    *out = c->o->candidates[c->out->chosen[fold]];
    return true;
}

/* ---- folds ---- */

static bool
run_fold(struct crossing *c, unsigned fold, struct error *err)
{
    /* Curves of k models under one name would be a knot: only the folds'
     * scores are told. */
    struct train ctx = {.pool = c->ctx->pool,
                        .progress = c->ctx->progress,
                        .seed = c->ctx->seed,
                        .loss = c->ctx->loss};
    struct frame *train = NULL, *test = NULL;
    const struct params *params;
    struct split s = {0};
    struct prediction p;
    struct model *m = NULL;
    bool ok = false;

    if (fold_part(c, fold, &s, err) &&
        (train =
             gather_frame(c->frame, s.train, s.n_train, c->ctx->pool, err)) &&
        (test = gather_frame(c->frame, s.test, s.n_test, c->ctx->pool, err)) &&
        choose(c, train, fold, &params, err) &&
        (m = model_fit(c->family, params, train, c->target, &c->model, &ctx,
                       err)) &&
        progress_check(c->ctx->progress, err) &&
        model_predict(m, test, c->ctx->pool, &p, err)) {
        scatter(c, m, &p, s.test);
        prediction_fini(&p);
        ok = score_fold(c, fold, &s, err);
    }
    model_unref(m);
    frame_unref(train);
    frame_unref(test);
    split_fini(&s);
    return ok || error_prefix(err, "fold %u: ", fold + 1);
}

/* Over the folds where a metric is defined. */
static void
summarise(struct cv_result *r)
{
    for (size_t m = 0; m < r->metrics.n; m++) {
        double sum = 0, squares = 0, n = 0;

        for (unsigned i = 0; i < r->k; i++)
            if (!isnan(r->fold[i * r->metrics.n + m])) {
                sum += r->fold[i * r->metrics.n + m];
                n++;
            }
        r->mean[m] = sum / n;
        for (unsigned i = 0; i < r->k; i++) {
            double d = r->fold[i * r->metrics.n + m] - r->mean[m];

            squares += isnan(d) ? 0 : d * d;
        }
        r->sd[m] = n > 1 ? sqrt(squares / (n - 1)) : (double)NAN;
    }
}

static bool
candidates_name(const struct cv_options *o, struct cv_result *r,
                struct error *err)
{
    struct buf text;
    bool ok = true;

    if (o->n_candidates == 0)
        return true;
    r->candidate = mem_try_array(o->n_candidates, sizeof *r->candidate, err);
    if (!r->candidate)
        return false;
    for (size_t i = 0; i < o->n_candidates && ok; i++) {
        buf_init(&text);
        params_differing(o->candidates, o->n_candidates, i, &text);
        if ((ok = buf_check(&text, err)))
            r->candidate[r->n_candidates++] = buf_take(&text);
        buf_fini(&text);
    }
    return ok;
}

static bool
result_init(struct crossing *c, struct error *err)
{
    struct cv_result *r = c->out;
    size_t cells;

    r->k = c->o->k;
    if (!metric_list_make(r->truth.problem, r->truth.group != NULL,
                          c->model.metrics, &r->metrics, err))
        return false;
    r->out.n = r->truth.n;
    r->out.k = r->truth.problem == PROBLEM_MULTICLASS ? r->truth.n_classes : 1;
    if (!(r->fold = mem_try_array(r->k * r->metrics.n, sizeof *r->fold, err)) ||
        !(mem_mul(r->out.n, r->out.k, &cells) ||
          error_set(err, ERR_NOMEM, "%zu rows of %zu answers", r->out.n,
                    r->out.k)) ||
        !(r->out.value = mem_try_array(cells, sizeof *r->out.value, err)) ||
        (c->o->n_candidates &&
         !(r->chosen = mem_try_array(r->k, sizeof *r->chosen, err))) ||
        !candidates_name(c->o, r, err))
        return false;
    for (size_t i = 0; i < cells; i++)
        r->out.value[i] = (double)NAN;
    return true;
}

static bool
options_check(const struct cv_options *o, bool in_order, struct error *err)
{
    unsigned least = o->time || in_order ? 1 : 2;

    if (o->k < least || o->k > CV_MAX_FOLDS)
        return error_set(err, ERR_RANGE, "%u folds, expected %u..%d", o->k,
                         least, CV_MAX_FOLDS);
    if (o->model && o->model->valid)
        return error_set(err, ERR_USAGE,
                         "cross-validation takes no validation rows");
    if (in_order && o->gap)
        return error_set(err, ERR_USAGE,
                         "a gap in a series wants a column of times");
    if (o->model && o->model->checkpoint)
        return error_set(err, ERR_USAGE,
                         "cross-validation keeps no checkpoint");
    return true;
}

bool
cv_run(const struct family *family, const struct params *p,
       const struct frame *f, const char *target, const struct cv_options *o,
       const struct train *ctx, struct cv_result *out, struct error *err)
{
    struct cv_options own = *o;
    struct cv_result r = {0};
    struct crossing c = {.family = family,
                         .params = p,
                         .frame = f,
                         .target = target,
                         .o = o,
                         .model = {.problem = -1, .patience = -1},
                         .ctx = ctx,
                         .out = &r};
    bool ok;

    if (family->problems == 1u << PROBLEM_NONE)
        return error_set(err, ERR_RANGE,
                         "%s has no target that it could be judged by",
                         family->name);
    if (family->forecast && !o->time) {
        own.time = model_fit_time(family, p);
        c.in_order = !own.time;
    }
    if (!options_check(&own, c.in_order, err))
        return false;
    if (o->model)
        c.model = *o->model;
    c.o = &own;
    /* Rows of one query are ranked together: they are not torn apart. */
    if (c.model.group && !o->group && !own.time)
        own.group = c.model.group;
    c.model.split_group = own.group;
    c.model.split_time = own.time;
    c.model.split_gap = o->gap;
    c.model.problem = model_fit_problem(family, p, c.model.problem);
    if (!target_fit(f, target, c.model.problem, &r.truth, err))
        return false;
    c.model.problem = (int)r.truth.problem;
    ok = target_set_positive(&r.truth, target, c.model.positive, err) &&
         (!c.model.weight || target_weigh(&r.truth, f, c.model.weight, err)) &&
         (!c.model.group || target_group(&r.truth, f, c.model.group, err)) &&
         result_init(&c, err) && folds_make(&c, err);
    for (unsigned i = 0; i < o->k && ok; i++)
        ok = run_fold(&c, i, err);
    split_plan_fini(&c.plan);
    if (ok) {
        summarise(&r);
        *out = r;
    } else {
        cv_result_fini(&r);
    }
    return ok;
}

void
cv_result_fini(struct cv_result *r)
{
    free(r->fold);
    free(r->row_fold);
    free(r->chosen);
    for (size_t i = 0; i < r->n_candidates; i++)
        free(r->candidate[i]);
    free(r->candidate);
    prediction_fini(&r->out);
    target_fini(&r->truth);
    metric_list_fini(&r->metrics);
    *r = (struct cv_result){0};
}

/* ---- telling ---- */

static size_t
tested(const struct cv_result *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->out.n; i++)
        n += r->row_fold[i] != SPLIT_UNTESTED;
    return n;
}

/* "0.8312", or "-" where the rows tell nothing: all of one class. */
static size_t
score_text(const struct cv_result *r, size_t m, double x, char out[STR_F64_MAX])
{
    if (isnan(x))
        return (size_t)snprintf(out, STR_F64_MAX, "-");
    return str_from_decimals(
        x, metric_decimals(r->metrics.metric[m], r->mean[m]), out);
}

static void
put_score(const struct cv_result *r, size_t m, double x, size_t cells,
          struct buf *out)
{
    char text[STR_F64_MAX];

    score_text(r, m, x, text);
    buf_printf(out, " %*s", (int)cells, text);
}

static size_t
score_cells(const struct cv_result *r)
{
    size_t widest = 0;

    for (size_t m = 0; m < r->metrics.n; m++)
        for (unsigned i = 0; i < r->k; i++) {
            char text[STR_F64_MAX];
            size_t n = score_text(r, m, r->fold[i * r->metrics.n + m], text);

            widest = n > widest ? n : widest;
        }
    return widest;
}

/* "  candidate 2  in folds 1, 3: leaves=31", a line each. */
static void
chosen_print(const struct cv_result *r, struct buf *out)
{
    for (size_t i = 0; i < r->n_candidates; i++) {
        const char *comma = "";
        unsigned n = 0;

        for (unsigned j = 0; j < r->k; j++)
            n += r->chosen[j] == i;
        if (n == 0)
            continue;
        buf_printf(out, "  candidate %zu  in fold%s ", i + 1, n > 1 ? "s" : "");
        for (unsigned j = 0; j < r->k; j++)
            if (r->chosen[j] == i) {
                buf_printf(out, "%s%u", comma, j + 1);
                comma = ", ";
            }
        buf_printf(out, ": %s\n",
                   r->candidate[i][0]     ? r->candidate[i]
                   : r->n_candidates == 1 ? "the only one"
                                          : "like all others");
    }
}

void
cv_print(const struct cv_result *r, struct buf *out)
{
    char rows[STR_F64_MAX];
    size_t cells = score_cells(r);
    int wide = 10;

    str_from_count(tested(r), rows);
    buf_printf(out, "%s%u-fold cross-validation, %s rows tested",
               r->chosen ? "nested " : "", r->k, rows);
    if (r->gap)
        buf_printf(out, ", %zu left out before each fold", r->gap);
    buf_putc(out, '\n');
    for (size_t m = 0; m < r->metrics.n; m++) {
        int n = (int)strlen(r->metrics.metric[m]->name);

        wide = n > wide ? n : wide;
    }
    for (size_t m = 0; m < r->metrics.n; m++) {
        buf_printf(out, "  %-*s", wide, r->metrics.metric[m]->name);
        put_score(r, m, r->mean[m], cells, out);
        buf_puts(out, " ±");
        put_score(r, m, r->sd[m], cells, out);
        buf_puts(out, "  ");
        for (unsigned i = 0; i < r->k; i++)
            put_score(r, m, r->fold[i * r->metrics.n + m], cells, out);
        buf_putc(out, '\n');
    }
    if (r->chosen)
        chosen_print(r, out);
}

void
cv_json(const struct cv_result *r, struct json_writer *w)
{
    json_open(w, '{');
    json_name(w, "folds");
    json_put_i64(w, r->k);
    json_name(w, "rows");
    json_put_i64(w, (int64_t)tested(r));
    json_name(w, "left_out"); /* before each fold */
    json_put_i64(w, (int64_t)r->gap);
    json_name(w, "metrics");
    json_open(w, '{');
    for (size_t m = 0; m < r->metrics.n; m++) {
        json_name(w, r->metrics.metric[m]->name);
        json_open(w, '{');
        json_name(w, "mean");
        json_put_double(w, r->mean[m]);
        json_name(w, "sd");
        json_put_double(w, r->sd[m]);
        json_name(w, "folds");
        json_open(w, '[');
        for (unsigned i = 0; i < r->k; i++)
            json_put_double(w, r->fold[i * r->metrics.n + m]);
        json_close(w, ']');
        json_close(w, '}');
    }
    json_close(w, '}');
    json_close(w, '}');
}

/* ---- as a frame ---- */

static struct builder *
answers_builder(const struct cv_result *r, struct error *err)
{
    size_t k = r->out.k, n = 0;
    bool numbers = r->truth.problem == PROBLEM_REGRESSION;
    const char **names = mem_try_array(k + 3, sizeof *names, err);
    enum col_type *types = mem_try_array(k + 3, sizeof *types, err);
    size_t *at = mem_try_array(k, sizeof *at, err);
    struct builder *b = NULL;
    struct buf text;

    buf_init(&text);
    for (size_t j = 0; at && j < k && k > 1; j++) {
        at[j] = text.len;
        buf_printf(&text, "p_%s", r->truth.classes[j]);
        buf_putc(&text, '\0');
    }
    if (at && names && types && buf_check(&text, err)) {
        names[n] = "row";
        types[n++] = COL_INT64;
        names[n] = "fold";
        types[n++] = COL_INT64;
        names[n] = "truth";
        types[n++] = numbers ? COL_FLOAT64 : COL_TEXT;
        for (size_t j = 0; j < k; j++) {
            names[n] = k > 1     ? text.data + at[j]
                       : numbers ? "prediction"
                                 : "probability";
            types[n++] = COL_FLOAT64;
        }
        b = builder_new(n, names, types, err);
    }
    buf_fini(&text);
    free(at);
    free(names);
    free(types);
    return b;
}

static bool
answers_row(struct builder *b, const struct cv_result *r, size_t i,
            struct error *err)
{
    double y = r->truth.y[i];
    bool ok = builder_i64(b, 0, (int64_t)i + 1, err) &&
              builder_i64(b, 1, r->row_fold[i] + 1, err);

    if (ok && r->truth.problem == PROBLEM_REGRESSION)
        ok = builder_f64(b, 2, y, err);
    else if (ok)
        ok = builder_text(b, 2, str_of(r->truth.classes[(size_t)y]), err);
    for (size_t j = 0; j < r->out.k && ok; j++)
        ok = builder_f64(b, 3 + j, r->out.value[i * r->out.k + j], err);
    return ok && builder_end_row(b, err);
}

struct frame *
cv_frame(const struct cv_result *r, struct error *err)
{
    struct builder *b = answers_builder(r, err);

    for (size_t i = 0; i < r->out.n && b; i++)
        if (r->row_fold[i] != SPLIT_UNTESTED && !answers_row(b, r, i, err)) {
            builder_free(b);
            return NULL;
        }
    return b ? builder_finish(b, err) : NULL;
}

bool
cv_judged(const struct cv_result *r, struct judged *out, struct error *err)
{
    size_t n = tested(r), k = r->out.k, at = 0;
    uint32_t *rows = mem_try_array(n, sizeof *rows, err);
    struct judged j = {.k = k};
    bool ok = rows && (j.p = mem_try_array(n * k, sizeof *j.p, err));

    for (size_t i = 0; i < r->out.n && ok; i++)
        if (r->row_fold[i] != SPLIT_UNTESTED) {
            memcpy(j.p + at * k, r->out.value + i * k, k * sizeof *j.p);
            rows[at++] = (uint32_t)i;
        }
    ok = ok && target_take(&r->truth, rows, n, &j.truth, err);
    free(rows);
    if (ok)
        *out = j;
    else
        judged_fini(&j);
    return ok;
}
