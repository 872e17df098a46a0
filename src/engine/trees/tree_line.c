/* engine/trees/tree_line.c -- leaves that are lines: keep them, score by them.
 *
 * A forest of such leaves is walked on the values themselves, since a line wants
 * them: plainly, row by row.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/trees/tree_state.h"

enum { ROWS = 64, GRAIN = 1024 };

/* ---- growing ---- */

static bool
resize(void **p, size_t n, size_t size, struct error *err)
{
    void *grown = mem_try_resize(*p, n, size, err);

    if (grown)
        *p = grown;
    return grown != NULL;
}

bool
tree_room_for_lines(struct forest *f, size_t n_leaves, size_t n_terms,
                    struct error *err)
{
    size_t terms = f->n_terms + n_terms;
    void *start = f->line_start, *base = f->line_base, *col = f->line_col,
         *high = f->line_high, *term = f->line;
    bool fresh = !start;
    bool ok = terms <= UINT32_MAX ||
              error_set(err, ERR_LIMIT, "more than 2^32 terms of lines");

    ok = ok && resize(&start, n_leaves + 1, sizeof *f->line_start, err);
    f->line_start = start;
    ok = ok && resize(&base, n_leaves + 1, sizeof *f->line_base, err);
    f->line_base = base;
    ok = ok && resize(&col, terms + 1, sizeof *f->line_col, err);
    f->line_col = col;
    ok = ok && (!tree_is_wide(f) ||
                resize(&high, terms + 1, sizeof *f->line_high, err));
    f->line_high = high;
    ok = ok && resize(&term, terms + 1, sizeof *f->line, err);
    f->line = term;
    if (ok && fresh)
        f->line_start[0] = 0;
    return ok;
}

static void
add_term(struct forest *f, uint32_t col, double term)
{
    f->line_col[f->n_terms] = (uint16_t)col;
    if (f->line_high)
        f->line_high[f->n_terms] = (uint8_t)(col >> 16);
    f->line[f->n_terms++] = term;
}

void
tree_add_line(struct forest *f, size_t leaf, double base, const uint32_t *col,
              const double *term, size_t n)
{
    f->line_base[leaf] = base;
    for (size_t i = 0; i < n; i++)
        add_term(f, col[i], term[i]);
    f->line_start[leaf + 1] = (uint32_t)f->n_terms;
}

bool
tree_append_lines(struct forest *f, const struct forest *from, size_t first,
                  size_t n, struct error *err)
{
    size_t at = f->n_leaves - n, terms = 0;
    bool has = from->line_start != NULL;

    if (!has && !f->line_start)
        return true;
    if (has)
        terms = from->line_start[first + n] - from->line_start[first];
    /* Leaves from before there were lines have none. */
    if (!f->line_start) {
        if (!tree_room_for_lines(f, f->n_leaves, terms, err))
            return false;
        for (size_t i = 0; i < at; i++)
            tree_add_line(f, i, 0, NULL, NULL, 0);
    } else if (!tree_room_for_lines(f, f->n_leaves, terms, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        size_t t = has ? from->line_start[first + i] : 0;
        size_t end = has ? from->line_start[first + i + 1] : 0;

        for (; t < end; t++)
            add_term(f, tree_line_col(from, t), from->line[t]);
        tree_add_line(f, at + i, has ? from->line_base[first + i] : 0, NULL,
                      NULL, 0);
    }
    return true;
}

double
tree_leaf_value(const struct forest *f, size_t leaf, const double *x,
                size_t stride)
{
    double v = f->line_base[leaf];
    uint32_t begin = f->line_start[leaf], end = f->line_start[leaf + 1];

    if (begin == end)
        return (double)f->value[leaf];
    for (uint32_t t = begin; t < end; t++)
        v += f->line[t] * x[tree_line_col(f, t) * stride];
    return isfinite(v) ? v : (double)f->value[leaf];
}

/* ---- scoring ---- */

bool
tree_goes_left(const struct forest *f, size_t node, double x)
{
    uint32_t col = tree_feature(f, node), first = f->level_start[col];
    uint32_t n_levels = f->level_start[col + 1] - first;
    const uint64_t *set;
    unsigned code;

    if (!(f->flags[node] & TREE_CATEGORY))
        return isnan(x) ? f->flags[node] & TREE_MISSING_LEFT
                        : x < f->threshold[node];
    code = x >= 0 && x < n_levels ? f->level_code[first + (uint32_t)x] : 0;
    set = f->set + (size_t)f->threshold[node] * TREE_SET_WORDS;
    return set[code / 64] >> (code % 64) & 1;
}

static size_t
leaf_of(const struct forest *f, size_t t, const double *x, size_t stride)
{
    size_t start = f->node_start[t];
    int32_t at = f->node_start[t + 1] > start ? 0 : -1;

    while (at >= 0) {
        size_t node = start + (size_t)at;

        at = tree_goes_left(f, node, x[tree_feature(f, node) * stride])
                 ? f->left[node]
                 : f->right[node];
    }
    return f->leaf_start[t] + (size_t)~at;
}

struct job {
    const struct forest *f;
    const struct design *d;
    double *out;
    atomic_bool no_memory;
};

static void
score_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct job *j = ctx;
    const struct forest *f = j->f;
    size_t k = f->n_outputs;
    struct error ignored;
    double *x = mem_try_array(f->n_cols, ROWS * sizeof *x, &ignored);

    (void)chunk;
    if (!x)
        atomic_store(&j->no_memory, true);
    for (size_t at = begin; x && at < end; at += ROWS) {
        size_t n = end - at < ROWS ? end - at : ROWS;

        for (size_t u = 0; u < f->n_used; u++)
            design_pull(j->d, f->used[u], at, at + n,
                        x + f->used[u] * (size_t)ROWS);
        for (size_t i = 0; i < n; i++) {
            double *out = j->out + (at + i) * k;

            memcpy(out, f->base, k * sizeof *out);
            for (size_t t = 0; t < f->n_trees; t++)
                out[t % k] +=
                    tree_leaf_value(f, leaf_of(f, t, x + i, ROWS), x + i, ROWS);
        }
    }
    free(x);
}

bool
tree_score_lines(const struct forest *f, const struct design *d,
                 struct pool *pool, double *out, struct error *err)
{
    struct job j = {.f = f, .d = d, .out = out};

    pool_for(pool, design_rows(d), GRAIN, score_rows, &j);
    return !atomic_load(&j.no_memory) ||
           error_set(err, ERR_NOMEM, "no memory for %zu columns", f->n_cols);
}

/* ---- files ---- */

void
tree_save_lines(const struct forest *f, struct st_writer *w)
{
    if (!f->line_start)
        return;
    st_add1(w, "tree.line_start", ST_U32, f->n_leaves + 1, f->line_start);
    st_add1(w, "tree.line_base", ST_F64, f->n_leaves, f->line_base);
    st_add1(w, "tree.line_col", ST_U16, f->n_terms, f->line_col);
    if (tree_is_wide(f))
        st_add1(w, "tree.line_high", ST_U8, f->n_terms, f->line_high);
    st_add1(w, "tree.line", ST_F64, f->n_terms, f->line);
}

/* What was read: does it stay within bounds? */
bool
tree_check_lines(const struct forest *f, struct error *err)
{
    bool ok = f->line_start[0] == 0 && f->line_start[f->n_leaves] == f->n_terms;

    for (size_t i = 0; ok && i < f->n_leaves; i++)
        ok = f->line_start[i] <= f->line_start[i + 1] &&
             isfinite(f->line_base[i]);
    for (size_t t = 0; ok && t < f->n_terms; t++)
        ok = isfinite(f->line[t]) && tree_line_col(f, t) < f->n_cols &&
             f->level_start[tree_line_col(f, t)] ==
                 f->level_start[tree_line_col(f, t) + 1];
    return ok || error_set(err, ERR_CORRUPT, "trees: a line is damaged");
}
