/* frame/stream.c -- what all streams share, and streams of frames.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "base/budget.h"
#include "base/mem.h"
#include "frame/stream_part.h"

enum { BATCH_MIN = 1 << 20, BATCH_MAX = 64 << 20, BATCH_SHARE = 16 };

size_t
stream_batch_bytes(void)
{
    uint64_t n = budget_bytes() / BATCH_SHARE;

    return n < BATCH_MIN ? BATCH_MIN : n > BATCH_MAX ? BATCH_MAX : (size_t)n;
}

void
stream_init(struct stream *s, const struct stream_class *class,
            struct frame *head, struct stream *of)
{
    s->class = class;
    s->head = head;
    s->of = of;
    if (of) {
        s->pool = of->pool;
        s->progress = of->progress;
        s->work = of->work;
        s->pass = of->pass;
    }
}

void
stream_close(struct stream *s)
{
    struct stream *of;

    if (!s)
        return;
    of = s->of;
    frame_unref(s->head);
    s->class->close(s);
    stream_close(of);
}

size_t
stream_cols(const struct stream *s)
{
    return frame_cols(s->head);
}

const char *
stream_name(const struct stream *s, size_t col)
{
    return frame_name(s->head, col);
}

enum col_type
stream_type(const struct stream *s, size_t col)
{
    return column_type(frame_column(s->head, col));
}

long
stream_find(const struct stream *s, const char *name)
{
    return frame_find(s->head, name);
}

bool
stream_need(const struct stream *s, const char *name, size_t *col,
            struct error *err)
{
    return frame_need(s->head, name, col, err);
}

const struct frame *
stream_head(const struct stream *s)
{
    return s->head;
}

bool
stream_rows(const struct stream *s, uint64_t *n)
{
    *n = s->n_rows;
    return s->rows_known;
}

struct pool *
stream_pool(const struct stream *s)
{
    return s->pool;
}

struct progress *
stream_progress(const struct stream *s)
{
    return s->progress;
}

void
stream_expect(const struct stream *s)
{
    progress_expect(s->progress, s->pass);
}

bool
stream_next(struct stream *s, struct frame **out, struct error *err)
{
    do {
        *out = NULL;
        if (!progress_check(s->progress, err) || !s->class->next(s, out, err))
            return false;
        if (!*out || frame_rows(*out) > 0)
            return true;
        frame_unref(*out);
    } while (true);
}

bool
stream_rewind(struct stream *s, struct error *err)
{
    return s->class->rewind(s, err);
}

const struct frame *
stream_rejects(const struct stream *s, size_t *n_rejected)
{
    *n_rejected = 0;
    if (s->class->rejects)
        return s->class->rejects(s, n_rejected);
    return s->of ? stream_rejects(s->of, n_rejected) : NULL;
}

void
stream_told(const struct stream *s, struct csv_table *out)
{
    const struct stream *file = s;
    size_t n;

    while (file->of)
        file = file->of;
    *out = file->told;
    /* Borrowed, and csv_table has no const. */
    out->rejects = (struct frame *)(uintptr_t)stream_rejects(s, &n);
    out->n_rejected = n;
}

/* ---- the rows of a frame ---- */

struct stream_slices {
    struct stream stream;
    struct frame *frame;
    size_t at, n_rows;
};

static bool
slices_next(struct stream *s, struct frame **out, struct error *err)
{
    struct stream_slices *l = (struct stream_slices *)s;
    size_t end = frame_rows(l->frame);

    if (l->at == end)
        return true;
    if (end - l->at > l->n_rows)
        end = l->at + l->n_rows;
    *out = frame_slice(l->frame, l->at, end, err);
    if (*out)
        l->at = end;
    return *out != NULL;
}

static bool
slices_rewind(struct stream *s, struct error *err)
{
    (void)err;
    ((struct stream_slices *)s)->at = 0;
    return true;
}

static void
slices_close(struct stream *s)
{
    frame_unref(((struct stream_slices *)s)->frame);
    free(s);
}

static const struct stream_class slices_class = {slices_next, slices_rewind,
                                                 slices_close, NULL, NULL};

size_t
stream_rows_of_batch(const struct frame *f)
{
    size_t row = frame_bytes(f) / (frame_rows(f) + 1) + 1;

    return stream_batch_bytes() / row + 1;
}

struct stream *
stream_of_frame(const struct frame *f, size_t n_rows, struct pool *pool,
                struct progress *progress, struct error *err)
{
    struct stream_slices *l = mem_try_array(1, sizeof *l, err);
    struct frame *head = l ? frame_slice(f, 0, 0, err) : NULL;

    if (!head) {
        free(l);
        return NULL;
    }
    stream_init(&l->stream, &slices_class, head, NULL);
    l->stream.pool = pool;
    l->stream.progress = progress;
    l->stream.n_rows = frame_rows(f);
    l->stream.rows_known = true;
    l->frame = frame_ref(f);
    l->n_rows = n_rows ? n_rows : stream_rows_of_batch(f);
    return &l->stream;
}
