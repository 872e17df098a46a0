/* frame/csv_columns.c -- the second pass over delimited text.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/csv_columns.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/csv_load.h"

/* ---- failures ---- */

static bool
report(const struct csv_load *l, enum error_code code, struct error *err)
{
    if (code == ERR_LIMIT)
        return error_set(err, code,
                         "a column with more than 2^32 different texts");
    if (code == ERR_STATE)
        return error_set(err, code, "%s", CSV_CHANGED);
    return error_set(err, code, "no memory for %zu rows x %zu columns",
                     l->n_rows, l->n_cols);
}

static bool
check_targets(const struct csv_load *l, struct error *err)
{
    for (size_t i = 0; i < l->n_cols; i++)
        if (l->target[i].failed)
            return report(l, l->target[i].failed, err);
    return true;
}

/* ---- waves ---- */

/* Parts are parsed in waves.  While a wave is parsed the texts of the one
 * before are folded into their columns, and of the one before that nothing is
 * needed any more but values: so of texts, and of the mapped file, a wave or
 * two are in memory at a time. */
enum { FIRST_WAVE = 8, WAVE = 128 };

struct span {
    size_t begin, end; /* parts */
};

struct wave {
    struct csv_load *l;
    struct span parse, fold, cool;
    size_t n_fold; /* columns; 0 when there is nothing to fold */
    size_t n_cool; /* likewise, 0 or 1 */
};

static void
parse_part(struct csv_load *l, size_t part)
{
    const struct csv_region *g = l->part[part].region;
    size_t n = g->end - g->begin;

    if (progress_stopped(l->job->progress))
        return;
    csv_part_parse(l, part);
    progress_add(l->job->progress, n / CSV_SCAN_PART * (CSV_SCAN_PART - 1));
}

/* From what a piece counted to places in the block. */
static bool
place_piece(struct csv_target *to, struct piece *p, struct error *err)
{
    uint32_t *code = (uint32_t *)to->data + p->first, *place;
    size_t n = dict_count(p->dict), at;

    if (!(place = mem_try_array(n, sizeof *place, err)))
        return false;
    at = atomic_fetch_add(&to->block.used,
                          dict_len(p->dict) + n * sizeof *place);
    for (size_t i = 0; i < n; i++)
        place[i] =
            csv_block_put(&to->block, &at, dict_text(p->dict, (uint32_t)i));
    for (size_t i = 0; i < p->n; i++)
        code[i] = p->missing && (p->missing[i / 64] >> (i % 64) & 1)
                      ? CSV_NO_TEXT
                      : place[code[i]];
    free(place);
    dict_unref(p->dict);
    p->dict = NULL;
    return true;
}

static void
fold_column(struct csv_load *l, size_t col, struct span s)
{
    struct csv_target *to = &l->target[col];
    struct piece *p = &l->piece[col * l->n_parts];
    struct error err;

    for (size_t i = s.begin; to->block.bytes && i < s.end; i++)
        if (p[i].dict && !to->failed && !place_piece(to, &p[i], &err))
            to->failed = err.code;
    if (to->dict && !to->block.bytes && !to->failed &&
        !piece_fold_texts(&l->piece[col * l->n_parts + s.begin],
                          s.end - s.begin, to->dict, to->data, &err))
        to->failed = err.code;
}

static void
cool(const struct csv_load *l, struct span s)
{
    if (l->job->map)
        file_map_cool(l->job->map, l->part[s.begin].region->begin,
                      l->part[s.end - 1].region->end);
}

static void
run_wave(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct wave *w = ctx;
    size_t other = w->n_fold + w->n_cool;

    (void)begin;
    (void)end;
    if (chunk < w->n_fold)
        fold_column(w->l, w->l->todo[chunk], w->fold);
    else if (chunk < other)
        cool(w->l, w->cool);
    else
        parse_part(w->l, w->parse.begin + chunk - other);
}

/* Texts are told apart when someone asks for it, where a block can be had. */
static void
make_block(const struct csv_load *l, struct csv_target *to)
{
    struct csv_block *b = &to->block;
    struct error none;

    if (l->look || l->n_rows > UINT32_MAX / 8 ||
        l->job->scan->len > UINT32_MAX / 2)
        return;
    b->len = CSV_NO_TEXT + l->job->scan->len + l->n_rows * sizeof(uint32_t);
    if (!(b->bytes = mem_try_unset(b->len, 1, &none)))
        return;
    memset(b->bytes, 0, CSV_NO_TEXT);
    atomic_init(&b->used, CSV_NO_TEXT);
}

/* From now on parts do not count texts that are nearly all different. */
static void
count_texts(struct csv_load *l, struct span s)
{
    for (size_t k = 0; k < l->n_todo; k++) {
        struct csv_target *to = &l->target[l->todo[k]];
        size_t n_rows = 0, n_texts = 0;

        for (size_t i = s.begin; i < s.end; i++) {
            const struct piece *p = &l->piece[l->todo[k] * l->n_parts + i];

            n_rows += p->n;
            n_texts += p->dict ? dict_count(p->dict) : 0;
        }
        to->many |= n_texts > n_rows / 2;
        if (to->many && s.begin == 0 && s.end < l->n_parts)
            make_block(l, to);
    }
}

static bool
check_parts(const struct csv_load *l, struct error *err)
{
    for (size_t i = 0; i < l->n_parts; i++)
        if (l->part[i].failed)
            return report(l, l->part[i].failed, err);
    return check_targets(l, err) && progress_check(l->job->progress, err);
}

static bool
run_waves(struct csv_load *l, struct error *err)
{
    struct wave w = {.l = l};
    size_t n = FIRST_WAVE;

    do {
        w.cool = w.fold;
        w.fold = w.parse;
        w.parse.begin = w.fold.end;
        w.parse.end = l->n_parts - w.fold.end < n ? l->n_parts : w.fold.end + n;
        w.n_fold = w.fold.begin < w.fold.end ? l->n_todo : 0;
        w.n_cool = w.cool.begin < w.cool.end;
        pool_for(l->job->pool,
                 w.n_fold + w.n_cool + w.parse.end - w.parse.begin, 1, run_wave,
                 &w);
        if (!check_parts(l, err))
            return false;
        count_texts(l, w.parse);
        n = WAVE;
    } while (w.n_fold > 0 || w.n_cool > 0 || w.parse.begin < w.parse.end);
    return true;
}

/* ---- passes ---- */

static void
make_room(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct csv_load *l = ctx;
    struct csv_target *to = &l->target[l->todo[chunk]];
    struct error err;

    (void)begin;
    (void)end;
    free(to->data);
    free(to->block.bytes);
    dict_unref(to->dict);
    to->data = NULL;
    to->block.bytes = NULL;
    to->dict = NULL;
    to->many = false;
    if (csv_class_open(to->class) || (l->look && to->class == CSV_TEXT))
        return;
    to->type = csv_type_of(to->class);
    to->data = mem_try_unset(l->n_rows, column_width(to->type), &err);
    if (!to->data || (to->class == CSV_TEXT && !(to->dict = dict_new(&err))))
        to->failed = err.code;
}

/* Parse the columns in l->todo as their target's class. */
static bool
run_pass(struct csv_load *l, struct error *err)
{
    const struct csv_columns_job *job = l->job;

    if (l->n_todo == 0)
        return true;
    pool_for(job->pool, l->n_todo, 1, make_room, l);
    if (!check_targets(l, err))
        return false;
    if (job->again || !l->first_pass)
        progress_begin(job->progress, "reading again",
                       job->scan->len - job->scan->len / CSV_SCAN_PART);
    return run_waves(l, err);
}

/* What all values of the column fit; from now on that is its class. */
static bool
settle_column(struct csv_load *l, size_t col)
{
    struct csv_target *to = &l->target[col];
    enum csv_class found = CSV_NONE;

    for (size_t i = 0; i < l->n_parts; i++)
        found = csv_join(found, l->found[col * l->n_parts + i]);
    l->job->plan[col].found = found;
    if (found == to->class && !csv_class_open(found))
        return true;
    for (size_t i = 0; i < l->n_parts; i++)
        piece_fini(&l->piece[col * l->n_parts + i]);
    to->class = csv_class_open(found) ? CSV_TEXT : found;
    return false;
}

static bool
run_passes(struct csv_load *l, struct error *err)
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

static struct column *
join_loose(struct csv_load *l, size_t col, struct error *err)
{
    struct csv_target *to = &l->target[col];
    size_t used = atomic_load(&to->block.used);
    uint64_t *valid;
    struct error none;
    char *bytes;

    if (!piece_join_missing(&l->piece[col * l->n_parts], l->n_parts, l->n_rows,
                            &valid, err)) {
        free(to->data);
        free(to->block.bytes);
        return NULL;
    }
    if ((bytes = mem_try_resize(to->block.bytes, used, 1, &none)))
        to->block.bytes = bytes;
    return column_new_loose(l->n_rows, to->data, valid, to->block.bytes, used,
                            err);
}

static void
join_column(void *ctx, size_t col, size_t begin, size_t end)
{
    struct csv_load *l = ctx;
    struct csv_target *to = &l->target[col];
    struct error err;

    (void)begin;
    (void)end;
    if (progress_stopped(l->job->progress))
        return;
    to->column = to->block.bytes ? join_loose(l, col, &err)
                                 : piece_column(&l->piece[col * l->n_parts],
                                                l->n_parts, to->type, l->n_rows,
                                                to->data, to->dict, &err);
    if (!to->block.bytes)
        to->dict = NULL;
    to->data = NULL;
    to->block.bytes = NULL;
    if (!to->column)
        to->failed = err.code;
}

/* Leave out the rows with a value that a forced type refused. */
static bool
drop_misfits(struct csv_load *l, struct error *err)
{
    uint32_t *keep = mem_try_array(l->n_rows, sizeof *keep, err);
    size_t n = 0;

    if (!keep)
        return false;
    for (size_t p = 0; p < l->n_parts; p++) {
        const struct csv_part *part = &l->part[p];

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
join_columns(struct csv_load *l, struct error *err)
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
set_lines(const struct csv_load *l, struct csv_reject *r, size_t n)
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
gather_rejects(const struct csv_load *l, struct csv_columns *c,
               struct error *err)
{
    size_t n = 0, max = l->job->max_rejects;

    for (size_t i = 0; i < l->n_parts; i++)
        n += l->part[i].n_rejects + l->part[i].n_misfits;
    if (!(c->reject = mem_try_array(n, sizeof *c->reject, err)))
        return false;
    n = 0;
    for (size_t i = 0; i < l->n_parts; i++) {
        const struct csv_part *p = &l->part[i];

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
load_init(struct csv_load *l, const struct csv_columns_job *job,
          struct csv_columns *c, struct error *err)
{
    const struct csv_survey *v = job->survey;
    size_t n_cols = v->n_fields, n_bad = 0, n_pieces;

    *l = (struct csv_load){
        .job = job, .n_cols = n_cols, .n_parts = v->n_regions};
    if (!mem_mul(v->n_regions, n_cols, &n_pieces))
        return report(l, ERR_NOMEM, err);
    if (!(l->spare = mem_try_array(1, sizeof *l->spare, err)))
        return false;
    pthread_mutex_init(&l->spare->lock, NULL);
    if (!(l->part = mem_try_array(l->n_parts, sizeof *l->part, err)) ||
        !(l->piece = mem_try_array(n_pieces, sizeof *l->piece, err)) ||
        !(l->found = mem_try_array(n_pieces, sizeof *l->found, err)) ||
        !(l->target = mem_try_array(n_cols, sizeof *l->target, err)) ||
        !(l->todo = mem_try_array(n_cols, sizeof *l->todo, err)))
        return false;
    for (size_t i = 0; i < l->n_parts; i++) {
        struct csv_part *p = &l->part[i];
        const struct csv_region *g = p->region = &v->region[i];
        bool skip = i == 0 && job->skip_first;

        p->first_row = l->n_rows;
        p->n_rows = g->n_good - (skip && job->first_good);
        p->room = n_bad < job->max_rejects ? job->max_rejects - n_bad : 0;
        l->n_rows += p->n_rows;
        for (size_t k = 0; k < n_cols; k++) {
            l->piece[k * l->n_parts + i].first = p->first_row;
            l->piece[k * l->n_parts + i].n = p->n_rows;
        }
        n_bad += g->n_rows - g->n_good - (skip && !job->first_good);
    }
    c->n_rejected = n_bad;
    if (l->n_rows > UINT32_MAX)
        return error_set(err, ERR_LIMIT, "%zu rows, the limit is %lu",
                         l->n_rows, (unsigned long)UINT32_MAX);
    return true;
}

static void
spare_free(struct csv_spare *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        csv_index_fini(&s->index[i]);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void
load_fini(struct csv_load *l)
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
        free(l->target[i].block.bytes);
        dict_unref(l->target[i].dict);
        column_unref(l->target[i].column);
    }
    spare_free(l->spare);
    free(l->part);
    free(l->piece);
    free(l->found);
    free(l->target);
    free(l->todo);
}

bool
csv_columns_init(struct csv_columns *c, const struct csv_columns_job *job,
                 struct error *err)
{
    size_t n_parsed;
    struct csv_load l;
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

/* Columns whose type is open, and texts where they matter. */
static void
list_open(struct csv_load *l, const bool *repeats)
{
    for (size_t i = 0; i < l->n_cols; i++) {
        const struct csv_column_plan *p = &l->job->plan[i];

        l->target[i].class = p->guess;
        if (!p->forced && (p->guess != CSV_TEXT || (l->first && !repeats[i])))
            l->todo[l->n_todo++] = i;
    }
}

/* What was found; columns that turned out to be texts are the next to do. */
static void
settle_open(struct csv_load *l, bool *repeats)
{
    size_t n_todo = l->n_todo;

    l->n_todo = 0;
    for (size_t i = 0; i < n_todo; i++) {
        size_t col = l->todo[i];
        struct csv_column_plan *p = &l->job->plan[col];

        settle_column(l, col);
        for (size_t k = 0; k < l->n_parts; k++)
            repeats[col] |= l->repeats[col * l->n_parts + k];
        if (l->first && p->guess != CSV_TEXT && p->found == CSV_TEXT)
            l->todo[l->n_todo++] = col;
        p->guess = p->found;
    }
}

bool
csv_columns_look(const struct csv_columns_job *job,
                 const struct csv_cell *first, bool *repeats, struct error *err)
{
    struct csv_columns c = {0};
    struct csv_load l;
    bool ok = load_init(&l, job, &c, err);

    l.look = l.first_pass = true;
    l.first = first;
    ok = ok && (l.repeats = mem_try_array(l.n_parts * l.n_cols,
                                          sizeof *l.repeats, err));
    if (ok)
        list_open(&l, repeats);
    while (ok && l.n_todo > 0) {
        ok = run_pass(&l, err);
        if (ok)
            settle_open(&l, repeats);
    }
    free(l.repeats);
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
