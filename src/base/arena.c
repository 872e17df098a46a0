/* base/arena.c -- scratch memory that dies together.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/progress.h"

enum { FIRST_BLOCK = 4096, ALIGN = 16 };

struct arena_block {
    struct arena_block *next; /* older, smaller */
    size_t cap, used;
    _Alignas(ALIGN) unsigned char data[];
};

void
arena_init(struct arena *a)
{
    *a = (struct arena){.head = NULL};
}

static void
free_chain(struct arena_block *b)
{
    while (b) {
        struct arena_block *next = b->next;

        free(b);
        b = next;
    }
}

void
arena_fini(struct arena *a)
{
    free_chain(a->head);
    a->head = NULL;
}

void
arena_reset(struct arena *a)
{
    if (!a->head)
        return;
    free_chain(a->head->next);
    a->head->next = NULL;
    a->head->used = 0;
}

static bool
grow(struct arena *a, size_t bytes, struct error *err)
{
    size_t cap = a->head ? a->head->cap * 2 : FIRST_BLOCK;
    struct arena_block *b;

    if (cap < bytes)
        cap = bytes;
    if (cap > PTRDIFF_MAX / 2)
        return error_set(err, ERR_NOMEM, "no memory for %zu bytes", bytes);
    b = mem_try_array(1, sizeof *b + cap, err);
    if (!b)
        return false;
    b->cap = cap;
    b->next = a->head;
    a->head = b;
    return true;
}

void *
arena_try(struct arena *a, size_t n, size_t size, struct error *err)
{
    size_t bytes;
    void *p;

    if (!mem_mul(n, size, &bytes) || bytes > PTRDIFF_MAX - ALIGN) {
        error_set(err, ERR_NOMEM, "no memory for %zu items of %zu bytes", n,
                  size);
        return NULL;
    }
    if (!progress_check(a->stop, err))
        return NULL;
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if ((!a->head || a->head->cap - a->head->used < bytes) &&
        !grow(a, bytes, err))
        return NULL;
    p = a->head->data + a->head->used;
    a->head->used += bytes;
    return memset(p, 0, bytes);
}

char *
arena_text(struct arena *a, const char *p, size_t len, struct error *err)
{
    char *s;

    if (len == SIZE_MAX) {
        error_set(err, ERR_NOMEM, "no memory for %zu bytes", len);
        return NULL;
    }
    s = arena_try(a, len + 1, 1, err);
    if (s && len > 0)
        memcpy(s, p, len);
    return s;
}
