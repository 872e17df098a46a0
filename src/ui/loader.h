/* ui/loader.h -- what a view shows, read in the background.
 *
 * A loader runs one load at a time on a pool job; asks that come meanwhile
 * become one more.  The result is handed over on the main thread.  A view that
 * closes frees its loader: what is still under way is released unseen.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_LOADER_H
#define LATHE_UI_LOADER_H

#include <stddef.h>

#include "session/task.h"

struct loader;

struct loader_class {
    size_t size; /* of a result; zeroed before load() */
    /* Pool job: fill *out.  `arg` is the text given to loader_ask(). */
    bool (*load)(struct task *t, const char *arg, void *out, struct error *err);
    /* Main thread: take what you want out of *out (and zero it there); fini()
     * releases the rest.  err is set when !ok. */
    void (*done)(void *ctx, const char *arg, void *out, bool ok,
                 const struct error *err);
    void (*fini)(void *out);
};

/* class is static. */
struct loader *
loader_new(struct session *s, const struct loader_class *class, void *ctx);
void loader_free(struct loader *l); /* done() comes no more */
/* arg may be NULL; the last one asked for wins. */
void loader_ask(struct loader *l, const char *arg);
bool loader_busy(const struct loader *l);
#endif
