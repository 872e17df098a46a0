/* engine/prepare_made.c -- columns that steps make, side by side.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/prepare_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- columns made ---- */

/* Takes x, in which NaN is missing. */
static struct column *
numbers_column(double *x, size_t n, struct error *err)
{
    double *data = mem_try_aligned(n, sizeof *data, err);
    uint64_t *valid = mem_try_array((n + 63) / 64, sizeof *valid, err);

    if (!data || !valid) {
        free(x);
        free(data);
        free(valid);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i])) {
            data[i] = x[i];
            valid[i / 64] |= UINT64_C(1) << (i % 64);
        }
    free(x);
    return column_new(COL_FLOAT64, n, data, valid, NULL, err);
}

static bool
made_room(struct step_made *m, size_t n, struct error *err)
{
    size_t cap = m->cap ? m->cap : 1;
    struct column **columns;
    char **names;

    if (m->n + n <= m->cap)
        return true;
    while (cap < m->n + n)
        cap *= 2;
    if (!(names = mem_try_resize(m->name, cap, sizeof *names, err)))
        return false;
    m->name = names;
    if (!(columns = mem_try_resize(m->column, cap, sizeof *columns, err)))
        return false;
    m->column = columns;
    m->cap = cap;
    return true;
}

bool
step_make_column(struct step_made *m, const char *name, struct column *c,
                 struct error *err)
{
    if (!c || !made_room(m, 1, err) ||
        !(m->name[m->n] = mem_try_text(name, strlen(name), err))) {
        column_unref(c);
        return false;
    }
    m->column[m->n++] = c;
    return true;
}

bool
step_make(struct step_made *m, const char *name, double *x, size_t rows,
          struct error *err)
{
    return step_make_column(m, name, numbers_column(x, rows, err), err);
}

bool
step_made_end(struct step_made *m, struct frame **f, const bool *gone,
              struct error *err)
{
    size_t cols = frame_cols(*f), n = 0;
    const char **names = mem_try_array(cols + m->n, sizeof *names, err);
    struct column **all = mem_try_array(cols + m->n, sizeof *all, err);
    size_t *from = mem_try_array(cols, sizeof *from, err); /* 1 + place in m */
    bool *placed = mem_try_array(m->n, sizeof *placed, err);
    struct frame *next = NULL;

    if (!names || !all || !from || !placed)
        goto out;
    for (size_t i = 0; i < m->n && gone; i++) {
        long at = frame_find(*f, m->name[i]);

        if (at >= 0 && gone[at] && !from[at]) {
            from[at] = i + 1;
            placed[i] = true;
        }
    }
    for (size_t i = 0; i < cols; i++)
        if (from[i] || !gone || !gone[i]) {
            names[n] = frame_name(*f, i);
            all[n++] = column_ref(from[i] ? m->column[from[i] - 1]
                                          : frame_column(*f, i));
        }
    for (size_t i = 0; i < m->n; i++)
        if (!placed[i]) {
            names[n] = m->name[i];
            all[n++] = column_ref(m->column[i]);
        }
    if ((next = frame_new(frame_rows(*f), n, names, all, err))) {
        frame_unref(*f);
        *f = next;
    }
out:
    free(names);
    free(all);
    free(from);
    free(placed);
    return next != NULL;
}

void
step_made_fini(struct step_made *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->name[i]);
        column_unref(m->column[i]);
    }
    free(m->name);
    free(m->column);
}

/* ---- a step's columns made anew ---- */

struct remaking {
    const struct step *s;
    const struct frame *f;
    step_remake_fn *fn;
    void *ctx;
    struct step_made *made; /* of each column of s */
    size_t *col;            /* where that is in f */
};

static bool
remake_one(void *ctx, size_t i, struct pool *alone, struct error *err)
{
    struct remaking *r = ctx;
    const struct step_from from = {r->s, frame_column(r->f, r->col[i]), alone};

    return r->fn(r->ctx, &r->s->column[i], &from, &r->made[i], err);
}

/* All that was made, in the order of the columns. */
static bool
join_made(struct step_made *all, struct step_made *made, size_t n,
          struct error *err)
{
    size_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += made[i].n;
    if (!made_room(all, sum, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < made[i].n; j++) {
            all->name[all->n] = made[i].name[j];
            all->column[all->n++] = made[i].column[j];
        }
        made[i].n = 0;
    }
    return true;
}

bool
step_remake(const struct step *s, struct frame **f, struct pool *pool,
            step_remake_fn *fn, void *ctx, struct error *err)
{
    struct remaking r = {.s = s, .f = *f, .fn = fn, .ctx = ctx};
    struct step_made all = {0};
    bool *gone = mem_try_array(frame_cols(*f), sizeof *gone, err), ok;

    r.made = mem_try_array(s->n, sizeof *r.made, err);
    r.col = mem_try_array(s->n, sizeof *r.col, err);
    ok = gone && r.made && r.col;
    for (size_t i = 0; ok && i < s->n; i++)
        if ((ok = frame_need(*f, s->column[i].name, &r.col[i], err)))
            gone[r.col[i]] = true;
    ok = ok && pool_each(pool, s->n, remake_one, &r, err) &&
         join_made(&all, r.made, s->n, err) &&
         step_made_end(&all, f, gone, err);
    for (size_t i = 0; r.made && i < s->n; i++)
        step_made_fini(&r.made[i]);
    step_made_fini(&all);
    free(r.made);
    free(r.col);
    free(gone);
    return ok;
}
