/* session/cmd_tell.c -- what models tell besides predictions: tables of
 * themselves, recommendations, forecasts.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/cmd.h"

/* A table of a model, on paper or into --out; takes f. */
static bool
put_told(struct task *t, struct frame *f, struct call *c, struct error *err)
{
    const char *path = call_text(c, "out");
    struct stream *rows;
    bool ok = true;

    if (!f)
        return false;
    if (path) {
        rows = stream_of_frame(f, 0, task_pool(t), task_progress(t), err);
        ok = rows && cmd_write_rows(rows, path, c, err);
        stream_close(rows);
    } else if (call_json(c)) {
        frame_json(f, 0, frame_rows(f), call_out(c));
        cmd_json_end(c);
    } else {
        frame_print(f, frame_rows(f), call_width(c), call_out(c));
    }
    frame_unref(f);
    return ok;
}

bool
cmd_table_of(struct session *s, struct task *t, struct call *c,
             struct error *err)
{
    struct model *m = cmd_open_model(s, call_text(c, "model"), NULL, err);
    struct frame *f = m ? model_table(m, call_text(c, "table"), err) : NULL;

    model_unref(m);
    return put_told(t, f, c, err);
}

bool
cmd_recommend(struct session *s, struct task *t, struct call *c,
              struct error *err)
{
    struct model *m = cmd_open_model(s, call_text(c, "model"), NULL, err);
    struct recommend ask = {call_text(c, "user"), call_int(c, "n"),
                            call_flag(c, "seen")};
    struct frame *f = m ? model_recommend(m, &ask, err) : NULL;

    model_unref(m);
    return put_told(t, f, c, err);
}

bool
cmd_forecast(struct session *s, struct task *t, struct call *c,
             struct error *err)
{
    struct model *m = cmd_open_model(s, call_text(c, "model"), NULL, err);
    int64_t n = call_int(c, "horizon");
    struct forecast ask = {n > 0 ? (size_t)n : 0, call_float(c, "level"),
                           task_pool(t), task_progress(t)};
    struct frame *f = NULL;

    if (m && n < 1)
        error_set(err, ERR_USAGE, "a horizon of %lld, expected 1..100000",
                  (long long)n);
    else if (m)
        f = model_forecast(m, &ask, err);
    model_unref(m);
    return put_told(t, f, c, err);
}
