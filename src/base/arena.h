/* base/arena.h -- scratch memory that dies together.
 *
 * A parse, a tree under growth, one request.  Blocks double in size; nothing
 * is freed before arena_fini() or arena_reset(), which keeps the largest block.
 * Threads: one owner at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_ARENA_H
#define LATHE_BASE_ARENA_H

#include <stddef.h>

#include "base/error.h"

struct arena_block;
struct progress;
struct arena {
    struct arena_block *head;
    const struct progress *stop; /* of the work it is scratch of, whoever has
                                    one: once that is stopped it gives no more */
};

void arena_init(struct arena *a);
void arena_fini(struct arena *a);
void arena_reset(struct arena *a);
/* n * size zeroed bytes aligned to 16; NULL with ERR_NOMEM, ERR_CANCELLED. */
void *
arena_try(struct arena *a, size_t n, size_t size, struct error *err) MUST_USE;
/* A terminated copy of len bytes. */
char *arena_text(struct arena *a, const char *p, size_t len,
                 struct error *err) MUST_USE;
#endif
