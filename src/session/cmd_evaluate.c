/* session/cmd_evaluate.c -- score a model on rows that have the target.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "engine/judged.h"
#include "engine/metric_curve.h"
#include "engine/metric_slice.h"
#include "frame/fingerprint.h"
#include "session/cmd.h"
#include "session/curve_text.h"
#include "session/gate.h"
#include "session/learnt.h"

/* What is asked of a model, and what came out. */
struct asked {
    struct evaluation of;
    struct slices slices;
    struct frame *curve; /* or NULL */
    enum curve_kind kind;
    struct unseen unseen;
    size_t learnt; /* rows of the table */
    struct buf note;
    bool done;
};

static void
asked_fini(struct asked *a)
{
    if (a->done)
        evaluation_fini(&a->of);
    slices_fini(&a->slices);
    frame_unref(a->curve);
    unseen_fini(&a->unseen);
    buf_fini(&a->note);
}

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

static bool
score(struct asked *a, const struct judged *j, const struct frame *f,
      struct task *t, const struct call *c, struct error *err)
{
    struct pool *pool = task_pool(t);
    struct metric_rows rows = judged_rows(j);
    const char **by = cmd_all(c, "slice");
    struct evaluation_options o = {.seed = (uint64_t)call_int(c, "seed")};
    struct cmd_names metrics;
    bool ok;

    cmd_names_init(&metrics, NULL, c, "metric");
    o.metrics = metrics.name;
    rows.pool = pool;
    ok = a->done =
        evaluation_of(&rows, j->truth.classes, &o, pool, &a->of, err);
    if (ok)
        a->of.outcomes = j->outcomes;
    if (ok && by)
        ok = slices_make(f, by, &rows, j->truth.classes, &o, pool, &a->slices,
                         err);
    if (ok && call_text(c, "curve"))
        ok = (a->curve = metric_curve(a->kind, &rows, j->truth.classes, err));
    cmd_names_fini(&metrics);
    free(by);
    return ok;
}

static bool
judge_stream(struct asked *a, const struct model *m, struct task *t,
             const struct call *c, struct error *err)
{
    const char *data = call_text(c, "data");
    char text[LEARNT_PRINT];
    struct fingerprint *print = NULL;
    struct stream *s;
    struct judged j;
    bool ok;

    if (call_count(c, "slice") || call_text(c, "weight") ||
        call_text(c, "group"))
        return error_set(err, ERR_LIMIT,
                         "evaluate: --slice, --weight and --group want a table "
                         "that fits in memory");
    if (!(s = cmd_stream_for(t, c, data, m, err)) ||
        !(s = unseen_stream(&a->unseen, s, err)) ||
        !(s = fingerprint_stream(&print, s, err)))
        return false;
    ok = judged_stream(m, s, &j, err);
    if (ok) {
        ok = score(a, &j, NULL, t, c, err) && fingerprint_end(print, text, err);
        if (ok)
            a->learnt =
                learnt_note(task_session(t), m, text, j.truth.n, &a->note);
        judged_fini(&j);
    }
    if (ok)
        cmd_tell_stream(t, data, s);
    stream_close(s);
    fingerprint_free(print);
    return ok || error_prefix(err, "%s: ", data);
}

static bool
judge(struct asked *a, const struct model *m, struct task *t,
      const struct call *c, struct error *err)
{
    const char *data = call_text(c, "data");
    struct judged_options o = {call_text(c, "weight"), call_text(c, "group")};
    char print[LEARNT_PRINT];
    struct judged j;
    struct frame *f;
    bool ok;

    if (stream_wanted(data, NULL))
        return judge_stream(a, m, t, c, err);
    if (!(f = cmd_table_for(t, c, data, m, err)))
        return false;
    ok = unseen_add(&a->unseen, f, err) &&
         judged_take(m, f, &o, task_pool(t), &j, err);
    if (ok) {
        ok = score(a, &j, f, t, c, err);
        judged_fini(&j);
    }
    if (ok)
        ok = frame_fingerprint(f, print, err);
    if (ok)
        a->learnt =
            learnt_note(task_session(t), m, print, frame_rows(f), &a->note);
    frame_unref(f);
    return ok || error_prefix(err, "%s: ", data);
}

static void
put_json(struct call *c, const struct asked *a)
{
    struct json_writer w;
    struct buf rows;

    cmd_json(c, &w);
    json_open(&w, '{');
    json_name(&w, "unseen");
    unseen_json(&a->unseen, &w);
    json_name(&w, "learnt_rows");
    json_put_i64(&w, (int64_t)a->learnt);
    if (a->of.problem == PROBLEM_BINARY) {
        json_name(&w, "positive");
        json_put_string(&w, a->of.classes[1]);
    }
    if (!a->slices.n && !a->curve) {
        evaluation_json_members(&a->of, &w);
        json_close(&w, '}');
        cmd_json_end(c);
        return;
    }
    buf_init(&rows);
    json_name(&w, "evaluation");
    evaluation_json(&a->of, &w);
    json_name(&w, "slices");
    slices_json(&a->slices, &w);
    if (a->curve) {
        frame_json(a->curve, 0, frame_rows(a->curve), &rows);
        json_name(&w, curve_look(a->kind)->name);
        json_put_raw(&w, rows.data);
    }
    json_close(&w, '}');
    buf_fini(&rows);
    cmd_json_end(c);
}

static bool
put_text(struct call *c, const struct asked *a, struct error *err)
{
    struct buf *out = call_out(c);

    evaluation_print(&a->of, out);
    slices_print(&a->slices, &a->of, call_width(c), out);
    if (a->curve) {
        buf_putc(out, '\n');
        if (!curve_text(a->curve, a->kind, call_width(c), call_plain(c), out,
                        err))
            return false;
    }
    buf_add(out, a->note.data, a->note.len);
    return true;
}

bool
cmd_evaluate(struct session *s, struct task *t, struct call *c,
             struct error *err)
{
    const char *gate = call_text(c, "gate"), *curve = call_text(c, "curve");
    struct model *m = cmd_open_model(s, call_text(c, "model"), NULL, err);
    struct asked a = {0};
    bool ok = m != NULL;

    buf_init(&a.note);
    ok = ok && (!curve || curve_kind_of(curve, &a.kind, err)) &&
         unseen_init(&a.unseen, m, err) && judge(&a, m, t, c, err) &&
         cmd_goes_on(t, err);
    if (ok)
        cmd_tell_unseen(t, call_text(c, "data"), &a.unseen);
    if (ok && call_json(c))
        put_json(c, &a);
    else if (ok)
        ok = put_text(c, &a, err);
    ok = ok && (!gate || check_gate(&a.of, gate, err));
    asked_fini(&a);
    model_unref(m);
    return ok;
}
