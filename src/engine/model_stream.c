/* engine/model_stream.c -- predict, batch by batch.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/model_state.h"
#include "frame/stream_part.h"
#include "frame/stream_verbs.h"

bool
model_next_rows(const struct model *m, struct stream *s, struct frame **out,
                struct error *err)
{
    if (!m->family->forecast)
        return stream_next(s, out, err);
    if (!(*out = stream_collect(s, err)))
        return error_prefix(err,
                            "%s answers all rows together: ", m->family->name);
    if (frame_rows(*out) > 0)
        return true;
    frame_unref(*out);
    *out = NULL;
    return true;
}

struct stream_answers {
    struct stream stream;
    struct model *model; /* a reference */
    bool inputs;
};

/* The columns of f, if it is given, then those of `answers`, whose reference
 * is taken. */
static struct frame *
side_by_side(const struct frame *f, struct frame *answers, struct error *err)
{
    struct frame *out;

    if (!f || !answers)
        return answers;
    out = frame_ref(f);
    for (size_t i = 0; out && i < frame_cols(answers); i++) {
        struct frame *next =
            frame_with(out, frame_name(answers, i),
                       column_ref(frame_column(answers, i)), err);

        frame_unref(out);
        out = next;
    }
    frame_unref(answers);
    return out;
}

static struct frame *
answer(const struct model *m, const struct frame *f, bool inputs,
       struct pool *pool, struct error *err)
{
    return side_by_side(inputs ? f : NULL, model_predict_frame(m, f, pool, err),
                        err);
}

static bool
answers_next(struct stream *s, struct frame **out, struct error *err)
{
    struct stream_answers *a = (struct stream_answers *)s;
    struct frame *f;

    if (!model_next_rows(a->model, s->of, &f, err))
        return false;
    if (!f)
        return true;
    *out = answer(a->model, f, a->inputs, s->pool, err);
    frame_unref(f);
    return *out != NULL;
}

static bool
answers_rewind(struct stream *s, struct error *err)
{
    return stream_rewind(s->of, err);
}

static void
answers_close(struct stream *s)
{
    model_unref(((struct stream_answers *)s)->model);
    free(s);
}

static const struct stream_class answers_class = {
    .next = answers_next, .rewind = answers_rewind, .close = answers_close};

struct stream *
model_predict_stream(const struct model *m, struct stream *s, bool inputs,
                     struct error *err)
{
    struct stream_answers *a = mem_try_array(1, sizeof *a, err);
    struct frame *head =
        a ? answer(m, stream_head(s), inputs, stream_pool(s), err) : NULL;

    if (!head) {
        free(a);
        stream_close(s);
        return NULL;
    }
    stream_init(&a->stream, &answers_class, head, s);
    a->stream.n_rows = s->n_rows;
    a->stream.rows_known = s->rows_known;
    a->model = model_ref(m);
    a->inputs = inputs;
    return &a->stream;
}
