/* session/cmd_model.c -- train, predict, explain.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/judged.h"
#include "frame/folder.h"
#include "frame/split.h"
#include "session/cmd.h"
#include "session/enrol.h"
#include "session/fit.h"
#include "session/learnt.h"
#include "session/summary.h"

/* ---- train ---- */

struct training {
    struct frame *data, *valid, *test;
    struct stream *rows;            /* instead of data: beyond memory */
    double valid_share, test_share; /* 0: none, or rows of their own */
    char table[LEARNT_PRINT];       /* of which test is a share, or of test: its
                                 fingerprint */
    size_t learnt;                  /* rows of a table to test on */
    struct buf note;                /* of these */
    size_t n_gap;                   /* rows between data and test */
    struct params *params;
    struct model *model, *init;
    struct evaluation evaluation; /* on test */
    bool evaluated;
    struct cv_options cv;
    struct cv_result crossed; /* where cv.k > 0 */
    struct cmd_names metrics, drop;
    const char **class_weight, **profit;
    const char **derive, **prepare;
    run_id run;
    char *version; /* "churn/3" */
};

static void
training_fini(struct training *g)
{
    frame_unref(g->data);
    stream_close(g->rows);
    frame_unref(g->valid);
    frame_unref(g->test);
    params_free(g->params);
    model_unref(g->model);
    model_unref(g->init);
    if (g->evaluated)
        evaluation_fini(&g->evaluation);
    cv_result_fini(&g->crossed);
    cmd_names_fini(&g->metrics);
    cmd_names_fini(&g->drop);
    free(g->class_weight);
    free(g->profit);
    free(g->derive);
    free(g->prepare);
    free(g->version);
    buf_fini(&g->note);
}

/* "0.2" is a share of DATA, all else a table: "./0.2" too. */
static bool
read_share(const struct call *c, const char *name, double *share,
           struct error *err)
{
    const char *text = call_text(c, name);

    if (!text || !str_to_f64(str_of(text), share))
        return true;
    return (*share > 0 && *share < 1) ||
           error_set(err, ERR_USAGE,
                     "train: --%s is %s, expected a table or a share between "
                     "0 and 1",
                     name, text);
}

/* What to predict, where nothing is said: what the model to go on from does; of
 * a folder of pictures which subfolder they are in. */
static const char *
target_of(const struct training *g, const struct family *family,
          const struct call *c)
{
    const char *target = call_text(c, "target");

    if (target || g->init)
        return target ? target : model_target(g->init);
    if (family->problems == 1u << PROBLEM_NONE)
        return NULL;
    return folder_is(call_text(c, "data")) ? "class" : NULL;
}

/* How rows are split into folds, and into those held out and not. */
static bool
read_folds(struct training *g, const struct call *c, struct error *err)
{
    int64_t k = call_int(c, "cv"), gap = call_int(c, "cv-gap");
    int64_t window = call_int(c, "cv-window"), each = call_int(c, "cv-rows");

    if (k < 0 || k == 1 || k > CV_MAX_FOLDS || gap < 0 || window < 0 ||
        each < 0)
        return error_set(err, ERR_USAGE,
                         "train: --cv takes 2..%d folds, --cv-gap, "
                         "--cv-window and --cv-rows take rows",
                         CV_MAX_FOLDS);
    g->cv = (struct cv_options){.k = (unsigned)k,
                                .group = call_text(c, "cv-group"),
                                .time = call_text(c, "cv-time"),
                                .gap = (size_t)gap,
                                .window = (size_t)window,
                                .each = (size_t)each};
    return k == 0 || !stream_wanted(call_text(c, "data"), NULL) ||
           error_set(err, ERR_USAGE,
                     "train: --cv wants a table that fits in memory");
}

/* The kind of target: as asked, or as the model to go on from and parameters
 * have it. */
static int
problem_of(const struct training *g, const struct family *family,
           const struct call *c)
{
    int asked = target_asked(call_text(c, "problem"));

    if (asked != TARGET_AUTO)
        return asked;
    return g->init ? (int)model_problem(g->init)
                   : fit_problem(family, g->params);
}

/* By whole queries where there are any, else by class. */
static bool
choose_aside(const struct training *g, const struct family *family,
             const struct call *c, struct split *s, struct error *err)
{
    const char *target = target_of(g, family, c),
               *group = call_text(c, "group");
    struct split_by by = {.group = g->cv.group,
                          .time = g->cv.time,
                          .gap = g->cv.gap,
                          .seed = (uint64_t)call_int(c, "seed")};
    bool by_class, ok;
    struct target y;
    size_t col;

    if (family->forecast && !by.time) {
        by.time = fit_time(family, g->params, g->data, g->drop.name);
        by.in_order = !by.time;
    }
    if (!frame_need(g->data, target, &col, err) ||
        !target_fit(g->data, target, problem_of(g, family, c), &y, err))
        return false;
    by_class = problem_has_classes(y.problem) &&
               column_type(frame_column(g->data, col)) != COL_FLOAT64 &&
               !by.group && !by.time && !by.in_order;
    by.stratify = by_class ? target : NULL;
    ok = group && !by.group && !by.time && !by.in_order
             ? target_group(&y, g->data, group, err) &&
                   target_split(&y, g->test_share, by.seed, s, err)
             : split_holdout_by(g->data, g->test_share, &by, s, err);
    target_fini(&y);
    return ok;
}

/* The rows that frame:split{ test, stratify = target, seed } sets aside. */
static bool
set_aside(struct training *g, const struct family *family, const struct call *c,
          struct error *err)
{
    struct frame *all = g->data;
    struct split s = {0};
    bool ok;

    if (!frame_fingerprint(all, g->table, err) ||
        !choose_aside(g, family, c, &s, err))
        return false;
    g->data = NULL;
    g->n_gap = frame_rows(all) - s.n_train - s.n_test;
    ok = (g->test = frame_take(all, s.test, s.n_test, err)) &&
         (g->data = frame_take(all, s.train, s.n_train, err));
    split_fini(&s);
    frame_unref(all);
    return ok;
}

/* The rows to learn from, in memory or not. */
static bool
read_rows(struct training *g, struct task *t, const struct call *c,
          struct error *err)
{
    const char *data = call_text(c, "data");

    if (call_lent(c) && !frame_whole(call_lent(c), err))
        return false;
    if (call_lent(c))
        g->data = frame_ref(call_lent(c));
    else if (!stream_wanted(data, NULL))
        g->data = cmd_table_for(t, c, data, g->init, err);
    else if (g->test_share > 0)
        return error_set(err, ERR_USAGE,
                         "train: %s takes more memory than there is for "
                         "tables, so --test takes no share of it but a table: "
                         "lathe query DATA --sample 100000 --out test.parquet",
                         data);
    else
        g->rows = cmd_stream_for(t, c, data, g->init, err);
    if (!g->data && !g->rows)
        return false;
    cmd_names_init(&g->drop, g->data ? g->data : stream_head(g->rows), c,
                   "drop");
    return true;
}

/* Families without a target have no rows to be judged on either. */
static bool
check_target(const struct training *g, const struct family *family,
             const struct call *c, struct error *err)
{
    bool none = family->problems == 1u << PROBLEM_NONE;

    if (!none && !target_of(g, family, c))
        return error_set(err, ERR_USAGE,
                         "train: --target is missing: what is %s to predict? "
                         "(lathe train --help tells more)",
                         family->name);
    if (none && (call_text(c, "test") || call_int(c, "cv") > 0))
        return error_set(err, ERR_USAGE,
                         "train: %s learns without a target: there is nothing "
                         "to judge it by",
                         family->name);
    return model_fit_target_check(family, target_of(g, family, c), NULL, err) ||
           error_prefix(err, "train: ");
}

/* A table beside the one that is learnt from, and like it. */
static struct frame *
read_beside(const struct training *g, const char *path, struct task *t,
            const struct call *c, struct error *err)
{
    return cmd_table_like(t, c, path, g->data ? g->data : stream_head(g->rows),
                          err);
}

static bool
read_tables(struct training *g, const struct family *family, struct task *t,
            const struct call *c, struct error *err)
{
    const char *valid = call_text(c, "valid"), *test = call_text(c, "test");

    return read_folds(g, c, err) &&
           read_share(c, "valid", &g->valid_share, err) &&
           read_share(c, "test", &g->test_share, err) &&
           check_target(g, family, c, err) && read_rows(g, t, c, err) &&
           (!valid || g->valid_share > 0 ||
            (g->valid = read_beside(g, valid, t, c, err))) &&
           (!test || g->test_share > 0 ||
            (g->test = read_beside(g, test, t, c, err))) &&
           (g->test_share == 0 || set_aside(g, family, c, err));
}

/* Of the parameters that say what a tree is like, which leaves alone do not
 * heed, one that is set; else NULL. */
static const char *
set_in_vain(const struct family *family, const struct params *p)
{
    static const char heeded[] =
        "refit_keep learning_rate l1 l2 max_delta loss "
        "alpha delta power rank_at";

    for (const struct param *row = family->params; row->name; row++)
        if (params_is_set(p, row->name) &&
            !str_is_among(str_of(row->name), heeded))
            return row->name;
    return NULL;
}

/* What the model was learnt with where nothing else is said, and no trees but
 * other leaves. */
static bool
set_refit(struct training *g, const struct family *family, struct error *err)
{
    const char *keep = "refit_keep", *vain;

    if (!family->continues || !params_has(g->params, keep))
        return error_set(err, ERR_RANGE,
                         "train: --refit gives the leaves of boosted trees "
                         "other values, and a %s has none%s",
                         family->name,
                         family->continues ? ": --init goes on from it" : "");
    if ((vain = set_in_vain(family, g->params)))
        return error_set(err, ERR_USAGE,
                         "train: --refit keeps the trees as they are, and %s "
                         "would do nothing; refit_keep, learning_rate, l1, l2 "
                         "and max_delta are heeded",
                         vain);
    return (params_is_set(g->params, keep) ||
            params_set(g->params, keep, "0", err)) &&
           params_inherit(g->params, model_params(g->init), err);
}

/* The family: that of the model to go on from, or by the table: of pictures
 * cnn, else gbdt. */
static const struct family *
choose_family(struct training *g, const struct call *c, struct error *err)
{
    const char *asked = call_text(c, "model");
    const char *usual = g->init ? model_family(g->init)->name
                        : folder_is(call_text(c, "data")) ? "cnn"
                                                          : "gbdt";
    const struct family *family;
    struct error none;

    if (g->init && !family_need(usual, &none)) {
        error_set(err, ERR_RANGE,
                  "train: a model that was not learnt here (%s) cannot be gone "
                  "on from",
                  usual);
        return NULL;
    }
    if (!(family = family_need(asked ? asked : usual, err)))
        return NULL;
    g->params = params_new(family->params);
    for (size_t i = 0; i < call_count(c, "set"); i++)
        if (!fit_set_pair(family, g->params, call_nth(c, "set", i), err)) {
            err->code = ERR_USAGE;
            return NULL;
        }
    return !call_text(c, "refit") || set_refit(g, family, err) ? family : NULL;
}

static bool
keep_model(const struct training *g, const char *path, struct error *err)
{
    struct buf file;
    bool ok;

    buf_init(&file);
    ok = model_save(g->model, &file, err) &&
         file_replace(path, file.data, file.len, 0644, err);
    buf_fini(&file);
    return ok;
}

static bool
register_run(struct session *s, struct training *g, const char *name,
             struct error *err)
{
    struct version v;
    struct buf metrics;
    bool ok;

    buf_init(&metrics);
    if (g->evaluated)
        summary_flat(&g->evaluation, &metrics);
    ok = enrol_run(s, name, g->run, g->evaluated ? metrics.data : NULL, NULL,
                   &v, err);
    buf_clear(&metrics);
    if (ok) {
        buf_printf(&metrics, "%s/%lld", v.model, (long long)v.number);
        g->version = buf_take(&metrics);
        version_fini(&v);
    }
    buf_fini(&metrics);
    return ok;
}

static void
put_training(struct call *c, const struct training *g)
{
    struct json_writer w;

    if (!call_json(c)) {
        model_print(g->model, call_out(c));
        if (g->cv.k)
            cv_print(&g->crossed, call_out(c));
        if (g->evaluated)
            evaluation_print(&g->evaluation, call_out(c));
        buf_add(call_out(c), g->note.data, g->note.len);
        if (g->n_gap)
            buf_printf(call_out(c),
                       "%zu row%s left out between those that were learnt "
                       "from and those of the test\n",
                       g->n_gap, g->n_gap > 1 ? "s" : "");
        buf_printf(call_out(c), "run %.8s", g->run);
        if (g->version)
            buf_printf(call_out(c), ", registered as %s", g->version);
        buf_putc(call_out(c), '\n');
        if (!g->evaluated && !g->cv.k && !model_valid_metrics(g->model) &&
            model_target(g->model))
            buf_puts(call_out(c),
                     "not scored: no rows were held out; --test 0.2 sets "
                     "some aside\n");
        return;
    }
    cmd_json(c, &w);
    json_open(&w, '{');
    json_name(&w, "run");
    json_put_string(&w, g->run);
    json_name(&w, "version");
    json_put_string(&w, g->version);
    json_name(&w, "model");
    model_card_json(g->model, &w);
    if (g->cv.k) {
        json_name(&w, "cv");
        cv_json(&g->crossed, &w);
    }
    json_name(&w, "test");
    if (g->evaluated)
        evaluation_json(&g->evaluation, &w);
    else
        json_put_null(&w);
    json_name(&w, "learnt_rows"); /* of those of the test */
    json_put_i64(&w, (int64_t)g->learnt);
    json_name(&w, "left_out");
    json_put_i64(&w, (int64_t)g->n_gap);
    json_close(&w, '}');
    cmd_json_end(c);
}

/* The model to go on from: to add to, or to give other leaves. */
static const char *
init_of(const struct call *c)
{
    const char *refit = call_text(c, "refit");

    return refit ? refit : call_text(c, "init");
}

static bool
fit_now(struct training *g, const struct family *family, struct session *s,
        struct task *t, const struct call *c, struct error *err)
{
    struct fit_request r = {.family = family,
                            .params = g->params,
                            .frame = g->data,
                            .stream = g->rows,
                            .data = call_text(c, "data"),
                            .target = target_of(g, family, c),
                            .seed = (uint64_t)call_int(c, "seed"),
                            .name = call_text(c, "name"),
                            .table = g->test_share > 0 ? g->table : NULL,
                            .init_name = init_of(c),
                            .source = "lathe train"};
    /* Leaves stop nowhere early. */
    double share =
        call_text(c, "refit") && !call_text(c, "valid") ? -1 : g->valid_share;

    cmd_names_init(&g->metrics, NULL, c, "metric");
    g->class_weight = cmd_all(c, "class-weight");
    r.options = (struct model_options){
        .valid = g->valid,
        .valid_share = share,
        .problem = target_asked(call_text(c, "problem")),
        .positive = call_text(c, "positive"),
        .metrics = g->metrics.name,
        .stop = call_text(c, "stop"),
        .patience = (int)call_int(c, "patience"),
        .drop = g->drop.name,
        .weight = call_text(c, "weight"),
        .group = call_text(c, "group"),
        .offset = call_text(c, "offset"),
        .class_weight = g->class_weight,
        .split_group = g->cv.group,
        .split_time = g->cv.time,
        .split_gap = g->cv.gap,
        .checkpoint = call_text(c, "checkpoint"),
        .checkpoint_every = (size_t)call_int(c, "checkpoint-every"),
        .resume = call_flag(c, "resume"),
        .init = g->init};
    g->profit = cmd_all(c, "profit");
    r.options.derive = g->derive = cmd_all(c, "derive");
    r.options.prepare = g->prepare = cmd_all(c, "prepare");
    r.options.finish =
        (struct finish_options){.calibrate = call_text(c, "calibrate"),
                                .threshold = call_text(c, "threshold"),
                                .profit = g->profit,
                                .interval = call_float(c, "interval"),
                                .local = call_flag(c, "local-interval")};
    if (g->cv.k) {
        r.cv = &g->cv;
        r.cv_out = &g->crossed;
    }
    g->model = session_fit(s, t, &r, g->run, err);
    if (!g->model && err->code == ERR_CANCELLED && g->run[0])
        error_set(err, ERR_CANCELLED,
                  "stopped before the first round; run %.8s is recorded as "
                  "cancelled",
                  g->run);
    return g->model != NULL;
}

/* The model to go on from, and what belongs to checkpoints. */
static bool
read_init(struct training *g, struct session *s, const struct call *c,
          struct error *err)
{
    const char *init = init_of(c);

    if (call_text(c, "init") && call_text(c, "refit"))
        return error_set(err, ERR_USAGE,
                         "train: --init adds to a model, --refit gives its "
                         "leaves other values: which one?");
    if (!call_text(c, "checkpoint") &&
        (call_flag(c, "resume") || call_int(c, "checkpoint-every")))
        return error_set(err, ERR_USAGE,
                         "train: --resume and --checkpoint-every want "
                         "--checkpoint FILE");
    if (call_int(c, "checkpoint-every") < 0)
        return error_set(err, ERR_USAGE,
                         "train: --checkpoint-every is %lld, expected 0 or "
                         "more",
                         (long long)call_int(c, "checkpoint-every"));
    return !init || (g->init = cmd_open_model(s, init, NULL, err));
}

static void
put_score(struct json_writer *w, const char *metric, double value)
{
    char name[METRIC_NAME + 8];

    if (!isfinite(value))
        return;
    snprintf(name, sizeof name, "test.%s", metric);
    json_name(w, name);
    json_put_double(w, value);
}

/* The scores on rows that were set aside, as "test.auc" of the run. */
static bool
keep_scores(struct session *s, const struct training *g, struct error *err)
{
    const struct evaluation *e = &g->evaluation;
    struct store *store = session_store(s, false, err);
    struct json_writer w;
    struct buf metrics;
    bool ok;

    buf_init(&metrics);
    json_writer_init(&w, &metrics);
    json_open(&w, '{');
    for (size_t i = 0; i < e->n_scores; i++)
        put_score(&w, e->score[i].metric->name, e->score[i].value);
    for (size_t i = 0; i < e->outcomes.n; i++)
        put_score(&w, e->outcomes.at[i].name, e->outcomes.at[i].value);
    json_close(&w, '}');
    ok = store && buf_check(&metrics, err) &&
         run_add_metrics(store, g->run, metrics.data, err);
    buf_fini(&metrics);
    session_notify(s, TOPIC_RUNS);
    return ok;
}

/* Told by the usual metrics and those that were asked for. */
static bool
score_test(struct session *s, struct training *g, struct task *t,
           const struct call *c, struct error *err)
{
    struct evaluation_options o = {.metrics = g->metrics.name,
                                   .seed = (uint64_t)call_int(c, "seed")};
    struct judged j;

    if (!judged_take(g->model, g->test, NULL, task_pool(t), &j, err))
        return false;
    g->evaluated = judged_evaluate(&j, &o, task_pool(t), &g->evaluation, err);
    judged_fini(&j);
    return g->evaluated && keep_scores(s, g, err);
}

bool
cmd_train(struct session *s, struct task *t, struct call *c, struct error *err)
{
    struct training g = {0};
    const struct family *family = NULL;
    struct error ignored;
    const char *out = call_text(c, "out"), *name = call_text(c, "register");
    bool ok, stopped;

    buf_init(&g.note);
    ok = read_init(&g, s, c, err) && (family = choose_family(&g, c, err)) &&
         read_tables(&g, family, t, c, err) &&
         fit_now(&g, family, s, t, c, err);
    if (ok && g.rows)
        cmd_tell_stream(t, call_text(c, "data"), g.rows);
    if (ok && g.test && !progress_stopped(task_progress(t)))
        ok = score_test(s, &g, t, c, err);
    if (g.evaluated && g.test_share == 0 &&
        frame_fingerprint(g.test, g.table, &ignored))
        g.learnt =
            learnt_note(s, g.model, g.table, frame_rows(g.test), &g.note);
    stopped = progress_stopped(task_progress(t));
    if (!ok && stopped && g.model && err->code == ERR_CANCELLED)
        ok = true; /* in the evaluation: the model is there */
    /* Half a training is kept, but is not what was asked for. */
    if (ok && out && !stopped)
        ok = keep_model(&g, out, err);
    if (ok && name && !stopped)
        ok = register_run(s, &g, name, err);
    if (ok)
        put_training(c, &g);
    if (ok && stopped)
        ok = error_set(err, ERR_CANCELLED,
                       "stopped; run %.8s keeps what was finished%s", g.run,
                       !out && !name ? ""
                       : !name       ? ", --out was not written"
                       : !out        ? ", nothing was registered"
                                     : ", nothing was written or registered");
    training_fini(&g);
    return ok;
}

/* ---- predict, explain ---- */

bool
cmd_predict(struct session *s, struct task *t, struct call *c,
            struct error *err)
{
    const char *data = call_text(c, "data"), *path = call_text(c, "out");
    struct model *m = cmd_open_model(s, call_text(c, "model"), NULL, err);
    struct unseen unseen = {0};
    bool ok = m && unseen_init(&unseen, m, err);
    struct stream *rows = ok ? cmd_rows(t, c, data, m, err) : NULL;

    ok = false;
    if (rows)
        rows = unseen_stream(&unseen, rows, err);
    if (rows &&
        !(rows = model_predict_stream(m, rows, call_flag(c, "inputs"), err)))
        error_prefix(err, "%s: ", data);
    if (rows)
        ok = path ? cmd_write_rows(rows, path, c, err)
                  : cmd_print_rows(rows, c, err);
    if (ok && stream_wanted(data, NULL))
        cmd_tell_stream(t, data, rows);
    if (ok)
        cmd_tell_unseen(t, data, &unseen);
    stream_close(rows);
    unseen_fini(&unseen);
    model_unref(m);
    return ok;
}
