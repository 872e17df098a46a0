/* base/room.h -- large arrays in memory, or on the pages of a file where memory
 * is short.
 *
 * What lies on a file (base/spill.h) is written out by the system when it needs
 * the memory, and read again when it is touched: slow where it is touched here
 * and there, near the disk's speed in order.
 * Threads: any, each room and each purse one at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_ROOM_H
#define LATHE_BASE_ROOM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct room {
    void *p; /* zeroed, aligned to MEM_ALIGN, at least one readable byte */
    size_t len;
    bool filed; /* it lies on a file */
};

/* n * size bytes, taken out of *left, which bounds what many rooms take in
 * memory together; what is more than is left lies on a file.  left NULL: always
 * in memory.  NULL with ERR_NOMEM or ERR_IO. */
void *room_init(struct room *r, size_t n, size_t size, size_t *left,
                struct error *err) MUST_USE;
/* The same for what is looked up at random: mem_try_paged(). */
void *room_init_paged(struct room *r, size_t n, size_t size, size_t *left,
                      struct error *err) MUST_USE;
void room_fini(struct room *r); /* {0} and twice are allowed */
#endif
