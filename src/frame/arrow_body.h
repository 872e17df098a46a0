/* frame/arrow_body.h -- the body of an Arrow message on its way into a file: a
 * list of pieces, most of them memory of columns.  Internal to arrow.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_ARROW_BODY_H
#define LATHE_FRAME_ARROW_BODY_H

#include "base/pool.h"
#include "frame/arrow_flat.h"
#include "frame/codec.h"

struct arrow_piece {
    const void *p;
    size_t len;
    void *own; /* freed with the body */
};

struct arrow_body {
    struct arrow_piece *piece;
    size_t n, cap;
    struct buf nodes, buffers; /* of its record batch */
};

void arrow_body_init(struct arrow_body *b);
void arrow_body_fini(struct arrow_body *b);
/* Takes `own`, also when it fails. */
bool arrow_body_add(struct arrow_body *b, const void *p, size_t len, void *own,
                    struct error *err) MUST_USE;
/* An array of n values. */
void arrow_body_node(struct arrow_body *b, size_t n, size_t n_missing);
/* Each piece packed, where that makes it shorter. */
bool arrow_body_squeeze(struct arrow_body *b, enum codec codec,
                        struct pool *pool, struct error *err) MUST_USE;
/* The places of the pieces; returns the length of the body. */
size_t arrow_body_place(struct arrow_body *b);
/* The record batch that tells of it, into the flatbuffer; returns where. */
size_t arrow_body_put(const struct arrow_body *b, enum codec codec, size_t rows,
                      struct buf *meta);
/* Bytes from the end of a piece of that length to where the next begins. */
size_t arrow_body_padding(size_t len);
#endif
