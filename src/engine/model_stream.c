/* engine/model_stream.c -- predict and evaluate, batch by batch.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/model_state.h"
#include "frame/stream_part.h"

/* ---- predicting ---- */

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

    if (!stream_next(s->of, &f, err))
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

/* ---- evaluating ---- */

/* What was predicted and what was true, as long as there are rows. */
struct judged {
    struct target truth; /* n rows */
    double *p;           /* (n, k) */
    size_t k, cap;
    bool weighs;
};

static void
judged_fini(struct judged *s)
{
    target_fini(&s->truth);
    free(s->p);
}

static bool
judged_room(struct judged *s, size_t more, struct error *err)
{
    size_t cap = s->cap ? s->cap : 4096, values;
    double *y, *p;

    while (cap < s->truth.n + more)
        cap *= 2;
    if (cap == s->cap)
        return true;
    if (!mem_mul(cap, s->k, &values))
        return error_set(err, ERR_NOMEM, "%zu rows of %zu classes do not fit",
                         cap, s->k);
    if (!(y = mem_try_resize(s->truth.y, cap, sizeof *y, err)))
        return false;
    s->truth.y = y;
    if (s->weighs) {
        if (!(y = mem_try_resize(s->truth.weight, cap, sizeof *y, err)))
            return false;
        s->truth.weight = y;
    }
    if (!(p = mem_try_resize(s->p, values, sizeof *p, err)))
        return false;
    s->p = p;
    s->cap = cap;
    return true;
}

static bool
score_batch(const struct model *m, struct judged *s, const struct frame *f,
            struct pool *pool, struct error *err)
{
    struct target truth;
    struct prediction p;
    bool ok = false;

    if (!target_apply(&m->like, f, m->target, &truth, err))
        return false;
    if ((!s->weighs || target_weigh(&truth, f, m->weight, err)) &&
        model_predict(m, f, pool, &p, err)) {
        if ((ok = judged_room(s, p.n, err))) {
            memcpy(s->truth.y + s->truth.n, truth.y, p.n * sizeof *truth.y);
            if (s->weighs)
                memcpy(s->truth.weight + s->truth.n, truth.weight,
                       p.n * sizeof *truth.weight);
            memcpy(s->p + s->truth.n * s->k, p.value,
                   p.n * s->k * sizeof *p.value);
            s->truth.n += p.n;
        }
        prediction_fini(&p);
    }
    target_fini(&truth);
    return ok;
}

bool
model_evaluate_stream(const struct model *m, struct stream *s, uint64_t seed,
                      struct evaluation *out, struct error *err)
{
    struct judged all = {
        .k = m->like.problem == PROBLEM_MULTICLASS ? m->like.n_classes : 1};
    struct frame *f = NULL;
    bool ok = target_take(&m->like, NULL, 0, &all.truth, err);

    all.weighs = m->weight && frame_find(stream_head(s), m->weight) >= 0;
    while (ok && (ok = stream_next(s, &f, err)) && f) {
        ok = score_batch(m, &all, f, stream_pool(s), err);
        frame_unref(f);
    }
    ok = ok && target_counts(&all.truth, err) &&
         evaluation_make(&all.truth, all.p, all.k, 0, seed, stream_pool(s), out,
                         err);
    judged_fini(&all);
    return ok;
}
