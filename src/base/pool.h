/* base/pool.h -- all the threads there are.
 *
 * Workers run the chunks of pool_for(); a job is a coordinator thread of its
 * own that calls pool_for() (from many jobs at once: their chunks share the
 * workers).  The caller of pool_for() works too, so a pool of one thread has
 * no worker at all and everything is still done.  Waiting is a short bounded
 * spin, then a futex: a busy machine is never made busier.
 *
 * Determinism: work is cut by n and grain only, never by thread count; fold
 * partial results in chunk order.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_POOL_H
#define LATHE_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct pool;
struct pool_job;
struct progress;

/* n_threads = 0: min(affinity mask, cgroup cpu.max), or LATHE_THREADS. All
 * signals are blocked in the threads of the pool.  Aborts without threads. */
struct pool *pool_new(unsigned n_threads);
void pool_free(struct pool *p); /* no job may be running */
unsigned pool_threads(const struct pool *p);

/* The threads of p (NULL: the caller's alone) for work that `stop` can stop:
 * pool_try() and the two below look at it, pool_for() does not.  Freed by
 * pool_free() before p and before `stop`. */
struct pool *pool_lend(struct pool *p, const struct progress *stop);
/* False with ERR_CANCELLED when the work that p was lent for is stopped. */
bool pool_check(const struct pool *p, struct error *err) MUST_USE;
bool pool_stopped(const struct pool *p);
/* What can stop it, or NULL. */
const struct progress *pool_stop(const struct pool *p);

/* Call fn(ctx, chunk, begin, end) for each chunk c of [0, n):
 * begin = c * grain, end = min(n, begin + grain).  Returns when all are done.
 * Chunks run in any order on any thread.  Not from inside fn.  p may be NULL:
 * everything on the caller. */
typedef void pool_fn(void *ctx, size_t chunk, size_t begin, size_t end);
void pool_for(struct pool *p, size_t n, size_t grain, pool_fn *fn, void *ctx);
size_t pool_chunks(size_t n, size_t grain);
/* The same, but once the work is stopped no chunk begins: then false, and what
 * the chunks were to write is there in parts. */
bool pool_try(struct pool *p, size_t n, size_t grain, pool_fn *fn, void *ctx,
              struct error *err) MUST_USE;

/* Work on each of n things, side by side, until one fails or the work that the
 * pool was lent for is stopped; err is that of the first that failed, by its
 * place.  `alone` is the pool of the one thread, stopped as the other is. */
typedef bool
pool_each_fn(void *ctx, size_t i, struct pool *alone, struct error *err);
bool pool_each(struct pool *p, size_t n, pool_each_fn *fn, void *ctx,
               struct error *err) MUST_USE;

/* Run fn(ctx) on a coordinator thread.  NULL with ERR_STATE when the system
 * has no thread left. */
struct pool_job *pool_start(struct pool *p, void (*fn)(void *ctx), void *ctx,
                            struct error *err) MUST_USE;
/* Wait for the end and release. */
void pool_join(struct pool_job *job);

/* Does this machine run AVX2 code, with FMA?  LATHE_NO_AVX2 in the environment and
 * GLIBC_TUNABLES hwcaps masks say no. */
bool cpu_has_avx2(void);
/* ... and AVX-512 with bytes, words, short vectors and VBMI2?  LATHE_NO_AVX512
 * says no, and what says no above. */
bool cpu_has_avx512(void);
#endif
