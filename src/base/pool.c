/* base/pool.c -- all the threads there are.
 *
 * A pool_for() is a `struct work` on its caller's stack, linked into the
 * pool's list while it has chunks to give.  Whoever runs takes chunk numbers
 * from one atomic counter.  A worker enters a work under the mutex (users + 1)
 * and leaves without it; the caller unlinks the work, then waits until nobody
 * uses it: then all chunks are done and the stack frame may die.
 *
 * Idle workers spin for some microseconds and then sleep on a futex, and so
 * does the caller.  A barrier of spinning threads is ten times slower than one
 * thread alone when the machine is busy with something else.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/pool.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/str.h"

enum {
    SPIN_TURNS = 2000,
    MAX_THREADS = 1024,
    MOST_ERRORS = 256 /* chunks of pool_each(), cut by n alone */
};

struct work {
    struct work *next;
    pool_fn *fn;
    void *ctx;
    const struct progress *stop; /* or NULL */
    size_t n, grain, n_chunks;
    atomic_size_t taken;
    atomic_uint users; /* futex word: workers inside */
};

struct pool {
    pthread_mutex_t lock; /* guards works */
    struct work *works;
    atomic_uint epoch; /* futex word: changes when work comes */
    atomic_uint sleepers;
    atomic_bool ending;
    unsigned n_threads;
    unsigned n_workers;
    pthread_t *workers;
    /* Lent: nothing of the above but n_threads. */
    bool lent;
    struct pool *of;
    const struct progress *stop;
};

struct pool_job {
    pthread_t thread;
    void (*fn)(void *ctx);
    void *ctx;
};

static void
futex_wait(atomic_uint *word, unsigned seen)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void
futex_wake(atomic_uint *word, int n)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static void
relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

size_t
pool_chunks(size_t n, size_t grain)
{
    return n / grain + (n % grain != 0);
}

static void
run_chunks(struct work *w)
{
    size_t c;

    while ((c = atomic_fetch_add_explicit(&w->taken, 1, memory_order_relaxed)) <
           w->n_chunks) {
        size_t begin = c * w->grain;
        size_t end = w->n - begin < w->grain ? w->n : begin + w->grain;

        if (!progress_stopped(w->stop))
            w->fn(w->ctx, c, begin, end);
    }
}

/* A work with chunks left, entered; NULL when there is none. */
static struct work *
enter_work(struct pool *p)
{
    struct work *w;

    pthread_mutex_lock(&p->lock);
    for (w = p->works; w; w = w->next)
        if (atomic_load_explicit(&w->taken, memory_order_relaxed) < w->n_chunks)
            break;
    if (w)
        atomic_fetch_add(&w->users, 1);
    pthread_mutex_unlock(&p->lock);
    return w;
}

static void
leave_work(struct work *w)
{
    /* After the decrement the caller may return and w is gone: the wake may
     * reach a dead or reused word, where it is a spurious wake, which every
     * futex wait must expect. */
    if (atomic_fetch_sub(&w->users, 1) == 1)
        futex_wake(&w->users, 1);
}

static void
wait_for_work(struct pool *p, unsigned seen)
{
    for (int i = 0; i < SPIN_TURNS; i++) {
        if (atomic_load_explicit(&p->epoch, memory_order_acquire) != seen)
            return;
        relax();
    }
    atomic_fetch_add(&p->sleepers, 1);
    futex_wait(&p->epoch, seen);
    atomic_fetch_sub(&p->sleepers, 1);
}

static void *
worker_main(void *arg)
{
    struct pool *p = arg;

    while (!atomic_load(&p->ending)) {
        unsigned seen = atomic_load(&p->epoch);
        struct work *w = enter_work(p);

        if (w) {
            run_chunks(w);
            leave_work(w);
        } else {
            wait_for_work(p, seen);
        }
    }
    return NULL;
}

/* Linux gives a new thread its maker's mask: block all around the making. */
static bool
make_thread(pthread_t *t, void *(*fn)(void *), void *arg)
{
    sigset_t all, old;
    int rc;

    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* of what the thread itself reads: torn.h */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(t, NULL, fn, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc == 0;
}

/* "max 100000" or "150000 100000": quota and period of one cgroup. */
static void
least_threads(void *ctx, const char *folder)
{
    unsigned *least = ctx, n = MAX_THREADS;
    long quota, period;
    FILE *f = cgroup_open(folder, "cpu.max");

    if (!f)
        return;
    if (fscanf(f, "%ld %ld", &quota, &period) == 2 && period > 0 && quota > 0)
        n = (unsigned)((quota + period - 1) / period);
    fclose(f);
    if (n < *least)
        *least = n ? n : 1;
}

static unsigned
default_threads(void)
{
    const char *env = getenv("LATHE_THREADS");
    unsigned n = 1, limit = MAX_THREADS;
    cpu_set_t set;
    int64_t v;

    if (env && str_to_i64(str_of(env), &v) && v >= 1 && v <= MAX_THREADS)
        return (unsigned)v;
    cgroup_walk(least_threads, &limit);
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = (unsigned)CPU_COUNT(&set);
    if (n > limit)
        n = limit;
    return n ? n : 1;
}

struct pool *
pool_new(unsigned n_threads)
{
    struct pool *p = mem_new(sizeof *p);

    p->n_threads = n_threads ? n_threads : default_threads();
    pthread_mutex_init(&p->lock, NULL);
    p->workers = mem_new(p->n_threads * sizeof *p->workers);
    for (unsigned i = 0; i + 1 < p->n_threads; i++) {
        if (!make_thread(&p->workers[i], worker_main, p)) {
            fputs("lathe: the system refused to start a thread\n", stderr);
            abort();
        }
        p->n_workers++;
    }
    return p;
}

struct pool *
pool_lend(struct pool *p, const struct progress *stop)
{
    struct pool *lent = mem_new(sizeof *lent);

    lent->n_threads = pool_threads(p);
    lent->lent = true;
    lent->of = p && p->lent ? p->of : p;
    lent->stop = stop;
    return lent;
}

const struct progress *
pool_stop(const struct pool *p)
{
    return p ? p->stop : NULL;
}

bool
pool_stopped(const struct pool *p)
{
    return progress_stopped(pool_stop(p));
}

bool
pool_check(const struct pool *p, struct error *err)
{
    return progress_check(pool_stop(p), err);
}

void
pool_free(struct pool *p)
{
    if (!p)
        return;
    if (p->lent) {
        free(p);
        return;
    }
    atomic_store(&p->ending, true);
    atomic_fetch_add(&p->epoch, 1);
    futex_wake(&p->epoch, INT_MAX);
    for (unsigned i = 0; i < p->n_workers; i++)
        pthread_join(p->workers[i], NULL);
    pthread_mutex_destroy(&p->lock);
    free(p->workers);
    free(p);
}

unsigned
pool_threads(const struct pool *p)
{
    return p ? p->n_threads : 1;
}

static void
link_work(struct pool *p, struct work *w)
{
    pthread_mutex_lock(&p->lock);
    w->next = p->works;
    p->works = w;
    pthread_mutex_unlock(&p->lock);
    atomic_fetch_add(&p->epoch, 1);
    if (atomic_load(&p->sleepers) > 0)
        futex_wake(&p->epoch, w->n_chunks - 1 < INT_MAX ? (int)(w->n_chunks - 1)
                                                        : INT_MAX);
}

static void
unlink_work(struct pool *p, struct work *w)
{
    struct work **at = &p->works;

    pthread_mutex_lock(&p->lock);
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    pthread_mutex_unlock(&p->lock);
}

static void
wait_until_unused(struct work *w)
{
    unsigned users;
    int turns = 0;

    while ((users = atomic_load(&w->users)) > 0) {
        if (turns++ < SPIN_TURNS)
            relax();
        else
            futex_wait(&w->users, users);
    }
}

static void
run_work(struct pool *p, struct work *w)
{
    w->grain += w->grain == 0;
    w->n_chunks = pool_chunks(w->n, w->grain);
    if (p && p->lent)
        p = p->of;
    if (!p || p->n_workers == 0 || w->n_chunks <= 1) {
        run_chunks(w);
        return;
    }
    link_work(p, w);
    run_chunks(w);
    unlink_work(p, w);
    wait_until_unused(w);
}

void
pool_for(struct pool *p, size_t n, size_t grain, pool_fn *fn, void *ctx)
{
    run_work(p, &(struct work){.fn = fn, .ctx = ctx, .n = n, .grain = grain});
}

bool
pool_try(struct pool *p, size_t n, size_t grain, pool_fn *fn, void *ctx,
         struct error *err)
{
    struct work w = {.fn = fn,
                     .ctx = ctx,
                     .stop = p ? p->stop : NULL,
                     .n = n,
                     .grain = grain};

    run_work(p, &w);
    return pool_check(p, err);
}

/* ---- things that may fail ---- */

struct each {
    pool_each_fn *fn;
    void *ctx;
    struct pool *alone;
    struct error *failed; /* of each chunk */
    bool *ok;
};

static void
each_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct each *e = ctx;

    e->ok[chunk] = true;
    for (size_t i = begin; i < end && e->ok[chunk]; i++)
        e->ok[chunk] = pool_check(e->alone, &e->failed[chunk]) &&
                       e->fn(e->ctx, i, e->alone, &e->failed[chunk]);
}

bool
pool_each(struct pool *p, size_t n, pool_each_fn *fn, void *ctx,
          struct error *err)
{
    size_t grain = n / MOST_ERRORS + 1, chunks = pool_chunks(n, grain);
    struct each e = {.fn = fn, .ctx = ctx};
    bool ok;

    e.failed = mem_try_array(chunks, sizeof *e.failed, err);
    e.ok = mem_try_array(chunks, sizeof *e.ok, err);
    e.alone = pool_lend(NULL, pool_stop(p));
    ok = e.failed && e.ok && pool_try(p, n, grain, each_chunk, &e, err);
    for (size_t c = 0; c < chunks && ok; c++)
        if (!e.ok[c]) {
            *err = e.failed[c];
            ok = false;
        }
    pool_free(e.alone);
    free(e.failed);
    free(e.ok);
    return ok;
}

/* ---- jobs ---- */

static void *
job_main(void *arg)
{
    struct pool_job *job = arg;

    job->fn(job->ctx);
    return NULL;
}

struct pool_job *
pool_start(struct pool *p, void (*fn)(void *ctx), void *ctx, struct error *err)
{
    struct pool_job *job = mem_new(sizeof *job);

    (void)p;
    job->fn = fn;
    job->ctx = ctx;
    if (!make_thread(&job->thread, job_main, job)) {
        free(job);
        error_set(err, ERR_STATE, "the system refused to start a thread");
        return NULL;
    }
    return job;
}

void
pool_join(struct pool_job *job)
{
    if (!job)
        return;
    pthread_join(job->thread, NULL);
    free(job);
}

#if HAVE_AVX2_TWIN
static bool
is_masked(const char *variable, const char *cap)
{
    const char *tunables = getenv("GLIBC_TUNABLES");

    return getenv(variable) || (tunables && strstr(tunables, cap));
}
#endif

bool
cpu_has_avx2(void)
{
#if HAVE_AVX2_TWIN
    return !is_masked("LATHE_NO_AVX2", "-AVX2") &&
           __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("fma");
#else
    return false;
#endif
}

bool
cpu_has_avx512(void)
{
#if HAVE_AVX512_TWIN
    return !is_masked("LATHE_NO_AVX512", "-AVX512F") && cpu_has_avx2() &&
           __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi2");
#else
    return false;
#endif
}
