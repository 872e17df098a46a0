/* frame/stream_arrow.c -- the batches of an Arrow file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "frame/arrow_in.h"
#include "frame/stream_source.h"

struct stream_arrow {
    struct stream stream;
    struct arrow_in *in;
    bool begun;
};

static bool
arrow_next(struct stream *s, struct frame **out, struct error *err)
{
    struct stream_arrow *a = (struct stream_arrow *)s;

    if (!a->begun)
        progress_begin(s->progress, "reading", arrow_in_len(a->in));
    a->begun = true;
    arrow_in_cool(a->in);
    if (!arrow_in_next(a->in, out, err))
        return false;
    progress_set(s->progress, arrow_in_at(a->in));
    return true;
}

static bool
arrow_rewind(struct stream *s, struct error *err)
{
    (void)err;
    ((struct stream_arrow *)s)->begun = false;
    arrow_in_rewind(((struct stream_arrow *)s)->in);
    return true;
}

static void
arrow_close(struct stream *s)
{
    arrow_in_close(((struct stream_arrow *)s)->in);
    free(s);
}

static void
arrow_cool(const struct stream *s)
{
    arrow_in_cool(((const struct stream_arrow *)s)->in);
}

static const struct stream_class arrow_class = {arrow_next, arrow_rewind,
                                                arrow_close, NULL, arrow_cool};

struct stream *
stream_open_arrow(const struct stream_source *from, struct file_map *m,
                  struct error *err)
{
    struct arrow_in *in = arrow_in_open(m, from->pool, err);
    struct stream_arrow *a;

    if (!in)
        return NULL;
    a = mem_new(sizeof *a);
    a->in = in;
    stream_init(&a->stream, &arrow_class, arrow_in_head(in), NULL);
    a->stream.pool = from->pool;
    a->stream.progress = from->progress;
    a->stream.n_rows = arrow_in_rows(in);
    a->stream.rows_known = true;
    a->stream.pass = arrow_in_len(in);
    stream_expect(&a->stream);
    return &a->stream;
}
