/* So many rows at random.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/gather.h"
#include "frame/stream_verbs_part.h"
#include "frame/verbs.h"

struct sample {
    struct stream stream;
    double amount;
    uint64_t seed, n, wanted;
    bool ready;
    uint32_t *row;     /* ascending; NULL: by selection */
    uint64_t at, used; /* rows seen, and taken */
};

static int
by_row(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

bool
stream_count(struct stream *s, uint64_t *n, struct error *err)
{
    struct frame *f;

    if (stream_rows(s, n))
        return true;
    for (*n = 0;; frame_unref(f)) {
        if (!stream_next(s, &f, err))
            return false;
        if (!f)
            return stream_rewind(s, err);
        *n += frame_rows(f);
    }
}

/* As verb_sample() draws them. */
static bool
draw(struct sample *l, struct error *err)
{
    uint32_t *row = mem_try_unset((size_t)l->n, sizeof *row, err);

    if (!row)
        return false;
    for (size_t i = 0; i < l->n; i++)
        row[i] = (uint32_t)i;
    rng_shuffle(l->seed, 0, row, (size_t)l->n);
    qsort(row, (size_t)l->wanted, sizeof *row, by_row);
    l->row = row;
    return true;
}

static bool
prepare(struct sample *l, struct error *err)
{
    double amount = l->amount;

    if (!stream_count(l->stream.of, &l->n, err))
        return false;
    if (amount < 1)
        amount = rint(amount * (double)l->n);
    l->wanted = amount < (double)l->n ? (uint64_t)amount : l->n;
    if (l->wanted < l->n && l->n < UINT32_MAX &&
        l->n <= stream_work(&l->stream) / sizeof *l->row && !draw(l, err))
        return false;
    l->ready = true;
    return true;
}

static bool
is_drawn(const struct sample *l)
{
    uint64_t left = l->wanted - l->used;

    if (l->row)
        return left > 0 && l->row[l->used] == l->at;
    return rng_unit(l->seed, 1, l->at) * (double)(l->n - l->at) < (double)left;
}

static bool
sample_next(struct stream *s, struct frame **out, struct error *err)
{
    struct sample *l = (struct sample *)s;
    struct frame *f;
    uint32_t *rows;
    size_t n = 0;

    if (!l->ready && !prepare(l, err))
        return false;
    if (l->used == l->wanted)
        return true;
    if (!stream_next(s->of, &f, err))
        return false;
    if (!f)
        return true;
    if ((rows = mem_try_unset(frame_rows(f), sizeof *rows, err))) {
        for (size_t i = 0; i < frame_rows(f); i++, l->at++)
            if (is_drawn(l)) {
                rows[n++] = (uint32_t)i;
                l->used++;
            }
        *out = gather_frame(f, rows, n, s->pool, err);
    }
    frame_unref(f);
    free(rows);
    return *out;
}

static bool
sample_rewind(struct stream *s, struct error *err)
{
    struct sample *l = (struct sample *)s;

    l->at = l->used = 0;
    return stream_rewind(s->of, err);
}

static void
sample_close(struct stream *s)
{
    free(((struct sample *)s)->row);
    free(s);
}

static const struct stream_class sample_class = {
    .next = sample_next, .rewind = sample_rewind, .close = sample_close};

struct stream *
stream_sample(struct stream *s, double amount, uint64_t seed, struct error *err)
{
    struct frame *head = verb_sample(s->head, amount, seed, NULL, err);
    struct sample *l = head ? mem_try_array(1, sizeof *l, err) : NULL;

    if (!l) {
        frame_unref(head);
        stream_close(s);
        return NULL;
    }
    stream_init(&l->stream, &sample_class, head, s);
    l->amount = amount;
    l->seed = seed;
    if (!s->rows_known) /* they are counted first */
        stream_expect(s);
    return &l->stream;
}
