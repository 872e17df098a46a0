/* base/progress.h -- how far a long piece of work is, and whether to stop it.
 *
 * Owned by whoever started the work, written by the workers, read by anyone:
 * all fields are atomic.  Work checks progress_stopped() at least every
 * 100 ms.  A NULL progress is allowed everywhere and means "nobody looks".
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
    atomic_bool stop;            /* set by the owner */
};

void progress_init(struct progress *p);
/* A new stage: done = 0. */
void progress_begin(struct progress *p, const char *stage, uint64_t total);
void progress_add(struct progress *p, uint64_t n);
void progress_set(struct progress *p, uint64_t done);
void progress_stop(struct progress *p);
bool progress_stopped(const struct progress *p);
/* False with ERR_CANCELLED when it was stopped. */
bool progress_check(const struct progress *p, struct error *err) MUST_USE;
#endif
