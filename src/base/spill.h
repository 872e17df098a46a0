/* base/spill.h -- files for what does not fit in memory.
 *
 * They have no name: the system takes them back when they are closed, however
 * the process ends.  They lie in LATHE_SPILL, else TMPDIR, else /var/tmp.
 * Threads: any.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_SPILL_H
#define LATHE_BASE_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* An empty file open for reading and writing, closed on exec; -1 with ERR_IO
 * that names the folder and LATHE_SPILL.  The caller closes it. */
int spill_open(struct error *err) MUST_USE;
/* All of it at the end of the file; ERR_IO says that the folder is full. */
bool
spill_append(int fd, const void *p, size_t len, struct error *err) MUST_USE;
/* len bytes from byte `at` on; ERR_IO also when there are fewer. */
bool spill_read(int fd, uint64_t at, void *p, size_t len,
                struct error *err) MUST_USE;
#endif
