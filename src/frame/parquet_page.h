/* frame/parquet_page.h -- the pages of a column chunk, one after the other,
 * unpacked and taken apart.  Internal to parquet.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PARQUET_PAGE_H
#define LATHE_FRAME_PARQUET_PAGE_H

#include "base/buf.h"
#include "frame/parquet_meta.h"
#include "frame/parquet_schema.h"

/* Memory for unpacked pages, which the next chunk takes over. */
struct pq_room {
    char *p;
    size_t cap;
};
bool pq_room_need(struct pq_room *r, size_t n, struct error *err) MUST_USE;

/* Where pages that hold texts by themselves are unpacked, to stay there. */
struct pq_stay {
    char *block;
    size_t at, end; /* the part of it that is left */
};

struct pq_pages {
    struct str file; /* up to the footer */
    const struct pq_leaf *leaf;
    size_t at;   /* next page header */
    size_t left; /* values not yet seen */
    enum codec codec;
    struct pq_room *page, *dictionary; /* borrowed */
    struct pq_stay *stay;              /* borrowed; NULL: none stays */
    bool has_dictionary;               /* one was met */
};

/* One page. */
struct pq_content {
    bool is_dictionary;
    size_t n;            /* values, nulls too */
    struct str rep, def; /* levels, where the leaf has them */
    enum pq_encoding rep_encoding, def_encoding; /* PQ_RLE or PQ_BIT_PACKED */
    enum pq_encoding encoding;
    struct str values;
};

/* ERR_PARSE when the chunk does not suit the leaf or the file, or cannot be
 * read. */
bool
pq_pages_begin(struct pq_pages *p, struct str file, const struct pq_leaf *l,
               const struct pq_chunk *c, struct error *err) MUST_USE;
/* The next page, whose bytes lie in the file or in the room until the page
 * after it (a dictionary: to the end of the chunk); false at the end, which
 * *done tells from an error. */
bool pq_pages_next(struct pq_pages *p, struct pq_content *out, bool *done,
                   struct error *err) MUST_USE;

/* What the headers of the pages of a chunk tell. */
struct pq_survey {
    size_t stay_len, packed_len; /* of the pages that would stay */
    size_t n_texts;              /* values in these, missing ones too */
    bool others; /* pages neither of texts as they are nor of their codes */
};
/* Adds to *s.  False when they cannot be read. */
bool pq_pages_survey(struct pq_pages *p, struct pq_survey *s) MUST_USE;
#endif
