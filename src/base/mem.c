/* base/mem.c -- checked allocation and the fault points of the tests.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/mem.h"

#include <assert.h>
#include <dirent.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20, HUGE_LEAST = 4 << 20, TABLE_LEAST = 128 << 10 };

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { FIRST_CAP = 16 }; /* of a list that grows */

static atomic_ulong fault_at; /* 0: off */
static atomic_bool fault_sticky;

void
mem_fault_arm(unsigned long n, bool sticky)
{
    atomic_store(&fault_sticky, sticky);
    atomic_store(&fault_at, n);
}

bool
mem_fault_hit(void)
{
    unsigned long at = atomic_load_explicit(&fault_at, memory_order_relaxed);

    if (at == 0)
        return false;
    if (at > 1)
        return !atomic_compare_exchange_strong(&fault_at, &at, at - 1) &&
               mem_fault_hit();
    if (!atomic_load(&fault_sticky))
        atomic_store(&fault_at, 0);
    return true;
}

bool
mem_fault_armed(void)
{
    return atomic_load(&fault_at) > 0;
}

bool
mem_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static bool
size_of_array(size_t n, size_t size, size_t *bytes, struct error *err)
{
    if (!mem_mul(n, size, bytes) || *bytes > PTRDIFF_MAX - MEM_ALIGN)
        return error_set(err, ERR_NOMEM, "no memory for %zu items of %zu bytes",
                         n, size);
    if (*bytes == 0)
        *bytes = 1;
    return true;
}

/* Does the host of this virtual machine take back free pages of 2 MiB?  The
 * balloon's feature 5 says so (virtio 1.2, 5.5.3).  The first touch of such a
 * page then waits for the host, which makes it dearer than 512 small ones. */
static bool
host_takes_pages(void)
{
    static const char dir[] = "/sys/bus/virtio/drivers/virtio_balloon";
    enum { REPORTING = 5 };
    DIR *d = opendir(dir);
    bool found = false;
    struct dirent *e;

    while (d && !found && (e = readdir(d))) {
        char path[sizeof dir + sizeof e->d_name + sizeof "/features"];
        char bits[REPORTING + 2] = "";
        FILE *f;

        if (strncmp(e->d_name, "virtio", 6) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s/features", dir, e->d_name);
        if (!(f = fopen(path, "re")))
            continue;
        found = fgets(bits, sizeof bits, f) && bits[REPORTING] == '1';
        fclose(f);
    }
    if (d)
        closedir(d);
    return found;
}

static bool
small_pages_are_better(void)
{
    static atomic_int known; /* 1: no, 2: yes */
    int v = atomic_load_explicit(&known, memory_order_relaxed);

    if (v == 0) {
        v = host_takes_pages() ? 2 : 1;
        atomic_store_explicit(&known, v, memory_order_relaxed);
    }
    return v == 2;
}

/* Large blocks are walked through or looked up in at random: with pages of
 * 2 MiB both cost a fraction of the page faults and of the address look-ups.
 * A wish: where it is not granted nothing changes. */
static void *
prefer_huge_pages(void *p, size_t bytes)
{
    uintptr_t from =
        ((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
    uintptr_t to = ((uintptr_t)p + bytes) & ~(uintptr_t)(HUGE_PAGE - 1);

    if (p && bytes >= HUGE_LEAST && from < to)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
    return p;
}

static bool
refuse(size_t bytes, struct error *err)
{
    return error_set(err, ERR_NOMEM, "no memory for %zu bytes", bytes);
}

void *
mem_try_array(size_t n, size_t size, struct error *err)
{
    size_t bytes;
    void *p;

    if (!size_of_array(n, size, &bytes, err))
        return NULL;
    p = mem_fault_hit() ? NULL : calloc(1, bytes);
    if (!p)
        refuse(bytes, err);
    return prefer_huge_pages(p, bytes);
}

void *
mem_try_table(size_t n, size_t size, struct error *err)
{
    const uintptr_t page = 4096;
    void *p = mem_try_array(n, size, err);

    if (p && n * size >= TABLE_LEAST) {
        uintptr_t from = ((uintptr_t)p + page - 1) & ~(page - 1);
        uintptr_t to = ((uintptr_t)p + n * size) & ~(page - 1);

        /* A wish, too: systems before Linux 5.14 do not know it. */
        (void)madvise((void *)from, to - from, MADV_POPULATE_WRITE);
    }
    return p;
}

static void *
aligned_block(size_t n, size_t size, size_t *bytes, struct error *err)
{
    void *p;

    if (!size_of_array(n, size, bytes, err))
        return NULL;
    *bytes = (*bytes + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN;
    p = mem_fault_hit() ? NULL : aligned_alloc(MEM_ALIGN, *bytes);
    if (!p) {
        refuse(*bytes, err);
        return NULL;
    }
    return p;
}

void *
mem_try_aligned(size_t n, size_t size, struct error *err)
{
    size_t bytes;
    void *p = aligned_block(n, size, &bytes, err);

    return p ? memset(prefer_huge_pages(p, bytes), 0, bytes) : NULL;
}

void *
mem_try_paged(size_t n, size_t size, struct error *err)
{
    size_t bytes, whole;
    void *p;

    if (!size_of_array(n, size, &bytes, err))
        return NULL;
    if (bytes < HUGE_PAGE)
        return mem_try_aligned(n, size, err);
    whole = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    p = mem_fault_hit() ? NULL : aligned_alloc(HUGE_PAGE, whole);
    if (!p) {
        refuse(bytes, err);
        return NULL;
    }
    (void)madvise(p, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    bytes = (bytes + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN;
    return memset(p, 0, bytes);
}

void *
mem_try_unset(size_t n, size_t size, struct error *err)
{
    size_t bytes;
    char *p = aligned_block(n, size, &bytes, err);

    if (!p)
        return NULL;
    if (bytes >= HUGE_LEAST && !small_pages_are_better())
        prefer_huge_pages(p, bytes);
    memset(p + bytes - MEM_ALIGN, 0, MEM_ALIGN);
    return p;
}

void
mem_give_back(void)
{
    (void)malloc_trim(0);
}

void *
mem_try_resize(void *p, size_t n, size_t size, struct error *err)
{
    size_t bytes;
    void *q;

    if (!size_of_array(n, size, &bytes, err))
        return NULL;
    q = mem_fault_hit() ? NULL : realloc(p, bytes);
    if (!q)
        refuse(bytes, err);
    return prefer_huge_pages(q, bytes);
}

void *
mem_try_grow(void *p, size_t n, size_t *cap, size_t size, struct error *err)
{
    size_t wider = *cap ? *cap : FIRST_CAP / 2;
    void *q;

    if (n < *cap)
        return p;
    if (!mem_mul(wider, 2, &wider)) {
        refuse(wider, err);
        return NULL;
    }
    if ((q = mem_try_resize(p, wider, size, err)))
        *cap = wider;
    return q;
}

char *
mem_try_text(const char *p, size_t len, struct error *err)
{
    char *s;

    if (len == SIZE_MAX) {
        refuse(len, err);
        return NULL;
    }
    s = mem_try_array(len + 1, 1, err);
    if (s && len > 0)
        memcpy(s, p, len);
    return s;
}

static void *
or_abort(void *p)
{
    if (p)
        return p;
    fputs("lathe: out of memory\n", stderr);
    abort();
}

void *
mem_new(size_t size)
{
    return or_abort(calloc(1, size ? size : 1));
}

void *
mem_grow(void *p, size_t n, size_t *cap, size_t size)
{
    size_t wider = *cap ? *cap : FIRST_CAP / 2, bytes;

    if (n < *cap)
        return p;
    if (!mem_mul(wider, 2, &wider) || !mem_mul(wider, size, &bytes))
        bytes = SIZE_MAX;
    p = or_abort(realloc(p, bytes));
    *cap = wider;
    return p;
}

char *
mem_text(const char *s)
{
    size_t n;

    if (!s)
        return NULL;
    n = strlen(s) + 1;
    return memcpy(mem_new(n), s, n);
}
