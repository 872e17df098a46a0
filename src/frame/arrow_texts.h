/* frame/arrow_texts.h -- the texts of one column of one batch, on their way
 * into an Arrow file.  Internal to arrow.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_ARROW_TEXTS_H
#define LATHE_FRAME_ARROW_TEXTS_H

#include "frame/column.h"

struct arrow_texts {
    uint32_t *codes; /* of the rows, as places in `used`; NULL: the column's */
    uint32_t *used;  /* codes of the texts that occur; NULL: all there are */
    size_t n_used;
    void *ends;   /* where each text ends, after a 0: size_t for a dictionary,
                    int32_t for values that are written out */
    char *bytes;  /* all texts; NULL: the block of the dict */
    size_t len;   /* bytes */
    bool foreign; /* not all is UTF-8 */
};

void arrow_texts_fini(struct arrow_texts *t);
/* A dictionary for all rows of c: that of the column, less what does not occur
 * where it is larger than the batch. */
bool arrow_texts_gather(struct arrow_texts *t, const struct column *c,
                        struct error *err) MUST_USE;
/* A dictionary of all texts there are. */
bool arrow_texts_all(struct arrow_texts *t, const struct dict *d,
                     struct error *err) MUST_USE;
/* Rows begin..begin + n, written out.  ERR_LIMIT: over 2 GiB. */
bool arrow_texts_spell(struct arrow_texts *t, const struct column *c,
                       size_t begin, size_t n, struct error *err) MUST_USE;
#endif
