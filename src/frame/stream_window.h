/* frame/stream_window.h -- functions of other rows over streams; private to
 * stream_*.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_STREAM_WINDOW_H
#define LATHE_FRAME_STREAM_WINDOW_H

#include "frame/stream_part.h"
#include "frame/window.h"

/* A call whose parts are columns. */
struct window_call {
    bool aggregates;
    int kind; /* enum aggregate_kind, or enum window_kind */
    int64_t shift;
    const char *value; /* NULL: none */
    size_t n_keys;
    const char *const *key;
    const char **order; /* "-name" downwards; NULL-ended */
    char **name;        /* all of them; owned */
};

/* ---- stream_running.c ---- */

/* s, in the order that counts, with a window function without keys.  A rank
 * wants it sorted by the value.  Takes s over. */
struct stream *
stream_running(struct stream *s, const char *name, const struct window_call *w,
               struct error *err) MUST_USE;
/* With an expression of the batches alone, whatever rows it looks at. */
struct stream *
stream_evaluated(struct stream *s, const char *name, const char *expression,
                 struct error *err) MUST_USE;
#endif
