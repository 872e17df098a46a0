/* engine/model_fit.c -- from a table to a fitted model.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/model_fit.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/judged.h"

#define TARGET_MOST 1e150
enum {
    PATIENCE = 50,
    RESAMPLES = 200, /* for the card; an evaluation has more */
    NEAR_END = 50    /* rounds: one of so many is among the last */
};

/* Rows, targets, designs. */
static void
release(struct fit *f)
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

/* One of the metrics, or one more: which one it is. */
static bool
metric_choose(struct fit *f, const char *name, size_t *at, struct error *err)
{
    struct metric *m = &f->asked[f->n_metrics];

    for (*at = 0; *at < f->n_metrics; ++*at)
        if (strcmp(f->metric[*at]->name, name) == 0)
            return true;
    if (f->n_metrics == METRIC_MAX)
        return error_set(err, ERR_RANGE, "over %d metrics", METRIC_MAX);
    if (!metric_parse(name, f->all.problem, m, err))
        return false;
    f->metric[f->n_metrics++] = m;
    return true;
}

/* What is followed is scored in the end, beside the usual ones. */
static bool
scores_check(const struct fit *f, const char *const *names, struct error *err)
{
    struct metric_list l;

    if (!metric_list_make(f->all.problem, true, names, &l, err))
        return false;
    metric_list_fini(&l);
    return true;
}

static bool
metrics_choose(struct fit *f, struct error *err)
{
    static const char *const classes[] = {"logloss", "auc", NULL};
    static const char *const numbers[] = {"rmse", "mae", NULL};
    const char *const *names = f->o->metrics;
    size_t at;

    if (f->all.problem == PROBLEM_NONE)
        return !names || error_set(err, ERR_RANGE,
                                   "%s learns without a target: no metric "
                                   "tells how well",
                                   f->family->name);
    if (!names)
        names = f->all.problem == PROBLEM_REGRESSION ? numbers : classes;
    for (size_t i = 0; names[i]; i++)
        if (!metric_choose(f, names[i], &at, err))
            return false;
    if (!scores_check(f, names, err))
        return false;
    if (!f->o->stop)
        return true;
    f->stop = FIT_STOP_LOSS;
    return strcmp(f->o->stop, "loss") == 0 ||
           metric_choose(f, f->o->stop, &f->stop, err);
}

int
model_fit_problem(const struct family *family, const struct params *p,
                  int wanted)
{
    return wanted == TARGET_AUTO && family->problem ? family->problem(p)
                                                    : wanted;
}

const char *
model_fit_time(const struct family *family, const struct params *p)
{
    return family->forecast && params_is_set(p, "time") ? params_text(p, "time")
                                                        : NULL;
}

/* What is to be learnt is nothing to learn from. */
static bool
roles_check(const char *target, const struct model_options *o,
            struct error *err)
{
    const struct {
        const char *name, *role;
    } one[] = {{o->weight, "the weight"}, {o->offset, "the offset"}};

    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        if (one[i].name && strcmp(one[i].name, target) == 0)
            return error_set(err, ERR_USAGE,
                             "'%.64s' is the target: it is not %s, too", target,
                             one[i].role);
    for (size_t i = 0; o->drop && o->drop[i]; i++)
        if (strcmp(o->drop[i], target) == 0)
            return error_set(err, ERR_USAGE,
                             "'%.64s' is the target: it cannot be dropped",
                             target);
    return true;
}

bool
model_fit_target_check(const struct family *family, const char *target,
                       const struct model_options *o, struct error *err)
{
    bool none = family->problems == 1u << PROBLEM_NONE;

    if (target && o && !roles_check(target, o, err))
        return false;
    if (!none && !target)
        return error_set(err, ERR_USAGE, "%s needs a target: what to predict",
                         family->name);
    if (none && target)
        return error_set(err, ERR_USAGE,
                         "%s learns without a target; a column that it is not "
                         "to see is dropped",
                         family->name);
    if (none && o && o->positive)
        return error_set(err, ERR_USAGE,
                         "%s learns without a target: there is no positive "
                         "class",
                         family->name);
    if (none && o && (o->valid || o->valid_share > 0))
        return error_set(err, ERR_USAGE,
                         "%s learns without a target: there is nothing to "
                         "hold rows out for",
                         family->name);
    if (family->forecast && o && o->valid_share > 0)
        return error_set(err, ERR_USAGE,
                         "%s learns from a series: rows drawn from it leave "
                         "gaps; hold out its last rows",
                         family->name);
    return true;
}

static bool
problem_check(const struct fit *f, struct error *err)
{
    const struct family *family = f->family;

    if (!(family->problems & 1u << f->all.problem))
        return error_set(err, ERR_RANGE,
                         "%s does not learn a %s target, and '%s' is one",
                         family->name, problem_word(f->all.problem), f->target);
    if (f->ctx->loss && !family->own_losses)
        return error_set(err, ERR_RANGE, "%s learns by its own loss alone",
                         family->name);
    if (f->o->offset && !family->offsets)
        return error_set(err, ERR_RANGE, "%s does not begin at an offset",
                         family->name);
    if (f->o->checkpoint && !family->checkpoints)
        return error_set(err, ERR_RANGE, "%s keeps no checkpoint",
                         family->name);
    return family->weighs || (!f->o->weight && !f->o->class_weight) ||
           error_set(err, ERR_RANGE, "%s does not learn from weights",
                     family->name);
}

static bool
text_keep(const char *text, char **out, struct error *err)
{
    return !text || (*out = mem_try_text(text, strlen(text), err));
}

bool
model_fit_weigh(const struct fit *f, struct target *t, const struct frame *rows,
                struct error *err)
{
    return (!f->o->weight || target_weigh(t, rows, f->o->weight, err)) &&
           (!f->o->group || target_group(t, rows, f->o->group, err));
}

/* Classes weigh by the training rows; those held out then weigh alike, or they
 * would stop the training by another loss than it follows. */
static bool
weigh_classes(struct fit *f, struct error *err)
{
    double factor[TARGET_MAX_CLASSES] = {0};

    if (f->o->class_weight &&
        (!target_class_factors(&f->y, f->o->class_weight, factor, err) ||
         !target_weigh_classes(&f->y, factor, err) ||
         !target_weigh_classes(&f->y_valid, factor, err)))
        return false;
    return target_counts(&f->y, err) &&
           (target_counts(&f->y_valid, err) ||
            error_prefix(err, "validation rows: "));
}

/* What is no input by the options. */
static bool
list_dropped(struct fit *f, struct error *err)
{
    size_t n = 0;

    while (f->o->drop && f->o->drop[n])
        n++;
    if (!(f->drop = mem_try_array(n + 4, sizeof *f->drop, err)))
        return false;
    for (size_t i = 0; i < n; i++)
        f->drop[i] = f->o->drop[i];
    if (f->o->weight)
        f->drop[n++] = f->o->weight;
    if (f->o->group)
        f->drop[n++] = f->o->group;
    if (f->o->offset)
        f->drop[n++] = f->o->offset;
    return true;
}

/* The column that a parameter names, or NULL. */
static const char *
column_named(const struct fit *f, const char *param)
{
    const struct param *p = f->family->params;

    while (strcmp(p->name, param) != 0)
        p++;
    return p->fallback || params_is_set(f->params, param)
               ? params_text(f->params, param)
               : NULL;
}

/* The names in `list`: it is one itself, or has commas between; *at moves on,
 * from 0.  False behind the last; an empty list holds one empty name. */
static bool
next_name(const struct frame *f, const char *list, size_t *at, struct str *out)
{
    size_t len = strlen(list);
    const char *comma;

    if (*at > len)
        return false;
    comma = memchr(list + *at, ',', len - *at);
    if (*at == 0 && frame_find(f, list) >= 0)
        comma = NULL;
    out->p = list + *at;
    out->n = (comma ? (size_t)(comma - list) : len) - *at;
    *at += out->n + 1;
    *out = str_trim(*out);
    return true;
}

static bool
is_named(const struct fit *f, const char *column)
{
    struct str name;

    for (const char *const *p = f->family->columns; *p; p++) {
        const char *list = column_named(f, *p);
        size_t at = 0;

        while (list && next_name(f->train, list, &at, &name))
            if (str_is(name, column))
                return true;
    }
    return f->target && strcmp(column, f->target) == 0;
}

/* Is every column there that parameter `p` names? */
static bool
need_named(const struct fit *f, const char *p, struct error *err)
{
    const char *list = column_named(f, p);
    struct str name;
    size_t at = 0, col;

    while (list && next_name(f->train, list, &at, &name)) {
        char *text = mem_try_text(name.p, name.n, err);
        bool ok = text && frame_need(f->train, text, &col, err);

        free(text);
        if (!ok)
            return error_prefix(err, "%s: ", p);
    }
    return true;
}

/* All columns but those that parameters name. */
static bool
drop_unnamed(struct fit *f, struct error *err)
{
    const char **list =
        mem_try_array(frame_cols(f->train) + 1, sizeof *list, err);
    size_t n = 0;

    if (!list)
        return false;
    for (size_t c = 0; c < frame_cols(f->train); c++)
        if (!is_named(f, frame_name(f->train, c)))
            list[n++] = frame_name(f->train, c);
    free(f->drop);
    f->drop = list;
    for (const char *const *p = f->family->columns; *p; p++)
        if (!need_named(f, *p, err))
            return false;
    return true;
}

/* Through its text, as a saved model comes back. */
static struct prepare *
prepare_copy(const struct prepare *p, struct error *err)
{
    struct prepare *copy = NULL;
    struct json_writer w;
    struct json *v = NULL;
    struct buf b;

    buf_init(&b);
    json_writer_init(&w, &b);
    prepare_json(p, &w);
    if (buf_check(&b, err) &&
        (v = json_parse((struct str){b.data, b.len}, err)))
        copy = prepare_from_json(v, err);
    json_free(v);
    buf_fini(&b);
    return copy;
}

/* In learning it must be there. */
static bool
offset_check(const struct fit *f, struct error *err)
{
    size_t col;

    return (frame_need(f->train, f->o->offset, &col, err) ||
            error_prefix(err, "offset: ")) &&
           (frame_need(f->valid, f->o->offset, &col, err) ||
            error_prefix(err, "validation rows: offset: "));
}

bool
model_fit_prepare(struct fit *f, struct error *err)
{
    struct pool *pool = f->ctx->pool;
    struct prepare_options o = {.derive = f->o->derive,
                                .steps = f->o->prepare,
                                .y = f->target ? &f->y : NULL,
                                .seed = f->ctx->seed};

    if (f->o->init && (f->o->prepare || prepare_by_target(f->o->init->prepare)))
        return error_set(err, ERR_RANGE,
                         "a model to go on from brings its own preparation, "
                         "and none that looks at the target");
    if (f->family->columns && !drop_unnamed(f, err))
        return false;
    o.drop = f->drop;
    f->m->prepare = f->o->init
                        ? prepare_copy(f->o->init->prepare, err)
                        : prepare_fit_steps(f->train, f->target,
                                            f->family->style, &o, pool, err);
    if (!f->m->prepare || (f->o->offset && !offset_check(f, err)) ||
        !(f->x = model_put_offset(
              f->m, f->train, prepare_train(f->m->prepare, f->train, pool, err),
              err)))
        return false;
    if (!(f->x_valid = model_design(f->m, f->valid, pool, err)))
        return error_prefix(err, "validation rows: ");
    /* Before learning, whose result is then whole whenever it is stopped. */
    return model_baselines_fit(f->m, f->train, pool, err);
}

bool
model_fit_learn(struct fit *f, const struct params *p, unsigned patience,
                struct error *err)
{
    char key[33];
    struct buf of;
    struct checkpoint c = {.path = f->o->checkpoint,
                           .key = key,
                           .every_rounds = f->o->checkpoint_every,
                           .resume = f->o->resume};
    struct fit_data d = {.train = f->x,
                         .valid = f->x_valid,
                         .y = &f->y,
                         .y_valid = &f->y_valid,
                         .metrics = f->metric,
                         .n_metrics = f->n_metrics,
                         .patience = patience,
                         .usual_metrics = !f->o->metrics && !f->o->stop,
                         .stop = f->stop,
                         .feed = f->feed};
    struct json_writer w;

    buf_init(&of);
    if (c.path && !f->again) {
        if (!model_fit_key(f, key, &of, err)) {
            buf_fini(&of);
            return false;
        }
        c.of = of.data;
        d.checkpoint = &c;
    }
    if (f->o->init)
        d.init = f->o->init->learner;
    buf_clear(&f->chosen);
    json_writer_init(&w, &f->chosen);
    json_open(&w, '{');
    f->m->learner = f->family->fit(&d, p, f->ctx, &w, err);
    json_close(&w, '}');
    buf_fini(&of);
    return f->m->learner && buf_check(&f->chosen, err);
}

bool
model_fit_anew(struct fit *f, const struct frame *all, struct error *err)
{
    release(f);
    return model_fit_all_rows(f, all, err) && weigh_classes(f, err);
}

bool
model_fit_close(struct fit *f, struct error *err)
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

bool
model_fit_kept(const struct fit *f, const struct error *why, struct error *err)
{
    if (why->code == ERR_CANCELLED && progress_stopped(f->ctx->progress))
        return true;
    *err = *why;
    return false;
}

/* With the names that somebody asked for, and in their order. */
static void
put_scores(const struct evaluation *e, const char *const *asked,
           struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_open(&w, '{');
    evaluation_json_members(e, &w);
    if (*asked) {
        json_name(&w, "asked");
        json_open(&w, '[');
        for (; *asked; asked++)
            json_put_string(&w, *asked);
        json_close(&w, ']');
    }
    json_close(&w, '}');
}

bool
model_fit_score(struct fit *f, struct error *err)
{
    struct model *m = f->m;
    const char *asked[METRIC_MAX + 1] = {NULL};
    size_t n = f->y_valid.n;
    size_t k = model_width(m);
    struct error why;
    double *p = mem_try_array(n * k, sizeof *p, &why);
    struct evaluation_options o = {
        .metrics = asked, .resamples = RESAMPLES, .seed = f->ctx->seed};
    struct evaluation e = {0};
    struct judged j = {.k = k, .p = p}; /* classes weigh in learning alone */
    struct buf b;
    bool ok = false;

    if (f->o->metrics || f->o->stop)
        for (size_t i = 0; i < f->n_metrics; i++)
            asked[i] = f->metric[i]->name;
    buf_init(&b);
    if (p && model_truth(m, f->valid, &j.truth, &why) &&
        model_score(m, f->x_valid, f->ctx->pool, p, &why) &&
        judged_decide(m, &j, &why) &&
        judged_evaluate(&j, &o, f->ctx->pool, &e, &why)) {
        put_scores(&e, asked, &b);
        ok = buf_check(&b, &why);
    }
    if (ok)
        m->metrics = buf_take(&b);
    evaluation_fini(&e);
    judged_fini(&j);
    buf_fini(&b);
    return ok || model_fit_kept(f, &why, err);
}

unsigned
model_fit_patience(const struct fit *f)
{
    return f->o->patience < 0 ? PATIENCE : (unsigned)f->o->patience;
}

bool
model_fit_settle(struct fit *f, struct error *err)
{
    struct model *m = f->m;

    m->seed = f->ctx->seed;
    return problem_check(f, err) && metrics_choose(f, err) &&
           (!f->target || finish_check(&f->o->finish, &f->all, err)) &&
           list_dropped(f, err) &&
           target_take(&f->all, NULL, 0, &m->like, err) &&
           text_keep(f->target, &m->target, err) &&
           text_keep(f->o->weight, &m->weight, err) &&
           text_keep(f->o->group, &m->group, err) &&
           text_keep(f->o->offset, &m->offset, err);
}

bool
model_fit_begin(struct fit *f, struct error *err)
{
    static const struct model_options usual = {.problem = -1, .patience = -1};

    if (!f->o)
        f->o = &usual;
    buf_init(&f->chosen);
    f->m = model_new(f->family, err);
    return f->m != NULL;
}

struct model *
model_fit_end(struct fit *f, bool ok)
{
    release(f);
    frame_unref(f->rest);
    frame_unref(f->kept);
    target_fini(&f->all);
    free(f->drop);
    buf_fini(&f->chosen);
    if (ok)
        return f->m;
    model_unref(f->m);
    return NULL;
}

static bool
init_check(const struct fit *f, struct error *err)
{
    const struct model *init = f->o->init;

    if (init->family != f->family)
        return error_set(err, ERR_RANGE, "a %s does not go on from a %s",
                         f->family->name, init->family->name);
    if (!f->family->continues)
        return error_set(err, ERR_RANGE, "%s does not go on from a model",
                         f->family->name);
    if (strcmp(init->target, f->target) != 0)
        return error_set(err, ERR_RANGE,
                         "the model to go on from predicts '%s', not '%s'",
                         init->target, f->target);
    if (f->o->problem != TARGET_AUTO &&
        problem_has_classes(init->like.problem) !=
            (f->o->problem != PROBLEM_REGRESSION))
        return error_set(err, ERR_RANGE,
                         "the model to go on from learns a %s target: it keeps "
                         "to that",
                         problem_word(init->like.problem));
    if (init->offset &&
        (!f->o->offset || strcmp(init->offset, f->o->offset) != 0))
        return error_set(err, ERR_USAGE,
                         "the model to go on from begins at offset '%s': name "
                         "it too",
                         init->offset);
    if (f->o->positive &&
        (init->like.problem != PROBLEM_BINARY ||
         target_class_named((const char *const *)init->like.classes, 2,
                            str_of(f->o->positive)) != 1))
        return error_set(
            err, ERR_RANGE,
            "a model that goes on from another keeps its positive "
            "class%s%.64s",
            init->like.problem == PROBLEM_BINARY ? ": " : "",
            init->like.problem == PROBLEM_BINARY ? init->like.classes[1] : "");
    return (!f->o->drop && !f->o->derive) ||
           error_set(err, ERR_USAGE,
                     "a model that goes on from another takes its inputs: "
                     "nothing can be dropped or derived");
}

/* Squares of what is learnt must be numbers. */
static bool
target_bounded(const struct target *t, const char *name, struct error *err)
{
    for (size_t i = 0; t->problem == PROBLEM_REGRESSION && i < t->n; i++)
        if (fabs(t->y[i]) > TARGET_MOST)
            return error_set(err, ERR_RANGE,
                             "target '%s' is %g in row %zu, expected at most "
                             "%g: learn it in another unit, or its logarithm",
                             name, t->y[i], i + 1, TARGET_MOST);
    return true;
}

/* The target of all rows, with the classes of the model to go on from. */
static bool
target_learn(struct fit *f, const struct frame *all, struct error *err)
{
    if (f->o->init)
        return init_check(f, err) &&
               target_apply(&f->o->init->like, all, f->target, &f->all, err) &&
               target_bounded(&f->all, f->target, err);
    return target_fit(all, f->target,
                      model_fit_problem(f->family, f->params, f->o->problem),
                      &f->all, err) &&
           target_set_positive(&f->all, f->target, f->o->positive, err) &&
           target_bounded(&f->all, f->target, err);
}

static bool
fingerprint_take(struct fit *f, const struct frame *all, struct error *err)
{
    const char *known = f->o->fingerprint;

    if (!known)
        return frame_fingerprint(all, f->m->fingerprint, err);
    assert(strlen(known) < sizeof f->m->fingerprint);
    strcpy(f->m->fingerprint, known);
    return true;
}

/* Did the rounds end, the best of them among the last, before patience did? */
static void
note_end(struct fit *f)
{
    const struct family *family = f->family;
    size_t kept, most;

    if (f->m->n_valid == 0 || model_fit_patience(f) == 0 || !family->rounds ||
        !family->rounds_param || progress_stopped(f->ctx->progress))
        return;
    most = model_fit_rounds(f);
    kept = family->rounds(f->m->learner);
    if (kept > 0 && kept <= most && kept >= most - most / NEAR_END)
        f->m->rounds_most = most;
}

static bool
fit_run(struct fit *f, const struct frame *all, struct error *err)
{
    struct model *m = f->m;

    if (!model_fit_target_check(f->family, f->target, f->o, err))
        return false;
    if (frame_rows(all) == 0 && !f->target)
        return error_set(err, ERR_RANGE, "no rows to learn from");
    if (!(f->target ? target_learn(f, all, err)
                    : target_none(frame_rows(all), &f->all, err)) ||
        !model_fit_settle(f, err) || !model_fit_weigh(f, &f->all, all, err) ||
        !fingerprint_take(f, all, err) || !model_fit_keep(f, all, err) ||
        !model_fit_rows(f, f->rest, err) || !weigh_classes(f, err))
        return false;
    m->n_train = f->y.n;
    m->n_valid = f->y_valid.n;
    if (!model_fit_prepare(f, err) ||
        !model_fit_learn(f, f->params, model_fit_patience(f), err) ||
        !model_fit_finish(f, err) || (m->n_valid && !model_fit_score(f, err)))
        return false;
    note_end(f);
    if (f->o->refit && m->n_valid && !f->o->valid && f->family->rounds &&
        !progress_stopped(f->ctx->progress) && !model_refit(f, f->rest, err))
        return false;
    return model_fit_close(f, err);
}

bool
model_fit_check(const struct family *family, const struct params *p,
                const struct frame *f, const char *target,
                const struct model_options *o, struct error *err)
{
    static const struct train alone = {.seed = 0};
    struct fit fit = {
        .family = family, .params = p, .o = o, .ctx = &alone, .target = target};
    double factor[TARGET_MAX_CLASSES] = {0};
    bool ok =
        model_fit_begin(&fit, err) &&
        (!target ||
         (target_learn(&fit, f, err) && model_fit_settle(&fit, err) &&
          (!fit.o->class_weight ||
           target_class_factors(&fit.all, fit.o->class_weight, factor, err))));

    model_unref(model_fit_end(&fit, ok));
    return ok;
}

struct model *
model_fit(const struct family *family, const struct params *p,
          const struct frame *f, const char *target,
          const struct model_options *o, const struct train *ctx,
          struct error *err)
{
    struct fit fit = {
        .family = family, .params = p, .o = o, .ctx = ctx, .target = target};
    bool ok = model_fit_begin(&fit, err) && fit_run(&fit, f, err);

    return model_fit_end(&fit, ok);
}
