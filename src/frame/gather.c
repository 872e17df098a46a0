/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/gather.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

enum { CHUNK = 32768 }; /* rows; a multiple of 64 */

struct gather {
    const struct column *const *in;
    const uint32_t *rows;
    size_t n, n_chunks;
    bool holes;
    void **data;
    uint64_t **valid;
};

/* Column by column, so that threads read from one column at a time, which the
 * caches may hold.  All columns have as many rows, so one look at each row
 * does. */
static void
gather_part(void *ctx, size_t part, size_t first, size_t last)
{
    struct gather *g = ctx;
    size_t col = part / g->n_chunks, begin = part % g->n_chunks * CHUNK;
    size_t end = g->n - begin < CHUNK ? g->n : begin + CHUNK;

    (void)first;
    (void)last;
    if (!g->data[col])
        return;
    if (col == 0)
        assert(column_rows_within(g->rows, begin, end, column_rows(g->in[0]),
                                  g->holes));
    column_take_range(g->in[col], g->rows, begin, end, g->holes, g->data[col],
                      g->valid[col]);
}

static bool
allocate(struct gather *g, size_t n_cols, bool holes, struct error *err)
{
    if (!(g->data = mem_try_array(n_cols, sizeof *g->data, err)) ||
        !(g->valid = mem_try_array(n_cols, sizeof *g->valid, err)))
        return false;
    for (size_t i = 0; i < n_cols; i++) {
        const struct column *c = g->in[i];

        if (!holes && column_stays_loose(c, g->n))
            continue; /* finish() takes these few */
        g->data[i] = mem_try_unset(g->n, column_width(column_type(c)), err);
        if (!g->data[i])
            return false;
        if (!holes && !column_validity(c))
            continue;
        g->valid[i] = mem_try_unset((g->n + 63) / 64, sizeof(uint64_t), err);
        if (!g->valid[i])
            return false;
    }
    return true;
}

static void
gather_fini(struct gather *g, size_t n_cols)
{
    for (size_t i = 0; i < n_cols; i++) {
        if (g->data)
            free(g->data[i]);
        if (g->valid)
            free(g->valid[i]);
    }
    free(g->data);
    free(g->valid);
}

static struct column *
whole(struct gather *g, size_t i, struct error *err)
{
    enum col_type type = column_type(g->in[i]);
    struct dict *d = type == COL_TEXT ? dict_ref(column_dict(g->in[i])) : NULL;
    void *data = g->data[i];
    uint64_t *valid = g->valid[i];

    g->data[i] = g->valid[i] = NULL;
    return column_new(type, g->n, data, valid, d, err);
}

static bool
finish(struct gather *g, size_t n_cols, struct column **out, struct error *err)
{
    for (size_t i = 0; i < n_cols; i++) {
        out[i] = g->data[i] ? whole(g, i, err)
                            : column_take(g->in[i], g->rows, g->n, err);
        if (out[i])
            continue;
        while (i-- > 0)
            column_unref(out[i]);
        return false;
    }
    return true;
}

bool
gather_columns(const struct column *const *in, size_t n_cols,
               const uint32_t *rows, size_t n, bool holes, struct pool *pool,
               struct column **out, struct error *err)
{
    struct gather g = {.in = in, .rows = rows, .n = n, .holes = holes};
    bool ok = allocate(&g, n_cols, holes, err);

    g.n_chunks = pool_chunks(n, CHUNK);
    ok = ok && pool_try(pool, n_cols * g.n_chunks, 1, gather_part, &g, err) &&
         finish(&g, n_cols, out, err);
    gather_fini(&g, n_cols);
    return ok;
}

struct frame *
gather_frame(const struct frame *f, const uint32_t *rows, size_t n,
             struct pool *pool, struct error *err)
{
    size_t n_cols = frame_cols(f);
    const struct column **in = mem_try_array(n_cols, sizeof *in, err);
    struct column **out = in ? mem_try_array(n_cols, sizeof *out, err) : NULL;
    const char **names = out ? mem_try_array(n_cols, sizeof *names, err) : NULL;
    struct frame *made = NULL;

    for (size_t i = 0; names && i < n_cols; i++) {
        in[i] = frame_column(f, i);
        names[i] = frame_name(f, i);
    }
    if (names && gather_columns(in, n_cols, rows, n, false, pool, out, err))
        made = frame_new(n, n_cols, names, out, err);
    free(in);
    free(out);
    free(names);
    return made;
}
