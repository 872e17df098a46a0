/* session/cmd_rows.c -- tables into commands and out of them, batch by batch.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/sink.h"
#include "session/cmd.h"

enum { FLUSH = 1 << 20 };

struct stream *
cmd_rows(struct task *t, const struct call *c, const char *path,
         const struct model *m, struct error *err)
{
    struct stream *s = NULL;
    struct frame *f;

    if (stream_wanted(path, NULL))
        return cmd_stream_for(t, c, path, m, err);
    if ((f = cmd_table_for(t, c, path, m, err)))
        s = stream_of_frame(f, 0, task_pool(t), task_progress(t), err);
    frame_unref(f);
    return s;
}

/* ---- writing ---- */

void
cmd_written_json(const struct cmd_written *done, struct json_writer *w)
{
    json_name(w, "out");
    json_put_string(w, done->path);
    json_name(w, "rows");
    json_put_i64(w, (int64_t)done->n_rows);
    json_name(w, "columns");
    json_put_i64(w, (int64_t)done->n_cols);
}

void
cmd_tell_written(const struct cmd_written *done, struct call *c)
{
    struct json_writer w;

    if (!call_json(c)) {
        buf_printf(call_out(c), "%llu row%s x %zu column%s in ",
                   (unsigned long long)done->n_rows,
                   done->n_rows == 1 ? "" : "s", done->n_cols,
                   done->n_cols == 1 ? "" : "s");
        buf_spelt(call_out(c), done->path, false);
        buf_putc(call_out(c), '\n');
        return;
    }
    cmd_json(c, &w);
    json_open(&w, '{');
    cmd_written_json(done, &w);
    json_close(&w, '}');
    cmd_json_end(c);
}

bool
cmd_write_rows(struct stream *s, const char *path, struct call *c,
               struct error *err)
{
    struct cmd_written done = {path, 0, stream_cols(s)};

    if (!sink_write_stream(s, path, &done.n_rows, err))
        return false;
    cmd_tell_written(&done, c);
    return true;
}

/* ---- printing ---- */

/* Rows of a batch as they are printed, behind those before. */
typedef void print_batch(const struct frame *f, bool first, struct buf *out);

static void
csv_batch(const struct frame *f, bool first, struct buf *out)
{
    csv_write_rows(f, 0, frame_rows(f), first, ',', out);
}

static void
json_batch(const struct frame *f, bool first, struct buf *out)
{
    struct buf rows;

    buf_init(&rows);
    frame_json(f, 0, frame_rows(f), &rows);
    if (rows.len > 2) {
        if (!first)
            buf_putc(out, ',');
        buf_add(out, rows.data + 1, rows.len - 2);
    }
    out->failed |= rows.failed;
    buf_fini(&rows);
}

static bool
print_all(struct stream *s, print_batch *print, struct call *c,
          struct error *err)
{
    struct buf *out = call_out(c);
    bool first = true;
    struct frame *f;

    for (;; frame_unref(f)) {
        if (!stream_next(s, &f, err))
            return false;
        if (!f)
            break;
        print(f, first, out);
        first = false;
        if (out->len > FLUSH)
            call_flush(c);
    }
    if (first)
        print(stream_head(s), true, out);
    return buf_check(out, err);
}

bool
cmd_print_rows(struct stream *s, struct call *c, struct error *err)
{
    bool ok;

    if (!call_json(c))
        return print_all(s, csv_batch, c, err);
    buf_putc(call_out(c), '[');
    ok = print_all(s, json_batch, c, err);
    buf_putc(call_out(c), ']');
    cmd_json_end(c);
    return ok;
}
