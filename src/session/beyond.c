/* session/beyond.c -- a file beyond memory as a table of the session.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/beyond.h"

#include <stdlib.h>

#include "base/mem.h"
#include "session/shelf.h"

struct beyond *
beyond_new(const char *path, struct call *call,
           const struct reading_options *reading, uint64_t n_rows,
           bool rows_known)
{
    struct beyond *b = mem_new(sizeof *b);

    b->refs = 1;
    b->path = mem_text(path);
    b->call = call;
    if (call)
        b->reading = *reading;
    b->n_rows = n_rows;
    b->rows_known = rows_known;
    return b;
}

struct beyond *
beyond_ref(struct beyond *b)
{
    if (b)
        b->refs++;
    return b;
}

void
beyond_unref(struct beyond *b)
{
    if (!b || --b->refs > 0)
        return;
    if (b->call)
        reading_options_fini(&b->reading);
    call_free(b->call);
    free(b->path);
    free(b);
}

struct stream *
beyond_open(const struct beyond *b, const struct steps *s, uint64_t top,
            struct task *t, struct error *err)
{
    struct stream *in = shelf_stream(task_session(t), b->path,
                                     b->call ? &b->reading.source : NULL,
                                     task_progress(t), err);

    return in ? steps_stream(s, in, top, err) : NULL;
}

void
beyond_put_rows(const struct beyond *b, struct buf *out)
{
    char n[STR_F64_MAX];

    str_from_count(b->n_rows, n);
    if (b->n_rows == 0)
        buf_puts(out, "very many");
    else
        buf_printf(out, "%s%s", b->rows_known ? "" : "about ", n);
}
