/* session/cmd_model.c -- train, evaluate, predict, explain.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/source.h"
#include "frame/split.h"
#include "session/cmd.h"
#include "session/enrol.h"
#include "session/fit.h"
#include "session/gate.h"
#include "session/summary.h"

/* ---- train ---- */

struct training {
    struct frame *data, *valid, *test;
    double valid_share, test_share; /* 0: none, or rows of their own */
    struct params *params;
    struct model *model;
    struct evaluation evaluation; /* on test */
    bool evaluated;
    const char **metrics, **drop;
    run_id run;
    char *version; /* "churn/3" */
};

static void
training_fini(struct training *g)
{
    frame_unref(g->data);
    frame_unref(g->valid);
    frame_unref(g->test);
    params_free(g->params);
    model_unref(g->model);
    if (g->evaluated)
        evaluation_fini(&g->evaluation);
    free(g->metrics);
    free(g->drop);
    free(g->version);
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

/* The rows that frame:split{ test, stratify = target, seed } sets aside. */
static bool
set_aside(struct training *g, const struct family *family, const struct call *c,
          struct error *err)
{
    const char *target = call_text(c, "target");
    struct frame *all = g->data;
    struct split s = {0};
    struct target y;
    bool by_class, ok;
    size_t col;

    if (!frame_need(all, target, &col, err) ||
        !target_fit(all, target, fit_problem(family), &y, err))
        return false;
    by_class = y.problem != PROBLEM_REGRESSION &&
               column_type(frame_column(all, col)) != COL_FLOAT64;
    target_fini(&y);
    g->data = NULL;
    ok = split_holdout(all, g->test_share, by_class ? target : NULL,
                       (uint64_t)call_int(c, "seed"), &s, err) &&
         (g->test = frame_take(all, s.test, s.n_test, err)) &&
         (g->data = frame_take(all, s.train, s.n_train, err));
    split_fini(&s);
    frame_unref(all);
    return ok;
}

static bool
read_tables(struct training *g, const struct family *family, struct task *t,
            const struct call *c, struct error *err)
{
    const char *valid = call_text(c, "valid"), *test = call_text(c, "test");

    return read_share(c, "valid", &g->valid_share, err) &&
           read_share(c, "test", &g->test_share, err) &&
           (g->data = call_lent(c)
                          ? frame_ref(call_lent(c))
                          : cmd_table(t, c, call_text(c, "data"), err)) &&
           (!valid || g->valid_share > 0 ||
            (g->valid = cmd_table(t, c, valid, err))) &&
           (!test || g->test_share > 0 ||
            (g->test = cmd_table(t, c, test, err))) &&
           (g->test_share == 0 || set_aside(g, family, c, err));
}

/* The family, or by the target: gbdt. */
static const struct family *
choose_family(struct training *g, const struct call *c, struct error *err)
{
    const struct family *family = family_need(call_text(c, "model"), err);

    if (!family)
        return NULL;
    g->params = params_new(family->params);
    for (size_t i = 0; i < call_count(c, "set"); i++)
        if (!params_set_pair(g->params, call_nth(c, "set", i), err)) {
            err->code = ERR_USAGE;
            return NULL;
        }
    return family;
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
        if (g->evaluated)
            evaluation_print(&g->evaluation, call_out(c));
        buf_printf(call_out(c), "run %.8s", g->run);
        if (g->version)
            buf_printf(call_out(c), ", registered as %s", g->version);
        buf_putc(call_out(c), '\n');
        if (!g->evaluated && !model_valid_metrics(g->model))
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
    json_name(&w, "test");
    if (g->evaluated)
        evaluation_json(&g->evaluation, &w);
    else
        json_put_null(&w);
    json_close(&w, '}');
    cmd_json_end(c);
}

static bool
fit_now(struct training *g, const struct family *family, struct session *s,
        struct task *t, const struct call *c, struct error *err)
{
    struct fit_request r = {.family = family,
                            .params = g->params,
                            .frame = g->data,
                            .data = call_text(c, "data"),
                            .target = call_text(c, "target"),
                            .seed = (uint64_t)call_int(c, "seed"),
                            .name = call_text(c, "name"),
                            .source = "lathe train"};

    g->metrics = cmd_all(c, "metric");
    g->drop = cmd_all(c, "drop");
    r.options = (struct model_options){.valid = g->valid,
                                       .valid_share = g->valid_share,
                                       .problem = -1,
                                       .metrics = g->metrics,
                                       .patience = (int)call_int(c, "patience"),
                                       .drop = g->drop};
    g->model = session_fit(s, t, &r, g->run, err);
    if (!g->model && err->code == ERR_CANCELLED && g->run[0])
        error_set(err, ERR_CANCELLED,
                  "stopped before the first round; run %.8s is recorded as "
                  "cancelled",
                  g->run);
    return g->model != NULL;
}

bool
cmd_train(struct session *s, struct task *t, struct call *c, struct error *err)
{
    struct training g = {0};
    const struct family *family = choose_family(&g, c, err);
    const char *out = call_text(c, "out"), *name = call_text(c, "register");
    bool ok, stopped;

    ok = family && read_tables(&g, family, t, c, err) &&
         fit_now(&g, family, s, t, c, err);
    if (ok && g.test)
        ok = g.evaluated =
            model_evaluate(g.model, g.test, (uint64_t)call_int(c, "seed"),
                           session_pool(s), &g.evaluation, err);
    stopped = progress_stopped(task_progress(t));
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

/* ---- evaluate, predict, explain ---- */

static bool
check_gate(const struct evaluation *e, const char *gate, struct error *err)
{
    struct json_writer w;
    struct buf metrics;
    bool ok;

    buf_init(&metrics);
    json_writer_init(&w, &metrics);
    evaluation_json(e, &w);
    ok = gate_check(metrics.data, gate, err);
    buf_fini(&metrics);
    return ok;
}

/* Rows that were learnt from flatter the model. */
static void
warn_if_learnt(const struct model *m, const struct frame *f, struct buf *out)
{
    char fingerprint[33];
    struct error err;

    if (frame_fingerprint(f, fingerprint, &err) &&
        strcmp(fingerprint, model_fingerprint(m)) == 0)
        buf_puts(out, "\nnote: the model learnt from this very table; on rows "
                      "it has not seen, expect less\n");
}

bool
cmd_evaluate(struct session *s, struct task *t, struct call *c,
             struct error *err)
{
    const char *gate = call_text(c, "gate");
    struct model *m = cmd_open_model(s, call_text(c, "model"), NULL, err);
    struct frame *f = m ? cmd_table(t, c, call_text(c, "data"), err) : NULL;
    struct evaluation e;
    struct json_writer w;
    bool ok = f && model_evaluate(m, f, (uint64_t)call_int(c, "seed"),
                                  session_pool(s), &e, err);

    if (f && !ok)
        error_prefix(err, "%s: ", call_text(c, "data"));
    if (ok && !cmd_goes_on(t, err)) {
        evaluation_fini(&e);
        ok = false;
    }
    if (ok) {
        if (call_json(c)) {
            cmd_json(c, &w);
            evaluation_json(&e, &w);
            cmd_json_end(c);
        } else {
            evaluation_print(&e, call_out(c));
            warn_if_learnt(m, f, call_out(c));
        }
        ok = !gate || check_gate(&e, gate, err);
        evaluation_fini(&e);
    }
    frame_unref(f);
    model_unref(m);
    return ok;
}

/* The input columns and the answers side by side. */
static struct frame *
with_inputs(const struct frame *f, struct frame *answers, struct error *err)
{
    struct frame *out = frame_ref(f);

    for (size_t i = 0; out && i < frame_cols(answers); i++) {
        struct frame *next =
            frame_with(out, frame_name(answers, i),
                       column_ref(frame_column(answers, i)), err);

        frame_unref(out);
        out = next;
    }
    frame_unref(answers);
    return out;
}

bool
cmd_predict(struct session *s, struct task *t, struct call *c,
            struct error *err)
{
    const char *path = call_text(c, "out");
    struct model *m = cmd_open_model(s, call_text(c, "model"), NULL, err);
    struct frame *f = m ? cmd_table(t, c, call_text(c, "data"), err) : NULL;
    struct frame *out = NULL;
    bool ok;

    if (f && !(out = model_predict_frame(m, f, session_pool(s), err)))
        error_prefix(err, "%s: ", call_text(c, "data"));
    if (out && call_flag(c, "inputs"))
        out = with_inputs(f, out, err);
    ok = out && cmd_goes_on(t, err);
    if (ok && path) {
        ok = source_write(out, path, err);
    } else if (ok && call_json(c)) {
        frame_json(out, 0, frame_rows(out), call_out(c));
        cmd_json_end(c);
    } else if (ok) {
        csv_write_rows(out, 0, frame_rows(out), true, ',', call_out(c));
    }
    frame_unref(out);
    frame_unref(f);
    model_unref(m);
    return ok;
}

bool
cmd_explain(struct session *s, struct task *t, struct call *c,
            struct error *err)
{
    struct model *m = cmd_open_model(s, call_text(c, "model"), NULL, err);
    struct frame *f = m ? model_importance(m, err) : NULL;
    struct json_writer w;

    (void)t;
    if (f && call_json(c)) {
        cmd_json(c, &w);
        json_open(&w, '{');
        json_name(&w, "model");
        model_card_json(m, &w);
        json_name(&w, "importance");
        json_open(&w, '[');
        for (size_t i = 0; i < frame_rows(f); i++) {
            json_open(&w, '{');
            json_name(&w, "column");
            json_put_str(&w, column_text(frame_column(f, 0), i));
            json_name(&w, "importance");
            json_put_double(&w, column_number(frame_column(f, 1), i));
            json_close(&w, '}');
        }
        json_close(&w, ']');
        json_close(&w, '}');
        cmd_json_end(c);
    } else if (f) {
        model_print(m, call_out(c));
        buf_putc(call_out(c), '\n');
        summary_importance(f, call_width(c), call_plain(c), call_out(c));
    }
    frame_unref(f);
    model_unref(m);
    return f != NULL;
}
