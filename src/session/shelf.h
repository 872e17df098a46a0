/* session/shelf.h -- table files opened through the project's cache.
 *
 * In a folder that is a project, a large table that was read once is kept in
 * .lathe/cache (frame/cache.h), written by a thread of its own after the
 * caller has the table, and mapped when it is opened again.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_SHELF_H
#define LATHE_SESSION_SHELF_H

#include "frame/stream.h"
#include "session/session.h"

struct shelf;

/* source_read() with that.  Any thread; not the main one, which must not
 * wait. */
bool shelf_read(struct session *s, const char *path,
                const struct source_options *o, struct progress *progress,
                struct csv_table *out, struct error *err) MUST_USE;

/* stream_open() with that: a table beyond memory that was kept when there was
 * more of it is not gone through as text. */
struct stream *
shelf_stream(struct session *s, const char *path,
             const struct source_options *o, struct progress *progress,
             struct error *err) MUST_USE;

/* For session.c alone; free waits for what is being written. */
struct shelf *shelf_new(void);
void shelf_free(struct shelf *h);
#endif
