/* frame/parquet_chunk.h -- one column of one row group, written.  Internal to
 * parquet.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PARQUET_CHUNK_H
#define LATHE_FRAME_PARQUET_CHUNK_H

#include "base/buf.h"
#include "frame/parquet.h"
#include "frame/parquet_meta.h"

/* Rows begin..end of c, and what became of them. */
struct pq_out {
    const struct column *c;
    size_t begin, end;
    const struct parquet_write_options *options;
    bool levels;      /* say of each row whether it is there */
    struct buf bytes; /* the pages, one after the other */
    /* For the footer: */
    bool has_dictionary;
    size_t dictionary_len; /* bytes of its page with header */
    size_t plain_len;      /* of all pages with headers */
    size_t n_missing;
    struct buf min, max; /* stored form */
    bool has_bounds;
};

void pq_out_init(struct pq_out *o, const struct column *c, size_t begin,
                 size_t end, const struct parquet_write_options *options);
void pq_out_fini(struct pq_out *o);
bool pq_out_write(struct pq_out *o, struct error *err) MUST_USE;
/* Runs of n values of `width` bits (0..32), in runs and packed groups of 8. */
void pq_put_runs(struct buf *b, const uint32_t *v, size_t n, unsigned width);
#endif
