/* ui/loader.c -- what a view shows, read in the background.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/loader.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct loader {
    struct session *session;
    const struct loader_class *class;
    void *ctx;
    unsigned refs; /* the owner, and a load under way */
    bool closed, busy, again;
    char *next; /* arg of the load that waits */
    char *last; /* arg of the load before */
    int64_t began_ms;
    struct loop_watch *timer; /* until the next one may begin */
};

/* Between the beginnings of two loads: what changes a hundred times a second
 * is not read a hundred times, while something computes on all cores. */
enum { REST_MS = 300 };

struct load {
    struct loader *loader;
    char *arg;
    void *out;
};

static void
unref(struct loader *l)
{
    if (--l->refs > 0)
        return;
    free(l->next);
    free(l->last);
    free(l);
}

struct loader *
loader_new(struct session *s, const struct loader_class *class, void *ctx)
{
    struct loader *l = mem_new(sizeof *l);

    l->session = s;
    l->class = class;
    l->ctx = ctx;
    l->refs = 1;
    return l;
}

void
loader_free(struct loader *l)
{
    if (!l)
        return;
    l->closed = true;
    loop_remove(l->timer);
    l->timer = NULL;
    unref(l);
}

static void
load_next(struct loader *l)
{
    char *arg = l->next;

    l->again = false;
    l->next = NULL;
    loader_ask(l, arg);
    free(arg);
}

static void
on_timer(void *ctx, int events)
{
    struct loader *l = ctx;

    (void)events;
    l->timer = NULL;
    if (l->again && !l->busy)
        load_next(l);
}

static bool
load_run(struct task *t, void *ctx, struct error *err)
{
    struct load *load = ctx;

    return load->loader->class->load(t, load->arg, load->out, err);
}

static void
load_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct load *load = ctx;
    struct loader *l = load->loader;

    (void)t;
    l->busy = false;
    if (!l->closed)
        l->class->done(l->ctx, load->arg, load->out, ok, err);
    l->class->fini(load->out);
    free(load->out);
    free(load->arg);
    free(load);
    if (!l->closed && l->again && !l->busy)
        load_next(l);
    unref(l);
}

void
loader_ask(struct loader *l, const char *arg)
{
    struct load *load;

    int64_t rest = l->began_ms + REST_MS - loop_now_ms();
    /* Another thing altogether is wanted at once. */
    bool same = !arg == !l->last && (!arg || strcmp(arg, l->last) == 0);

    if (l->busy || (same && l->began_ms && rest > 0)) {
        char *copy = mem_text(arg);

        l->again = true;
        free(l->next);
        l->next = copy;
        if (!l->busy && !l->timer)
            l->timer =
                loop_timer(session_loop(l->session), rest, false, on_timer, l);
        return;
    }
    free(l->last);
    l->last = mem_text(arg);
    l->began_ms = loop_now_ms();
    l->busy = true;
    l->refs++;
    load = mem_new(sizeof *load);
    load->loader = l;
    load->arg = mem_text(arg);
    load->out = mem_new(l->class->size);
    task_start(l->session, &(struct task_spec){.title = "load",
                                               .run = load_run,
                                               .done = load_done,
                                               .ctx = load,
                                               .quiet = true});
}

bool
loader_busy(const struct loader *l)
{
    return l->busy;
}
