/* engine/explain.c -- shares of features in the margins of rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/explain_state.h"

enum {
    STREAM_DRAW = 0x64726177,
    PART_ROWS = 1 << 15, /* predicted before looking whether to stop */
    LINEAR_GRAIN = 512
};

/* ---- what all explanations need ---- */

/* The answer that is explained of a model without a target. */
static size_t
answer_at(const struct model *m, struct answer *out)
{
    size_t at = 0;

    while (model_answer(m, at, out) && out->whole && at + 1 < model_width(m))
        at++;
    return at;
}

/* How many numbers the learner has for a row, and which of them is explained
 * where that is one. */
static size_t
learner_outputs(const struct model *m, size_t *at)
{
    struct answer a;

    if (m->like.problem != PROBLEM_NONE)
        return model_outputs(m, at);
    *at = answer_at(m, &a);
    return model_width(m);
}

size_t
explain_outputs(const struct model *m)
{
    size_t at;

    return m->like.problem == PROBLEM_NONE ? 1 : learner_outputs(m, &at);
}

size_t
explain_judged(const struct model *m)
{
    return m->like.problem == PROBLEM_NONE ? 1 : model_width(m);
}

static bool
has_several(const struct model *m)
{
    return explain_outputs(m) > explain_judged(m);
}

/* Of n rows of all that the learner has, each number of `width`, those that are
 * explained. */
static void
pick(const struct model *m, const double *all, size_t n, size_t width,
     double *out)
{
    size_t at, k = learner_outputs(m, &at);

    for (size_t i = 0; i < n; i++)
        memcpy(out + i * width, all + (i * k + at) * width,
               width * sizeof *out);
}

/* Room for all that the learner has of n rows, or `out` where that is what is
 * explained; NULL on failure. */
static double *
room_for_all(const struct model *m, size_t n, size_t width, double *out,
             struct error *err)
{
    size_t at, k = learner_outputs(m, &at), each;

    if (k == explain_outputs(m))
        return out;
    if (!mem_mul(k, width * sizeof *out, &each)) {
        error_set(err, ERR_NOMEM, "shares of %zu rows do not fit", n);
        return NULL;
    }
    return mem_try_array(n, each, err);
}

bool
explain_margin(const struct model *m, const struct design *d, struct pool *pool,
               double *out, struct error *err)
{
    const struct family *f = m->family;
    size_t n = design_rows(d);
    double *all = room_for_all(m, n, 1, out, err);
    bool ok = all &&
              (f->margin ? f->margin : f->score)(m->learner, d, pool, all, err);

    if (all != out) {
        if (ok)
            pick(m, all, n, 1, out);
        free(all);
    }
    return ok;
}

bool
explain_names_init(struct explain_names *out, const struct model *m,
                   struct error *err)
{
    size_t n = explain_outputs(m);

    *out =
        has_several(m)
            ? (struct explain_names){.word = "quantile", .words = "quantiles"}
            : (struct explain_names){.word = "class", .words = "classes"};
    if (n < 2)
        return true;
    if (!(out->name = mem_try_array(n, sizeof *out->name, err)) ||
        (has_several(m) &&
         !(out->made = mem_try_array(n, sizeof *out->made, err)))) {
        explain_names_fini(out);
        return false;
    }
    out->n = n;
    for (size_t i = 0; i < n; i++) {
        if (out->made)
            m->family->output_name(m->learner, i, out->made[i]);
        out->name[i] = out->made ? out->made[i] : m->like.classes[i];
    }
    return true;
}

void
explain_names_fini(struct explain_names *names)
{
    free(names->name);
    free(names->made);
    *names = (struct explain_names){.n = 0};
}

static int
ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

bool
explain_draw(size_t n_rows, size_t n, uint64_t seed, uint32_t **out,
             size_t *n_out, struct error *err)
{
    uint32_t *id = mem_try_array(n_rows, sizeof *id, err);

    if (!id)
        return false;
    for (size_t i = 0; i < n_rows; i++)
        id[i] = (uint32_t)i;
    *n_out = n_rows;
    if (n < n_rows) {
        rng_shuffle(seed, STREAM_DRAW, id, n_rows);
        qsort(id, n, sizeof *id, ascending);
        *n_out = n;
    }
    *out = id;
    return true;
}

/* Of a prediction: k numbers of each row. */
static void
take_predicted(const struct model *m, const struct prediction *p, size_t k,
               double *out)
{
    if (m->like.problem == PROBLEM_NONE)
        pick(m, p->value, p->n, 1, out);
    else if (k == p->k)
        memcpy(out, p->value, p->n * k * sizeof *out);
    else
        for (size_t i = 0; i < p->n; i++)
            memcpy(out + i * k, p->more + i * p->n_more, k * sizeof *out);
}

bool
explain_predict(const struct model *m, const struct frame *f,
                const struct train *ctx, size_t k, double *out,
                struct error *err)
{
    size_t n = frame_rows(f);
    bool ok = progress_check(ctx->progress, err);

    for (size_t at = 0; ok && at < n; at += PART_ROWS) {
        size_t end = n - at < PART_ROWS ? n : at + PART_ROWS;
        struct frame *part =
            end - at == n ? frame_ref(f) : frame_slice(f, at, end, err);
        struct prediction p;

        ok = part && (k == explain_judged(m)
                          ? model_predict(m, part, ctx->pool, &p, err)
                          : model_predict_all(m, part, ctx->pool, &p, err));
        if (ok) {
            take_predicted(m, &p, k, out + at * k);
            prediction_fini(&p);
            ok = progress_check(ctx->progress, err);
        }
        frame_unref(part);
    }
    return ok;
}

/* ---- linear models ---- */

struct linear_job {
    const struct attribution *a;
    const double *weight, *bias, *mean;
    size_t k;
};

static void
mean_columns(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct linear_job *j = ctx;
    double *mean = (double *)(uintptr_t)j->mean, v[LINEAR_GRAIN];
    size_t n = design_rows(j->a->background);

    (void)chunk;
    for (size_t c = begin; c < end; c++) {
        double sum = 0;

        for (size_t at = 0; at < n && !progress_stopped(j->a->progress);
             at += LINEAR_GRAIN) {
            size_t to = n - at < LINEAR_GRAIN ? n : at + LINEAR_GRAIN;

            design_pull(j->a->background, c, at, to, v);
            for (size_t i = 0; i < to - at; i++)
                sum += v[i];
        }
        mean[c] = sum / (double)n;
    }
}

static void
linear_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct linear_job *j = ctx;
    const struct attribution *a = j->a;
    size_t p = design_cols(a->rows), n = a->n_features;
    size_t width = a->pairs ? (n + 1) * (n + 1) : n + 1;
    double v[LINEAR_GRAIN];

    (void)chunk;
    if (progress_stopped(a->progress))
        return;
    for (size_t r = begin; r < end; r++)
        for (size_t c = 0; c < j->k; c++) {
            double base = j->bias[c];

            for (size_t i = 0; i < p; i++)
                base += j->weight[c * p + i] * j->mean[i];
            a->out[(r * j->k + c + 1) * width - 1] = base;
        }
    for (size_t i = 0; i < p; i++) {
        size_t at = a->feature[i] * (a->pairs ? n + 2 : 1);

        design_pull(a->rows, i, begin, end, v);
        for (size_t r = begin; r < end; r++)
            for (size_t c = 0; c < j->k; c++)
                a->out[(r * j->k + c) * width + at] +=
                    j->weight[c * p + i] * (v[r - begin] - j->mean[i]);
    }
    progress_add(a->progress, (end - begin) * j->k);
}

bool
explain_linear(const struct attribution *a, const double *weight,
               const double *bias, size_t n_outputs, struct error *err)
{
    size_t p = design_cols(a->rows);
    double *mean;
    struct linear_job j = {a, weight, bias, NULL, n_outputs};

    if (!a->background || design_rows(a->background) == 0)
        return error_set(err, ERR_RANGE, "no background rows");
    if (!(mean = mem_try_array(p, sizeof *mean, err)))
        return false;
    j.mean = mean;
    pool_for(a->pool, p, 1, mean_columns, &j);
    pool_for(a->pool, design_rows(a->rows), LINEAR_GRAIN, linear_rows, &j);
    free(mean);
    return progress_check(a->progress, err);
}

/* ---- features ---- */

/* Which feature each column of the design is made from; the names, each
 * once. */
static bool
list_features(const struct model *m, uint32_t *feature, struct shares *s,
              struct error *err)
{
    size_t cols = prepare_cols(m->prepare);
    struct dict *names = dict_new(err);
    bool ok = names != NULL;

    for (size_t c = 0; c < cols && ok; c++) {
        const char *name = prepare_feature(m->prepare, c);

        ok = dict_add(names, str_of(name), &feature[c], err);
        if (ok && feature[c] == s->n_features)
            s->feature[s->n_features++] = name;
    }
    dict_unref(names);
    return ok;
}

/* Is the margin of a row its value, or is there a link between them? */
static bool
has_link(const struct model *m, const struct design *d, struct error *err)
{
    size_t at, n = design_rows(d), k = learner_outputs(m, &at);
    double *margin = mem_try_array(n, k * sizeof *margin, err);
    double *value = mem_try_array(n, k * sizeof *value, err);
    bool apart = false;

    if (margin && value &&
        m->family->margin(m->learner, d, NULL, margin, err) &&
        m->family->score(m->learner, d, NULL, value, err))
        for (size_t i = 0; i < n * k; i++)
            apart |= margin[i] != value[i];
    free(margin);
    free(value);
    return apart;
}

void
explain_answer_name(const struct model *m, char *out, size_t len)
{
    struct answer a;

    if (m->like.problem == PROBLEM_NONE)
        answer_at(m, &a);
    snprintf(out, len, "%s",
             m->like.problem == PROBLEM_NONE         ? a.name
             : m->like.problem == PROBLEM_REGRESSION ? "value"
                                                     : "probability");
}

/* What margins are, where they are not what is predicted; else NULL. */
static const char *
scale_of(const struct model *m, const struct frame *f)
{
    struct error ignored;
    struct frame *few;
    struct design *d = NULL;
    bool link = false;

    if (!m->family->margin || m->like.problem == PROBLEM_NONE)
        return NULL;
    few = frame_slice(f, 0, frame_rows(f) < 8 ? frame_rows(f) : 8, &ignored);
    if (few && (d = prepare_apply(m->prepare, few, NULL, &ignored)))
        link = has_link(m, d, &ignored);
    design_free(d);
    frame_unref(few);
    if (m->like.problem != PROBLEM_REGRESSION)
        return link || frame_rows(f) == 0 ? "log odds" : NULL;
    return link ? "margin" : "value";
}

/* ---- shares ---- */

static bool
is_exact(const struct model *m)
{
    const struct family *f = m->family;

    return f->attribute && (!f->exact || f->exact(m->learner));
}

static bool
has_paths(const struct model *m)
{
    const struct family *f = m->family;

    return is_exact(m) && f->needs_background &&
           !f->needs_background(m->learner);
}

bool
explain_wants_background(const struct model *m, enum explain_way way)
{
    return way != EXPLAIN_PATH && !(way == EXPLAIN_AUTO && has_paths(m));
}

bool
explain_asks(const struct model *m)
{
    return !is_exact(m);
}

static bool
refuse_path(const struct model *m, struct error *err)
{
    const struct family *f = m->family;

    return error_set(err, ERR_RANGE,
                     is_exact(m) && f->needs_background
                         ? "the file of this %s model is from before models "
                           "kept how training rows went: explain it against "
                           "background rows"
                         : "this %s model has no paths, but the kernel way",
                     f->name);
}

static bool
choose_way(const struct model *m, const struct explain_options *o,
           enum explain_way *way, struct error *err)
{
    *way = o->way;
    if (o->way == EXPLAIN_AUTO)
        *way = has_paths(m) && !o->background ? EXPLAIN_PATH
               : is_exact(m)                  ? EXPLAIN_BACKGROUND
                                              : EXPLAIN_KERNEL;
    if (*way == EXPLAIN_PATH && !has_paths(m))
        return refuse_path(m, err);
    if (*way == EXPLAIN_BACKGROUND && !is_exact(m))
        return error_set(err, ERR_RANGE,
                         "this %s model has no exact shares, but the kernel "
                         "way",
                         m->family->name);
    if (*way == EXPLAIN_KERNEL && o->pairs)
        return error_set(err, ERR_RANGE,
                         "pairs are told of trees and linear models alone");
    return true;
}

/* The rows that values are taken from where a feature is left out. */
static struct design *
make_background(const struct model *m, const struct frame *f,
                const struct explain_options *o, enum explain_way way,
                const struct train *ctx, struct error *err)
{
    const struct frame *from = o->background ? o->background : f;
    size_t n = o->background_rows, n_drawn = 0;
    uint32_t *id = NULL;
    struct frame *drawn = NULL;
    struct design *d = NULL;

    if (n == 0)
        n = way == EXPLAIN_BACKGROUND && !m->family->needs_background
                ? SIZE_MAX
                : EXPLAIN_BACKGROUND_ROWS;
    if (frame_rows(from) == 0) {
        error_set(err, ERR_RANGE, "no background rows");
        return NULL;
    }
    if (frame_rows(from) <= n)
        drawn = frame_ref(from);
    else if (explain_draw(frame_rows(from), n, ctx->seed, &id, &n_drawn, err))
        drawn = frame_take(from, id, n_drawn, err);
    if (drawn)
        d = prepare_apply(m->prepare, drawn, ctx->pool, err);
    frame_unref(drawn);
    free(id);
    return d;
}

static bool
room_for_shares(struct shares *s, struct error *err)
{
    size_t width = s->n_features + 1, total;

    if ((s->pairs && !mem_mul(width, width, &width)) ||
        !mem_mul(s->n, s->k, &total) || !mem_mul(total, width, &total))
        return error_set(err, ERR_NOMEM, "shares of %zu rows do not fit", s->n);
    s->value = mem_try_array(total, sizeof *s->value, err);
    return s->value != NULL;
}

static void
take_note(struct shares *s, enum explain_way way, const struct design *back)
{
    if (way == EXPLAIN_PATH)
        snprintf(s->note, sizeof s->note,
                 "exact, by the ways of the training rows");
    else if (way == EXPLAIN_BACKGROUND)
        snprintf(s->note, sizeof s->note, "exact, against %zu background row%s",
                 design_rows(back), design_rows(back) == 1 ? "" : "s");
}

static bool
attribute(const struct shares *s, const struct attribution *asked,
          struct error *err)
{
    const struct model *m = s->model;
    struct attribution a = *asked;
    size_t width = s->n_features + 1;
    bool ok;

    width = s->pairs ? width * width : width;
    a.out = room_for_all(m, s->n, width, asked->out, err);
    ok = a.out && m->family->attribute(m->learner, &a, err);
    if (a.out != asked->out) {
        if (ok)
            pick(m, a.out, s->n, width, asked->out);
        free(a.out);
    }
    return ok;
}

/* Where scores begin with a column, so do the bases of its rows. */
static bool
add_offset(struct shares *s, const struct frame *f, struct error *err)
{
    const char *name = s->model->offset;
    size_t width = s->n_features + 1;
    double *offset;

    if (!name || frame_find(f, name) < 0)
        return true;
    if (!(offset = offset_column(f, name, err)))
        return false;
    width = s->pairs ? width * width : width;
    for (size_t i = 0; i < s->n * s->k; i++)
        s->value[(i + 1) * width - 1] += offset[i / s->k];
    free(offset);
    return true;
}

/* The rows as designs, then the family or the kernel. */
static bool
find_shares(struct shares *s, const struct frame *f,
            const struct explain_options *o, const struct train *ctx,
            const uint32_t *feature, struct error *err)
{
    const struct model *m = s->model;
    enum explain_way way;
    struct attribution a = {.feature = feature,
                            .n_features = s->n_features,
                            .pairs = o->pairs,
                            .pool = ctx->pool,
                            .progress = ctx->progress,
                            .out = s->value};
    struct design *rows = NULL, *back = NULL;
    bool ok = choose_way(m, o, &way, err) &&
              (rows = prepare_apply(m->prepare, f, ctx->pool, err)) &&
              (way == EXPLAIN_PATH ||
               (back = make_background(m, f, o, way, ctx, err)));

    a.rows = rows;
    a.background = back;
    progress_begin(ctx->progress, "explaining", s->n * s->k);
    if (ok) {
        take_note(s, way, back);
        ok = way == EXPLAIN_KERNEL
                 ? explain_kernel(m, &a, o->samples, ctx->seed, s->k, s->note,
                                  sizeof s->note, err)
                 : attribute(s, &a, err);
    }
    ok = ok && add_offset(s, f, err);
    design_free(rows);
    design_free(back);
    return ok;
}

bool
explain_shares(const struct model *m, const struct frame *f,
               const struct explain_options *o, const struct train *ctx,
               struct shares *out, struct error *err)
{
    static const struct explain_options none;
    size_t cols = prepare_cols(m->prepare);
    uint32_t *feature = mem_try_array(cols, sizeof *feature, err);
    const char *scale;
    bool ok;

    o = o ? o : &none;
    *out = (struct shares){.model = model_ref(m),
                           .n = frame_rows(f),
                           .k = explain_outputs(m),
                           .pairs = o->pairs};
    if ((scale = scale_of(m, f)))
        snprintf(out->scale, sizeof out->scale, "%s", scale);
    else
        explain_answer_name(m, out->scale, sizeof out->scale);
    out->feature = mem_try_array(cols, sizeof *out->feature, err);
    ok = explain_names_init(&out->names, m, err) && feature && out->feature &&
         list_features(m, feature, out, err) && room_for_shares(out, err) &&
         find_shares(out, f, o, ctx, feature, err);
    free(feature);
    if (!ok)
        shares_fini(out);
    return ok;
}

void
shares_fini(struct shares *s)
{
    model_unref(s->model);
    explain_names_fini(&s->names);
    free(s->feature);
    free(s->value);
    *s = (struct shares){.n = 0};
}
