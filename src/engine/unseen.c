/* engine/unseen.c -- count the rows whose texts a model has not learnt from.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/unseen.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/model_state.h"
#include "frame/stream_part.h"

bool
unseen_init(struct unseen *u, const struct model *m, struct error *err)
{
    *u = (struct unseen){.model = m};
    (void)prepare_inputs(m->prepare, &u->n);
    u->rows = mem_try_array(u->n, sizeof *u->rows, err);
    return u->rows != NULL;
}

void
unseen_fini(struct unseen *u)
{
    free(u->rows);
    *u = (struct unseen){0};
}

bool
unseen_add(struct unseen *u, const struct frame *f, struct error *err)
{
    return prepare_unseen(u->model->prepare, f, u->rows, err);
}

/* ---- a stream ---- */

struct stream_unseen {
    struct stream stream;
    struct unseen *to;
};

static bool
count_next(struct stream *s, struct frame **out, struct error *err)
{
    struct stream_unseen *c = (struct stream_unseen *)s;

    if (!stream_next(s->of, out, err))
        return false;
    if (!*out || unseen_add(c->to, *out, err))
        return true;
    frame_unref(*out);
    *out = NULL;
    return false;
}

static bool
count_rewind(struct stream *s, struct error *err)
{
    struct unseen *u = ((struct stream_unseen *)s)->to;

    for (size_t i = 0; i < u->n; i++)
        u->rows[i] = 0;
    return stream_rewind(s->of, err);
}

static void
count_close(struct stream *s)
{
    free(s);
}

static const struct stream_class count_class = {
    .next = count_next, .rewind = count_rewind, .close = count_close};

struct stream *
unseen_stream(struct unseen *u, struct stream *s, struct error *err)
{
    struct stream_unseen *c = mem_try_array(1, sizeof *c, err);

    if (!c) {
        stream_close(s);
        return NULL;
    }
    stream_init(&c->stream, &count_class, frame_ref(stream_head(s)), s);
    c->stream.n_rows = s->n_rows;
    c->stream.rows_known = s->rows_known;
    c->to = u;
    return &c->stream;
}

/* ---- telling ---- */

bool
unseen_say(const struct unseen *u, size_t input, struct buf *out)
{
    uint64_t rows = u->rows[input];
    size_t n;

    if (rows > 0)
        buf_printf(out, "%" PRIu64 " row%s had levels of %s unseen in training",
                   rows, rows == 1 ? "" : "s",
                   prepare_inputs(u->model->prepare, &n)[input].name);
    return rows > 0;
}

void
unseen_json(const struct unseen *u, struct json_writer *w)
{
    size_t n;
    const struct input *in = prepare_inputs(u->model->prepare, &n);

    json_open(w, '{');
    for (size_t i = 0; i < n; i++)
        if (u->rows[i] > 0) {
            json_name(w, in[i].name);
            json_put_i64(w, (int64_t)u->rows[i]);
        }
    json_close(w, '}');
}
