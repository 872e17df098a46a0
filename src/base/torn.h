/* base/torn.h -- mappings of files that become shorter while they are read.
 *
 * A mapped page that its file no longer has raises SIGBUS when it is read.  A
 * watched mapping gets pages of zeros there instead, up to its end, and is torn
 * from then on: whoever reads it goes on without harm, and asks afterwards.  What
 * makes something of many mappings, a command or a cell, need not know them: it
 * takes a mark, and asks at its end whether any was torn since.
 *
 * Threads: any.  Watches are looked through without a lock, so that the signal
 * handler may; they are few.  Their names are under one, which the handler does
 * without.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_TORN_H
#define LATHE_BASE_TORN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct torn;
struct stat;

/* NULL when there is no memory: then such a read ends the program, as it would
 * without. */
struct torn *torn_watch(const void *mapped, size_t len, const char *path,
                        const struct stat *st);
bool torn_was(const struct torn *w); /* NULL: no */
/* The same, and is the file as long as it was?  ERR_IO names it. */
bool torn_check_one(struct torn *w, struct error *err) MUST_USE;
/* Before the mapping is undone; NULL is fine. */
void torn_forget(struct torn *w);

/* Those that are torn by now are not told by a check of this mark. */
unsigned torn_mark(void);
/* Has any been torn since the mark, also one that is no longer mapped?  kept:
 * or before it, and is still mapped.  ERR_IO names the file. */
bool torn_check(unsigned mark, bool kept, struct error *err) MUST_USE;
#endif
