/* engine/model.c -- predict, evaluate, and what a model knows of itself.
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
    finish_fini(&m->finish);
    target_fini(&m->like);
    free(m->target);
    free(m->weight);
    free(m->group);
    free(m->offset);
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

/* ---- predicting ---- */

struct design *
model_design(const struct model *m, const struct frame *f, struct pool *pool,
             struct error *err)
{
    return model_put_offset(m, f, prepare_apply(m->prepare, f, pool, err), err);
}

struct design *
model_put_offset(const struct model *m, const struct frame *f, struct design *d,
                 struct error *err)
{
    double *offset;

    if (!d || !m->offset || frame_find(f, m->offset) < 0)
        return d;
    if ((offset = offset_column(f, m->offset, err))) {
        design_put_offset(d, offset);
        return d;
    }
    design_free(d);
    return NULL;
}

size_t
model_width(const struct model *m)
{
    switch (m->like.problem) {
    case PROBLEM_BINARY:
    case PROBLEM_REGRESSION:
        break;
    case PROBLEM_MULTICLASS:
        return m->like.n_classes;
    case PROBLEM_NONE:
        return m->family->width(m->learner);
    }
    return 1;
}

bool
model_answer(const struct model *m, size_t c, struct answer *out)
{
    if (m->like.problem != PROBLEM_NONE)
        return false;
    *out = (struct answer){.whole = false};
    m->family->answer(m->learner, c, out);
    return true;
}

size_t
model_outputs(const struct model *m, size_t *middle)
{
    *middle = 0;
    if (m->like.problem == PROBLEM_REGRESSION && m->family->outputs)
        return m->family->outputs(m->learner, middle);
    return model_width(m);
}

bool
model_score(const struct model *m, const struct design *d, struct pool *pool,
            double *out, struct error *err)
{
    size_t middle, k = model_outputs(m, &middle), n = design_rows(d), cells;
    double *all = NULL;
    bool ok;

    if (!pool_check(pool, err))
        return false;
    if (k == model_width(m)) {
        ok = m->family->score(m->learner, d, pool, out, err);
        return ok &&
               (!m->finish.calibrated ||
                calibration_apply(&m->finish.calibration, out, n, pool, err));
    }
    if (!mem_mul(n, k, &cells))
        return error_set(err, ERR_NOMEM, "%zu rows of %zu values do not fit", n,
                         k);
    all = mem_try_array(cells, sizeof *all, err);
    ok = all && m->family->score(m->learner, d, pool, all, err);
    for (size_t i = 0; ok && i < n; i++)
        out[i] = all[i * k + middle];
    free(all);
    return ok;
}

/* (rows, k): all values where k is model_outputs(), else those that are judged. */
static bool
predict(const struct model *m, const struct frame *f, size_t k,
        struct pool *pool, struct prediction *out, struct error *err)
{
    struct prediction p = {.n = frame_rows(f), .k = k};
    struct design *d = model_design(m, f, pool, err);
    size_t n;
    bool ok = false;

    if (d &&
        (mem_mul(p.n, p.k, &n) ||
         error_set(err, ERR_NOMEM, "%zu rows of %zu answers", p.n, p.k)) &&
        (p.value = mem_try_array(n, sizeof *p.value, err)))
        ok = k == model_width(m)
                 ? model_score(m, d, pool, p.value, err)
                 : m->family->score(m->learner, d, pool, p.value, err);
    design_free(d);
    if (ok)
        *out = p;
    else
        free(p.value);
    return ok;
}

bool
model_predict(const struct model *m, const struct frame *f, struct pool *pool,
              struct prediction *out, struct error *err)
{
    return predict(m, f, model_width(m), pool, out, err);
}

void
prediction_fini(struct prediction *p)
{
    free(p->value);
    free(p->more);
    p->value = p->more = NULL;
}

/* ---- numbers beside the answer ---- */

/* Of a row: each of several values, or none. */
static size_t
more_values(const struct model *m)
{
    size_t middle, k = model_outputs(m, &middle);

    return k == model_width(m) ? 0 : k;
}

size_t
model_more(const struct model *m)
{
    bool range = m->finish.ranged && m->like.problem == PROBLEM_REGRESSION;

    return more_values(m) + (range ? 2 : 0);
}

void
model_more_name(const struct model *m, size_t i, char *out)
{
    size_t values = more_values(m);

    if (i < values)
        m->family->output_name(m->learner, i, out);
    else
        strcpy(out, i == values ? "low" : "high");
}

/* value: those of a row, k of them. */
static void
fill_more(const struct model *m, const double *value, size_t k, double *out)
{
    size_t values = more_values(m);
    double width = conformal_width(&m->finish.conformal, value[0]);

    memcpy(out, value, values * sizeof *out);
    if (model_more(m) > values) {
        out[values] = value[0] - width;
        out[values + 1] = value[k - 1] + width;
    }
}

bool
model_predict_all(const struct model *m, const struct frame *f,
                  struct pool *pool, struct prediction *out, struct error *err)
{
    size_t middle, k = model_outputs(m, &middle);
    struct prediction p;

    if (!predict(m, f, k, pool, &p, err))
        return false;
    p.n_more = model_more(m);
    if (p.n_more) {
        if (!(p.more = mem_try_array(p.n, p.n_more * sizeof *p.more, err))) {
            prediction_fini(&p);
            return false;
        }
        for (size_t i = 0; i < p.n; i++) {
            fill_more(m, p.value + i * k, k, p.more + i * p.n_more);
            p.value[i] = p.value[i * k + middle];
        }
        p.k = 1;
    }
    *out = p;
    return true;
}

size_t
model_decide(const struct model *m, const double *row)
{
    return decision_class(&m->finish.decision, row, model_width(m));
}

const struct finish *
model_finish(const struct model *m)
{
    return m->finish.n ? &m->finish : NULL;
}

/* Every k-th of n values. */
static struct column *
every_column(const double *value, size_t n, size_t k, struct error *err)
{
    double *x = mem_try_aligned(n, sizeof *x, err);

    if (!x)
        return NULL;
    for (size_t i = 0; i < n; i++)
        x[i] = value[i * k];
    return column_new(COL_FLOAT64, n, x, NULL, NULL, err);
}

/* Column c of the predictions. */
static struct column *
number_column(const struct prediction *p, size_t c, struct error *err)
{
    return every_column(p->value + c, p->n, p->k, err);
}

static struct column *
class_column(const struct model *m, const struct prediction *p,
             struct error *err)
{
    const struct target *like = &m->like;
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
        codes[i] = (uint32_t)model_decide(m, p->value + i * p->k);
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

/* "p_CLASS" */
static struct frame *
add_class(struct frame *f, const char *class, struct column *c,
          struct error *err)
{
    struct buf name;

    buf_init(&name);
    buf_printf(&name, "p_%s", class);
    if (!buf_check(&name, err)) {
        column_unref(c);
        c = NULL;
    }
    f = add_column(f, name.data, c, err);
    buf_fini(&name);
    return f;
}

static struct column *
whole_column(const struct prediction *p, size_t c, struct error *err)
{
    int64_t *x = mem_try_aligned(p->n, sizeof *x, err);

    if (!x)
        return NULL;
    for (size_t i = 0; i < p->n; i++)
        x[i] = (int64_t)p->value[i * p->k + c];
    return column_new(COL_INT64, p->n, x, NULL, NULL, err);
}

bool
model_in_set(const struct model *m, const double *row, size_t c)
{
    return conformal_has(&m->finish.conformal, row, model_width(m), c);
}

void
model_set_text(const struct model *m, const double *row, struct buf *out)
{
    const char *comma = "";

    for (size_t c = 0; c < m->like.n_classes; c++)
        if (model_in_set(m, row, c)) {
            buf_puts(out, comma);
            buf_puts(out, m->like.classes[c]);
            comma = ", ";
        }
}

static struct column *
set_column(const struct model *m, const struct prediction *p, struct error *err)
{
    uint32_t *codes = mem_try_aligned(p->n, sizeof *codes, err);
    struct dict *dict = codes ? dict_new(err) : NULL;
    bool ok = dict != NULL;
    struct buf b;

    buf_init(&b);
    for (size_t i = 0; i < p->n && ok; i++) {
        buf_clear(&b);
        model_set_text(m, p->value + i * p->k, &b);
        ok = buf_check(&b, err) &&
             dict_add(dict, (struct str){b.data, b.len}, &codes[i], err);
    }
    buf_fini(&b);
    if (ok)
        return column_new(COL_TEXT, p->n, codes, NULL, dict, err);
    dict_unref(dict);
    free(codes);
    return NULL;
}

/* Of a model without a target. */
static struct frame *
answer_frame(const struct model *m, const struct prediction *p,
             struct error *err)
{
    struct frame *f = frame_new(p->n, 0, NULL, NULL, err);
    struct answer a;

    for (size_t c = 0; c < p->k && f && model_answer(m, c, &a); c++)
        f = add_column(
            f, a.name,
            a.whole ? whole_column(p, c, err) : number_column(p, c, err), err);
    return f;
}

static struct frame *
prediction_frame(const struct model *m, const struct prediction *p,
                 struct error *err)
{
    const struct target *like = &m->like;
    struct frame *f;
    char name[32];

    if (like->problem == PROBLEM_NONE)
        return answer_frame(m, p, err);
    f = frame_new(p->n, 0, NULL, NULL, err);
    if (like->problem == PROBLEM_REGRESSION) {
        f = add_column(f, "prediction", number_column(p, 0, err), err);
        for (size_t c = 0; c < p->n_more && f; c++) {
            model_more_name(m, c, name);
            f = add_column(
                f, name, every_column(p->more + c, p->n, p->n_more, err), err);
        }
        return f;
    }
    if (like->problem == PROBLEM_BINARY)
        f = add_column(f, "probability", number_column(p, 0, err), err);
    for (size_t c = 0; c < p->k && p->k > 1 && f; c++) {
        f = add_class(f, like->classes[c], number_column(p, c, err), err);
    }
    if (f)
        f = add_column(f, "prediction", class_column(m, p, err), err);
    return f && m->finish.ranged
               ? add_column(f, "set", set_column(m, p, err), err)
               : f;
}

/* Column c of the predictions, NaN missing. */
static struct column *
holey_column(const struct prediction *p, size_t c, struct error *err)
{
    double *x = mem_try_aligned(p->n, sizeof *x, err);
    uint64_t *valid =
        x ? mem_try_array((p->n + 63) / 64, sizeof *valid, err) : NULL;

    if (!valid) {
        free(x);
        return NULL;
    }
    for (size_t i = 0; i < p->n; i++) {
        double v = p->value[i * p->k + c];

        x[i] = isnan(v) ? 0 : v;
        valid[i / 64] |= (uint64_t)!isnan(v) << (i % 64);
    }
    return column_new(COL_FLOAT64, p->n, x, valid, NULL, err);
}

struct frame *
model_out_of_bag(const struct model *m, struct error *err)
{
    struct prediction p = {.n = 0};
    struct frame *f;

    if (m->family->out_of_bag)
        p.value = (double *)(uintptr_t)m->family->out_of_bag(m->learner, &p.n);
    if (!p.value) {
        error_set(err, ERR_STATE,
                  m->family->out_of_bag
                      ? "the model kept no out-of-bag predictions: train it "
                        "with bootstrap=true and keep_oob=true"
                      : "a %s model leaves no rows out",
                  m->family->name);
        return NULL;
    }
    p.k = m->like.problem == PROBLEM_MULTICLASS ? m->like.n_classes : 1;
    f = frame_new(p.n, 0, NULL, NULL, err);
    for (size_t c = 0; c < p.k && f; c++) {
        struct column *column = holey_column(&p, c, err);

        f = m->like.problem == PROBLEM_MULTICLASS
                ? add_class(f, m->like.classes[c], column, err)
                : add_column(f,
                             m->like.problem == PROBLEM_BINARY ? "probability"
                                                               : "prediction",
                             column, err);
    }
    return f;
}

struct frame *
model_predict_frame(const struct model *m, const struct frame *f,
                    struct pool *pool, struct error *err)
{
    struct prediction p;
    struct frame *out;

    if (!model_predict_all(m, f, pool, &p, err))
        return NULL;
    out = prediction_frame(m, &p, err);
    prediction_fini(&p);
    return out;
}

bool
model_judge_check(const struct model *m, struct error *err)
{
    return m->like.problem != PROBLEM_NONE ||
           error_set(err, ERR_RANGE,
                     "%s has no target that it could be judged by",
                     m->family->name);
}

bool
model_truth(const struct model *m, const struct frame *f, struct target *out,
            struct error *err)
{
    struct target t;

    if (!target_apply(&m->like, f, m->target, &t, err))
        return false;
    if ((!m->weight || frame_find(f, m->weight) < 0 ||
         (target_weigh(&t, f, m->weight, err) && target_counts(&t, err))) &&
        (!m->group || frame_find(f, m->group) < 0 ||
         target_group(&t, f, m->group, err))) {
        *out = t;
        return true;
    }
    target_fini(&t);
    return false;
}

struct frame *
model_prepared(const struct model *m, const struct frame *f, struct pool *pool,
               struct error *err)
{
    return prepare_frame(m->prepare, f, pool, err);
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

/* ---- tables ---- */

const struct family_table *
model_tables(const struct model *m, size_t *n)
{
    const struct family_table *t = m->family->tables;

    *n = 0;
    while (t && t[*n].name)
        ++*n;
    return t;
}

struct frame *
model_table(const struct model *m, const char *name, struct error *err)
{
    struct buf list;
    size_t n;
    const struct family_table *t = model_tables(m, &n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(t[i].name, name) == 0)
            return m->family->table(m->learner, i, m->prepare, err);
    buf_init(&list);
    for (size_t i = 0; i < n; i++)
        buf_printf(&list, "%s%s", i ? ", " : ", there are ", t[i].name);
    error_set(err, ERR_NOTFOUND, "%s has no table '%.64s'%s", m->family->name,
              name, list.data);
    buf_fini(&list);
    return NULL;
}

struct frame *
model_recommend(const struct model *m, const struct recommend *ask,
                struct error *err)
{
    if (!m->family->recommend)
        error_set(err, ERR_RANGE, "%s does not recommend", m->family->name);
    else if (ask->n < 1)
        error_set(err, ERR_USAGE, "n is %lld, expected 1 item or more",
                  (long long)ask->n);
    else
        return m->family->recommend(m->learner, m->prepare, ask, err);
    return NULL;
}

struct frame *
model_forecast(const struct model *m, const struct forecast *ask,
               struct error *err)
{
    if (!m->family->forecast)
        error_set(err, ERR_RANGE, "%s does not forecast", m->family->name);
    else if (ask->horizon < 1 || ask->horizon > 100000)
        error_set(err, ERR_RANGE, "a horizon of %zu, expected 1..100000",
                  ask->horizon);
    else if (!(ask->level > 0 && ask->level < 1))
        error_set(err, ERR_RANGE, "a level of %g, expected between 0 and 1",
                  ask->level);
    else if (pool_check(ask->pool, err))
        return m->family->forecast(m->learner, m->prepare, ask, err);
    return NULL;
}

/* ---- what a model knows of itself ---- */

const void *
model_learner(const struct model *m)
{
    return m->learner;
}

const struct prepare *
model_prepare(const struct model *m)
{
    return m->prepare;
}

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

const char *
model_weight(const struct model *m)
{
    return m->weight;
}

const char *
model_offset(const struct model *m)
{
    return m->offset;
}

const char *
model_group(const struct model *m)
{
    return m->group;
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
    if (!m->baseline)
        *n = 0;
    return m->baseline;
}
