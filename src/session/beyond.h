/* session/beyond.h -- a file beyond memory as a table of the session.
 *
 * The table holds the first rows of the file alone (struct table's beyond says
 * so).  What needs all of them goes through the file again as a stream, by the
 * table's steps, on a task's thread.
 *
 * Immutable once it is made, so that tasks may read it; shared by references
 * that are counted on the main thread.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_BEYOND_H
#define LATHE_SESSION_BEYOND_H

#include "frame/stream.h"
#include "session/reading.h"
#include "session/steps.h"
#include "session/task.h"

struct beyond {
    size_t refs;
    char *path;
    struct call *call; /* how it is read; NULL: as it says itself */
    struct reading_options reading;
    uint64_t n_rows; /* 0: not even an estimate */
    bool rows_known; /* else n_rows is an estimate */
};

/* Takes call; reading is out of it. */
struct beyond *beyond_new(const char *path, struct call *call,
                          const struct reading_options *reading,
                          uint64_t n_rows, bool rows_known);
struct beyond *beyond_ref(struct beyond *b); /* NULL: NULL */
void beyond_unref(struct beyond *b);

/* All rows, by the steps, from the cache where it has them; top: how many of a
 * sort, see steps_stream(). */
struct stream *
beyond_open(const struct beyond *b, const struct steps *s, uint64_t top,
            struct task *t, struct error *err) MUST_USE;
/* "700,000", "about 700,000"; "very many". */
void beyond_put_rows(const struct beyond *b, struct buf *out);
#endif
