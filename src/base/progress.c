/* base/progress.c -- how far a long piece of work is.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/progress.h"

#include <stddef.h>

void
progress_init(struct progress *p)
{
    atomic_init(&p->stage, "");
    atomic_init(&p->done, 0);
    atomic_init(&p->total, 0);
    atomic_init(&p->past, 0);
    atomic_init(&p->ahead, 0);
    atomic_init(&p->on_way, false);
    atomic_init(&p->stop, false);
    p->looks = NULL;
}

void
progress_expect(struct progress *p, uint64_t total)
{
    if (p)
        atomic_fetch_add(&p->ahead, total);
}

void
progress_begin(struct progress *p, const char *stage, uint64_t total)
{
    uint64_t ahead, past = 0;
    bool on_way;

    if (!p)
        return;
    ahead = atomic_load(&p->ahead);
    on_way = ahead > 0 && total > 0;
    if (on_way && atomic_load(&p->on_way))
        past = atomic_load(&p->past) + atomic_load(&p->total);
    if (on_way)
        atomic_store(&p->ahead, ahead > total ? ahead - total : 0);
    atomic_store(&p->on_way, on_way);
    atomic_store(&p->past, past);
    atomic_store(&p->done, 0);
    atomic_store(&p->total, total);
    atomic_store(&p->stage, stage);
}

void
progress_add(struct progress *p, uint64_t n)
{
    if (p)
        atomic_fetch_add_explicit(&p->done, n, memory_order_relaxed);
}

void
progress_set(struct progress *p, uint64_t done)
{
    if (p)
        atomic_store_explicit(&p->done, done, memory_order_relaxed);
}

void
progress_whole(const struct progress *p, uint64_t *done, uint64_t *total)
{
    uint64_t past = atomic_load(&p->past);

    *done = past + atomic_load(&p->done);
    *total = atomic_load(&p->total);
    /* A stage of unknown length has no end to look at. */
    if (*total > 0)
        *total += past + atomic_load(&p->ahead);
}

void
progress_stop(struct progress *p)
{
    if (p)
        atomic_store(&p->stop, true);
}

static bool
last_look(atomic_uint_least64_t *looks)
{
    uint_least64_t left = atomic_load(looks);

    while (left > 0)
        if (atomic_compare_exchange_weak(looks, &left, left - 1))
            return false;
    return true;
}

bool
progress_stopped(const struct progress *p)
{
    return p && (atomic_load_explicit(&p->stop, memory_order_relaxed) ||
                 (p->looks && last_look(p->looks)));
}

bool
progress_check(const struct progress *p, struct error *err)
{
    if (progress_stopped(p))
        return error_set(err, ERR_CANCELLED, "cancelled");
    return true;
}
