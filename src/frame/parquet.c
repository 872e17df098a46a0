/* frame/parquet.c -- Parquet bytes to a frame.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/parquet.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/mem.h"
#include "frame/parquet_part.h"
#include "frame/parquet_prune.h"

/* What a frame may take for each byte of the file, and without regard to it. */
enum { FREE_BYTES = 256 << 20, MAX_RATIO = 1 << 14, N_SCRATCH = 16 };

/* One column to be. */
struct target {
    const struct pq_leaf *leaf;
    struct pq_target out;
    struct pq_part *part; /* by row group */
    size_t n_parts;
    struct piece *piece;
    struct column *column;
    bool loose; /* texts are told apart later */
    size_t block_len;
    struct error error; /* of joining the parts */
};

/* Parts that one thread reads in turn. */
struct task {
    struct target *target;
    size_t first, n; /* parts */
    uint64_t cost;   /* packed bytes */
    struct error *error;
};

struct load {
    struct str file;
    struct arena arena;
    struct pq_meta meta;
    struct pq_schema schema;
    size_t *group; /* those to be read */
    size_t *first_row;
    size_t n_groups, n_rows;
    struct target *target;
    size_t n_targets;
    struct task *task;
    size_t n_tasks;
    struct progress *progress;
    bool in_batches;
    atomic_size_t failed; /* the first task that did */
    _Atomic(struct pq_scratch *) idle[N_SCRATCH];
};

/* ---- what there is ---- */

static bool
open_load(struct load *l, struct str bytes, struct error *err)
{
    l->file = bytes;
    arena_init(&l->arena);
    if (!pq_meta_read(bytes, &l->arena, &l->meta, err) ||
        !pq_schema_read(&l->meta, &l->arena, &l->schema, err))
        return false;
    l->file.n = l->meta.footer;
    for (size_t g = 0; g < l->meta.n_groups; g++)
        if (l->meta.group[g].n_rows < 0 ||
            l->meta.group[g].n_chunks != l->schema.n_leaves)
            return error_set(err, ERR_PARSE,
                             "row group %zu does not suit the schema", g);
    return true;
}

static bool
find_leaf(const struct load *l, const char *name, const struct pq_leaf **out,
          struct error *err)
{
    const char *near;
    const char **names;
    size_t n = l->schema.n_leaves;

    for (size_t i = 0; i < n; i++)
        if (strcmp(l->schema.leaf[i].name, name) == 0) {
            *out = &l->schema.leaf[i];
            return !(*out)->skipped ||
                   error_set(err, ERR_TYPE, "column '%s': %s", name,
                             (*out)->skipped);
        }
    if (!(names = mem_try_array(n, sizeof *names, err)))
        return false;
    for (size_t i = 0; i < n; i++)
        names[i] = l->schema.leaf[i].name;
    near = str_nearest(str_of(name), names, n);
    if (near)
        error_set(err, ERR_NOTFOUND, "no column '%s' (did you mean '%s'?)",
                  name, near);
    else
        error_set(err, ERR_NOTFOUND, "no column '%s'", name);
    free(names);
    return false;
}

static bool
pick_columns(struct load *l, const char *const *columns, struct error *err)
{
    size_t n = l->schema.n_leaves;

    for (n = columns ? 0 : n; columns && columns[n]; n++)
        ;
    if (!(l->target = arena_try(&l->arena, n, sizeof *l->target, err)))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct target *t = &l->target[l->n_targets];

        if (columns) {
            if (!find_leaf(l, columns[i], &t->leaf, err))
                return false;
        } else if (!l->schema.leaf[i].skipped) {
            t->leaf = &l->schema.leaf[i];
        } else {
            continue;
        }
        l->n_targets++;
    }
    return true;
}

static bool
group_may_hold(const struct load *l, size_t g, const struct pq_test *test,
               size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!pq_test_may_hold(&test[i],
                              &l->meta.group[g].chunk[test[i].leaf->index]))
            return false;
    return true;
}

static bool
pick_groups(struct load *l, const struct parquet_options *o, struct error *err)
{
    size_t n = l->meta.n_groups, from = o ? o->first_group : 0, to = n;
    size_t n_tests = o ? o->n_tests : 0;
    struct pq_test *test = arena_try(&l->arena, n_tests, sizeof *test, err);
    uint64_t rows = 0;

    l->group = arena_try(&l->arena, n, sizeof *l->group, err);
    l->first_row = arena_try(&l->arena, n + 1, sizeof *l->first_row, err);
    if (!test || !l->group || !l->first_row)
        return false;
    for (size_t i = 0; i < n_tests; i++) {
        const struct pq_leaf *leaf;

        if (!find_leaf(l, o->tests[i].column, &leaf, err) ||
            !pq_test_read(&o->tests[i], leaf, &test[i], err))
            return false;
    }
    if (o && o->n_groups > 0 && from < n && o->n_groups < n - from)
        to = from + o->n_groups;
    for (size_t g = from; g < to; g++) {
        if (!group_may_hold(l, g, test, n_tests))
            continue;
        l->group[l->n_groups] = g;
        l->first_row[l->n_groups++] = (size_t)rows;
        rows += (uint64_t)l->meta.group[g].n_rows;
        if (rows > UINT32_MAX)
            return error_set(err, ERR_LIMIT, "over 2^32 - 1 rows");
    }
    l->n_rows = (size_t)rows;
    return true;
}

/* ---- tasks ---- */

static bool
is_text(const struct target *t)
{
    return pq_leaf_type(t->leaf) == COL_TEXT;
}

/* A block for the texts of a column begins with the length of an empty one, so
 * that none has place 0. */
enum { BLOCK_HEAD = 4 };

/* Is it worth it to leave the texts as they lie, rather than to tell them
 * apart at once?  Not those that repeat often, and not those that were packed
 * so well that they must repeat. */
static bool
is_loose(const struct load *l, const struct target *t,
         const struct pq_survey *s)
{
    enum { REPEATS = 4, LOOSE_RATIO = 64, FREE_LEN = 1 << 16 };
    uint64_t packed_len = s->packed_len < l->file.n ? s->packed_len : l->file.n;

    return t->leaf->kind == PQ_KIND_TEXT && !s->others &&
           s->n_texts > l->n_rows / REPEATS &&
           s->stay_len <= UINT32_MAX - BLOCK_HEAD &&
           s->stay_len <= packed_len * LOOSE_RATIO + FREE_LEN;
}

/* Cut a block into the shares of the parts: the headers of their pages tell
 * its size.  What is damaged is found, and told, when it is read. */
static void
survey(struct load *l, struct target *t)
{
    struct pq_survey s = {0};

    if (!is_text(t) || t->leaf->max_rep > 0 || l->in_batches)
        return;
    for (size_t i = 0; i < l->n_groups; i++) {
        struct pq_part *p = &t->part[i];
        struct pq_pages pages = {0};
        struct error none;

        p->stay.at = BLOCK_HEAD + s.stay_len;
        if (!pq_pages_begin(&pages, l->file, t->leaf, p->chunk, &none) ||
            !pq_pages_survey(&pages, &s))
            return;
        p->stay.end = BLOCK_HEAD + s.stay_len;
    }
    t->block_len = BLOCK_HEAD + s.stay_len;
    t->loose = is_loose(l, t, &s);
}

/* Dear ones first, so that threads end together; else in order. */
static int
by_cost(const void *a, const void *b)
{
    const struct task *x = a, *y = b;

    if (x->cost != y->cost)
        return x->cost > y->cost ? -1 : 1;
    if (x->target != y->target)
        return x->target < y->target ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* Do its parts have to be read one after the other? */
static bool
in_turn(const struct target *t)
{
    return is_text(t) && !t->loose;
}

static bool
add_parts(struct load *l, struct target *t, struct error *err)
{
    struct task *whole = &l->task[l->n_tasks];

    t->part = arena_try(&l->arena, l->n_groups, sizeof *t->part, err);
    t->piece = arena_try(&l->arena, l->n_groups, sizeof *t->piece, err);
    if (!t->part || !t->piece)
        return false;
    t->n_parts = l->n_groups;
    t->out.file = l->file;
    t->out.progress = l->progress;
    for (size_t i = 0; i < l->n_groups; i++) {
        const struct pq_group *g = &l->meta.group[l->group[i]];
        struct pq_part *p = &t->part[i];

        p->leaf = t->leaf;
        p->chunk = &g->chunk[t->leaf->index];
        p->piece.first = l->first_row[i];
        p->piece.n = (size_t)g->n_rows;
    }
    survey(l, t);
    for (size_t i = 0; i < l->n_groups; i++) {
        const struct pq_part *p = &t->part[i];
        uint64_t cost =
            p->chunk->packed_len > 0 ? (uint64_t)p->chunk->packed_len : 0;

        if (in_turn(t)) {
            *whole = (struct task){t, 0, i + 1, whole->cost + cost, NULL};
            continue;
        }
        l->task[l->n_tasks++] = (struct task){t, i, 1, cost, NULL};
    }
    l->n_tasks += in_turn(t) && l->n_groups > 0;
    return true;
}

static bool
plan(struct load *l, struct error *err)
{
    uint64_t row_bytes = 0, most, total = 0;
    size_t n;

    if (!mem_mul(l->n_targets, l->n_groups, &n) ||
        !(l->task = arena_try(&l->arena, n, sizeof *l->task, err)))
        return false;
    for (size_t i = 0; i < l->n_targets; i++)
        row_bytes += column_width(pq_leaf_type(l->target[i].leaf));
    most = (uint64_t)l->file.n * MAX_RATIO + FREE_BYTES;
    if (row_bytes > 0 && l->n_rows > most / row_bytes)
        return error_set(err, ERR_PARSE, "%zu rows, which the file cannot hold",
                         l->n_rows);
    for (size_t i = 0; i < l->n_targets; i++)
        if (!add_parts(l, &l->target[i], err))
            return false;
    if (l->n_tasks > 0)
        qsort(l->task, l->n_tasks, sizeof *l->task, by_cost);
    for (size_t i = 0; i < l->n_tasks; i++)
        total += l->task[i].cost;
    if (!l->in_batches)
        progress_begin(l->progress, "reading", total);
    return true;
}

/* ---- work ---- */

static struct pq_scratch *
take_scratch(struct load *l)
{
    for (size_t i = 0; i < N_SCRATCH; i++) {
        struct pq_scratch *s = atomic_exchange(&l->idle[i], NULL);

        if (s)
            return s;
    }
    return mem_new(sizeof(struct pq_scratch));
}

static void
give_scratch(struct load *l, struct pq_scratch *s)
{
    for (size_t i = 0; i < N_SCRATCH; i++) {
        struct pq_scratch *none = NULL;

        if (atomic_compare_exchange_strong(&l->idle[i], &none, s))
            return;
    }
    pq_scratch_fini(s);
    free(s);
}

static bool
run_task(struct load *l, const struct task *task, struct pq_scratch *s,
         struct error *err)
{
    struct target *t = task->target;
    bool list = t->leaf->max_rep > 0;

    for (size_t i = task->first; i < task->first + task->n; i++) {
        struct pq_part *p = &t->part[i];

        if (!progress_check(l->progress, err))
            return false;
        if (!(list ? pq_part_read_list(p, &t->out, s, err)
                   : pq_part_read_flat(p, &t->out, s, err)))
            return error_prefix(err,
                                "row group %zu, column '%s': ", l->group[i],
                                t->leaf->name);
        if (!l->in_batches && p->chunk->packed_len > 0)
            progress_add(l->progress, (uint64_t)p->chunk->packed_len);
    }
    return true;
}

/* Of several failures that of the first task is told, whatever the threads:
 * those after it need not be run, those before it must. */
static void
run_tasks(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct load *l = ctx;
    struct pq_scratch *s = take_scratch(l);

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        size_t failed = atomic_load(&l->failed);
        struct error e;

        if (i > failed || run_task(l, &l->task[i], s, &e))
            continue;
        l->task[i].error = mem_new(sizeof e);
        *l->task[i].error = e;
        while (i < failed &&
               !atomic_compare_exchange_weak(&l->failed, &failed, i))
            ;
    }
    give_scratch(l, s);
}

static char *
make_block(struct target *t, struct error *err)
{
    char *block = mem_try_unset(t->block_len, 1, err);

    if (block)
        memset(block, 0, BLOCK_HEAD);
    for (size_t i = 0; i < t->n_parts; i++)
        t->part[i].stay.block = block;
    return block;
}

static void
make_room(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct load *l = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        struct target *t = &l->target[i];
        struct error e;

        t->out.data =
            mem_try_unset(l->n_rows, column_width(pq_leaf_type(t->leaf)), &e);
        if (t->out.data && in_turn(t))
            t->out.dict = dict_new(&e);
        if (t->out.data && t->loose)
            t->out.block = make_block(t, &e);
    }
}

/* A column of unsigned values beyond int64, whose bits are there. */
static void
floats_of_unsigned(void *data, size_t n)
{
    unsigned char *p = data;

    for (size_t i = 0; i < n; i++, p += 8) {
        uint64_t v;
        double x;

        memcpy(&v, p, sizeof v);
        x = (double)v;
        memcpy(p, &x, sizeof x);
    }
}

static bool
join(const struct load *l, struct target *t, struct error *err)
{
    enum col_type type = pq_leaf_type(t->leaf);
    uint64_t *valid;
    bool beyond = false;

    for (size_t i = 0; i < l->n_groups; i++) {
        t->piece[i] = t->part[i].piece;
        beyond |= t->part[i].beyond;
    }
    if (!piece_join_missing(t->piece, l->n_groups, l->n_rows, &valid, err))
        return false;
    if (beyond && type == COL_INT64) {
        floats_of_unsigned(t->out.data, l->n_rows);
        type = COL_FLOAT64;
    }
    if (t->loose)
        t->column = column_new_loose(l->n_rows, t->out.data, valid,
                                     t->out.block, t->block_len, err);
    else
        t->column =
            column_new(type, l->n_rows, t->out.data, valid, t->out.dict, err);
    t->out.data = NULL;
    t->out.dict = NULL;
    t->out.block = NULL;
    return t->column != NULL;
}

static void
join_targets(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct load *l = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        (void)join(l, &l->target[i], &l->target[i].error);
}

static bool
work(struct load *l, struct pool *pool, struct error *err)
{
    atomic_init(&l->failed, SIZE_MAX);
    pool_for(pool, l->n_targets, 1, make_room, l);
    for (size_t i = 0; i < l->n_targets; i++)
        if (!l->target[i].out.data ||
            (is_text(&l->target[i]) && !l->target[i].out.dict &&
             !l->target[i].out.block))
            return error_set(err, ERR_NOMEM, "no memory for %zu rows",
                             l->n_rows);
    pool_for(pool, l->n_tasks, 1, run_tasks, l);
    for (size_t i = 0; i < l->n_tasks; i++)
        if (l->task[i].error) {
            *err = *l->task[i].error;
            return false;
        }
    pool_for(pool, l->n_targets, 1, join_targets, l);
    for (size_t i = 0; i < l->n_targets; i++)
        if (!l->target[i].column) {
            *err = l->target[i].error;
            return false;
        }
    return true;
}

static struct frame *
make_frame(struct load *l, struct error *err)
{
    struct column **columns =
        arena_try(&l->arena, l->n_targets, sizeof(struct column *), err);
    const char **names = arena_try(&l->arena, l->n_targets, sizeof *names, err);

    if (!columns || !names)
        return NULL;
    for (size_t i = 0; i < l->n_targets; i++) {
        columns[i] = l->target[i].column;
        names[i] = l->target[i].leaf->name;
        l->target[i].column = NULL;
    }
    return frame_new(l->n_rows, l->n_targets, names, columns, err);
}

static void
close_load(struct load *l)
{
    for (size_t i = 0; i < l->n_targets; i++) {
        struct target *t = &l->target[i];

        for (size_t g = 0; t->part && g < l->n_groups; g++)
            piece_fini(&t->part[g].piece);
        free(t->out.data);
        free(t->out.block);
        dict_unref(t->out.dict);
        column_unref(t->column);
    }
    for (size_t i = 0; i < l->n_tasks; i++)
        free(l->task[i].error);
    for (size_t i = 0; i < N_SCRATCH; i++) {
        struct pq_scratch *s = atomic_load(&l->idle[i]);

        if (s)
            pq_scratch_fini(s);
        free(s);
    }
    arena_fini(&l->arena);
}

bool
parquet_parse(struct str bytes, const struct parquet_options *o,
              struct pool *pool, struct progress *progress, struct frame **out,
              struct error *err)
{
    struct load l = {.progress = progress, .in_batches = o && o->in_batches};

    *out = NULL;
    if (open_load(&l, bytes, err) &&
        pick_columns(&l, o ? o->columns : NULL, err) &&
        pick_groups(&l, o, err) && plan(&l, err) && work(&l, pool, err))
        *out = make_frame(&l, err);
    close_load(&l);
    return *out != NULL;
}

bool
parquet_read(const char *path, const struct parquet_options *o,
             struct pool *pool, struct progress *progress, struct frame **out,
             struct error *err)
{
    struct file_map m;
    bool ok;

    *out = NULL;
    if (!file_map_open(&m, path, progress, err))
        return false;
    ok = parquet_parse((struct str){m.data, m.len}, o, pool, progress, out,
                       err) ||
         error_prefix(err, "%s: ", path);
    file_map_close(&m);
    return ok;
}

/* ---- the footer alone ---- */

static bool
describe(struct load *l, struct parquet_info *out, struct error *err)
{
    struct arena *a = &l->arena;
    struct buf b;

    out->n_columns = l->schema.n_leaves;
    out->n_groups = l->meta.n_groups;
    out->columns = arena_try(a, out->n_columns, sizeof *out->columns, err);
    out->group_rows = arena_try(a, out->n_groups, sizeof(uint64_t), err);
    out->created_by =
        arena_text(a, l->meta.created_by.p ? l->meta.created_by.p : "",
                   l->meta.created_by.n, err);
    if (!out->columns || !out->group_rows || !out->created_by)
        return false;
    for (size_t g = 0; g < out->n_groups; g++) {
        out->group_rows[g] = (uint64_t)l->meta.group[g].n_rows;
        out->n_rows += out->group_rows[g];
    }
    for (size_t i = 0; i < out->n_columns; i++) {
        const struct pq_leaf *leaf = &l->schema.leaf[i];
        struct parquet_column *c = &out->columns[i];

        buf_init(&b);
        pq_leaf_describe(leaf, &b);
        c->name = leaf->name;
        c->type = pq_leaf_type(leaf);
        c->skipped = leaf->skipped;
        c->stored =
            buf_check(&b, err) ? arena_text(a, b.data, b.len, err) : NULL;
        buf_fini(&b);
        if (!c->stored)
            return false;
    }
    return true;
}

bool
parquet_info_parse(struct str bytes, struct parquet_info *out,
                   struct error *err)
{
    struct load l = {0};
    struct arena *kept = mem_new(sizeof *kept);

    *out = (struct parquet_info){0};
    if (open_load(&l, bytes, err) && describe(&l, out, err)) {
        *kept = l.arena;
        out->priv = kept;
        return true;
    }
    arena_fini(&l.arena);
    free(kept);
    *out = (struct parquet_info){0};
    return false;
}

bool
parquet_info(const char *path, struct parquet_info *out, struct error *err)
{
    struct file_map m;
    bool ok;

    *out = (struct parquet_info){0};
    if (!file_map_open(&m, path, NULL, err))
        return false;
    ok = parquet_info_parse((struct str){m.data, m.len}, out, err) ||
         error_prefix(err, "%s: ", path);
    file_map_close(&m);
    return ok;
}

void
parquet_info_fini(struct parquet_info *i)
{
    if (i->priv)
        arena_fini(i->priv);
    free(i->priv);
    *i = (struct parquet_info){0};
}
