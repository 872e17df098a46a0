/* A table in the cache as a stream of its rows: one pass over plain columns in
 * the place of two over text.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "frame/cache.h"
#include "frame/stream_part.h"

struct stream_kept {
    struct stream stream;
    struct csv_table told; /* its rejects, no frame */
};

static bool
kept_next(struct stream *s, struct frame **out, struct error *err)
{
    return stream_next(s->of, out, err);
}

static bool
kept_rewind(struct stream *s, struct error *err)
{
    return stream_rewind(s->of, err);
}

static void
kept_close(struct stream *s)
{
    csv_table_fini(&((struct stream_kept *)s)->told);
    free(s);
}

static const struct frame *
kept_rejects(const struct stream *s, size_t *n)
{
    const struct stream_kept *k = (const struct stream_kept *)s;

    *n = k->told.n_rejected;
    return k->told.rejects;
}

static const struct stream_class kept_class = {.next = kept_next,
                                               .rewind = kept_rewind,
                                               .close = kept_close,
                                               .rejects = kept_rejects};

struct stream *
cache_stream(const struct cache_key *k, struct pool *pool,
             struct progress *progress)
{
    struct stream_kept *l;
    struct stream *of;
    struct csv_table t;
    struct error none;

    /* Opened as a whole it is checked; the columns are mapped. */
    if (!cache_get(k, pool, &t))
        return NULL;
    frame_unref(t.frame);
    t.frame = NULL;
    if (!(of = stream_open(cache_path(k), NULL, pool, progress, &none))) {
        csv_table_fini(&t);
        return NULL;
    }
    l = mem_new(sizeof *l);
    stream_init(&l->stream, &kept_class, frame_ref(of->head), of);
    l->stream.n_rows = of->n_rows;
    l->stream.rows_known = of->rows_known;
    l->told = t;
    t.rejects = NULL;
    while (of->of)
        of = of->of;
    of->told = t;
    return &l->stream;
}
