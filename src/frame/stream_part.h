/* frame/stream_part.h -- what kinds of streams are made of.
 *
 * A kind is a struct whose FIRST member is `struct stream`, and a class:
 *
 *     struct stream_sample { struct stream stream; ... };
 *     static const struct stream_class class = {sample_next, sample_rewind,
 *                                               sample_close};
 *
 * Private to stream*.c, and to layers above that make kinds of their own.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_STREAM_PART_H
#define LATHE_FRAME_STREAM_PART_H

#include "frame/stream.h"

struct stream_class {
    /* A frame with the columns of head, or NULL in *out at the end; one of no
     * rows is passed over. */
    bool (*next)(struct stream *s, struct frame **out, struct error *err);
    bool (*rewind)(struct stream *s, struct error *err);
    void (*close)(struct stream *s); /* what is its own, and frees s */
    /* NULL: those of `of`, or none. */
    const struct frame *(*rejects)(const struct stream *s, size_t *n);
    /* Give back the memory of mapped files that is not needed now; NULL: there
     * is none. */
    void (*cool)(const struct stream *s);
};

struct stream {
    const struct stream_class *class;
    struct frame *head; /* no rows; owned, released by stream_close() */
    struct stream *of;  /* owned, closed by stream_close(); NULL: a source */
    struct pool *pool;
    struct progress *progress;
    struct csv_table told; /* what the file is: no frame, no rejects */
    uint64_t n_rows;       /* exact when rows_known, else an estimate or 0 */
    bool rows_known;
    uint64_t pass; /* what progress counts to when its file is gone through */
    size_t work;   /* bytes a verb may keep; 0: a quarter of the budget */
};

/* Fill in what all kinds have; takes one reference of head, and `of` over,
 * also when the kind then fails and closes it. */
void stream_init(struct stream *s, const struct stream_class *class,
                 struct frame *head, struct stream *of);
/* How many rows like these a batch holds. */
size_t stream_rows_of_batch(const struct frame *f);
#endif
