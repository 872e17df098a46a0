/* base/room.c -- large arrays in memory, or on the pages of a file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/spill.h"

static void *
map_file(size_t len, struct error *err)
{
    int fd = spill_open(err), rc;
    void *p;

    if (fd < 0)
        return NULL;
    /* Blocks are had now: a full disk is an error here, not a signal later. */
    rc = posix_fallocate(fd, 0, (off_t)len);
    if (rc != 0) {
        close(fd);
        error_errno(err, rc,
                    "%zu MiB that do not fit in memory have no room on the "
                    "disk either (LATHE_SPILL names the folder)",
                    len >> 20);
        return NULL;
    }
    p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        error_errno(err, errno, "%zu MiB cannot be mapped", len >> 20);
        p = NULL;
    }
    close(fd);
    return p;
}

typedef void *take_fn(size_t n, size_t size, struct error *err);

static void *
make_room(struct room *r, size_t n, size_t size, size_t *left, take_fn *take,
          struct error *err)
{
    *r = (struct room){NULL, 0, false};
    if (!mem_mul(n, size, &r->len)) {
        error_set(err, ERR_NOMEM, "%zu values of %zu bytes do not fit", n,
                  size);
        return NULL;
    }
    r->filed = left && r->len > *left;
    if (r->filed) {
        r->p = map_file(r->len, err);
    } else {
        r->p = take(n, size, err);
        if (r->p && left)
            *left -= r->len;
    }
    return r->p;
}

void *
room_init(struct room *r, size_t n, size_t size, size_t *left,
          struct error *err)
{
    return make_room(r, n, size, left, mem_try_aligned, err);
}

void *
room_init_paged(struct room *r, size_t n, size_t size, size_t *left,
                struct error *err)
{
    return make_room(r, n, size, left, mem_try_paged, err);
}

void
room_fini(struct room *r)
{
    if (r->filed && r->p)
        munmap(r->p, r->len);
    else
        free(r->p);
    *r = (struct room){NULL, 0, false};
}
