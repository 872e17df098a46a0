/* frame/csv_columns.c -- the second pass over delimited text.
 *
 * Regions are parsed column by column: one region fits the second-level cache,
 * and a loop over one column knows its type.  Values go straight to their
 * place in the finished column, since the survey has counted the good rows
 * before each region.  What regions cannot share without locks they keep for
 * themselves in a `piece` and it is joined in region order afterwards: which
 * values are missing, and the texts with codes of their own.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/csv_columns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SAMPLE_REGIONS = 8, SAMPLE_ROWS = 100, BATCH_BYTES = 16 * 1024 };

/* One column of one region. */
struct piece {
    uint64_t *missing; /* by row of the region; NULL: none */
    struct dict *dict; /* COL_TEXT */
    enum csv_class found;
};

struct part {
    const struct csv_region *region;
    size_t first_row, n_rows; /* good ones */
    size_t room;              /* rejects to keep */
    struct csv_reject *reject, *misfit;
    size_t n_rejects, n_misfits;
    uint64_t *bad; /* rows with a value that a forced type refuses; or NULL */
    enum error_code failed;
};

struct target {
    enum csv_class class;
    enum col_type type;
    void *data; /* n_rows values */
    struct column *column;
    enum error_code failed;
};

struct load {
    const struct csv_columns_job *job;
    size_t n_cols, n_rows;
    struct part *part;
    size_t n_parts;
    struct piece *piece; /* n_parts * n_cols, by part */
    struct target *target;
    size_t *todo; /* columns of the pass at hand */
    size_t n_todo;
    bool first_pass;
};

/* The good rows of a region, for the loops over one column. */
struct rows {
    const char *text; /* all of it */
    const char *base; /* the region */
    struct csv_index x;
    size_t n;
};

static inline const char *
cell_begin(const struct rows *r, size_t row, size_t col)
{
    return r->base + csv_field_begin(&r->x, row, col);
}

static inline const char *
cell_end(const struct rows *r, size_t row, size_t col)
{
    return r->base + r->x.field[r->x.first[row] + col];
}

static struct csv_cell
cell_of(const struct rows *r, size_t row, size_t col)
{
    return csv_cell_at(cell_begin(r, row, col), cell_end(r, row, col));
}

/* ---- rows ---- */

static bool
is_good(const struct rows *r, size_t row, size_t n_cols, struct csv_reject *why)
{
    size_t n = r->x.first[row + 1] - r->x.first[row];
    bool open;

    for (size_t k = 0; k < n; k++) {
        if (csv_quotes_ok(cell_begin(r, row, k), cell_end(r, row, k), &open))
            continue;
        why->fault = open ? CSV_FAULT_OPEN : CSV_FAULT_QUOTE;
        why->col = k;
        return false;
    }
    why->fault = CSV_FAULT_FIELDS;
    why->n_fields = n;
    return n == n_cols;
}

/* Move the good rows to the front of the index; rejects are reported. */
static void
keep_good(struct rows *r, size_t first, size_t n_cols, struct part *p)
{
    size_t kept = 0;

    for (size_t row = first; row < r->x.n_rows; row++) {
        struct csv_reject why = {0};

        if (is_good(r, row, n_cols, &why)) {
            r->x.row[kept] = r->x.row[row];
            r->x.first[kept++] = r->x.first[row];
        } else if (p && p->n_rejects < p->room) {
            why.begin = p->region->begin + r->x.row[row];
            why.end = p->region->begin + r->x.field[r->x.first[row + 1] - 1];
            p->reject[p->n_rejects++] = why;
        }
    }
    r->n = kept;
}

/* The good rows of a region, without the header.  p may be NULL. */
static bool
rows_init(struct rows *r, const struct csv_columns_job *job,
          const struct csv_region *g, bool skip, struct part *p,
          struct error *err)
{
    size_t n_bad = g->n_rows - g->n_good;

    *r = (struct rows){.text = job->scan->p, .base = job->scan->p + g->begin};
    if (!csv_index_init(&r->x, job->scan, g->begin, g->end, g->n_rows,
                        g->n_fields, err))
        return false;
    if (p && n_bad > 0 && p->room > 0 && !p->reject) {
        size_t n = n_bad < p->room ? n_bad : p->room;

        p->room = n;
        if (!(p->reject = mem_try_array(n, sizeof *p->reject, err))) {
            csv_index_fini(&r->x);
            return false;
        }
    }
    if (p)
        p->n_rejects = 0;
    if (n_bad > 0 || skip)
        keep_good(r, skip, job->survey->n_fields, p);
    else
        r->n = r->x.n_rows;
    return true;
}

/* ---- values ---- */

struct task {
    const struct load *l;
    struct part *part;
    struct rows rows;
    size_t begin, end; /* the rows at hand */
    struct buf scratch;
};

static bool
fail_task(struct task *t, enum error_code code)
{
    t->part->failed = code;
    return false;
}

static bool
set_bit(struct task *t, uint64_t **bits, size_t row)
{
    struct error err;

    if (!*bits &&
        !(*bits = mem_try_array(t->rows.n / 64 + 1, sizeof **bits, &err)))
        return fail_task(t, err.code);
    (*bits)[row / 64] |= UINT64_C(1) << (row % 64);
    return true;
}

/* A value that the caller's type refuses takes its row to the rejects; the
 * first such column is named. */
static bool
note_misfit(struct task *t, size_t row, size_t col)
{
    struct part *p = t->part;
    size_t max = t->l->job->max_rejects;
    size_t last = t->rows.x.first[row] + t->l->n_cols - 1;
    struct error err;

    if (p->bad && (p->bad[row / 64] >> (row % 64) & 1))
        return true;
    if (!p->misfit &&
        !(p->misfit = mem_try_array(max, sizeof *p->misfit, &err)))
        return fail_task(t, err.code);
    if (p->n_misfits < max)
        p->misfit[p->n_misfits++] =
            (struct csv_reject){.begin = p->region->begin + t->rows.x.row[row],
                                .end = p->region->begin + t->rows.x.field[last],
                                .fault = CSV_FAULT_VALUE,
                                .col = col};
    return set_bit(t, &p->bad, row);
}

static size_t
fast_ints(const struct task *t, size_t col, size_t from, int64_t *out)
{
    const struct rows *r = &t->rows;

    for (size_t i = from; i < t->end; i++)
        if (!csv_fast_i64(r->text, cell_begin(r, i, col), cell_end(r, i, col),
                          &out[i]))
            return i;
    return t->end;
}

static size_t
fast_floats(const struct task *t, size_t col, size_t from, double *out)
{
    const struct rows *r = &t->rows;

    for (size_t i = from; i < t->end; i++)
        if (!csv_fast_f64(r->text, cell_begin(r, i, col), cell_end(r, i, col),
                          &out[i]))
            return i;
    return t->end;
}

static void
store(void *data, enum col_type t, size_t i, int64_t v, double x)
{
    switch (t) {
    case COL_BOOL:
        ((uint8_t *)data)[i] = (uint8_t)v;
        break;
    case COL_FLOAT64:
        ((double *)data)[i] = x;
        break;
    case COL_DATE:
        ((int32_t *)data)[i] = (int32_t)v;
        break;
    default:
        ((int64_t *)data)[i] = v;
    }
}

/* A value does not fit: what would this one and the rest fit? */
static enum csv_class
classify_rest(const struct task *t, size_t col, size_t from,
              enum csv_class found)
{
    for (size_t i = from; i < t->end && found != CSV_TEXT; i++) {
        struct csv_cell c = cell_of(&t->rows, i, col);
        int64_t v;
        double x;

        if (!csv_cell_parse(c, csv_type_of(found), &v, &x))
            found = csv_join(found, csv_classify(c, t->l->job->nulls));
    }
    return found;
}

static bool
parse_typed(struct task *t, size_t col, struct piece *piece)
{
    const struct target *to = &t->l->target[col];
    char *data = (char *)to->data + t->part->first_row * column_width(to->type);

    for (size_t i = t->begin;; i++) {
        struct csv_cell c;
        int64_t v = 0;
        double x = 0;

        if (t->l->job->nulls->numeric)
            ; /* a number may be missing: each one is looked up */
        else if (to->type == COL_FLOAT64)
            i = fast_floats(t, col, i, (double *)(void *)data);
        else if (to->type == COL_INT64)
            i = fast_ints(t, col, i, (int64_t *)(void *)data);
        if (i == t->end)
            return true;
        c = cell_of(&t->rows, i, col);
        if (csv_cell_is_null(c, t->l->job->nulls)) {
            if (!set_bit(t, &piece->missing, i))
                return false;
        } else if (csv_cell_parse(c, to->type, &v, &x)) {
            store(data, to->type, i, v, x);
        } else if (t->l->job->plan[col].forced) {
            if (!note_misfit(t, i, col) || !set_bit(t, &piece->missing, i))
                return false;
        } else {
            piece->found = classify_rest(t, col, i, to->class);
            return true;
        }
    }
}

static bool
parse_text(struct task *t, size_t col, struct piece *piece)
{
    const struct target *to = &t->l->target[col];
    uint32_t *codes = (uint32_t *)to->data + t->part->first_row;
    struct error err;

    if (!piece->dict && !(piece->dict = dict_new(&err)))
        return fail_task(t, err.code);
    for (size_t i = t->begin; i < t->end; i++) {
        struct csv_cell c = cell_of(&t->rows, i, col);

        if (!c.quoted && csv_cell_is_null(c, t->l->job->nulls)) {
            if (!set_bit(t, &piece->missing, i))
                return false;
            continue;
        }
        if (!dict_add(piece->dict, csv_cell_text(c, &t->scratch), &codes[i],
                      &err))
            return fail_task(t, err.code);
        if (t->scratch.failed)
            return fail_task(t, ERR_NOMEM);
    }
    return true;
}

/* A column that a value did not fit is looked at, no longer stored. */
static bool
parse_column(struct task *t, size_t col, struct piece *piece)
{
    enum csv_class class = t->l->target[col].class;

    if (t->begin == 0)
        piece->found = class;
    if (piece->found != class || class == CSV_NONE)
        piece->found = classify_rest(t, col, t->begin, piece->found);
    else
        return class == CSV_TEXT ? parse_text(t, col, piece)
                                 : parse_typed(t, col, piece);
    return true;
}

/* A batch of rows fits the first-level cache, all of its columns. */
static bool
parse_rows(struct task *t)
{
    const struct csv_region *g = t->part->region;
    size_t n = t->rows.n, batch = n * BATCH_BYTES / (g->end - g->begin) + 1;
    struct piece *piece =
        t->l->piece + (size_t)(t->part - t->l->part) * t->l->n_cols;

    do {
        t->end = n - t->begin < batch ? n : t->begin + batch;
        for (size_t i = 0; i < t->l->n_todo; i++)
            if (!parse_column(t, t->l->todo[i], &piece[t->l->todo[i]]))
                return false;
        t->begin = t->end;
    } while (t->begin < n);
    return true;
}

static void
parse_part(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct load *l = ctx;
    struct part *p = &l->part[chunk];
    struct task t = {.l = l, .part = p};
    bool skip = chunk == 0 && l->job->skip_first;
    struct error err;

    (void)begin;
    (void)end;
    if (progress_stopped(l->job->progress))
        return;
    if (!rows_init(&t.rows, l->job, p->region, skip, l->first_pass ? p : NULL,
                   &err)) {
        p->failed = err.code;
        return;
    }
    assert(t.rows.n == p->n_rows);
    buf_init(&t.scratch);
    if (!parse_rows(&t))
        assert(p->failed);
    buf_fini(&t.scratch);
    csv_index_fini(&t.rows.x);
    progress_add(l->job->progress, p->region->end - p->region->begin);
}

/* ---- passes ---- */

static void
make_room(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct load *l = ctx;
    struct target *to = &l->target[l->todo[chunk]];
    struct error err;

    (void)begin;
    (void)end;
    free(to->data);
    to->data = NULL;
    if (to->class == CSV_NONE)
        return;
    to->type = csv_type_of(to->class);
    to->data = mem_try_aligned(l->n_rows, column_width(to->type), &err);
    if (!to->data)
        to->failed = err.code;
}

static bool
report(const struct load *l, enum error_code code, struct error *err)
{
    if (code == ERR_LIMIT)
        return error_set(err, code,
                         "a column with more than 2^32 different texts");
    return error_set(err, code, "no memory for %zu rows x %zu columns",
                     l->n_rows, l->n_cols);
}

static bool
check_targets(const struct load *l, struct error *err)
{
    for (size_t i = 0; i < l->n_cols; i++)
        if (l->target[i].failed)
            return report(l, l->target[i].failed, err);
    return true;
}

/* Parse the columns in l->todo as their target's class. */
static bool
run_pass(struct load *l, struct error *err)
{
    const struct csv_columns_job *job = l->job;

    if (l->n_todo == 0)
        return true;
    pool_for(job->pool, l->n_todo, 1, make_room, l);
    if (!check_targets(l, err))
        return false;
    progress_begin(job->progress, "reading", job->scan->len);
    pool_for(job->pool, l->n_parts, 1, parse_part, l);
    for (size_t i = 0; i < l->n_parts; i++)
        if (l->part[i].failed)
            return report(l, l->part[i].failed, err);
    return progress_check(job->progress, err);
}

static void
piece_fini(struct piece *p)
{
    free(p->missing);
    dict_unref(p->dict);
    *p = (struct piece){0};
}

/* What all values of the column fit; from now on that is its class. */
static bool
settle_column(struct load *l, size_t col)
{
    struct target *to = &l->target[col];
    enum csv_class found = CSV_NONE;

    for (size_t i = 0; i < l->n_parts; i++)
        found = csv_join(found, l->piece[i * l->n_cols + col].found);
    l->job->plan[col].found = found;
    if (found == to->class && found != CSV_NONE)
        return true;
    for (size_t i = 0; i < l->n_parts; i++)
        piece_fini(&l->piece[i * l->n_cols + col]);
    to->class = found == CSV_NONE ? CSV_TEXT : found;
    return false;
}

static bool
run_passes(struct load *l, struct error *err)
{
    for (size_t i = 0; i < l->n_cols; i++) {
        l->target[i].class = l->job->plan[i].guess;
        l->todo[i] = i;
    }
    l->n_todo = l->n_cols;
    l->first_pass = true;
    if (!run_pass(l, err))
        return false;
    l->first_pass = false;
    l->n_todo = 0;
    for (size_t i = 0; i < l->n_cols; i++)
        if (!settle_column(l, i))
            l->todo[l->n_todo++] = i;
    return run_pass(l, err);
}

/* ---- joining ---- */

static bool
join_missing(const struct load *l, size_t col, uint64_t **out,
             struct error *err)
{
    size_t n_words = l->n_rows / 64 + 1;
    uint64_t *valid = NULL;

    for (size_t p = 0; p < l->n_parts; p++) {
        const struct part *part = &l->part[p];
        const uint64_t *missing = l->piece[p * l->n_cols + col].missing;

        if (!missing)
            continue;
        if (!valid) {
            if (!(valid = mem_try_array(n_words, sizeof *valid, err)))
                return false;
            memset(valid, 0xff, n_words * sizeof *valid);
        }
        for (size_t i = 0; i < part->n_rows; i++)
            if (missing[i / 64] >> (i % 64) & 1) {
                size_t row = part->first_row + i;

                valid[row / 64] &= ~(UINT64_C(1) << (row % 64));
            }
    }
    *out = valid;
    return true;
}

/* From codes that each region counted for itself to codes of the column. */
static bool
join_text(const struct load *l, size_t col, struct dict *dict,
          struct error *err)
{
    uint32_t *codes = l->target[col].data;

    for (size_t p = 0; p < l->n_parts; p++) {
        const struct part *part = &l->part[p];
        struct piece *piece = &l->piece[p * l->n_cols + col];
        size_t n = piece->dict ? dict_count(piece->dict) : 0;
        uint32_t *map;

        if (n == 0)
            continue;
        if (!(map = mem_try_array(n, sizeof *map, err)))
            return false;
        if (!dict_add_all(dict, piece->dict, map, err)) {
            free(map);
            return false;
        }
        for (size_t i = 0; i < part->n_rows; i++)
            codes[part->first_row + i] = map[codes[part->first_row + i]];
        free(map);
        dict_unref(piece->dict);
        piece->dict = NULL;
    }
    return true;
}

static void
join_column(void *ctx, size_t col, size_t begin, size_t end)
{
    struct load *l = ctx;
    struct target *to = &l->target[col];
    uint64_t *valid = NULL;
    struct dict *dict = NULL;
    struct error err;

    (void)begin;
    (void)end;
    if (progress_stopped(l->job->progress))
        return;
    if (!join_missing(l, col, &valid, &err))
        goto fail;
    if (to->type == COL_TEXT &&
        (!(dict = dict_new(&err)) || !join_text(l, col, dict, &err)))
        goto fail;
    to->column = column_new(to->type, l->n_rows, to->data, valid, dict, &err);
    to->data = NULL;
    if (!to->column)
        to->failed = err.code;
    return;
fail:
    free(valid);
    dict_unref(dict);
    to->failed = err.code;
}

/* Leave out the rows with a value that a forced type refused. */
static bool
drop_misfits(struct load *l, struct error *err)
{
    uint32_t *keep = mem_try_array(l->n_rows, sizeof *keep, err);
    size_t n = 0;

    if (!keep)
        return false;
    for (size_t p = 0; p < l->n_parts; p++) {
        const struct part *part = &l->part[p];

        for (size_t i = 0; i < part->n_rows; i++)
            if (!part->bad || !(part->bad[i / 64] >> (i % 64) & 1))
                keep[n++] = (uint32_t)(part->first_row + i);
    }
    for (size_t i = 0; i < l->n_cols; i++) {
        struct column *c = column_take(l->target[i].column, keep, n, err);

        if (!c) {
            free(keep);
            return false;
        }
        column_unref(l->target[i].column);
        l->target[i].column = c;
    }
    l->n_rows = n;
    free(keep);
    return true;
}

static bool
join_columns(struct load *l, struct error *err)
{
    bool misfits = false;

    pool_for(l->job->pool, l->n_cols, 1, join_column, l);
    if (!check_targets(l, err) || !progress_check(l->job->progress, err))
        return false;
    for (size_t i = 0; i < l->n_parts; i++)
        misfits |= l->part[i].bad != NULL;
    return !misfits || drop_misfits(l, err);
}

/* ---- rejects ---- */

static int
by_place(const void *a, const void *b)
{
    const struct csv_reject *p = a, *q = b;

    return (p->begin > q->begin) - (p->begin < q->begin);
}

static void
set_lines(const struct load *l, struct csv_reject *r, size_t n)
{
    size_t g = 0, at = 0, line = 0;

    for (size_t i = 0; i < n; i++) {
        while (r[i].begin >= l->part[g].region->end)
            g++;
        if (at <= l->part[g].region->line_from) {
            at = l->part[g].region->line_from;
            line = l->part[g].region->line;
        }
        line += csv_count_lines(l->job->scan, at, r[i].begin);
        at = r[i].begin;
        r[i].line = line;
    }
}

static bool
gather_rejects(const struct load *l, struct csv_columns *c, struct error *err)
{
    size_t n = 0, max = l->job->max_rejects;

    for (size_t i = 0; i < l->n_parts; i++)
        n += l->part[i].n_rejects + l->part[i].n_misfits;
    if (!(c->reject = mem_try_array(n, sizeof *c->reject, err)))
        return false;
    n = 0;
    for (size_t i = 0; i < l->n_parts; i++) {
        const struct part *p = &l->part[i];

        if (p->n_rejects > 0)
            memcpy(c->reject + n, p->reject, p->n_rejects * sizeof *c->reject);
        n += p->n_rejects;
        if (p->n_misfits > 0)
            memcpy(c->reject + n, p->misfit, p->n_misfits * sizeof *c->reject);
        n += p->n_misfits;
    }
    qsort(c->reject, n, sizeof *c->reject, by_place);
    c->n_rejects = n < max ? n : max;
    set_lines(l, c->reject, c->n_rejects);
    return true;
}

/* ---- the whole ---- */

/* How many good rows stand before each region, and how many bad ones. */
static bool
load_init(struct load *l, const struct csv_columns_job *job,
          struct csv_columns *c, struct error *err)
{
    const struct csv_survey *v = job->survey;
    size_t n_cols = v->n_fields, n_bad = 0, n_pieces;

    *l = (struct load){.job = job, .n_cols = n_cols, .n_parts = v->n_regions};
    if (!mem_mul(v->n_regions, n_cols, &n_pieces))
        return report(l, ERR_NOMEM, err);
    if (!(l->part = mem_try_array(l->n_parts, sizeof *l->part, err)) ||
        !(l->piece = mem_try_array(n_pieces, sizeof *l->piece, err)) ||
        !(l->target = mem_try_array(n_cols, sizeof *l->target, err)) ||
        !(l->todo = mem_try_array(n_cols, sizeof *l->todo, err)))
        return false;
    for (size_t i = 0; i < l->n_parts; i++) {
        struct part *p = &l->part[i];
        const struct csv_region *g = p->region = &v->region[i];
        bool skip = i == 0 && job->skip_first;

        p->first_row = l->n_rows;
        p->n_rows = g->n_good - (skip && job->first_good);
        p->room = n_bad < job->max_rejects ? job->max_rejects - n_bad : 0;
        l->n_rows += p->n_rows;
        n_bad += g->n_rows - g->n_good - (skip && !job->first_good);
    }
    c->n_rejected = n_bad;
    if (l->n_rows > UINT32_MAX)
        return error_set(err, ERR_LIMIT, "%zu rows, the limit is %lu",
                         l->n_rows, (unsigned long)UINT32_MAX);
    return true;
}

static void
load_fini(struct load *l)
{
    for (size_t i = 0; l->piece && i < l->n_parts * l->n_cols; i++)
        piece_fini(&l->piece[i]);
    for (size_t i = 0; l->part && i < l->n_parts; i++) {
        free(l->part[i].reject);
        free(l->part[i].misfit);
        free(l->part[i].bad);
    }
    for (size_t i = 0; l->target && i < l->n_cols; i++) {
        free(l->target[i].data);
        column_unref(l->target[i].column);
    }
    free(l->part);
    free(l->piece);
    free(l->target);
    free(l->todo);
}

bool
csv_columns_init(struct csv_columns *c, const struct csv_columns_job *job,
                 struct error *err)
{
    size_t n_parsed;
    struct load l;
    bool ok;

    *c = (struct csv_columns){0};
    ok = load_init(&l, job, c, err);
    n_parsed = l.n_rows;
    ok = ok && run_passes(&l, err) && join_columns(&l, err) &&
         gather_rejects(&l, c, err) &&
         (c->column = mem_try_array(l.n_cols, sizeof(struct column *), err));
    if (ok) {
        for (size_t i = 0; i < l.n_cols; i++) {
            c->column[i] = l.target[i].column;
            l.target[i].column = NULL;
        }
        c->n_cols = l.n_cols;
        c->n_rows = l.n_rows;
        c->n_rejected += n_parsed - l.n_rows;
    } else {
        csv_columns_fini(c);
    }
    load_fini(&l);
    return ok;
}

void
csv_columns_fini(struct csv_columns *c)
{
    for (size_t i = 0; c->column && i < c->n_cols; i++)
        column_unref(c->column[i]);
    free(c->column);
    free(c->reject);
    *c = (struct csv_columns){0};
}

/* ---- sample ---- */

static void
sample_row(const struct rows *r, size_t row, const struct csv_columns_job *job,
           const struct csv_cell *first, enum csv_class *guess, bool *repeats)
{
    for (size_t k = 0; k < job->survey->n_fields; k++) {
        struct csv_cell c = cell_of(r, row, k);

        guess[k] = csv_join(guess[k], csv_classify(c, job->nulls));
        repeats[k] |= str_eq(c.s, first[k].s);
    }
}

bool
csv_columns_sample(const struct csv_columns_job *job,
                   const struct csv_cell *first, enum csv_class *guess,
                   bool *repeats, struct error *err)
{
    const struct csv_survey *v = job->survey;
    size_t n = v->n_regions < SAMPLE_REGIONS ? v->n_regions : SAMPLE_REGIONS;

    for (size_t i = 0; i < n; i++) {
        size_t at = i * v->n_regions / n;
        struct rows r;

        if (!rows_init(&r, job, &v->region[at], at == 0, NULL, err))
            return false;
        for (size_t row = 0; row < r.n && row < SAMPLE_ROWS; row++)
            sample_row(&r, row, job, first, guess, repeats);
        csv_index_fini(&r.x);
    }
    return true;
}
