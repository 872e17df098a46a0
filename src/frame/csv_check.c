/* frame/csv_check.c -- what is no text within delimited text.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/csv_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/csv.h"
#include "frame/csv_value.h"
#include "frame/encoding.h"

/* What one region has. */
struct found {
    size_t n_foreign;
    size_t foreign_at; /* byte of the text */
    size_t long_at, long_col, long_len;
    enum error_code failed;
};

struct checking {
    struct csv_survey *survey;
    const struct csv_scan *scan;
    size_t lines;   /* before it */
    uint32_t *todo; /* regions */
    size_t n_todo;
    struct found *found;
};

bool
csv_row_good(const char *base, const struct csv_index *x, size_t row,
             size_t n_cols, bool zeros, struct csv_reject *why)
{
    size_t n = x->first[row + 1] - x->first[row];
    bool open;

    for (size_t k = 0; k < n; k++) {
        const char *from = base + csv_field_begin(x, row, k);
        const char *to = base + x->field[x->first[row] + k];

        why->col = k;
        if (!csv_quotes_ok(from, to, &open)) {
            why->fault = open ? CSV_FAULT_OPEN : CSV_FAULT_QUOTE;
            return false;
        }
        if (zeros && from < to && memchr(from, '\0', (size_t)(to - from))) {
            why->fault = CSV_FAULT_ZERO;
            return false;
        }
    }
    why->fault = CSV_FAULT_FIELDS;
    why->n_fields = n;
    return n == n_cols;
}

static void
note_field(struct found *f, const struct csv_region *g, const char *text,
           struct str field, size_t col)
{
    size_t bad = g->foreign ? encoding_foreign(field) : field.n;

    if (bad < field.n && f->n_foreign++ == 0)
        f->foreign_at = (size_t)(field.p - text) + bad;
    if (field.n > CSV_FIELD_MAX && f->long_len == 0) {
        f->long_at = (size_t)(field.p - text);
        f->long_col = col;
        f->long_len = field.n;
    }
}

/* The fields of all rows, too long ones of good rows alone: what is set aside
 * takes no room. */
static void
check_row(const struct checking *c, struct csv_region *g,
          const struct csv_index *x, size_t row, struct found *f)
{
    const char *base = c->scan->p + g->begin;
    struct csv_reject why;
    size_t long_len = f->long_len;
    bool good = csv_row_good(base, x, row, c->survey->n_fields, g->zero, &why);

    for (size_t k = x->first[row]; k < x->first[row + 1]; k++) {
        size_t from = csv_field_begin(x, row, k - x->first[row]);

        note_field(f, g, c->scan->p,
                   (struct str){base + from, x->field[k] - from},
                   k - x->first[row]);
    }
    if (!good)
        f->long_len = long_len;
    g->n_good += good;
}

static void
check_region(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct checking *c = ctx;
    struct found *f = &c->found[chunk];
    struct csv_region *g = &c->survey->region[c->todo[chunk]];
    struct csv_index x;
    struct error err;

    (void)begin;
    (void)end;
    if (!csv_index_init(&x, c->scan, g->begin, g->end, g->n_rows, g->n_fields,
                        &err)) {
        f->failed = err.code;
        return;
    }
    g->n_good = 0;
    for (size_t row = 0; row < x.n_rows; row++)
        check_row(c, g, &x, row, f);
    csv_index_fini(&x);
}

static size_t
line_of(const struct checking *c, size_t i, size_t at)
{
    const struct csv_region *g = &c->survey->region[c->todo[i]];

    return c->lines + g->line + csv_count_lines(c->scan, g->line_from, at);
}

static bool
sum_up(const struct checking *c, struct csv_foreign *out, struct error *err)
{
    for (size_t i = 0; i < c->n_todo; i++) {
        const struct found *f = &c->found[i];

        if (f->failed)
            return error_set(err, f->failed, "%s",
                             f->failed == ERR_STATE
                                 ? CSV_CHANGED
                                 : "no memory for a row's fields");
        if (f->long_len)
            return error_set(err, ERR_LIMIT,
                             "line %zu, column %zu: a field of %zu bytes, the "
                             "limit is %d MiB",
                             line_of(c, i, f->long_at), f->long_col + 1,
                             f->long_len, CSV_FIELD_MAX >> 20);
        if (f->n_foreign > 0 && out->n_fields == 0)
            out->line = line_of(c, i, f->foreign_at);
        out->n_fields += f->n_foreign;
    }
    return true;
}

/* Before memory is taken for their fields. */
static bool
check_wide(const struct csv_survey *v, const struct csv_place *from,
           struct error *err)
{
    for (size_t i = 0; i < v->n_regions; i++) {
        const struct csv_region *g = &v->region[i];

        if (g->n_wide > 0)
            return error_set(
                err, ERR_LIMIT, "line %zu: %zu fields, the limit is %d",
                (size_t)from->lines + g->line +
                    csv_count_lines(from->scan, g->line_from, g->wide_at),
                g->n_wide, CSV_CELLS_MAX);
    }
    return true;
}

bool
csv_check(struct csv_survey *v, const struct csv_place *from, struct pool *pool,
          struct csv_foreign *out, struct error *err)
{
    struct checking c = {.survey = v, .scan = from->scan, .lines = from->lines};
    bool ok = false;

    if (!check_wide(v, from, err))
        return false;
    for (size_t i = 0; i < v->n_regions; i++)
        c.n_todo += csv_region_odd(&v->region[i]);
    if (c.n_todo == 0)
        return true;
    if (!(c.todo = mem_try_array(c.n_todo, sizeof *c.todo, err)) ||
        !(c.found = mem_try_array(c.n_todo, sizeof *c.found, err)))
        goto out;
    for (size_t i = 0, n = 0; i < v->n_regions; i++)
        if (csv_region_odd(&v->region[i]))
            c.todo[n++] = (uint32_t)i;
    pool_for(pool, c.n_todo, 1, check_region, &c);
    ok = sum_up(&c, out, err);
out:
    free(c.todo);
    free(c.found);
    return ok;
}
