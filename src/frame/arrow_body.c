/* frame/arrow_body.c -- the body of an Arrow message on its way into a file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/arrow_body.h"

#include <stdlib.h>

#include "base/mem.h"

size_t
arrow_body_padding(size_t len)
{
    return (MEM_ALIGN - len % MEM_ALIGN) % MEM_ALIGN;
}

void
arrow_body_init(struct arrow_body *b)
{
    *b = (struct arrow_body){0};
    buf_init(&b->nodes);
    buf_init(&b->buffers);
}

void
arrow_body_fini(struct arrow_body *b)
{
    for (size_t i = 0; i < b->n; i++)
        free(b->piece[i].own);
    free(b->piece);
    buf_fini(&b->nodes);
    buf_fini(&b->buffers);
}

bool
arrow_body_add(struct arrow_body *b, const void *p, size_t len, void *own,
               struct error *err)
{
    if (b->n == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 8;
        struct arrow_piece *more =
            mem_try_resize(b->piece, cap, sizeof *b->piece, err);

        if (!more) {
            free(own);
            return false;
        }
        b->piece = more;
        b->cap = cap;
    }
    b->piece[b->n++] = (struct arrow_piece){p, len, own};
    return true;
}

void
arrow_body_node(struct arrow_body *b, size_t n, size_t n_missing)
{
    flat_put_i64(&b->nodes, (int64_t)n);
    flat_put_i64(&b->nodes, (int64_t)n_missing);
}

struct squeeze {
    struct arrow_body *b;
    enum codec codec;
    bool *ok;
    struct error *err; /* of each piece */
};

/* A piece after its plain length; as it is, after -1, when that is shorter. */
static void
squeeze_piece(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct squeeze *s = ctx;
    struct arrow_piece *p = &s->b->piece[chunk];
    struct str plain = {p->p, p->len};
    struct buf out;

    (void)begin;
    (void)end;
    s->ok[chunk] = true;
    if (p->len == 0)
        return;
    buf_init(&out);
    flat_put_i64(&out, (int64_t)p->len);
    s->ok[chunk] = codec_compress(s->codec, 0, plain, &out, &s->err[chunk]);
    if (s->ok[chunk] && out.len >= p->len + sizeof(int64_t)) {
        buf_clear(&out);
        flat_put_i64(&out, -1);
        buf_add(&out, plain.p, plain.n);
    }
    s->ok[chunk] = s->ok[chunk] && buf_check(&out, &s->err[chunk]);
    if (!s->ok[chunk]) {
        buf_fini(&out);
        return;
    }
    free(p->own);
    p->len = out.len;
    p->p = p->own = buf_take(&out);
}

bool
arrow_body_squeeze(struct arrow_body *b, enum codec codec, struct pool *pool,
                   struct error *err)
{
    struct squeeze s = {b, codec, NULL, NULL};
    bool ok = true;

    if (codec == CODEC_NONE)
        return true;
    if (!(s.ok = mem_try_array(b->n, sizeof *s.ok, err)) ||
        !(s.err = mem_try_array(b->n, sizeof *s.err, err))) {
        free(s.ok);
        return false;
    }
    pool_for(pool, b->n, 1, squeeze_piece, &s);
    for (size_t i = 0; ok && i < b->n; i++)
        if (!(ok = s.ok[i]))
            *err = s.err[i];
    free(s.ok);
    free(s.err);
    return ok;
}

size_t
arrow_body_place(struct arrow_body *b)
{
    size_t at = 0;

    for (size_t i = 0; i < b->n; i++) {
        flat_put_i64(&b->buffers, (int64_t)at);
        flat_put_i64(&b->buffers, (int64_t)b->piece[i].len);
        at += b->piece[i].len + arrow_body_padding(b->piece[i].len);
    }
    return at;
}

size_t
arrow_body_put(const struct arrow_body *b, enum codec codec, size_t rows,
               struct buf *meta)
{
    bool squeezed = codec != CODEC_NONE;
    struct flat_slot slot[] = {
        {.id = 0, .width = 8, .value = rows}, {.id = 1}, {.id = 2}, {.id = 3}};
    struct flat_slot method = {
        .id = 0, .width = 1, .value = codec == CODEC_ZSTD};
    size_t at = flat_put_table(meta, slot, squeezed ? 4 : 3);

    flat_point(meta, slot[1].at, flat_put_vector(meta, b->nodes.len / 16, 8));
    buf_add(meta, b->nodes.data, b->nodes.len);
    flat_point(meta, slot[2].at, flat_put_vector(meta, b->buffers.len / 16, 8));
    buf_add(meta, b->buffers.data, b->buffers.len);
    if (squeezed)
        flat_point(meta, slot[3].at, flat_put_table(meta, &method, 1));
    meta->failed |= b->nodes.failed || b->buffers.failed;
    return at;
}
