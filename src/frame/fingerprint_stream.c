/* frame/fingerprint_stream.c -- tell a table from others while it passes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "frame/fingerprint.h"
#include "frame/stream_part.h"

struct stream_print {
    struct stream stream;
    struct fingerprint **to;
};

static bool
print_next(struct stream *s, struct frame **out, struct error *err)
{
    struct stream_print *p = (struct stream_print *)s;

    if (!stream_next(s->of, out, err))
        return false;
    if (!*out || fingerprint_add(*p->to, *out, err))
        return true;
    frame_unref(*out);
    *out = NULL;
    return false;
}

static bool
print_rewind(struct stream *s, struct error *err)
{
    struct fingerprint **to = ((struct stream_print *)s)->to;

    fingerprint_free(*to);
    *to = fingerprint_new(stream_head(s), err);
    return *to && stream_rewind(s->of, err);
}

static void
print_close(struct stream *s)
{
    free(s);
}

static const struct stream_class print_class = {
    .next = print_next, .rewind = print_rewind, .close = print_close};

struct stream *
fingerprint_stream(struct fingerprint **p, struct stream *s, struct error *err)
{
    struct stream_print *c = mem_try_array(1, sizeof *c, err);

    if (!c || !(*p = fingerprint_new(stream_head(s), err))) {
        free(c);
        stream_close(s);
        return NULL;
    }
    stream_init(&c->stream, &print_class, frame_ref(stream_head(s)), s);
    c->stream.n_rows = s->n_rows;
    c->stream.rows_known = s->rows_known;
    c->to = p;
    return &c->stream;
}
