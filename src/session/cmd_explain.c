/* session/cmd_explain.c -- explain: a model's card, or why it answers so.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "session/cmd.h"
#include "session/explanation.h"

/* ---- without a table: the card ---- */

static void
put_card_json(struct call *c, const struct model *m, const struct frame *f)
{
    struct json_writer w;

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
}

static bool
tell_card(const struct model *m, struct call *c, struct error *err)
{
    struct frame *f;

    if (!call_json(c)) {
        model_print(m, call_out(c));
        return true;
    }
    if (!(f = model_importance(m, err)))
        return false;
    put_card_json(c, m, f);
    frame_unref(f);
    return true;
}

/* ---- what is asked ---- */

struct question {
    struct explanation_request request;
    const struct model *model;
    struct frame *data, *background;
};

static bool
count_option(const struct call *c, const char *name, size_t *out,
             struct error *err)
{
    int64_t v = call_text(c, name) ? call_int(c, name) : 0;

    if (call_text(c, name) && v < 1)
        return error_set(err, ERR_USAGE, "explain: %s is %lld, expected 1 ..",
                         name, (long long)v);
    *out = (size_t)v;
    return true;
}

/* Of --row, --importance, --interactions, --pdp and --ice one is the kind;
 * --interactions may have a --row. */
static bool
choose_kind(const struct call *c, struct explanation_request *r,
            struct error *err)
{
    const char *by = call_text(c, "importance");
    const char *pdp = call_text(c, "pdp"), *ice = call_text(c, "ice");
    bool pairs = call_flag(c, "interactions"), row = call_text(c, "row");

    if ((by != NULL) + (pdp != NULL) + (ice != NULL) + (pairs || row) > 1)
        return error_set(err, ERR_USAGE,
                         "explain: one of --row, --importance, "
                         "--interactions, --pdp and --ice");
    r->column = pdp ? pdp : ice;
    r->kind = pairs                            ? EXPLANATION_PAIRS
              : row                            ? EXPLANATION_ROW
              : pdp                            ? EXPLANATION_EFFECT
              : ice                            ? EXPLANATION_CURVES
              : !by                            ? EXPLANATION_SHARES
              : strcmp(by, "gain") == 0        ? EXPLANATION_GAIN
              : strcmp(by, "permutation") == 0 ? EXPLANATION_SHUFFLE
                                               : EXPLANATION_RANKING;
    return true;
}

static bool
read_question(struct question *q, struct task *t, const struct call *c,
              struct error *err)
{
    struct explanation_request *r = &q->request;
    const char *background = call_text(c, "background");

    r->chart = !call_text(c, "out") && !call_json(c);
    r->class = call_text(c, "class");
    r->metric = call_text(c, "metric");
    if (!choose_kind(c, r, err) || !count_option(c, "row", &r->row, err) ||
        !count_option(c, "repeats", &r->repeats, err) ||
        !count_option(c, "points", &r->points, err) ||
        !count_option(c, "rows", &r->rows, err) ||
        !count_option(c, "samples", &r->shares.samples, err) ||
        !count_option(c, "background-rows", &r->shares.background_rows, err) ||
        !explanation_way(call_text(c, "way"), &r->shares.way, err))
        return false;
    if (background &&
        !(q->background = cmd_table_for(t, c, background, q->model, err)))
        return false;
    r->shares.background = q->background;
    if (call_lent(c))
        q->data = frame_ref(call_lent(c));
    else if (call_text(c, "data") &&
             !(q->data =
                   cmd_table_for(t, c, call_text(c, "data"), q->model, err)))
        return false;
    r->data = q->data;
    return true;
}

/* ---- the answer ---- */

static bool
write_answer(const struct explanation *e, const char *path, struct task *t,
             struct call *c, struct error *err)
{
    struct stream *rows =
        stream_of_frame(e->frame, 0, task_pool(t), task_progress(t), err);
    bool ok = rows && cmd_write_rows(rows, path, c, err);

    stream_close(rows);
    if (ok && !call_json(c) && strcmp(path, "-") != 0)
        buf_printf(call_out(c), "%s\n", e->note);
    return ok;
}

static bool
tell_answer(const struct explanation *e, struct task *t, struct call *c,
            struct error *err)
{
    const char *path = call_text(c, "out");
    struct json_writer w;

    if (path)
        return write_answer(e, path, t, c, err);
    if (call_json(c)) {
        cmd_json(c, &w);
        explanation_json(e, &w);
        cmd_json_end(c);
    } else {
        explanation_text(e, call_width(c), call_plain(c), call_out(c));
    }
    return true;
}

/* What is asked of rows cannot be told without any. */
static bool
check_no_question(const struct call *c, struct error *err)
{
    static const char *const of_rows[] = {"pdp", "ice", "row", "interactions",
                                          "importance"};

    for (size_t i = 0; i < sizeof of_rows / sizeof *of_rows; i++)
        if (call_count(c, of_rows[i]))
            return error_set(err, ERR_USAGE,
                             "--%s is asked of rows: name a table behind the "
                             "model",
                             of_rows[i]);
    return true;
}

static bool
asks_gain(const struct call *c)
{
    const char *by = call_text(c, "importance");

    return by && strcmp(by, "gain") == 0;
}

static bool
answer_question(const struct model *m, struct task *t, struct call *c,
                struct error *err)
{
    struct question q = {.model = m};
    struct explanation e;
    struct train ctx = {.pool = task_pool(t),
                        .progress = task_progress(t),
                        .seed = (uint64_t)call_int(c, "seed")};
    bool ok = read_question(&q, t, c, err) &&
              explanation_make(m, &q.request, &ctx, &e, err);

    if (ok) {
        ok = cmd_goes_on(t, err) && tell_answer(&e, t, c, err);
        explanation_fini(&e);
    }
    frame_unref(q.data);
    frame_unref(q.background);
    return ok;
}

bool
cmd_explain(struct session *s, struct task *t, struct call *c,
            struct error *err)
{
    bool rows = call_text(c, "data") || call_lent(c), ok = false;
    struct model *m;

    if (call_text(c, "table"))
        return cmd_table_of(s, t, c, err);
    m = cmd_open_model(s, call_text(c, "model"), NULL, err);
    if (m && (rows || asks_gain(c)))
        ok = answer_question(m, t, c, err);
    else if (m)
        ok = check_no_question(c, err) && tell_card(m, c, err);
    model_unref(m);
    return ok;
}
