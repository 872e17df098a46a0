/* frame/stream_verbs_part.h -- what the verbs over streams share; private to
 * stream_*.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_STREAM_VERBS_PART_H
#define LATHE_FRAME_STREAM_VERBS_PART_H

#include "frame/query.h"
#include "frame/stack.h"
#include "frame/stream_part.h"
#include "frame/stream_spill.h"
#include "frame/stream_verbs.h"

/* A column that verbs add for themselves and take away again. */
#define STREAM_ROW "\001row"

/* Bytes that a verb over s may keep in memory. */
size_t stream_work(const struct stream *s);
size_t names_count(const char *const *names);

/* ---- stream_row.c ---- */

/* Batches changed one by one.  Takes `of` over and ctx, which `release` frees,
 * also when it fails; what apply makes of the head is the head. */
typedef struct frame *stream_apply(void *ctx, const struct frame *batch,
                                   struct pool *pool, struct error *err);
struct stream *stream_map(struct stream *of, stream_apply *apply, void *ctx,
                          void (*release)(void *), struct error *err) MUST_USE;
/* The columns that head has. */
struct stream *stream_only(struct stream *of, const struct frame *head,
                           struct error *err) MUST_USE;
/* With the number of each row, 0, 1, ..., as a last column of ints. */
struct stream *stream_numbered(struct stream *of, const char *name,
                               struct error *err) MUST_USE;

/* A stream that is made when its first rows are asked for.  Takes `of` and ctx
 * over as stream_map; takes a reference of head.  make() must not close
 * `of`, which lives as long as the result. */
typedef struct stream *
stream_make(void *ctx, struct stream *of, struct error *err);
struct stream *
stream_made(struct stream *of, const struct frame *head, stream_make *make,
            void *ctx, void (*release)(void *), struct error *err) MUST_USE;
/* The batches of a file, which it takes over, also when it fails. */
struct stream *
stream_of_spilled(struct spilled *file, const struct frame *head,
                  const struct stream *like, struct error *err) MUST_USE;
/* Rows of a frame, in batches that suit `like`. */
struct stream *
stream_of_result(const struct frame *f, const struct stream *like,
                 struct error *err) MUST_USE;

/* ---- stream_sort.c ---- */

struct stream_sorter;
/* For frames with the columns of head; pool, progress and bounds as of like. */
struct stream_sorter *
stream_sorter_new(const struct frame *head, const struct query_key *keys,
                  size_t n_keys, const struct stream *like,
                  struct error *err) MUST_USE;
void stream_sorter_free(struct stream_sorter *s);
/* Takes the reference, also when it fails. */
bool stream_sorter_add(struct stream_sorter *s, struct frame *f,
                       struct error *err) MUST_USE;
/* All that is left in a stream. */
bool stream_sorter_add_all(struct stream_sorter *s, struct stream *of,
                           struct error *err) MUST_USE;
/* All rows in order; takes s over, also when it fails. */
struct stream *
stream_sorter_finish(struct stream_sorter *s, struct error *err) MUST_USE;
/* By the key of numbers in the column of this name. */
struct stream *
stream_sort_by(struct stream *of, const char *name, struct error *err) MUST_USE;

/* ---- stream_parts.c ---- */

enum { STREAM_PARTS = 16, STREAM_MAX_DEPTH = 8 };
/* Rows dealt out to files by the hash of their keys. */
struct stream_parts;
struct stream_parts *
stream_parts_new(const struct frame *head, const struct stream *like,
                 struct error *err) MUST_USE;
void stream_parts_free(struct stream_parts *p);
/* Row rows[i] of f goes to part[i]. */
bool stream_parts_add(struct stream_parts *p, const struct frame *f,
                      const uint32_t *rows, const uint8_t *part, size_t n,
                      struct error *err) MUST_USE;
/* Part i as a stream, NULL in *out when it is empty; once each. */
bool stream_parts_take(struct stream_parts *p, size_t i, struct stream **out,
                       struct error *err) MUST_USE;

/* ---- stream_window.c ---- */

/* s with what an expression that looks at other rows wants of them as columns,
 * and the expression that reads those instead, which the caller frees; *n
 * columns were added.  Takes s over. */
struct stream *stream_windows(struct stream *s, const char *expression,
                              char **instead, struct error *err) MUST_USE;
#endif
