/* engine/model.c -- fit, predict, evaluate.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/model_state.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/builder.h"
#include "frame/split.h"

#define VALID_SHARE 0.2
enum {
    PATIENCE = 50,
    RESAMPLES = 200, /* for the card; an evaluation has more */
    MIN_HOLDOUT = 20 /* fewer rows: none is held out */
};

/* ---- life ---- */

struct model *
model_new(const struct family *family, struct error *err)
{
    struct model *m = mem_try_array(1, sizeof *m, err);

    if (!m)
        return NULL;
    atomic_init(&m->refs, 1);
    m->family = family;
    return m;
}

struct model *
model_ref(const struct model *m)
{
    struct model *mine = (struct model *)(uintptr_t)m;

    if (mine)
        atomic_fetch_add_explicit(&mine->refs, 1, memory_order_relaxed);
    return mine;
}

void
model_unref(struct model *m)
{
    if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) > 1)
        return;
    if (m->learner)
        m->family->free(m->learner);
    prepare_free(m->prepare);
    target_fini(&m->like);
    free(m->target);
    free(m->params);
    free(m->metrics);
    free(m->baseline);
    free(m->cuts);
    free(m->share);
    st_free(m->file);
    if (m->mapped)
        file_map_close(&m->map);
    free(m);
}

/* ---- fitting ---- */

/* Everything between a table and a fitted model. */
struct fit {
    struct model *m;
    const struct family *family;
    const struct params *params;
    const struct model_options *o;
    const struct train *ctx;
    const char *target;
    const struct metric *metric[METRIC_N];
    size_t n_metrics;
    struct frame *train, *valid;
    struct target all, y, y_valid;
    struct design *x, *x_valid;
    struct buf chosen; /* members of a JSON object */
};

static void
fit_data_fini(struct fit *f)
{
    frame_unref(f->train);
    frame_unref(f->valid);
    target_fini(&f->y);
    target_fini(&f->y_valid);
    design_free(f->x);
    design_free(f->x_valid);
    f->train = f->valid = NULL;
    f->x = f->x_valid = NULL;
}

static bool
metrics_choose(struct fit *f, struct error *err)
{
    static const char *const classes[] = {"logloss", "auc", NULL};
    static const char *const numbers[] = {"rmse", "mae", NULL};
    const char *const *names = f->o->metrics;

    if (!names)
        names = f->all.problem == PROBLEM_REGRESSION ? numbers : classes;
    for (; *names; names++) {
        const struct metric *m = metric_find(*names, f->all.problem, err);

        if (!m)
            return false;
        if (f->n_metrics == METRIC_N)
            return error_set(err, ERR_RANGE, "over %d metrics", METRIC_N);
        f->metric[f->n_metrics++] = m;
    }
    return true;
}

static bool
problem_check(const struct fit *f, struct error *err)
{
    const struct family *family = f->family;

    if (family->problems & 1u << f->all.problem)
        return true;
    return error_set(err, ERR_RANGE,
                     "%s does not learn a %s target, and '%s' is one",
                     family->name, problem_word(f->all.problem), f->target);
}

static bool
holdout(struct fit *f, const struct frame *all, double share, struct error *err)
{
    bool classes = f->all.problem != PROBLEM_REGRESSION;
    struct frame *by = classes ? target_frame(&f->all, err) : frame_ref(all);
    struct split s = {0};
    bool ok = false;

    if (by &&
        split_holdout(by, share, classes ? "y" : NULL, f->ctx->seed, &s, err))
        ok = (f->train = frame_take(all, s.train, s.n_train, err)) &&
             (f->valid = frame_take(all, s.test, s.n_test, err)) &&
             target_take(&f->all, s.train, s.n_train, &f->y, err) &&
             target_take(&f->all, s.test, s.n_test, &f->y_valid, err);
    frame_unref(by);
    split_fini(&s);
    return ok;
}

static bool
no_holdout(struct fit *f, const struct frame *all, struct error *err)
{
    f->train = frame_ref(all);
    if (!target_take(&f->all, NULL, 0, &f->y_valid, err) ||
        !(f->valid = frame_slice(all, 0, 0, err)))
        return false;
    f->y = f->all;
    memset(&f->all, 0, sizeof f->all);
    return true;
}

/* Which rows train and which ones stop the training. */
static bool
rows_choose(struct fit *f, const struct frame *all, struct error *err)
{
    double share = f->o->valid_share;

    if (f->o->valid) {
        f->train = frame_ref(all);
        f->valid = frame_ref(f->o->valid);
        if (!target_apply(&f->all, f->valid, f->target, &f->y_valid, err))
            return error_prefix(err, "validation rows: ");
        f->y = f->all;
        memset(&f->all, 0, sizeof f->all);
        return true;
    }
    if (share >= 1)
        return error_set(err, ERR_RANGE,
                         "a validation share of %g, expected below 1", share);
    if (share == 0 && f->family->iterative)
        share = VALID_SHARE;
    if (share > 0 && f->all.n >= MIN_HOLDOUT)
        return holdout(f, all, share, err);
    return no_holdout(f, all, err);
}

static bool
prepare_rows(struct fit *f, struct error *err)
{
    struct pool *pool = f->ctx->pool;

    f->m->prepare = prepare_fit(f->train, f->target, f->family->style,
                                f->o->drop, f->o->derive, pool, err);
    if (!f->m->prepare ||
        !(f->x = prepare_apply(f->m->prepare, f->train, pool, err)))
        return false;
    if (!(f->x_valid = prepare_apply(f->m->prepare, f->valid, pool, err)))
        return error_prefix(err, "validation rows: ");
    return true;
}

static bool
learn(struct fit *f, const struct params *p, unsigned patience,
      struct error *err)
{
    struct fit_data d = {.train = f->x,
                         .valid = f->x_valid,
                         .y = &f->y,
                         .y_valid = &f->y_valid,
                         .metrics = f->metric,
                         .n_metrics = f->n_metrics,
                         .patience = patience};
    struct json_writer w;

    buf_clear(&f->chosen);
    json_writer_init(&w, &f->chosen);
    json_open(&w, '{');
    f->m->learner = f->family->fit(&d, p, f->ctx, &w, err);
    json_close(&w, '}');
    return f->m->learner && buf_check(&f->chosen, err);
}

/* What the rules chose the first time, and as many rounds as stopping early
 * found, as parameters.  NULL on failure. */
static struct params *
refit_params(const struct fit *f, struct error *err)
{
    struct params *p = params_copy(f->params);
    struct json *chosen =
        json_parse((struct str){f->chosen.data, f->chosen.len}, err);
    struct buf text;
    bool ok = chosen != NULL;

    buf_init(&text);
    for (const struct param *d = f->family->params; ok && d->name; d++) {
        const struct json *v = json_find(chosen, d->name);

        buf_clear(&text);
        if (strcmp(d->name, f->family->rounds_param) == 0)
            buf_printf(&text, "%zu", f->family->rounds(f->m->learner));
        else if (v && json_type(v) == JSON_NUMBER)
            json_print(&text, v);
        else
            continue;
        ok = buf_check(&text, err) && params_set(p, d->name, text.data, err);
    }
    buf_fini(&text);
    json_free(chosen);
    if (ok)
        return p;
    params_free(p);
    return NULL;
}

/* Once more on all rows. */
static bool
refit(struct fit *f, const struct frame *all, struct error *err)
{
    struct params *p;
    bool ok;

    if (!f->family->rounds)
        return true;
    if (!(p = refit_params(f, err)))
        return false;
    f->family->free(f->m->learner);
    f->m->learner = NULL;
    prepare_free(f->m->prepare);
    f->m->prepare = NULL;
    fit_data_fini(f);
    ok = no_holdout(f, all, err) && prepare_rows(f, err) && learn(f, p, 0, err);
    params_free(p);
    return ok;
}

/* All parameters, auto replaced by what the rules chose, then what else the
 * family wants known. */
static bool
params_settle(struct fit *f, struct error *err)
{
    struct buf set, out;
    struct json_writer w;
    struct json *a = NULL, *b = NULL;
    bool ok = false;

    buf_init(&set);
    buf_init(&out);
    json_writer_init(&w, &set);
    params_json(f->params, &w);
    if (!buf_check(&set, err) ||
        !(a = json_parse((struct str){set.data, set.len}, err)) ||
        !(b = json_parse((struct str){f->chosen.data, f->chosen.len}, err)))
        goto out;
    json_writer_init(&w, &out);
    json_open(&w, '{');
    for (unsigned second = 0; second < 2; second++)
        for (const struct json *v = json_first(second ? b : a); v;
             v = json_next(v)) {
            const struct json *c = json_find(b, json_key(v));

            if (second && json_find(a, json_key(v)))
                continue;
            buf_clear(&set);
            json_print(&set, c ? c : v);
            json_name(&w, json_key(v));
            json_put_raw(&w, set.data);
        }
    json_close(&w, '}');
    ok = buf_check(&set, err) && buf_check(&out, err);
    if (ok)
        f->m->params = buf_take(&out);
out:
    json_free(a);
    json_free(b);
    buf_fini(&set);
    buf_fini(&out);
    return ok;
}

/* How the validation rows score; before a refit has eaten them. */
static bool
metrics_keep(struct fit *f, struct error *err)
{
    struct model *m = f->m;
    size_t n = f->y_valid.n;
    size_t k = m->like.problem == PROBLEM_MULTICLASS ? m->like.n_classes : 1;
    double *p = mem_try_array(n * k, sizeof *p, err);
    struct evaluation e = {0};
    struct json_writer w;
    struct buf b;
    bool ok = false;

    buf_init(&b);
    if (p && m->family->score(m->learner, f->x_valid, f->ctx->pool, p, err) &&
        evaluation_make(&f->y_valid, p, k, RESAMPLES, f->ctx->seed,
                        f->ctx->pool, &e, err)) {
        json_writer_init(&w, &b);
        evaluation_json(&e, &w);
        ok = buf_check(&b, err);
    }
    if (ok)
        m->metrics = buf_take(&b);
    evaluation_fini(&e);
    buf_fini(&b);
    free(p);
    return ok;
}

static bool
fit_run(struct fit *f, const struct frame *all, struct error *err)
{
    struct model *m = f->m;
    unsigned patience =
        f->o->patience < 0 ? PATIENCE : (unsigned)f->o->patience;

    if (!target_fit(all, f->target, f->o->problem, &f->all, err) ||
        !problem_check(f, err) || !metrics_choose(f, err) ||
        !target_take(&f->all, NULL, 0, &m->like, err) ||
        !(m->target = mem_try_text(f->target, strlen(f->target), err)) ||
        !frame_fingerprint(all, m->fingerprint, err) ||
        !rows_choose(f, all, err))
        return false;
    m->seed = f->ctx->seed;
    m->n_train = f->y.n;
    m->n_valid = f->y_valid.n;
    if (!prepare_rows(f, err) || !learn(f, f->params, patience, err) ||
        (m->n_valid && !metrics_keep(f, err)))
        return false;
    if (f->o->refit && m->n_valid && !f->o->valid &&
        !progress_stopped(f->ctx->progress)) {
        if (!refit(f, all, err))
            return false;
        m->n_train = f->y.n;
    }
    return params_settle(f, err) &&
           model_baselines_fit(m, f->train, f->ctx->pool, err);
}

struct model *
model_fit(const struct family *family, const struct params *p,
          const struct frame *f, const char *target,
          const struct model_options *o, const struct train *ctx,
          struct error *err)
{
    static const struct model_options usual = {.problem = -1, .patience = -1};
    struct fit fit = {.family = family,
                      .params = p,
                      .o = o ? o : &usual,
                      .ctx = ctx,
                      .target = target};
    bool ok;

    if (!(fit.m = model_new(family, err)))
        return NULL;
    buf_init(&fit.chosen);
    ok = fit_run(&fit, f, err);
    fit_data_fini(&fit);
    target_fini(&fit.all);
    buf_fini(&fit.chosen);
    if (ok)
        return fit.m;
    model_unref(fit.m);
    return NULL;
}

/* ---- predicting ---- */

bool
model_predict(const struct model *m, const struct frame *f, struct pool *pool,
              struct prediction *out, struct error *err)
{
    struct prediction p = {
        .n = frame_rows(f),
        .k = m->like.problem == PROBLEM_MULTICLASS ? m->like.n_classes : 1};
    struct design *d = prepare_apply(m->prepare, f, pool, err);
    size_t n;
    bool ok = false;

    if (d && mem_mul(p.n, p.k, &n) &&
        (p.value = mem_try_array(n, sizeof *p.value, err)))
        ok = m->family->score(m->learner, d, pool, p.value, err);
    design_free(d);
    if (ok)
        *out = p;
    else
        free(p.value);
    return ok;
}

void
prediction_fini(struct prediction *p)
{
    free(p->value);
    p->value = NULL;
}

static size_t
predicted_class(const double *row, size_t k)
{
    size_t best = 0;

    if (k == 1)
        return row[0] > 0.5;
    for (size_t c = 1; c < k; c++)
        if (row[c] > row[best])
            best = c;
    return best;
}

/* Column c of the predictions. */
static struct column *
number_column(const struct prediction *p, size_t c, struct error *err)
{
    double *x = mem_try_aligned(p->n, sizeof *x, err);

    if (!x)
        return NULL;
    for (size_t i = 0; i < p->n; i++)
        x[i] = p->value[i * p->k + c];
    return column_new(COL_FLOAT64, p->n, x, NULL, NULL, err);
}

static struct column *
class_column(const struct target *like, const struct prediction *p,
             struct error *err)
{
    uint32_t *codes = mem_try_aligned(p->n, sizeof *codes, err), code;
    struct dict *dict = codes ? dict_new(err) : NULL;

    for (size_t c = 0; c < like->n_classes && dict; c++)
        if (!dict_add(dict, str_of(like->classes[c]), &code, err)) {
            dict_unref(dict);
            dict = NULL;
        }
    if (!dict) {
        free(codes);
        return NULL;
    }
    for (size_t i = 0; i < p->n; i++)
        codes[i] = (uint32_t)predicted_class(p->value + i * p->k, p->k);
    return column_new(COL_TEXT, p->n, codes, NULL, dict, err);
}

/* Add a column to f, whose reference is taken; takes c too. */
static struct frame *
add_column(struct frame *f, const char *name, struct column *c,
           struct error *err)
{
    struct frame *next = NULL;

    if (f && c)
        next = frame_with(f, name, c, err);
    else
        column_unref(c);
    frame_unref(f);
    return next;
}

static struct frame *
prediction_frame(const struct target *like, const struct prediction *p,
                 struct error *err)
{
    struct frame *f = frame_new(p->n, 0, NULL, NULL, err);
    char name[256];

    if (like->problem == PROBLEM_REGRESSION)
        return add_column(f, "prediction", number_column(p, 0, err), err);
    if (like->problem == PROBLEM_BINARY)
        f = add_column(f, "probability", number_column(p, 0, err), err);
    for (size_t c = 0; c < p->k && p->k > 1 && f; c++) {
        snprintf(name, sizeof name, "p_%s", like->classes[c]);
        f = add_column(f, name, number_column(p, c, err), err);
    }
    return f ? add_column(f, "prediction", class_column(like, p, err), err)
             : NULL;
}

struct frame *
model_predict_frame(const struct model *m, const struct frame *f,
                    struct pool *pool, struct error *err)
{
    struct prediction p;
    struct frame *out;

    if (!model_predict(m, f, pool, &p, err))
        return NULL;
    out = prediction_frame(&m->like, &p, err);
    prediction_fini(&p);
    return out;
}

bool
model_evaluate(const struct model *m, const struct frame *f, uint64_t seed,
               struct pool *pool, struct evaluation *out, struct error *err)
{
    struct target truth;
    struct prediction p;
    bool ok = false;

    if (!target_apply(&m->like, f, m->target, &truth, err))
        return false;
    if (model_predict(m, f, pool, &p, err)) {
        ok = evaluation_make(&truth, p.value, p.k, 0, seed, pool, out, err);
        prediction_fini(&p);
    }
    target_fini(&truth);
    return ok;
}

/* ---- importance ---- */

struct weighed {
    const char *name;
    double share;
    size_t at;
};

static int
by_share(const void *a, const void *b)
{
    const struct weighed *x = a, *y = b;

    if (x->share != y->share)
        return x->share > y->share ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* Sum the columns of the design that come from the same feature: they stand
 * side by side. */
static size_t
weigh(const struct model *m, const double *share, struct weighed *out)
{
    size_t n = 0;

    for (size_t j = 0; j < prepare_cols(m->prepare); j++) {
        const char *name = prepare_feature(m->prepare, j);

        if (n == 0 || out[n - 1].name != name) {
            out[n] = (struct weighed){name, 0, n};
            n++;
        }
        out[n - 1].share += share[j];
    }
    qsort(out, n, sizeof *out, by_share);
    return n;
}

static struct frame *
weighed_frame(const struct weighed *w, size_t n, struct error *err)
{
    static const char *const names[] = {"column", "importance"};
    static const enum col_type types[] = {COL_TEXT, COL_FLOAT64};
    struct builder *b = builder_new(2, names, types, err);
    bool ok = b != NULL;

    for (size_t i = 0; i < n && ok; i++)
        ok = builder_text(b, 0, str_of(w[i].name), err) &&
             builder_f64(b, 1, w[i].share, err) && builder_end_row(b, err);
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}

struct frame *
model_importance(const struct model *m, struct error *err)
{
    size_t n = prepare_cols(m->prepare);
    double *share = mem_try_array(n, sizeof *share, err);
    struct weighed *w = mem_try_array(n, sizeof *w, err);
    struct frame *out = NULL;

    if (share && w) {
        m->family->importance(m->learner, share);
        out = weighed_frame(w, weigh(m, share, w), err);
    }
    free(share);
    free(w);
    return out;
}

/* ---- what a model knows of itself ---- */

const struct family *
model_family(const struct model *m)
{
    return m->family;
}

enum problem
model_problem(const struct model *m)
{
    return m->like.problem;
}

const char *
model_target(const struct model *m)
{
    return m->target;
}

size_t
model_classes(const struct model *m, const char *const **names)
{
    if (names)
        *names = (const char *const *)m->like.classes;
    return m->like.n_classes;
}

const struct input *
model_inputs(const struct model *m, size_t *n)
{
    return prepare_inputs(m->prepare, n);
}

const char *
model_fingerprint(const struct model *m)
{
    return m->fingerprint;
}

const char *
model_params(const struct model *m)
{
    return m->params;
}

const char *
model_valid_metrics(const struct model *m)
{
    return m->metrics;
}

const char *
model_notes(const struct model *m)
{
    return prepare_notes(m->prepare);
}

uint64_t
model_seed(const struct model *m)
{
    return m->seed;
}

size_t
model_train_rows(const struct model *m)
{
    return m->n_train;
}

const struct baseline *
model_baselines(const struct model *m, size_t *n)
{
    (void)prepare_inputs(m->prepare, n);
    return m->baseline;
}
