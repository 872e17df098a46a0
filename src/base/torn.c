/* base/torn.c -- mappings of files that become shorter while they are read.
 *
 * Watches are never freed but used again, so that a handler on another thread
 * may always follow the list.  A watch in use has a begin; its end is written
 * before and cleared after it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/torn.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct torn {
    atomic_uintptr_t begin, end;
    atomic_bool used, torn;
    struct torn *next;
};

static _Atomic(struct torn *) first;
static struct sigaction before; /* written once, before any watch */
static uintptr_t page;

/* Zeros from the page of `at` to the end of its mapping. */
static bool
mend(struct torn *w, uintptr_t at)
{
    uintptr_t begin = atomic_load(&w->begin), end = atomic_load(&w->end);
    uintptr_t from = at / page * page;

    if (begin == 0 || at < begin || at >= end ||
        begin != atomic_load(&w->begin))
        return false;
    atomic_store(&w->torn, true);
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
torn_watch(const void *mapped, size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct torn *w;

    pthread_once(&once, install);
    if (!(w = unused()))
        return NULL;
    atomic_store(&w->torn, false);
    atomic_store(&w->end, (uintptr_t)mapped + len);
    atomic_store(&w->begin, (uintptr_t)mapped);
    return w;
}

bool
torn_was(const struct torn *w)
{
    return w && atomic_load(&w->torn);
}

void
torn_forget(struct torn *w)
{
    if (!w)
        return;
    atomic_store(&w->begin, 0);
    atomic_store(&w->end, 0);
    atomic_store(&w->used, false);
}
