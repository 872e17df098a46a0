/* frame/sink_text.c -- delimited text and JSON lines, batch by batch.
 *
 * Stretches of rows become text on all threads, and are packed there, each by
 * itself: members of gzip and frames of zstd and lz4 may follow one another.
 * They are written in the order of their rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/sink_text.h"

#include <stdlib.h>

#include "base/mem.h"
#include "frame/csv.h"

enum {
    CELLS = 1 << 17,        /* of a stretch, about */
    CELLS_PACKED = 1 << 19, /* more, which packs better */
    STRETCHES = 4           /* at a time for each thread */
};

/* One stretch. */
struct share {
    struct buf text;
    bool ok;
    struct error err;
};

struct sink_text {
    struct sink_text_options o;
    struct sink_bytes *out;
    struct pool *pool;
    struct share *share;
    size_t n_shares;
    bool begun; /* something is in the file */
    struct frame *head;
    const struct frame *f; /* at hand */
    size_t first, grain;   /* row, rows of a stretch */
};

static bool
pack(const struct sink_text *t, struct share *s)
{
    struct buf packed;

    if (!buf_check(&s->text, &s->err))
        return false;
    if (t->o.codec == CODEC_NONE)
        return true;
    buf_init(&packed);
    if (!codec_compress(t->o.codec, 0, (struct str){s->text.data, s->text.len},
                        &packed, &s->err)) {
        buf_fini(&packed);
        return false;
    }
    buf_fini(&s->text);
    s->text = packed;
    return true;
}

static void
write_stretch(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct sink_text *t = ctx;
    struct share *s = &t->share[chunk];
    bool first = !t->begun && t->first == 0 && chunk == 0;

    begin += t->first;
    end += t->first;
    buf_init(&s->text);
    if (t->o.lines)
        frame_json_lines(t->f, begin, end, &s->text);
    else
        csv_write_rows(t->f, begin, end, first, t->o.delimiter, &s->text);
    s->ok = pack(t, s);
}

/* n rows from t->first on. */
static bool
write_stretches(struct sink_text *t, size_t n, struct error *err)
{
    size_t n_shares = n > 0 ? pool_chunks(n, t->grain) : 1;
    bool ok = true;

    if (n > 0)
        pool_for(t->pool, n, t->grain, write_stretch, t);
    else
        write_stretch(t, 0, 0, 0);
    for (size_t i = 0; i < n_shares; i++) {
        struct share *s = &t->share[i];

        if (ok && !s->ok)
            *err = s->err;
        ok = ok && s->ok &&
             sink_bytes_put(t->out, s->text.data, s->text.len, err);
        buf_fini(&s->text);
    }
    t->begun = true;
    return ok;
}

struct sink_text *
sink_text_begin(struct sink_bytes *out, const struct frame *head,
                const struct sink_text_options *o, struct pool *pool,
                struct error *err)
{
    size_t cells = o->codec == CODEC_NONE ? CELLS : CELLS_PACKED;
    struct sink_text *t = mem_new(sizeof *t);

    t->o = *o;
    t->out = out;
    t->pool = pool;
    t->grain = cells / (frame_cols(head) + 1) + 1;
    t->n_shares = STRETCHES * (pool ? pool_threads(pool) : 1);
    t->head = frame_slice(head, 0, 0, err);
    t->share = mem_try_array(t->n_shares, sizeof *t->share, err);
    if (t->head && t->share)
        return t;
    sink_text_free(t);
    return NULL;
}

bool
sink_text_put(struct sink_text *t, const struct frame *f, struct error *err)
{
    size_t n_rows = frame_rows(f), most = t->grain * t->n_shares;

    t->f = f;
    for (t->first = 0; t->first < n_rows; t->first += most) {
        size_t n = n_rows - t->first;

        if (!progress_check(t->o.progress, err) ||
            !write_stretches(t, n < most ? n : most, err))
            return false;
    }
    return true;
}

/* A table of no rows has its header, and what is packed has a frame. */
bool
sink_text_end(struct sink_text *t, struct error *err)
{
    if (t->begun)
        return true;
    t->f = t->head;
    t->first = 0;
    return write_stretches(t, 0, err);
}

void
sink_text_free(struct sink_text *t)
{
    if (!t)
        return;
    frame_unref(t->head);
    free(t->share);
    free(t);
}
