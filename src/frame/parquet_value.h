/* frame/parquet_value.h -- the values of one page, by encoding.  Internal to
 * parquet.
 *
 * The values of a page are those that are present, one after the other.  They
 * are taken in batches of at most PQ_BATCH, either as codes of the dictionary
 * (when has_codes), or as stored numbers, or as texts.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PARQUET_VALUE_H
#define LATHE_FRAME_PARQUET_VALUE_H

#include "frame/parquet_bits.h"
#include "frame/parquet_schema.h"

enum { PQ_BATCH = 1024 };

struct pq_values {
    const struct pq_leaf *leaf;
    enum pq_encoding encoding;
    bool has_codes;
    const uint8_t *p, *end; /* plain: what is left; else of the texts */
    uint64_t bit;           /* plain bools */
    size_t stride, at;      /* byte stream split */
    struct pq_runs runs;
    struct pq_delta delta, prefix;
    struct buf last, texts; /* texts that share a start with the one before */
    uint8_t *raw;           /* PQ_BATCH values of up to 8 bytes, or of width */
};

void pq_values_init(struct pq_values *v, const struct pq_leaf *l);
void pq_values_fini(struct pq_values *v);
/* The n values of a page.  ERR_PARSE for damage or an encoding that does not
 * suit the type, ERR_NOMEM. */
bool pq_values_begin(struct pq_values *v, enum pq_encoding encoding,
                     struct str bytes, size_t n, struct error *err) MUST_USE;

/* Is what is stored a text of any length, rather than of fixed width? */
static inline bool
pq_stores_texts(const struct pq_leaf *l)
{
    return l->width == 0 && l->kind != PQ_KIND_BOOL;
}

/* The next n values (at most PQ_BATCH).  has_codes: */
bool pq_values_codes(struct pq_values *v, size_t n, uint32_t *out,
                     struct error *err) MUST_USE;
/* Of fixed width: *out is where they lie, until the next call. */
bool pq_values_fixed(struct pq_values *v, size_t n, const uint8_t **out,
                     struct error *err) MUST_USE;
/* pq_stores_texts(): the bytes lie in the page, or until the next call. */
bool pq_values_texts(struct pq_values *v, size_t n, struct str *out,
                     struct error *err) MUST_USE;
/* The same where these texts are PQ_PLAIN and the page lies at most 2^32 bytes
 * behind `block`: how far behind it each begins. */
bool pq_values_places(struct pq_values *v, size_t n, const char *block,
                      uint32_t *out, struct error *err) MUST_USE;
#endif
