/* session/cmd_convert.c -- a table file of one format to one of another.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "frame/sink.h"
#include "session/cmd.h"
#include "session/session.h"
#include "session/task.h"

/* What there is to tell of a conversion. */
struct converted {
    uint64_t n_rows;
    size_t n_cols, n_rejected;
    bool in_batches;
};

static bool
convert_in_batches(struct task *t, const struct call *c, struct converted *done,
                   struct error *err)
{
    const char *from = call_text(c, "data"), *to = call_text(c, "out");
    struct stream *in = cmd_stream(t, c, from, err);
    bool ok;

    if (!in)
        return false;
    done->in_batches = true;
    done->n_cols = stream_cols(in);
    ok = sink_write_stream(in, to, &done->n_rows, err);
    (void)stream_rejects(in, &done->n_rejected);
    if (ok)
        cmd_tell_stream(t, from, in);
    stream_close(in);
    return ok;
}

static bool
convert_whole(struct task *t, const struct call *c, struct converted *done,
              struct error *err)
{
    struct csv_table table;
    bool ok;

    if (!cmd_read(t, c, call_text(c, "data"), &table, err))
        return false;
    done->n_rows = frame_rows(table.frame);
    done->n_cols = frame_cols(table.frame);
    done->n_rejected = table.n_rejected;
    ok = cmd_goes_on(t, err) && sink_write(table.frame, call_text(c, "out"),
                                           task_pool(t), task_progress(t), err);
    csv_table_fini(&table);
    return ok;
}

static void
tell(struct call *c, const char *to, const struct converted *done)
{
    struct cmd_written table = {to, done->n_rows, done->n_cols};
    struct json_writer w;

    if (!call_json(c)) {
        cmd_tell_written(&table, c);
        return;
    }
    cmd_json(c, &w);
    json_open(&w, '{');
    cmd_written_json(&table, &w);
    json_name(&w, "rejected");
    json_put_i64(&w, (int64_t)done->n_rejected);
    json_name(&w, "in_batches");
    json_put_bool(&w, done->in_batches);
    json_close(&w, '}');
    cmd_json_end(c);
}

bool
cmd_convert(struct session *s, struct task *t, struct call *c,
            struct error *err)
{
    const char *from = call_text(c, "data"), *to = call_text(c, "out");
    struct converted done = {0};

    (void)s;
    if (!source_is_table(to))
        return error_set(err, ERR_USAGE,
                         "%s: its ending tells no format, expected .csv, .tsv, "
                         ".jsonl, .arrow, .arrows or .parquet",
                         to);
    if (stream_wanted(from, NULL) ? !convert_in_batches(t, c, &done, err)
                                  : !convert_whole(t, c, &done, err))
        return false;
    tell(c, to, &done);
    return true;
}
