/* tests/lib/any_family.h -- tables that every family of the list can learn
 * from, so that what holds for all of them is asked of all of them.
 *
 * Columns "user" and "item" (whole numbers, few of each), then "x2", "x3" ...:
 * 64 columns make a picture of 8 x 8, and the rows in order a series.  The
 * target "y" is what the family learns: two classes, or a number, or nothing.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_TESTS_ANY_FAMILY_H
#define LATHE_TESTS_ANY_FAMILY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/family.h"
#include "engine/model.h"

enum { ANY_COLS = 64, ANY_NAME = 24 };

/* What spares time where the table is small: pairs, NULL-ended. */
static inline const char *const *
any_settings(const struct family *family)
{
    static const char *const net[] = {"epochs=3", NULL};
    static const char *const images[] = {"epochs=3",
                                         "layers=conv8,res8,max2,mean,8", NULL};
    static const char *const trees[] = {"trees=20", NULL};
    static const char *const none[] = {NULL};

    for (const struct param *p = family->params; p->name; p++)
        if (strcmp(p->name, "epochs") == 0)
            return family->style == PREPARE_PIXELS ? images : net;
        else if (strcmp(p->name, "trees") == 0)
            return trees;
    return none;
}

/* The target's name; NULL: the family learns without. */
static inline const char *
any_target(const struct family *family)
{
    return family->problems & 1u << PROBLEM_NONE ? NULL : "y";
}

static inline bool
any_of_classes(const struct family *family)
{
    return (family->problems & 1u << PROBLEM_BINARY) != 0;
}

/* Column j of n rows, (n) values; NULL: no memory. */
static inline struct column *
any_column(size_t j, size_t n, struct error *err)
{
    double *x = mem_try_aligned(n + !n, sizeof *x, err);

    if (!x)
        return NULL;
    for (size_t i = 0; i < n; i++)
        x[i] = j == 0   ? (double)rng_below(1, j, i, 40)
               : j == 1 ? (double)rng_below(1, j, i, 30)
                        : rng_normal(1, j, i);
    return column_new(COL_FLOAT64, n, x, NULL, NULL, err);
}

/* A number, or one of two classes, that the first columns tell in part. */
static inline struct column *
any_truth(bool classes, size_t n, struct error *err)
{
    double *x = mem_try_aligned(n + !n, sizeof *x, err);

    if (!x)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        double z = rng_normal(1, 2, i) + rng_normal(1, 3, i) / 2 +
                   (double)rng_below(1, 1, i, 30) / 15 - 1 +
                   rng_normal(2, 0, i) / 2;

        x[i] = classes ? z > 0 : 5 + z;
    }
    return column_new(COL_FLOAT64, n, x, NULL, NULL, err);
}

/* n rows of p >= 2 inputs and the target; NULL: no memory. */
static inline struct frame *
any_frame(bool classes, size_t n, size_t p, struct error *err)
{
    struct column **c = calloc(p + 1, sizeof(struct column *));
    char(*text)[ANY_NAME] = calloc(p + 1, ANY_NAME);
    const char **name = calloc(p + 1, sizeof *name);
    struct frame *f = NULL;
    bool ok = c && text && name;

    for (size_t j = 0; ok && j <= p; j++) {
        name[j] = text[j];
        if (j < 2 || j == p)
            strcpy(text[j], j == 0 ? "user" : j == 1 ? "item" : "y");
        else
            snprintf(text[j], ANY_NAME, "x%zu", j);
        c[j] = j < p ? any_column(j, n, err) : any_truth(classes, n, err);
        ok = c[j] != NULL;
    }
    if (ok)
        f = frame_new(n, p + 1, name, c, err);
    free(c);
    free(text);
    free(name);
    return f;
}

/* f with the values of one column made others by change(row, value). */
static inline struct frame *
any_change(const struct frame *f, const char *name,
           double (*change)(size_t row, double value), struct error *err)
{
    const struct column *c = frame_column(f, (size_t)frame_find(f, name));
    const double *old = column_data(c);
    size_t n = frame_rows(f);
    double *x = mem_try_aligned(n + !n, sizeof *x, err);

    for (size_t i = 0; x && i < n; i++)
        x[i] = change(i, old[i]);
    return x ? frame_with(f, name,
                          column_new(COL_FLOAT64, n, x, NULL, NULL, err), err)
             : NULL;
}

/* `set`: pairs, NULL-ended; NULL: any_settings(). */
static inline struct model *
any_fit(const struct family *family, const struct frame *f,
        const char *const *set, const struct model_options *o,
        const struct train *ctx, struct error *err)
{
    struct model_options usual = {.problem = -1, .patience = -1};
    struct params *p = params_new(family->params);
    struct model *m = NULL;
    bool ok = true;

    for (set = set ? set : any_settings(family); ok && *set; set++)
        ok = params_set_pair(p, *set, err);
    if (ok)
        m = model_fit(family, p, f, any_target(family), o ? o : &usual, ctx,
                      err);
    params_free(p);
    return m;
}
#endif
