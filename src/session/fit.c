/* session/fit.c -- a fit as a recorded run.
 *
 * The metric stream goes three ways from here: to the store, to the curves of
 * screens, and to what the run is remembered by: each series' value at the
 * step where the metric that stops early was best.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/fit.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/digest.h"
#include "base/mem.h"
#include "engine/family.h"
#include "engine/metric.h"
#include "frame/identifier.h"
#include "frame/order.h"
#include "frame/stream.h"
#include "session/learnt.h"
#include "session/live.h"
#include "store/artifact.h"
#include "store/lineage.h"

enum { SERIES_MAX = 64, LOG_EVERY_MS = 500 };

struct followed {
    char name[48];
    double last, at_best;
    int64_t last_step;
};

struct follower {
    struct session *session;
    struct task *task;
    struct store *store;
    const char *run;
    struct followed series[SERIES_MAX];
    size_t n;
    char lead[48]; /* the first "valid." series: what decides */
    double best;
    int64_t best_step;
    int64_t logged_ms;
};

const char *
session_build(void)
{
#if defined(__x86_64__)
#define ARCH "x86_64"
#elif defined(__aarch64__)
#define ARCH "aarch64"
#else
#define ARCH "other"
#endif
    return "lathe " PACKAGE_VERSION " (gcc " __VERSION__ ", " ARCH ")";
}

static struct followed *
follow(struct follower *f, const char *name)
{
    struct followed *s;

    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->series[i].name, name) == 0)
            return &f->series[i];
    if (f->n == SERIES_MAX || strlen(name) >= sizeof s->name)
        return NULL;
    s = &f->series[f->n++];
    strcpy(s->name, name);
    s->at_best = NAN;
    return s;
}

/* A new best of the leading series fixes the others' values at its step, those
 * that came before it in the step and those that come after. */
static void
weigh(struct follower *f, struct followed *s, const struct event *e)
{
    if (!f->lead[0] && strncmp(s->name, "valid.", 6) == 0) {
        strcpy(f->lead, s->name);
        f->best = NAN;
    }
    s->last = e->value;
    s->last_step = e->step;
    if (strcmp(s->name, f->lead) == 0 &&
        (isnan(f->best) || metric_better(s->name, e->value, f->best))) {
        f->best = e->value;
        f->best_step = e->step;
        for (size_t i = 0; i < f->n; i++)
            if (f->series[i].last_step == e->step &&
                strncmp(f->series[i].name, "cv.", 3) != 0)
                f->series[i].at_best = f->series[i].last;
    } else if (f->lead[0] && e->step == f->best_step &&
               strncmp(s->name, "cv.", 3) != 0) {
        s->at_best = e->value;
    }
}

static void
log_step(struct follower *f, int64_t step)
{
    struct buf line;
    int64_t now = loop_now_ms();

    if (now - f->logged_ms < LOG_EVERY_MS)
        return;
    f->logged_ms = now;
    buf_init(&line);
    for (size_t i = 0; i < f->n; i++) {
        buf_printf(&line, "  %s ", f->series[i].name);
        buf_number(&line, f->series[i].last, 5);
    }
    task_log(f->task, "step %lld%s", (long long)step, line.data);
    buf_fini(&line);
}

/* On the coordinator thread of the fit, one event at a time. */
static void
on_event(void *ctx, const struct event *e)
{
    struct follower *f = ctx;
    struct followed *s = follow(f, e->name);

    run_event_post(f->store, f->run, e);
    live_event(session_live(f->session), f->run, e);
    if (s)
        weigh(f, s, e);
    log_step(f, e->step);
    session_notify(f->session, TOPIC_RUNS);
}

static void
put_metrics(const struct follower *f, struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_open(&w, '{');
    for (size_t i = 0; i < f->n; i++) {
        const struct followed *s = &f->series[i];

        json_name(&w, s->name);
        json_put_double(&w, isnan(s->at_best) ? s->last : s->at_best);
    }
    if (f->lead[0]) {
        json_name(&w, "best_step");
        json_put_i64(&w, f->best_step);
    }
    json_close(&w, '}');
}

/* Which table it is of; what it was asked for; what it goes on from: as it was
 * named, and the digest of its file, which is the artifact of the run that it is
 * of. */
static bool
tags_json(const struct fit_request *r, struct buf *out, struct error *err)
{
    const struct model *init = r->options.init;
    char digest[DIGEST_HEX];
    struct json_writer w, asked;
    struct buf file, options;
    bool ok;

    buf_init(&file);
    buf_init(&options);
    json_writer_init(&asked, &options);
    fit_options_json(r, &asked);
    ok = !init || model_save(init, &file, err);
    json_writer_init(&w, out);
    json_open(&w, '{');
    if (init && ok) {
        digest_bytes(file.data, file.len, digest);
        json_name(&w, "init");
        json_put_string(&w, r->init_name ? r->init_name : "a model");
        json_name(&w, "init_artifact");
        json_put_string(&w, digest);
    }
    if (r->table) {
        json_name(&w, LEARNT_TABLE);
        json_put_string(&w, r->table);
    }
    ok = ok && buf_check(&options, err);
    if (ok && options.len > strlen("{}")) {
        json_name(&w, FIT_OPTIONS);
        json_put_raw(&w, options.data);
    }
    json_close(&w, '}');
    buf_fini(&file);
    buf_fini(&options);
    return ok && buf_check(out, err);
}

/* fingerprint: of the rows; of a stream it is empty, and comes with the model.
 */
static bool
begin_run(struct store *store, const struct fit_request *r, const char *project,
          const char *fingerprint, run_id id, struct error *err)
{
    struct run_start start = {.name = r->name,
                              .family = r->family->name,
                              .data = r->data,
                              .target = r->target ? r->target : "",
                              .seed = r->seed,
                              .build = session_build(),
                              .source = r->source};
    char commit[LINEAGE_COMMIT];
    struct error outside; /* of git, which is no failure */
    struct json_writer w;
    struct buf params, tags;
    bool ok;

    if (lineage_commit(project, commit, &outside))
        start.git_commit = commit;
    buf_init(&params);
    buf_init(&tags);
    json_writer_init(&w, &params);
    params_json(r->params, &w);
    start.fingerprint = fingerprint;
    if ((ok = buf_check(&params, err) && tags_json(r, &tags, err))) {
        start.params = params.data;
        start.tags = tags.data;
        ok = run_begin(store, &start, id, err);
    }
    buf_fini(&params);
    buf_fini(&tags);
    return ok;
}

/* What cannot be read back is no model. */
static bool
check_file(const struct buf *file, struct error *err)
{
    struct model *m =
        model_parse((struct str){file->data, file->len}, family_find, err);

    model_unref(m);
    return m || error_prefix(err, "the model cannot be read back: ");
}

/* Save the model and close the run. */
static bool
end_run(struct store *store, const struct follower *f, const struct model *m,
        bool streamed, bool stopped, struct error *err)
{
    char digest[DIGEST_HEX];
    struct buf file, metrics;
    bool ok;

    buf_init(&file);
    buf_init(&metrics);
    put_metrics(f, &metrics);
    ok = model_save(m, &file, err) && check_file(&file, err) &&
         (!streamed ||
          run_fingerprint(store, f->run, model_fingerprint(m), err)) &&
         artifact_put(store, file.data, file.len, digest, err) &&
         run_end(store, f->run, stopped ? RUN_CANCELLED : RUN_DONE,
                 stopped ? "stopped; what was finished is kept" : NULL,
                 metrics.data, model_params(m), digest, err);
    buf_fini(&file);
    buf_fini(&metrics);
    return ok;
}

/* A checkpoint that is refused has let nothing begin. */
static bool
is_refused(const struct fit_request *r, const struct follower *f,
           const struct error *why)
{
    return r->options.resume && why->code == ERR_STATE && !f->lead[0];
}

static void
fail_run(struct store *store, const struct fit_request *r,
         const struct follower *f, const struct error *why)
{
    struct error err;
    struct buf metrics;

    buf_init(&metrics);
    put_metrics(f, &metrics);
    if (!run_end(store, f->run,
                 why->code == ERR_CANCELLED ? RUN_CANCELLED : RUN_FAILED,
                 why->message, metrics.data, NULL, NULL, &err) ||
        (is_refused(r, f, why) && !run_delete(store, f->run, false, &err)))
        session_message(f->session, MESSAGE_ERROR, "run %.8s: %s", f->run,
                        err.message);
    buf_fini(&metrics);
}

int
fit_problem(const struct family *family, const struct params *params)
{
    for (int p = PROBLEM_BINARY; p <= PROBLEM_REGRESSION; p++)
        if (family->problems == 1u << p)
            return p;
    return model_fit_problem(family, params, -1);
}

static bool
tell_list(const struct family *family, struct error *err)
{
    struct error why = *err;

    return why.code == ERR_NOTFOUND &&
           error_set(err, ERR_NOTFOUND, "%s: `lathe models %s` lists them",
                     why.message, family->name);
}

bool
fit_set_pair(const struct family *family, struct params *p, const char *pair,
             struct error *err)
{
    return params_set_pair(p, pair, err) || tell_list(family, err);
}

bool
fit_set(const struct family *family, struct params *p, const char *name,
        const char *text, struct error *err)
{
    return params_set(p, name, text, err) || tell_list(family, err);
}

/* Scores of the folds are told as they come; the run is remembered by their
 * means. */
static bool
cross(struct follower *f, const struct fit_request *r,
      const struct model_options *o, const struct train *ctx, struct error *err)
{
    struct model_options plain = *o;
    struct cv_options cv;

    if (!r->cv)
        return true;
    cv = *r->cv;
    plain.finish = (struct finish_options){0};
    plain.fingerprint = NULL; /* which is not that of a fold */
    cv.model = &plain;
    if (!cv_run(r->family, r->params, r->frame, r->target, &cv, ctx, r->cv_out,
                err))
        return error_prefix(err, "cross-validation: ");
    for (size_t m = 0; m < r->cv_out->metrics.n; m++) {
        char name[64];
        struct followed *s;

        snprintf(name, sizeof name, "cv.%s",
                 r->cv_out->metrics.metric[m]->name);
        if ((s = follow(f, name)))
            s->at_best = r->cv_out->mean[m];
    }
    return true;
}

static struct model *
learn(struct follower *f, const struct fit_request *r,
      const struct model_options *o, const struct train *ctx, struct error *err)
{
    struct model_options own = *o;
    struct judged j = {.k = 0};
    struct metric_rows rows;
    struct model *m;

    if (!cross(f, r, o, ctx, err))
        return NULL;
    if (r->stream)
        return model_fit_stream(r->family, r->params, r->stream, r->target, o,
                                ctx, err);
    /* What the folds said of rows they had not learnt from is as good as rows
     * kept aside, and all are learnt from. */
    if (r->cv && finish_wanted(&own.finish)) {
        if (!cv_judged(r->cv_out, &j, err))
            return NULL;
        rows = judged_rows(&j);
        own.finish.rows = &rows;
    }
    m = model_fit(r->family, r->params, r->frame, r->target, &own, ctx, err);
    judged_fini(&j);
    return m;
}

/* ---- what is told before ---- */

/* Once in a session, to the terminal and to a screen. */
PRINTF_LIKE(2, 3)
static void
tell(struct task *t, const char *fmt, ...)
{
    struct session *s = task_session(t);
    struct message *m = mem_new(sizeof *m);
    struct buf text, spelt;
    bool told = false;
    va_list ap;

    buf_init(&text);
    buf_init(&spelt);
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    buf_spelt(&spelt, text.data, true);
    for (size_t i = 0; !told && session_message_at(s, i, m); i++)
        told = strncmp(m->text, spelt.data, sizeof m->text - 1) == 0;
    if (!told) {
        task_log(t, "%s", text.data);
        session_message(s, MESSAGE_WARN, "%s", text.data);
    }
    buf_fini(&spelt);
    buf_fini(&text);
    free(m);
}

static bool
is_among(const char *name, const char *const *list)
{
    for (; list && *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

/* Are all rows there, each at a time of its own?  What there is no memory to
 * tell is not so. */
static bool
is_order(const struct column *c)
{
    size_t n = column_rows(c);
    struct error ignored;
    double *x = mem_try_array(n, sizeof *x, &ignored);
    bool ok = x && column_missing(c) == 0;

    for (size_t i = 0; i < n && ok; i++)
        x[i] = column_number(c, i);
    ok = ok && order_numbers(x, n, NULL, &ignored);
    for (size_t i = 1; i < n && ok; i++)
        ok = x[i] != x[i - 1];
    free(x);
    return ok;
}

/* NULL where there is none, or more than one; series, or NULL, may be told by a
 * time, too. */
static const char *
only_time(const struct frame *f, const char *const *drop, const char *series)
{
    const char *found = NULL;

    for (size_t c = 0; c < frame_cols(f); c++) {
        const struct column *column = frame_column(f, c);
        const char *name = frame_name(f, c);
        enum col_type type = column_type(column);

        if ((type != COL_DATE && type != COL_TIMESTAMP) ||
            is_among(name, drop) || (series && strcmp(name, series) == 0) ||
            column_missing(column) == column_rows(column))
            continue;
        if (found || (!series && !is_order(column)))
            return NULL;
        found = name;
    }
    return found;
}

const char *
fit_time(const struct family *family, const struct params *p,
         const struct frame *f, const char *const *drop)
{
    const char *set = model_fit_time(family, p), *series = NULL;

    if (!family->forecast)
        return NULL;
    if (is_among("series", family->columns) && params_is_set(p, "series"))
        series = params_text(p, "series");
    if (!set)
        return only_time(f, drop, series);
    return strcmp(set, "none") == 0 && frame_find(f, set) < 0 ? NULL : set;
}

void
fit_put_time(struct task *t, const struct family *family, struct params *p,
             const struct frame *f, const char *const *drop)
{
    const char *time = fit_time(family, p, f, drop);
    bool guessed = time && !model_fit_time(family, p), ok;
    struct error err;

    if (!family->forecast)
        return;
    if (guessed)
        tell(t,
             "%s: rows are in the order of '%s', the only column of times; "
             "time=none leaves them as they stand",
             family->name, time);
    ok = params_set(p, "time", time ? time : "auto", &err);
    assert(ok); /* any text is one */
    (void)ok;
}

/* Columns that name rows are learnt by heart.  False when it is to stop. */
static bool
tell_identifiers(struct task *t, const struct fit_request *r, struct error *err)
{
    const struct model_options *o = &r->options;
    const char *const others[] = {
        r->target ? r->target : "", o->weight ? o->weight : "",
        o->group ? o->group : "", o->offset ? o->offset : "", NULL};

    /* These look at the columns that their parameters name alone. */
    if (!r->frame || r->family->columns)
        return true;
    for (size_t c = 0; c < frame_cols(r->frame); c++) {
        const char *name = frame_name(r->frame, c);

        if (!progress_check(task_progress(t), err))
            return false;
        if (!is_among(name, others) && !is_among(name, o->drop) &&
            identifier_numbers(r->frame, c))
            tell(t,
                 "column '%s' looks like an identifier, of which nothing can "
                 "be learnt: drop leaves it out",
                 name);
    }
    return true;
}

/* Whole numbers, of which there are few. */
static bool
is_scale(const struct target *t)
{
    double seen[TARGET_INTS];
    size_t k = 0;

    for (size_t i = 0; i < t->n; i++) {
        size_t at = 0;

        while (at < k && seen[at] != t->y[i])
            at++;
        if (at < k)
            continue;
        if (k == TARGET_INTS || t->y[i] != floor(t->y[i]))
            return false;
        seen[k++] = t->y[i];
    }
    return true;
}

/* Numbers may be classes and classes numbers; which they were taken for is
 * guessed, and told where it may as well be the other. */
static bool
tell_target(struct task *t, const struct fit_request *r, struct error *err)
{
    const struct column *c;
    struct target y;
    bool floats, numbers, binary;
    size_t col;

    if (!r->frame || !r->target || r->options.init)
        return true;
    if (!frame_need(r->frame, r->target, &col, err) ||
        !target_fit(r->frame, r->target, TARGET_AUTO, &y, err))
        return false;
    c = frame_column(r->frame, col);
    floats = column_type(c) == COL_FLOAT64;
    numbers = (floats || column_type(c) == COL_INT64) &&
              r->family->problems & 1u << PROBLEM_REGRESSION;
    binary = y.problem == PROBLEM_BINARY;
    if (numbers && problem_has_classes(y.problem) &&
        (!binary || (floats && strcmp(y.classes[1], "1") != 0))) {
        tell(t,
             "target '%s' has %zu different numbers, each learnt as a class; "
             "--problem regression (in Lua problem) learns them as numbers",
             r->target, y.n_classes);
    } else if (floats && r->family->problems & 1u << PROBLEM_MULTICLASS &&
               y.problem == PROBLEM_REGRESSION && is_scale(&y)) {
        tell(
            t,
            "target '%s' has few different values, all whole numbers, learnt "
            "as numbers; --problem classes (in Lua problem) makes each a class",
            r->target);
    }
    target_fini(&y);
    return true;
}

/* Rows that the model to go on from has learnt cannot tell when to stop, nor
 * how good it is.  Where it is of the same table, another seed or share holds
 * out such, and folds hold out all. */
static void
tell_init(struct task *t, const struct fit_request *r, const struct model *m)
{
    const struct model *init = r->options.init;
    char table[LEARNT_PRINT];
    bool rows, same, held, tested;

    if (!init)
        return;
    learnt_table(task_session(t), init, table);
    if (strcmp(table, r->table ? r->table : model_fingerprint(m)) != 0)
        return;
    rows = strcmp(model_fingerprint(init), model_fingerprint(m)) == 0;
    same = rows && model_seed(init) == model_seed(m) &&
           model_train_rows(init) == model_train_rows(m);
    held = !same && ((model_valid_metrics(m) && !r->options.valid) ||
                     finish_wanted(&r->options.finish));
    tested = r->cv || (r->table && !rows);
    if (held || tested)
        tell(t,
             "the model to go on from has learnt from rows of the same table "
             "that are %s here, by another seed or share: scores of them%s are "
             "too good",
             !tested ? "held out"
             : !held ? "tested on"
                     : "held out and tested on",
             held ? ", and what stops by these," : "");
}

/* ---- a run ---- */

static struct model *
fit_settled(struct session *s, struct task *t, const struct fit_request *r,
            run_id id, struct error *err)
{
    struct store *store = session_store(s, true, err);
    struct model_options options = r->options;
    char fingerprint[33] = "";
    struct follower *f;
    struct model *m;
    size_t col;

    /* A slip of the pen is no run. */
    if (!model_fit_target_check(r->family, r->target, &r->options, err) ||
        (r->target && !frame_need(r->stream ? stream_head(r->stream) : r->frame,
                                  r->target, &col, err)) ||
        (r->stream && !model_fit_streams(r->family, &r->options, err)))
        return NULL;
    if (options.problem == TARGET_AUTO && !options.init)
        options.problem = fit_problem(r->family, r->params);
    if (r->frame && !model_fit_check(r->family, r->params, r->frame, r->target,
                                     &options, err))
        return NULL;
    if (!tell_identifiers(t, r, err) ||
        (options.problem == TARGET_AUTO && !tell_target(t, r, err)) || !store ||
        (r->frame && !frame_fingerprint(r->frame, fingerprint, err)) ||
        !begin_run(store, r, session_project(s), fingerprint, id, err))
        return NULL;
    if (r->frame)
        options.fingerprint = fingerprint;
    f = mem_new(sizeof *f);
    f->session = s;
    f->task = t;
    f->store = store;
    f->run = id;
    live_begin(session_live(s), id);
    session_notify(s, TOPIC_RUNS);
    m = learn(f, r, &options,
              &(struct train){.pool = task_pool(t),
                              .progress = task_progress(t),
                              .sink = {on_event, f},
                              .seed = r->seed,
                              .loss = r->loss},
              err);
    if (!m) {
        fail_run(store, r, f, err);
    } else if (!end_run(store, f, m, r->stream != NULL,
                        progress_stopped(task_progress(t)), err)) {
        fail_run(store, r, f, err);
        model_unref(m);
        m = NULL;
    }
    live_end(session_live(s), id);
    session_notify(s, TOPIC_RUNS);
    free(f);
    return m;
}

struct model *
session_fit(struct session *s, struct task *t, const struct fit_request *r,
            run_id id, struct error *err)
{
    struct fit_request own = *r;
    struct params *p = params_copy(r->params);
    struct model *m;

    if (r->frame)
        fit_put_time(t, r->family, p, r->frame, r->options.drop);
    own.params = p;
    if ((m = fit_settled(s, t, &own, id, err)))
        tell_init(t, &own, m);
    params_free(p);
    return m;
}
