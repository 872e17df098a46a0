/* frame/stream_shape.c -- batches with the types that are wanted, none of them
 * large.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/source_part.h"
#include "frame/stream_source.h"

struct stream_shape {
    struct stream stream;
    char *name;           /* of the file */
    struct csv_options o; /* its types are ours */
    char **types;
    struct frame *whole; /* what is given in parts */
    size_t at, step, n_rows;
};

/* The types of the head, where the batch has others. */
static bool
same_types(const struct frame *head, struct frame **f, struct error *err)
{
    for (size_t i = 0; i < frame_cols(head); i++) {
        enum col_type t = column_type(frame_column(head, i));
        struct column *c;
        struct frame *g;
        size_t lost;

        if (column_type(frame_column(*f, i)) == t)
            continue;
        if (!(c = column_cast(frame_column(*f, i), t, &lost, err)) ||
            !(g = frame_with(*f, frame_name(head, i), c, err)))
            return false;
        frame_unref(*f);
        *f = g;
    }
    return true;
}

static bool
pull(struct stream_shape *s, struct error *err)
{
    struct frame *f;
    bool ok;

    if (!stream_next(s->stream.of, &f, err))
        return false;
    if (!f)
        return true;
    ok = same_types(s->stream.of->head, &f, err) &&
         source_cast_all(&f, &s->o, err);
    if (!ok) {
        frame_unref(f);
        return error_prefix(err, "%s: ", s->name);
    }
    s->whole = f;
    s->at = 0;
    s->step = s->n_rows ? s->n_rows : stream_rows_of_batch(f);
    if (s->step * 2 > frame_rows(f))
        s->step = frame_rows(f);
    return true;
}

static bool
shape_next(struct stream *stream, struct frame **out, struct error *err)
{
    struct stream_shape *s = (struct stream_shape *)stream;
    size_t end;

    if (!s->whole && !pull(s, err))
        return false;
    if (!s->whole)
        return true;
    end = frame_rows(s->whole);
    end = end - s->at > s->step ? s->at + s->step : end;
    if (s->at == 0 && end == frame_rows(s->whole)) {
        *out = s->whole;
        s->whole = NULL;
        return true;
    }
    *out = frame_slice(s->whole, s->at, end, err);
    if (!*out)
        return false;
    if (s->stream.of->class->cool)
        s->stream.of->class->cool(s->stream.of);
    s->at = end;
    if (end == frame_rows(s->whole)) {
        frame_unref(s->whole);
        s->whole = NULL;
    }
    return true;
}

static bool
shape_rewind(struct stream *stream, struct error *err)
{
    struct stream_shape *s = (struct stream_shape *)stream;

    frame_unref(s->whole);
    s->whole = NULL;
    return stream_rewind(stream->of, err);
}

static void
shape_close(struct stream *stream)
{
    struct stream_shape *s = (struct stream_shape *)stream;

    frame_unref(s->whole);
    for (size_t i = 0; s->types[i]; i++)
        free(s->types[i]);
    free(s->types);
    free(s->name);
    free(s);
}

static const struct stream_class shape_class = {shape_next, shape_rewind,
                                                shape_close, NULL, NULL};

static void
keep_types(struct stream_shape *s, const struct csv_options *o)
{
    size_t n = 0;

    while (o->types && o->types[n])
        n++;
    s->types = mem_new((n + 1) * sizeof *s->types);
    for (size_t i = 0; i < n; i++)
        s->types[i] = mem_text(o->types[i]);
    s->o.types = (const char *const *)s->types;
    s->o.types_loose = o->types_loose;
}

struct stream *
stream_shape(struct stream *of, const struct stream_source *from, size_t n_rows,
             struct error *err)
{
    struct stream_shape *s;
    struct frame *head;

    if (!of)
        return NULL;
    head = frame_ref(of->head);
    if (!source_cast_all(&head, &from->o->csv, err)) {
        frame_unref(head);
        stream_close(of);
        error_prefix(err, "%s: ", from->path);
        return NULL;
    }
    s = mem_new(sizeof *s);
    s->name = mem_text(from->path);
    s->n_rows = n_rows;
    keep_types(s, &from->o->csv);
    stream_init(&s->stream, &shape_class, head, of);
    s->stream.n_rows = of->n_rows;
    s->stream.rows_known = of->rows_known;
    return &s->stream;
}
