/* base/torn.c -- mappings of files that become shorter while they are read.
 *
 * Watches are never freed but used again, so that a handler on another thread
 * may always follow the list.  A watch in use has a begin; its end is written
 * before and cleared after it.
 *
 * A file that is cut within its last page raises no signal: the rest of that
 * page is zeros.  So files are also asked for their size, by name, and are told
 * from others that have taken their place.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/torn.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct torn {
    atomic_uintptr_t begin, end;
    atomic_bool used;
    atomic_uint torn; /* a number that grows; 0: it is whole */
    struct torn *next;
    char *path; /* under the lock, as all that follows; NULL: not in use */
    dev_t dev;
    ino_t ino;
    off_t len;
};

static _Atomic(struct torn *) first;
static struct sigaction before; /* written once, before any watch */
static uintptr_t page;
static atomic_uint n_torn;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* The last one that was torn and is no longer mapped. */
static char *gone_path;
static unsigned gone_torn;

static void
note(struct torn *w)
{
    unsigned whole = 0, number = atomic_fetch_add(&n_torn, 1) + 1;

    atomic_compare_exchange_strong(&w->torn, &whole, number);
}

/* Zeros from the page of `at` to the end of its mapping. */
static bool
mend(struct torn *w, uintptr_t at)
{
    uintptr_t begin = atomic_load(&w->begin), end = atomic_load(&w->end);
    uintptr_t from = at / page * page;

    if (begin == 0 || at < begin || at >= end ||
        begin != atomic_load(&w->begin))
        return false;
    note(w);
    return mmap((void *)from, end - from, PROT_READ,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static void
on_bus_error(int signo, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr;

    (void)context;
    for (struct torn *w = atomic_load(&first); w; w = w->next)
        if (mend(w, at))
            return;
    /* None of ours: it happens once more, and is met as before. */
    sigaction(signo, &before, NULL);
}

static void
install(void)
{
    struct sigaction ours = {.sa_sigaction = on_bus_error,
                             .sa_flags = SA_SIGINFO | SA_RESTART};

    page = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigemptyset(&ours.sa_mask);
    sigaction(SIGBUS, &ours, &before);
}

static struct torn *
unused(void)
{
    struct torn *w = atomic_load(&first);

    while (w && atomic_exchange(&w->used, true))
        w = w->next;
    if (w || !(w = calloc(1, sizeof *w)))
        return w;
    atomic_init(&w->used, true);
    w->next = atomic_load(&first);
    while (!atomic_compare_exchange_weak(&first, &w->next, w))
        ;
    return w;
}

struct torn *
torn_watch(const void *mapped, size_t len, const char *path,
           const struct stat *st)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct torn *w;

    pthread_once(&once, install);
    if (!(w = unused()))
        return NULL;
    pthread_mutex_lock(&lock);
    w->path = mem_text(path);
    w->dev = st->st_dev;
    w->ino = st->st_ino;
    w->len = st->st_size;
    pthread_mutex_unlock(&lock);
    atomic_store(&w->torn, 0);
    atomic_store(&w->end, (uintptr_t)mapped + len);
    atomic_store(&w->begin, (uintptr_t)mapped);
    return w;
}

bool
torn_was(const struct torn *w)
{
    return w && atomic_load(&w->torn) != 0;
}

/* Under the lock, as what follows. */
static void
ask_size(struct torn *w)
{
    struct stat st;

    if (!torn_was(w) && stat(w->path, &st) == 0 && st.st_dev == w->dev &&
        st.st_ino == w->ino && st.st_size < w->len)
        note(w);
}

static void
remember(struct torn *w)
{
    ask_size(w);
    if (torn_was(w)) {
        free(gone_path);
        gone_path = w->path;
        gone_torn = atomic_load(&w->torn);
    } else {
        free(w->path);
    }
    w->path = NULL;
}

void
torn_forget(struct torn *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&lock);
    remember(w);
    pthread_mutex_unlock(&lock);
    atomic_store(&w->begin, 0);
    atomic_store(&w->end, 0);
    atomic_store(&w->used, false);
}

unsigned
torn_mark(void)
{
    return atomic_load(&n_torn);
}

static bool
tell(const char *path, struct error *err)
{
    return error_set(err, ERR_IO,
                     "%s: it became shorter while it was in use, so nothing "
                     "made of it counts; read it again",
                     path);
}

bool
torn_check(unsigned mark, bool kept, struct error *err)
{
    bool ok = true;

    pthread_mutex_lock(&lock);
    for (struct torn *w = atomic_load(&first); ok && w; w = w->next) {
        if (!w->path)
            continue;
        ask_size(w);
        if (torn_was(w) && (kept || atomic_load(&w->torn) > mark))
            ok = tell(w->path, err);
    }
    if (ok && gone_torn > mark)
        ok = tell(gone_path, err);
    pthread_mutex_unlock(&lock);
    return ok;
}

bool
torn_check_one(struct torn *w, struct error *err)
{
    bool ok;

    if (!w)
        return true;
    pthread_mutex_lock(&lock);
    ask_size(w);
    ok = !torn_was(w) || tell(w->path, err);
    pthread_mutex_unlock(&lock);
    return ok;
}
