/* frame/stack.h -- frames of the same columns, one below the other.
 *
 * All frames have the names and types of the first.  Texts of dicts of their
 * own get one in common, of those that occur.
 * Threads: columns are shared out to the pool.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_STACK_H
#define LATHE_FRAME_STACK_H

#include "base/pool.h"
#include "base/progress.h"
#include "frame/frame.h"

struct stack_row {
    uint32_t frame, row;
};

/* All rows of n >= 1 frames. */
struct frame *
stack_frames(struct frame *const *f, size_t n, struct pool *pool,
             const struct progress *progress, struct error *err) MUST_USE;
/* These rows of them, in this order. */
struct frame *
stack_pick(struct frame *const *f, size_t n, const struct stack_row *rows,
           size_t n_rows, struct pool *pool, struct error *err) MUST_USE;

/* These rows of f with dicts of what occurs in them alone, so that a few rows do
 * not keep the texts of many. */
struct frame *
stack_apart(const struct frame *f, const uint32_t *rows, size_t n_rows,
            struct pool *pool, struct error *err) MUST_USE;

/* A list of frames that owns a reference of each; {0} is an empty one. */
struct frame_list {
    struct frame **frame;
    size_t n, cap;
    size_t bytes; /* the costs of all */
    uint64_t n_rows;
};

/* Bytes that f adds to what is there: texts that it shares with the last frame,
 * as slices do, are there already. */
size_t frame_list_cost(const struct frame_list *l, const struct frame *f);
/* Takes the reference, also when it fails. */
bool frame_list_add(struct frame_list *l, struct frame *f,
                    struct error *err) MUST_USE;
void frame_list_clear(struct frame_list *l); /* and forget the memory */
/* All as one; `head` where there are none. */
struct frame *
frame_list_stack(const struct frame_list *l, const struct frame *head,
                 struct pool *pool, struct error *err) MUST_USE;
#endif
