/* frame/arrow_decode.h -- what arrow_decode.c and arrow_codes.c share.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_ARROW_DECODE_H
#define LATHE_FRAME_ARROW_DECODE_H

#include "frame/arrow_part.h"

/* One field in all batches. */
struct arrow_parts {
    const struct arrow_field *field;
    struct arrow_array **x;
    size_t n, rows;
};

struct arrow_decode {
    const struct arrow_file *a;
    struct progress *progress;
    struct arena keep;    /* lives as long as the field is decoded */
    struct arena scratch; /* one part of a column at a time */
    struct error *err;
};

/* A column while its values come. */
struct arrow_making {
    enum col_type type;
    void *data;
    uint64_t *valid; /* NULL: all there */
    struct dict *dict;
    struct buf text;
};

static inline size_t
arrow_words(size_t n)
{
    return n / 64 + (n % 64 != 0);
}

void arrow_making_fini(struct arrow_making *m);
/* The column of n values; releases m. */
struct column *
arrow_making_end(struct arrow_making *m, size_t n, struct error *err) MUST_USE;
/* Set bits at..at + n of words where they are 0. */
void arrow_put_ones(uint64_t *words, size_t at, size_t n);
/* Values as they are; compressed ones are unpacked where they belong. */
bool arrow_copy_part(struct arrow_decode *d, const struct arrow_field *f,
                     struct arrow_array *x, char *to, size_t width) MUST_USE;
/* The one part whose values can stay where they are, or NULL. */
const void *arrow_in_place(const struct arrow_decode *d,
                           const struct arrow_parts *p, size_t width);
/* The column of values that stay there.  Takes valid and dict. */
struct column *arrow_borrow(const struct arrow_decode *d, enum col_type type,
                            const void *data, const struct arrow_parts *p,
                            uint64_t *valid, struct dict *dict) MUST_USE;
/* The column of values that are converted, or copied.  Takes valid. */
struct column *
arrow_convert(struct arrow_decode *d, const struct arrow_parts *p,
              uint64_t *valid) MUST_USE;
/* arrow_codes.c: the column of a field with a dictionary.  Takes valid. */
struct column *
arrow_decode_codes(struct arrow_decode *d, const struct arrow_parts *p,
                   uint64_t *valid) MUST_USE;
#endif
