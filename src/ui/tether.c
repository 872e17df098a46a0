/* ui/tether.c -- how a task finds the view that started it, if it still lives.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/tether.h"

#include <stdlib.h>

#include "base/mem.h"

struct tether {
    void *end;
    unsigned refs;
};

struct tether *
tether_new(void *end)
{
    struct tether *t = mem_new(sizeof *t);

    t->end = end;
    t->refs = 1;
    return t;
}

struct tether *
tether_hold(struct tether *t)
{
    t->refs++;
    return t;
}

void *
tether_end(struct tether *t)
{
    void *end = t->end;

    if (--t->refs == 0)
        free(t);
    return end;
}

void
tether_cut(struct tether *t)
{
    t->end = NULL;
    tether_end(t);
}
