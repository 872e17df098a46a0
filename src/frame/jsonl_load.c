/* frame/jsonl_load.c -- the second pass over JSON lines: values to their place.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/jsonl_load.h"

#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/mem.h"
#include "frame/names.h"

enum { SPARSE_MOST = 64 /* bytes of memory for each of the text */ };

/* ---- columns ---- */

static bool
put_path(const struct jsonl_tree *t, uint32_t node, struct buf *out,
         struct error *err)
{
    uint32_t path[JSONL_DEPTH + 1];
    size_t n = 0;

    for (; node; node = t->parent[node])
        path[n++] = node;
    buf_clear(out);
    while (n-- > 0) {
        struct str s = jsonl_tree_name(t, path[n]);

        buf_add(out, s.p, s.n);
        if (n > 0)
            buf_putc(out, '.');
    }
    return buf_check(out, err);
}

/* Nodes with a value, and those that were null and never an object. */
static bool
is_column(const struct jsonl_reading *r, size_t node)
{
    return node < r->n_seen &&
           (r->seen[node].value || (r->seen[node].null && !r->inner[node]));
}

static bool
name_targets(struct jsonl_reading *r, struct error *err)
{
    struct dict *taken = dict_new(err);
    struct buf path;
    bool ok = taken != NULL;

    buf_init(&path);
    for (size_t i = 0; ok && i < r->n_cols; i++) {
        struct jsonl_target *t = &r->target[i];

        ok = put_path(&r->tree, t->node, &path, err) &&
             (t->name = names_unique((struct str){path.data, path.len}, i,
                                     taken, err));
    }
    buf_fini(&path);
    dict_unref(taken);
    return ok;
}

bool
jsonl_targets(struct jsonl_reading *r, struct error *err)
{
    if (!(r->inner = mem_try_array(r->tree.n, sizeof *r->inner, err)) ||
        !(r->column_of = mem_try_array(r->tree.n, sizeof *r->column_of, err)))
        return false;
    for (size_t i = 1; i < r->tree.n; i++)
        r->inner[r->tree.parent[i]] = true;
    for (size_t i = 1; i < r->tree.n; i++)
        if (is_column(r, i))
            r->column_of[i] = (uint32_t)++r->n_cols;
    if (r->n_cols == 0)
        return error_set(err, ERR_PARSE, "no names in any object");
    if (!(r->target = mem_try_array(r->n_cols, sizeof *r->target, err)))
        return false;
    for (size_t i = 1; i < r->tree.n; i++)
        if (r->column_of[i])
            r->target[r->column_of[i] - 1] = (struct jsonl_target){
                .node = (uint32_t)i, .type = csv_type_of(r->seen[i].class)};
    return name_targets(r, err);
}

size_t
jsonl_row_bytes(const struct jsonl_reading *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_cols; i++)
        n += column_width(r->target[i].type);
    return n;
}

/* A name that one row has is a column of all: a small file whose rows have
 * little in common would take any amount of memory. */
static bool
check_sparse(const struct jsonl_reading *r, struct error *err)
{
    uint64_t bytes = (uint64_t)r->n_rows * jsonl_row_bytes(r);

    if (bytes / SPARSE_MOST <= r->text.n || bytes <= budget_bytes())
        return true;
    return error_set(err, ERR_LIMIT,
                     "%zu columns of %zu rows, most of them without a value: "
                     "more memory than there is (LATHE_MEMORY)",
                     r->n_cols, r->n_rows);
}

static bool
make_room(struct jsonl_reading *r, struct error *err)
{
    size_t n;

    if (!check_sparse(r, err))
        return false;
    if (!mem_mul(r->n_parts, r->n_cols, &n))
        return error_set(err, ERR_NOMEM, "no memory for %zu columns",
                         r->n_cols);
    if (!(r->piece = mem_try_array(n, sizeof *r->piece, err)))
        return false;
    for (size_t i = 0; i < r->n_cols; i++) {
        struct jsonl_target *t = &r->target[i];

        t->data = mem_try_aligned(r->n_rows, column_width(t->type), err);
        if (!t->data)
            return false;
        for (size_t k = 0; k < r->n_parts; k++) {
            struct piece *p = &r->piece[i * r->n_parts + k];

            p->first = r->part[k].first_row;
            p->n = r->part[k].n_rows;
        }
    }
    return true;
}

/* ---- the second pass ---- */

struct task {
    struct jsonl_reading *r;
    struct jsonl_part *part;
    size_t row;       /* of the part */
    uint64_t **there; /* by column: which rows have a value */
    struct buf scratch;
};

static bool
store_text(struct task *t, const struct jsonl_target *to, struct piece *piece,
           const struct jsonl_value *v, struct error *err)
{
    uint32_t *codes = (uint32_t *)to->data + t->part->first_row;
    struct str s = v->kind == JSONL_TEXT ? jsonl_text(v, &t->scratch) : v->s;

    if (!buf_check(&t->scratch, err) ||
        (!piece->dict && !(piece->dict = dict_new(err))))
        return false;
    return dict_add(piece->dict, s, &codes[t->row], err);
}

static double
float_of(struct str s)
{
    double x;

    if (csv_fast_f64(s.p, s.p, s.p + s.n, &x) || str_to_f64(s, &x))
        return x;
    return 0; /* not reached: the first pass has read it */
}

static bool
store(struct task *t, size_t col, const struct jsonl_value *v,
      struct error *err)
{
    struct jsonl_target *to = &t->r->target[col];
    size_t at = t->part->first_row + t->row;
    int64_t i = 0;
    double x;

    switch (to->type) {
    case COL_TEXT:
        return store_text(
            t, to,
            &t->r->piece[col * t->r->n_parts + (size_t)(t->part - t->r->part)],
            v, err);
    case COL_BOOL:
        ((uint8_t *)to->data)[at] = v->s.p[0] == 't';
        return true;
    case COL_FLOAT64:
        ((double *)to->data)[at] = float_of(v->s);
        return true;
    case COL_INT64:
        if (!csv_fast_i64(v->s.p, v->s.p, v->s.p + v->s.n, &i) &&
            !str_to_i64(v->s, &i))
            break;
        ((int64_t *)to->data)[at] = i;
        return true;
    case COL_DATE:
        if (!column_parse(to->type, v->s, &i, &x))
            break;
        ((int32_t *)to->data)[at] = (int32_t)i;
        return true;
    case COL_TIMESTAMP:
        if (!column_parse(to->type, v->s, &i, &x))
            break;
        ((int64_t *)to->data)[at] = i;
        return true;
    }
    return error_set(err, ERR_STATE, "the file changed while it was read");
}

/* The value of a name that occurs again takes the place of the first one. */
static bool
load_row(struct task *t, const struct jsonl_rows *rows, struct error *err)
{
    uint64_t bit = UINT64_C(1) << (t->row % 64);

    if (t->row == t->part->n_rows)
        return error_set(err, ERR_STATE, "the file changed while it was read");
    for (size_t i = 0; i < rows->n; i++) {
        const struct jsonl_leaf *leaf = &rows->leaf[i];
        uint32_t col = t->r->column_of[leaf->node];
        uint64_t *there;

        if (col-- == 0)
            continue;
        there = &t->there[col][t->row / 64];
        if (leaf->v.kind == JSONL_NULL)
            *there &= ~bit;
        else if (store(t, col, &leaf->v, err))
            *there |= bit;
        else
            return false;
    }
    t->row++;
    return true;
}

static bool
load_rows(struct task *t, struct jsonl_rows *rows, struct error *err)
{
    for (;;) {
        enum jsonl_found found = jsonl_next(rows, err);

        if (found == JSONL_FAILED ||
            (found == JSONL_ROW && !load_row(t, rows, err)))
            return false;
        if (found == JSONL_END)
            return true;
        if (t->row % JSONL_STOP_EVERY == 0 && progress_stopped(t->r->progress))
            return true;
    }
}

/* Bits of values to bits of missing ones, and 0 where there is none. */
static void
settle(struct task *t, size_t col)
{
    const struct jsonl_target *to = &t->r->target[col];
    size_t width = column_width(to->type), n = t->part->n_rows;
    struct piece *p =
        &t->r->piece[col * t->r->n_parts + (size_t)(t->part - t->r->part)];
    char *data = (char *)to->data + t->part->first_row * width;
    bool any = false;

    for (size_t i = 0; i < n; i += 64) {
        uint64_t all = n - i < 64 ? (UINT64_C(1) << (n - i)) - 1 : UINT64_MAX;
        uint64_t missing = all & ~t->there[col][i / 64];

        t->there[col][i / 64] = missing;
        any |= missing != 0;
        for (size_t k = 0; k < 64 && missing >> k; k++)
            if (missing >> k & 1)
                memset(data + (i + k) * width, 0, width);
    }
    if (!any)
        return;
    p->missing = t->there[col];
    t->there[col] = NULL;
}

static bool
load(struct task *t, struct jsonl_rows *rows, struct error *err)
{
    size_t words = t->part->n_rows / 64 + 1;

    if (!(t->there = mem_try_array(t->r->n_cols, sizeof *t->there, err)))
        return false;
    for (size_t i = 0; i < t->r->n_cols; i++)
        if (!(t->there[i] = mem_try_array(words, sizeof **t->there, err)))
            return false;
    if (!load_rows(t, rows, err))
        return false;
    for (size_t i = 0; i < t->r->n_cols; i++)
        settle(t, i);
    return true;
}

static void
load_part(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct jsonl_reading *r = ctx;
    struct jsonl_part *p = &r->part[chunk];
    struct task t = {.r = r, .part = p};
    struct jsonl_rows rows;
    struct error err;

    (void)begin;
    (void)end;
    if (progress_stopped(r->progress))
        return;
    buf_init(&t.scratch);
    jsonl_rows_init(&rows, r->text.p + p->begin, r->text.p + p->end, r->list,
                    NULL, &r->tree);
    if (!load(&t, &rows, &err))
        jsonl_fail_part(p, &err);
    for (size_t i = 0; t.there && i < r->n_cols; i++)
        free(t.there[i]);
    free(t.there);
    jsonl_rows_fini(&rows);
    buf_fini(&t.scratch);
    progress_add(r->progress, p->end - p->begin);
}

static void
join_column(void *ctx, size_t col, size_t begin, size_t end)
{
    struct jsonl_reading *r = ctx;
    struct jsonl_target *t = &r->target[col];

    (void)begin;
    (void)end;
    t->column = piece_join(&r->piece[col * r->n_parts], r->n_parts, t->type,
                           r->n_rows, t->data, &t->err);
    t->data = NULL;
    t->failed = !t->column;
}

static bool
load_all(struct jsonl_reading *r, struct error *err)
{
    pool_for(r->pool, r->n_parts, 1, load_part, r);
    if (!progress_check(r->progress, err))
        return false;
    for (size_t i = 0; i < r->n_parts; i++)
        if (r->part[i].failed) {
            *err = r->part[i].err;
            return false;
        }
    pool_for(r->pool, r->n_cols, 1, join_column, r);
    for (size_t i = 0; i < r->n_cols; i++)
        if (r->target[i].failed) {
            *err = r->target[i].err;
            return false;
        }
    return true;
}

bool
jsonl_load_rows(struct jsonl_reading *r, struct error *err)
{
    return make_room(r, err) && load_all(r, err);
}

bool
jsonl_load(struct jsonl_reading *r, struct error *err)
{
    progress_begin(r->progress, "reading", r->text.n);
    return jsonl_targets(r, err) && jsonl_load_rows(r, err);
}
