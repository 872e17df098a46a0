/* frame/parquet_part.h -- one column of one row group.  Internal to parquet.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PARQUET_PART_H
#define LATHE_FRAME_PARQUET_PART_H

#include "base/progress.h"
#include "frame/parquet_page.h"
#include "frame/parquet_value.h"
#include "frame/piece.h"

/* Memory that one part after the other uses. */
struct pq_scratch {
    struct pq_room page, dictionary; /* unpacked pages */
    struct pq_room entries;          /* values or texts of the dictionary */
    struct pq_room map;              /* from its codes to those of the column */
};
void pq_scratch_fini(struct pq_scratch *s);

/* The values of a column chunk as values of the leaf's type, whatever their
 * encoding and whether a dictionary stands between. */
struct pq_feed {
    const struct pq_leaf *leaf;
    struct pq_scratch *scratch; /* borrowed */
    struct pq_pages pages;
    struct pq_values values;
    size_t n_entries;     /* of the dictionary */
    struct buf converted; /* texts that are not stored as such */
    struct buf dictionary_texts;
    bool beyond; /* pq_convert() */
};

bool pq_feed_begin(struct pq_feed *f, struct str file, const struct pq_leaf *l,
                   const struct pq_chunk *c, struct pq_scratch *s,
                   struct error *err) MUST_USE;
void pq_feed_end(struct pq_feed *f);
/* The next page of data; false at the end, which *done tells from errors. */
bool pq_feed_page(struct pq_feed *f, struct pq_content *page, bool *done,
                  struct error *err) MUST_USE;
/* Go to the values of the page, of which n are there. */
bool pq_feed_values(struct pq_feed *f, const struct pq_content *page, size_t n,
                    struct error *err) MUST_USE;
/* The next n values (at most PQ_BATCH) of a leaf that is not text; */
bool pq_feed_numbers(struct pq_feed *f, size_t n, void *out,
                     struct error *err) MUST_USE;
/* of one that is: until the next call; */
bool pq_feed_texts(struct pq_feed *f, size_t n, struct str *out,
                   struct error *err) MUST_USE;
/* as codes below n_entries, where values.has_codes. */
bool pq_feed_codes(struct pq_feed *f, size_t n, uint32_t *out,
                   struct error *err) MUST_USE;
/* The texts of the dictionary. */
const struct str *pq_feed_entries(const struct pq_feed *f);

/* Levels of a page, whatever their encoding. */
struct pq_levels {
    unsigned max;
    bool high_first; /* the deprecated form */
    struct str bytes;
    uint64_t at; /* bit */
    unsigned width;
    struct pq_runs runs;
};
bool pq_levels_begin(struct pq_levels *l, enum pq_encoding encoding,
                     struct str bytes, unsigned max) MUST_USE;
/* False when they are damaged or one is over max. */
bool pq_levels_next(struct pq_levels *l, size_t n, uint32_t *out) MUST_USE;

/* One column of one row group on its way into the column. */
struct pq_part {
    const struct pq_leaf *leaf;
    const struct pq_chunk *chunk;
    struct piece piece;  /* rows and which are missing; no dict */
    struct pq_stay stay; /* of a loose column: where its texts go */
    bool beyond;
};

/* What reading a part needs besides. */
struct pq_target {
    struct str file;
    void *data;        /* of the column, all rows, all 0 */
    struct dict *dict; /* COL_TEXT: gets the texts; one part at a time; */
    char *block;       /* or of a loose column: has them.  data are places */
    const struct progress *progress;
};
bool pq_part_read_flat(struct pq_part *p, const struct pq_target *t,
                       struct pq_scratch *s, struct error *err) MUST_USE;
bool pq_part_read_list(struct pq_part *p, const struct pq_target *t,
                       struct pq_scratch *s, struct error *err) MUST_USE;
#endif
