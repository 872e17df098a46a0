/* base/progress.h -- how far a long piece of work is, and whether to stop it.
 *
 * Owned by whoever started the work, written by the workers, read by anyone:
 * all fields are atomic.  Work checks progress_stopped() at least every
 * 100 ms.  A NULL progress is allowed everywhere and means "nobody looks".
 *
 * Work that goes through the same bytes several times says so beforehand by
 * progress_expect(): then all stages together are one way from nothing to
 * progress_whole()'s total, and the time left is that of all of them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_PROGRESS_H
#define LATHE_BASE_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct progress {
    _Atomic(const char *) stage; /* static text: "reading", "fitting", ... */
    atomic_uint_least64_t done;  /* units of this stage, 0..total */
    atomic_uint_least64_t total; /* 0 while not known */
    atomic_uint_least64_t past;  /* totals of the stages of this way before */
    atomic_uint_least64_t ahead; /* of those that are expected */
    atomic_bool on_way;          /* was this stage expected? */
    atomic_bool stop;            /* set by the owner */
    /* How often progress_stopped() may still say no; NULL: always.  Tests stop
     * work at each of its looks with it. */
    atomic_uint_least64_t *looks;
};

void progress_init(struct progress *p);
/* Stages of so much altogether come, in units of the first. */
void progress_expect(struct progress *p, uint64_t total);
/* A new stage: done = 0. */
void progress_begin(struct progress *p, const char *stage, uint64_t total);
void progress_add(struct progress *p, uint64_t n);
void progress_set(struct progress *p, uint64_t done);
/* Of this stage, those before and those expected. */
void progress_whole(const struct progress *p, uint64_t *done, uint64_t *total);
void progress_stop(struct progress *p);
bool progress_stopped(const struct progress *p);
/* False with ERR_CANCELLED when it was stopped. */
bool progress_check(const struct progress *p, struct error *err) MUST_USE;
#endif
