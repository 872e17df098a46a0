/* frame/stream_states.h -- aggregates of groups that are fed batch by batch.
 *
 * Private to stream_*.c.  One value for each group as of frame/aggregate.h;
 * groups are numbers, to which rows may be added at any time.  Median and
 * distinct keep all values, sorted by group, beyond memory on the disk.
 * Threads: one at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_STREAM_STATES_H
#define LATHE_FRAME_STREAM_STATES_H

#include "frame/aggregate.h"
#include "frame/keyset.h"
#include "frame/stream_part.h"

struct states;

/* type: of the values.  Pool, progress and bounds as of like. */
struct states *
states_new(enum aggregate_kind kind, enum col_type type,
           const struct stream *like, struct error *err) MUST_USE;
void states_free(struct states *s);
size_t states_bytes(const struct states *s);
/* A value for each of n rows (NULL: count() of rows) with the group of each,
 * below n_groups, or KEYSET_NONE for rows to be left out. */
bool states_feed(struct states *s, const struct column *values,
                 const uint32_t *group, size_t n, size_t n_groups,
                 struct error *err) MUST_USE;
/* A value for each group; the states are used up. */
struct column *
states_finish(struct states *s, size_t n_groups, struct error *err) MUST_USE;
#endif
