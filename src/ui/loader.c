/* ui/loader.c -- what a view shows, read in the background.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/loader.h"

#include <stdlib.h>

#include "base/mem.h"

struct loader {
    struct session *session;
    const struct loader_class *class;
    void *ctx;
    unsigned refs; /* the owner, and a load under way */
    bool closed, busy, again;
    char *next; /* arg of the load that waits */
};

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
    unref(l);
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
    if (!l->closed && l->again && !l->busy) {
        char *arg = l->next;

        l->again = false;
        l->next = NULL;
        loader_ask(l, arg);
        free(arg);
    }
    unref(l);
}

void
loader_ask(struct loader *l, const char *arg)
{
    struct load *load;

    if (l->busy) {
        l->again = true;
        free(l->next);
        l->next = mem_text(arg);
        return;
    }
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
