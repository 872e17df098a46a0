/* session/curve.c -- the curves of a run as one chart.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/curve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static void
add_series(struct curve *c, const struct series *from)
{
    const char *dot = strchr(from->name, '.');
    char last[STR_F64_MAX];
    double *x = mem_new(from->n * sizeof *x);
    double *y = mem_new(from->n * sizeof *y);

    for (size_t k = 0; k < from->n; k++) {
        x[k] = (double)from->step[k];
        y[k] = from->value[k];
    }
    str_from_number(from->value[from->n - 1], 4, last);
    snprintf(c->label[c->n], sizeof c->label[0], "%.*s %s",
             dot ? (int)(dot - from->name) : 12, from->name, last);
    c->series[c->n] = (struct plot_series){
        .x = x,
        .y = y,
        .n = from->n,
        .ink = str_starts(str_of(from->name), "train.") ? 2 : 1};
    c->n++;
}

void
curve_init(struct curve *c, const struct series_list *l)
{
    const char *base = NULL;

    *c = (struct curve){.n = 0};
    for (size_t i = 0; l && i < l->n && c->n < 2; i++) {
        const struct series *from = &l->series[i];
        const char *dot = strchr(from->name, '.');
        const char *name = dot ? dot + 1 : from->name;

        if (from->n == 0 || (base && strcmp(name, base) != 0))
            continue;
        base = name;
        add_series(c, from);
    }
    if (c->n == 1)
        c->series[0].ink = 1;
}

void
curve_fini(struct curve *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free((void *)(uintptr_t)c->series[i].x);
        free((void *)(uintptr_t)c->series[i].y);
    }
    c->n = 0;
}

struct plot_spec
curve_spec(struct curve *c, int width, int height)
{
    for (size_t i = 0; i < c->n; i++)
        c->series[i].label = c->label[i]; /* wherever c lies now */
    return plot_spec_of(c->series, c->n, width, height);
}
