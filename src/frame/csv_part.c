/* frame/csv_part.c -- one region of delimited text to its part of the columns.
 *
 * A region is parsed a batch of rows at a time and column by column within
 * it: the batch stays in the first-level cache, and a loop over one column
 * knows its type.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/csv_cells.h"
#include "frame/csv_load.h"

enum { SAMPLE_REGIONS = 8, SAMPLE_ROWS = 100 };
enum { BATCH_BYTES = 16 * 1024, BATCH_ROWS = 512 };

/* The good rows of a region, for the loops over one column. */
struct rows {
    const char *text; /* all of it */
    const char *base; /* the region */
    struct csv_index x;
    bool zeros; /* among the bytes */
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

/* Move the good rows to the front of the index; rejects are reported. */
static void
keep_good(struct rows *r, size_t first, size_t n_cols, struct csv_part *p)
{
    size_t kept = 0;

    for (size_t row = first; row < r->x.n_rows; row++) {
        struct csv_reject why = {0};

        if (csv_row_good(r->base, &r->x, row, n_cols, r->zeros, &why)) {
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

/* The good rows of a region, without the header, in the memory of r->x.  p may
 * be NULL. */
static bool
rows_init(struct rows *r, const struct csv_columns_job *job,
          const struct csv_region *g, bool skip, struct csv_part *p,
          struct error *err)
{
    size_t n_bad = g->n_rows - g->n_good;

    r->text = job->scan->p;
    r->base = job->scan->p + g->begin;
    r->zeros = g->zero;
    if (!csv_index_fill(&r->x, job->scan, g->begin, g->end, g->n_rows,
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
    const struct csv_load *l;
    struct csv_part *part;
    struct rows rows;
    size_t begin, end;                         /* the rows at hand */
    uint32_t from[BATCH_ROWS], to[BATCH_ROWS]; /* their fields of one column */
    size_t next_col;        /* the fields behind those at hand; 0: none */
    struct csv_cells cells; /* the same */
    const struct csv_cell_kernels *kernels;
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
/* The place for one more: of all that there are the first rows are kept, and
 * columns come one after the other.  NULL: it is not among them. */
static struct csv_reject *
misfit_place(struct csv_part *p, size_t begin, size_t max)
{
    struct csv_reject *last = p->misfit;

    if (p->n_misfits < max)
        return &p->misfit[p->n_misfits++];
    for (size_t i = 1; i < p->n_misfits; i++)
        if (p->misfit[i].begin > last->begin)
            last = &p->misfit[i];
    return max > 0 && last->begin > begin ? last : NULL;
}

static bool
note_misfit(struct task *t, size_t row, size_t col)
{
    struct csv_part *p = t->part;
    size_t max = t->l->job->max_rejects;
    size_t last = t->rows.x.first[row] + t->l->n_cols - 1;
    struct csv_reject *at;
    struct error err;

    if (p->bad && (p->bad[row / 64] >> (row % 64) & 1))
        return true;
    if (!p->misfit &&
        !(p->misfit = mem_try_array(max, sizeof *p->misfit, &err)))
        return fail_task(t, err.code);
    at = misfit_place(p, p->region->begin + t->rows.x.row[row], max);
    if (at)
        *at =
            (struct csv_reject){.begin = p->region->begin + t->rows.x.row[row],
                                .end = p->region->begin + t->rows.x.field[last],
                                .fault = CSV_FAULT_VALUE,
                                .col = col};
    return set_bit(t, &p->bad, row);
}

/* Fields i..n - 1 of the batch of which most are taken at once: the first one
 * that is not.  Numbers are not when a null token may look like one. */
static size_t
take_common(const struct task *t, enum csv_class class, size_t i, void *data)
{
    const struct csv_nulls *nulls = t->l->job->nulls;
    const struct csv_cells *c = &t->cells;
    size_t n = t->end - t->begin;

    bool truth = class == CSV_BOOL || class == CSV_BOOL_TOLD;

    switch (nulls->numeric && !truth ? CSV_NONE : class) {
    case CSV_BOOL:
    case CSV_BOOL_TOLD:
        return nulls->first['t'] || nulls->first['f']
                   ? i
                   : csv_cells_bools(c, i, n, data);
    case CSV_INT:
        return t->kernels->ints(c, i, n, data);
    case CSV_FLOAT:
        return t->kernels->floats(c, i, n, data);
    case CSV_DATE:
        return csv_cells_dates(c, i, n, data);
    case CSV_TIMESTAMP:
        return csv_cells_timestamps(c, i, n, data);
    default:
        return i;
    }
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

        if (!csv_cell_parse(c, found, &v, &x))
            found = csv_join(found, csv_classify(c, t->l->job->nulls));
    }
    return found;
}

static struct csv_cell
batch_cell(const struct task *t, size_t i)
{
    return csv_cell_at(t->cells.base + t->from[i], t->cells.base + t->to[i]);
}

static bool
parse_typed(struct task *t, size_t col, struct piece *piece,
            enum csv_class *seen)
{
    const struct csv_target *to = &t->l->target[col];
    size_t first = t->part->first_row + t->begin, n = t->end - t->begin;
    void *data = (char *)to->data + first * column_width(to->type);

    for (size_t i = 0;; i++) {
        struct csv_cell c;
        int64_t v = 0;
        double x = 0;

        i = take_common(t, to->class, i, data);
        if (i == n)
            return true;
        c = batch_cell(t, i);
        if (c.s.n == 0 || csv_cell_is_null(c, t->l->job->nulls)) {
            if (!set_bit(t, &piece->missing, t->begin + i))
                return false;
        } else if (csv_cell_parse(c, to->class, &v, &x)) {
            store(data, to->type, i, v, x);
        } else if (t->l->job->plan[col].forced) {
            if (!note_misfit(t, t->begin + i, col) ||
                !set_bit(t, &piece->missing, t->begin + i))
                return false;
        } else {
            *seen = classify_rest(t, col, t->begin + i, to->class);
            return true;
        }
    }
}

/* Is field i a text, and which?  One that stands elsewhere is in the scratch
 * until the next one. */
static inline bool
text_of(struct task *t, size_t i, struct str *out)
{
    const struct csv_nulls *nulls = t->l->job->nulls;
    struct csv_cell c = batch_cell(t, i);

    if (!c.quoted) {
        unsigned char first = c.s.n > 0 ? (unsigned char)*c.s.p : ' ';
        bool look = first == ' ' || first == '\t' || nulls->first[first];

        *out = c.s;
        return !look || !csv_cell_is_null(c, nulls);
    }
    *out = csv_cell_text(c, &t->scratch);
    return true;
}

/* Into the piece's list: only looked at once more, when it is folded. */
static bool
list_texts(struct task *t, struct piece *piece)
{
    size_t n = t->end - t->begin;
    struct error err;

    if (!piece->list && !piece_list_new(piece, &err))
        return fail_task(t, err.code);
    for (size_t i = 0; i < n; i++) {
        struct str *s = &piece->list->text[t->begin + i];

        if (!text_of(t, i, s)) {
            if (!set_bit(t, &piece->missing, t->begin + i))
                return false;
            continue;
        }
        if (t->scratch.failed)
            return fail_task(t, ERR_NOMEM);
        if (s->p == t->scratch.data && s->n > 0 &&
            !(s->p = arena_text(&piece->list->arena, s->p, s->n, &err)))
            return fail_task(t, err.code);
        piece->list->hash[t->begin + i] = dict_hash(*s);
    }
    return true;
}

static bool
count_texts(struct task *t, size_t col, struct piece *piece)
{
    size_t first = t->part->first_row + t->begin, n = t->end - t->begin;
    uint32_t *codes = (uint32_t *)t->l->target[col].data + first;
    struct error err;
    struct str s;

    if (!piece->dict && !(piece->dict = dict_new(&err)))
        return fail_task(t, err.code);
    for (size_t i = 0; i < n; i++) {
        if (!text_of(t, i, &s)) {
            codes[i] = 0;
            if (!set_bit(t, &piece->missing, t->begin + i))
                return false;
            continue;
        }
        if (t->scratch.failed)
            return fail_task(t, ERR_NOMEM);
        if (!dict_add(piece->dict, s, &codes[i], &err))
            return fail_task(t, err.code);
    }
    return true;
}

/* Most texts are short. */
static inline void
copy_short(char *to, const char *from, size_t n)
{
    uint64_t a, b;
    uint32_t c, d;

    if (n > 16) {
        memcpy(to, from, n);
    } else if (n >= 8) {
        memcpy(&a, from, sizeof a);
        memcpy(&b, from + n - sizeof b, sizeof b);
        memcpy(to, &a, sizeof a);
        memcpy(to + n - sizeof b, &b, sizeof b);
    } else if (n >= 4) {
        memcpy(&c, from, sizeof c);
        memcpy(&d, from + n - sizeof d, sizeof d);
        memcpy(to, &c, sizeof c);
        memcpy(to + n - sizeof d, &d, sizeof d);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
    }
}

static inline uint32_t
put_text(struct csv_block *b, size_t *at, struct str s)
{
    char *p = b->bytes + *at;
    uint32_t n = (uint32_t)s.n;

    memcpy(p, &n, sizeof n);
    copy_short(p + sizeof n, s.p, s.n);
    *at += sizeof n + s.n;
    return (uint32_t)(*at - s.n);
}

uint32_t
csv_block_put(struct csv_block *b, size_t *at, struct str s)
{
    return put_text(b, at, s);
}

static bool
place_texts(struct task *t, size_t col, struct piece *piece)
{
    struct csv_target *to = &t->l->target[col];
    size_t first = t->part->first_row + t->begin, n = t->end - t->begin;
    uint32_t *place = (uint32_t *)to->data + first;
    size_t need = n * sizeof *place, at;
    struct str s;

    for (size_t i = 0; i < n; i++)
        need += t->to[i] - t->from[i];
    at = atomic_fetch_add_explicit(&to->block.used, need, memory_order_relaxed);
    for (size_t i = 0; i < n; i++) {
        if (text_of(t, i, &s)) {
            place[i] = put_text(&to->block, &at, s);
            continue;
        }
        place[i] = CSV_NO_TEXT;
        if (!set_bit(t, &piece->missing, t->begin + i))
            return false;
    }
    return !t->scratch.failed || fail_task(t, ERR_NOMEM);
}

static bool
parse_text(struct task *t, size_t col, struct piece *piece)
{
    const struct csv_target *to = &t->l->target[col];

    return to->block.bytes ? place_texts(t, col, piece)
           : to->many      ? list_texts(t, piece)
                           : count_texts(t, col, piece);
}

/* Where the fields of a column are, for the loops over them. */
static void
gather_cells(struct task *t, size_t col)
{
    const struct csv_index *x = &t->rows.x;
    const uint32_t *row = x->row + t->begin, *first = x->first + t->begin;
    size_t n = t->end - t->begin;

    if (col == 0)
        memcpy(t->from, row, n * sizeof *row);
    else if (col == t->next_col)
        for (size_t i = 0; i < n; i++)
            t->from[i] = t->to[i] + 1;
    else
        for (size_t i = 0; i < n; i++)
            t->from[i] = x->field[first[i] + col - 1] + 1;
    for (size_t i = 0; i < n; i++)
        t->to[i] = x->field[first[i] + col];
    t->next_col = col + 1;
}

/* Does a text equal that of the first row? */
static bool
look_at_text(struct task *t, size_t col, bool *repeats)
{
    struct buf first;
    struct str want;

    buf_init(&first);
    want = csv_cell_text(t->l->first[col], &first);
    for (size_t i = t->begin; i < t->end && !*repeats; i++) {
        struct csv_cell c = cell_of(&t->rows, i, col);

        *repeats = (c.quoted || !csv_cell_is_null(c, t->l->job->nulls)) &&
                   str_eq(csv_cell_text(c, &t->scratch), want);
    }
    if (first.failed || t->scratch.failed)
        fail_task(t, ERR_NOMEM);
    buf_fini(&first);
    return t->part->failed == 0;
}

/* A column that a value did not fit is looked at, no longer stored. */
static bool
parse_column(struct task *t, size_t col)
{
    enum csv_class class = t->l->target[col].class;
    size_t at = col * t->l->n_parts + (size_t)(t->part - t->l->part);
    enum csv_class *found = &t->l->found[at];

    if (t->begin == 0)
        *found = class;
    if (t->l->look && class == CSV_TEXT)
        return look_at_text(t, col, &t->l->repeats[at]);
    if (*found != class || csv_class_open(class))
        *found = classify_rest(t, col, t->begin, *found);
    else {
        gather_cells(t, col);
        return class == CSV_TEXT ? parse_text(t, col, &t->l->piece[at])
                                 : parse_typed(t, col, &t->l->piece[at], found);
    }
    return true;
}

/* A batch of rows fits the first-level cache, all of its columns. */
static bool
parse_rows(struct task *t)
{
    const struct csv_region *g = t->part->region;
    size_t n = t->rows.n, batch = n * BATCH_BYTES / (g->end - g->begin) + 1;

    if (batch > BATCH_ROWS)
        batch = BATCH_ROWS;
    do {
        t->end = n - t->begin < batch ? n : t->begin + batch;
        t->next_col = 0;
        for (size_t i = 0; i < t->l->n_todo; i++)
            if (!parse_column(t, t->l->todo[i]))
                return false;
        t->begin = t->end;
    } while (t->begin < n);
    return true;
}

static void
take_spare(struct csv_spare *s, struct csv_index *x)
{
    pthread_mutex_lock(&s->lock);
    if (s->n > 0)
        *x = s->index[--s->n];
    pthread_mutex_unlock(&s->lock);
}

static void
give_spare(struct csv_spare *s, struct csv_index *x)
{
    pthread_mutex_lock(&s->lock);
    if (s->n < CSV_SPARE)
        s->index[s->n++] = *x;
    else
        csv_index_fini(x);
    pthread_mutex_unlock(&s->lock);
}

void
csv_part_parse(struct csv_load *l, size_t part)
{
    struct csv_part *p = &l->part[part];
    struct task t = {.l = l, .part = p};
    bool skip = part == 0 && l->job->skip_first;
    struct error err;

    take_spare(l->spare, &t.rows.x);
    if (!rows_init(&t.rows, l->job, p->region, skip, l->first_pass ? p : NULL,
                   &err)) {
        p->failed = err.code;
        return;
    }
    if (t.rows.n == p->n_rows) {
        t.kernels = csv_cells_best();
        t.cells = (struct csv_cells){t.rows.text, t.rows.base, t.from, t.to};
        buf_init(&t.scratch);
        if (!parse_rows(&t))
            assert(p->failed);
        buf_fini(&t.scratch);
    } else { /* the file was written to */
        p->failed = ERR_STATE;
    }
    give_spare(l->spare, &t.rows.x);
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
        struct rows r = {.n = 0};

        if (!rows_init(&r, job, &v->region[at], at == 0, NULL, err))
            return false;
        for (size_t row = 0; row < r.n && row < SAMPLE_ROWS; row++)
            sample_row(&r, row, job, first, guess, repeats);
        csv_index_fini(&r.x);
    }
    return true;
}
