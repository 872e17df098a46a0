/* base/torn.h -- mappings of files that become shorter while they are read.
 *
 * A mapped page that its file no longer has raises SIGBUS when it is read.  A
 * watched mapping gets pages of zeros there instead, up to its end, and is torn
 * from then on: whoever reads it goes on without harm, and asks afterwards.
 *
 * Threads: any.  Watches are looked through without a lock, so that the signal
 * handler may; they are few.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_TORN_H
#define LATHE_BASE_TORN_H

#include <stdbool.h>
#include <stddef.h>

struct torn;

/* NULL when there is no memory: then such a read ends the program, as it would
 * without. */
struct torn *torn_watch(const void *mapped, size_t len);
bool torn_was(const struct torn *w); /* NULL: no */
/* Before the mapping is undone; NULL is fine. */
void torn_forget(struct torn *w);
#endif
