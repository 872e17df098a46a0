/* Hashes of any number of rows: which of them come again, and which of them
 * are in another lot, too.
 *
 * They are parted by their first bits; where a part has a block of them it goes
 * to the end of one file, and in the end each part is read back, sorted and
 * counted on its own.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/spill.h"
#include "frame/order.h"
#include "frame/profile_stream_part.h"

enum {
    PART_BITS = 8,
    PARTS = 1 << PART_BITS,
    BLOCK = 4096 /* hashes of a part before they are spilled */
};

struct part {
    uint64_t *block; /* NULL until one comes */
    size_t n;
    uint32_t *at; /* the blocks in the file */
    size_t n_blocks, cap;
};

struct lot {
    struct part part[PARTS];
    int fd; /* -1: nothing is spilled yet */
    size_t n_blocks;
};

struct lot *
lot_new(struct error *err)
{
    struct lot *l = mem_try_array(1, sizeof *l, err);

    if (l)
        l->fd = -1;
    return l;
}

void
lot_free(struct lot *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < PARTS; i++) {
        free(l->part[i].block);
        free(l->part[i].at);
    }
    if (l->fd >= 0)
        close(l->fd);
    free(l);
}

static bool
spill_block(struct lot *l, struct part *p, struct error *err)
{
    uint32_t *at = mem_try_grow(p->at, p->n_blocks, &p->cap, sizeof *at, err);

    if (!at)
        return false;
    p->at = at;
    if (l->fd < 0 && (l->fd = spill_open(err)) < 0)
        return false;
    if (!spill_append(l->fd, p->block, BLOCK * sizeof *p->block, err))
        return false;
    at[p->n_blocks++] = (uint32_t)l->n_blocks++;
    p->n = 0;
    return true;
}

bool
lot_add(struct lot *l, const uint64_t *hash, size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct part *p = &l->part[hash[i] >> (64 - PART_BITS)];

        if (!p->block &&
            !(p->block = mem_try_unset(BLOCK, sizeof *p->block, err)))
            return false;
        p->block[p->n++] = hash[i];
        if (p->n == BLOCK && !spill_block(l, p, err))
            return false;
    }
    return true;
}

/* ---- in the end ---- */

/* A part in memory, in order. */
struct sorted {
    uint64_t *hash, *scratch;
    const uint64_t *at; /* one of them */
    size_t n;
};

static void
sorted_fini(struct sorted *s)
{
    free(s->hash);
    free(s->scratch);
}

static bool
read_part(const struct lot *l, const struct part *p, uint64_t *to,
          struct error *err)
{
    for (size_t i = 0; i < p->n_blocks; i++)
        if (!spill_read(l->fd, (uint64_t)p->at[i] * BLOCK * sizeof *to,
                        to + i * BLOCK, BLOCK * sizeof *to, err))
            return false;
    if (p->n)
        memcpy(to + p->n_blocks * BLOCK, p->block, p->n * sizeof *to);
    return true;
}

static bool
sort_part(struct sorted *out, const struct lot *l, size_t k, struct error *err)
{
    const struct part *p = &l->part[k];

    *out = (struct sorted){.n = p->n_blocks * BLOCK + p->n};
    if (out->n == 0)
        return true;
    if (!(out->hash = mem_try_unset(out->n, sizeof *out->hash, err)) ||
        !(out->scratch = mem_try_unset(out->n, sizeof *out->hash, err)) ||
        !read_part(l, p, out->hash, err))
        return false;
    out->at = order_sort(out->hash, out->scratch, out->n);
    return true;
}

struct counting {
    const struct lot *of, *in; /* in: NULL to count what comes again */
    const struct progress *progress;
    size_t n[PARTS];
    struct error error[PARTS];
};

static size_t
count_repeats(const struct sorted *s)
{
    size_t n = 0;

    for (size_t i = 1; i < s->n; i++)
        n += s->at[i] == s->at[i - 1];
    return n;
}

static size_t
count_common(const struct sorted *of, const struct sorted *in)
{
    size_t n = 0;

    for (size_t i = 0, j = 0; i < of->n; i++) {
        while (j < in->n && in->at[j] < of->at[i])
            j++;
        n += j < in->n && in->at[j] == of->at[i];
    }
    return n;
}

static void
count_part(void *ctx, size_t k, size_t begin, size_t end)
{
    struct counting *c = ctx;
    struct error *err = &c->error[k];
    struct sorted of = {0}, in = {0};

    (void)begin;
    (void)end;
    if (progress_check(c->progress, err) && sort_part(&of, c->of, k, err) &&
        (!c->in || of.n == 0 || sort_part(&in, c->in, k, err)))
        c->n[k] = c->in ? count_common(&of, &in) : count_repeats(&of);
    sorted_fini(&of);
    sorted_fini(&in);
}

bool
lot_common(const struct lot *of, const struct lot *in, struct pool *pool,
           const struct progress *progress, size_t *n, struct error *err)
{
    struct counting *c = mem_try_array(1, sizeof *c, err);
    bool ok = c;

    *n = 0;
    if (c) {
        c->of = of;
        c->in = in;
        c->progress = progress;
        pool_for(pool, PARTS, 1, count_part, c);
    }
    for (size_t i = 0; ok && i < PARTS; i++) {
        *n += c->n[i];
        if (c->error[i].code != ERR_NONE) {
            *err = c->error[i];
            ok = false;
        }
    }
    free(c);
    return ok;
}

bool
lot_repeats(const struct lot *l, struct pool *pool,
            const struct progress *progress, size_t *n, struct error *err)
{
    return lot_common(l, NULL, pool, progress, n, err);
}
