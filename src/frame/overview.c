/* Tables about a table.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/overview.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/bins.h"
#include "frame/builder.h"
#include "frame/expr.h"
#include "frame/gather.h"
#include "frame/names.h"
#include "frame/query.h"
#include "frame/rowgroup.h"
#include "frame/verbs.h"

/* ---- filling a builder ---- */

/* A row under way: after a failure nothing more is put. */
struct filling {
    struct builder *b;
    struct error *err;
    size_t col;
    bool ok;
};

static void
put_int(struct filling *f, size_t v)
{
    f->ok = f->ok && builder_i64(f->b, f->col, (int64_t)v, f->err);
    f->col++;
}

/* NaN stays missing. */
static void
put_float(struct filling *f, double v)
{
    f->ok = f->ok && (isnan(v) || builder_f64(f->b, f->col, v, f->err));
    f->col++;
}

static void
put_text(struct filling *f, const char *text)
{
    f->ok =
        f->ok && (!text || builder_text(f->b, f->col, str_of(text), f->err));
    f->col++;
}

static void
end_row(struct filling *f)
{
    f->ok = f->ok && builder_end_row(f->b, f->err);
    f->col = 0;
}

static struct frame *
finish(struct filling *f)
{
    if (f->ok)
        return builder_finish(f->b, f->err);
    builder_free(f->b);
    return NULL;
}

struct heading {
    const char *name;
    enum col_type type;
};

enum { MAX_HEADINGS = 32 };

static struct filling
begin(const struct heading *h, size_t n, struct error *err)
{
    const char *names[MAX_HEADINGS];
    enum col_type types[MAX_HEADINGS];
    struct filling f = {.err = err};

    for (size_t i = 0; i < n; i++) {
        names[i] = h[i].name;
        types[i] = h[i].type;
    }
    f.b = builder_new(n, names, types, err);
    f.ok = f.b;
    return f;
}

static double
share_of(size_t n, size_t rows)
{
    return rows ? (double)n / (double)rows : 0;
}

/* ---- frequencies ---- */

/* The edge of a bin in the type of the column. */
static void
put_edge(struct filling *f, enum col_type t, double edge)
{
    if (t == COL_FLOAT64) {
        put_float(f, edge);
        return;
    }
    f->ok = f->ok &&
            builder_i64(f->b, f->col,
                        llrint(t == COL_TIMESTAMP ? edge * 1e6 : edge), f->err);
    f->col++;
}

static struct frame *
bins_frame(const struct column *c, const struct bins *b, const size_t *count,
           struct error *err)
{
    enum col_type t = column_type(c);
    const struct heading headings[] = {
        {"from", t}, {"to", t}, {"count", COL_INT64}, {"share", COL_FLOAT64}};
    struct filling f = begin(headings, 4, err);

    for (size_t i = 0; i < b->n + (count[b->n] > 0); i++) {
        if (i < b->n) {
            put_edge(&f, t, b->edge[i]);
            put_edge(&f, t, b->edge[i + 1]);
        } else {
            f.col = 2;
        }
        put_int(&f, count[i]);
        put_float(&f, share_of(count[i], column_rows(c)));
        end_row(&f);
    }
    return finish(&f);
}

struct frame *
overview_frequency(const struct frame *f, const char *name, size_t bins,
                   struct pool *pool, const struct progress *progress,
                   struct error *err)
{
    struct bins b = {0};
    struct frame *out = NULL;
    size_t col, *count = NULL;
    const struct column *c;

    if (!frame_need(f, name, &col, err))
        return NULL;
    if (bins == 0)
        return query_frequency(f, col, pool, progress, err);
    c = frame_column(f, col);
    if (bins_of(c, bins, false, pool, &b, err) &&
        (count = mem_try_array(b.n + 1, sizeof *count, err)) &&
        progress_check(progress, err) &&
        bins_count(c, &b, NULL, 1, pool, count, err))
        out = bins_frame(c, &b, count, err);
    else
        error_prefix(err, "%s: ", name);
    free(count);
    bins_fini(&b);
    return out;
}

/* ---- a description ---- */

static const struct heading described[] = {{"column", COL_TEXT},
                                           {"type", COL_TEXT},
                                           {"rows", COL_INT64},
                                           {"missing", COL_INT64},
                                           {"missing_share", COL_FLOAT64},
                                           {"distinct", COL_INT64},
                                           {"mean", COL_FLOAT64},
                                           {"sd", COL_FLOAT64},
                                           {"min", COL_FLOAT64},
                                           {"q25", COL_FLOAT64},
                                           {"median", COL_FLOAT64},
                                           {"q75", COL_FLOAT64},
                                           {"max", COL_FLOAT64},
                                           {"skew", COL_FLOAT64},
                                           {"zeros", COL_INT64},
                                           {"low", COL_TEXT},
                                           {"high", COL_TEXT},
                                           {"top", COL_TEXT},
                                           {"top_share", COL_FLOAT64},
                                           {"alone", COL_FLOAT64},
                                           {"alerts", COL_TEXT}};
enum { DESCRIBED = sizeof described / sizeof *described, N_NUMBERS = 9 };

static void
put_numbers(struct filling *f, const struct profile_column *c)
{
    bool time = c->type == COL_DATE || c->type == COL_TIMESTAMP;

    /* Seconds since 1970 say nothing; low and high say it as dates. */
    if (!c->numeric || time || c->n == c->n_missing) {
        f->col += N_NUMBERS;
        return;
    }
    put_float(f, c->mean);
    put_float(f, c->sd);
    put_float(f, c->min);
    put_float(f, c->quantile[3]);
    put_float(f, c->quantile[4]);
    put_float(f, c->quantile[5]);
    put_float(f, c->max);
    put_float(f, c->skew);
    put_int(f, c->n_zero);
}

/* The words of the alerts of a column; empty: none. */
static void
alert_words(const struct profile *p, size_t col, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < p->n_alerts; i++)
        if (p->alert[i].col == (long)col)
            buf_printf(out, "%s%s", out->len ? " " : "",
                       profile_alert_word(p->alert[i].kind));
}

struct frame *
overview_describe(const struct profile *p, struct error *err)
{
    struct filling f = begin(described, DESCRIBED, err);
    struct buf alerts;

    buf_init(&alerts);
    for (size_t i = 0; f.ok && i < p->n_cols; i++) {
        const struct profile_column *c = &p->column[i];

        put_text(&f, c->name);
        put_text(&f, column_type_word(c->type));
        put_int(&f, c->n);
        put_int(&f, c->n_missing);
        put_float(&f, share_of(c->n_missing, c->n));
        put_int(&f, c->n_distinct);
        put_numbers(&f, c);
        put_text(&f, c->n_low ? c->low[0].text : NULL);
        put_text(&f, c->n_high ? c->high[0].text : NULL);
        put_text(&f, c->n_top ? c->top[0].text : NULL);
        put_float(&f, c->n_top ? share_of(c->top[0].count, c->n) : NAN);
        put_float(&f, c->target_score);
        alert_words(p, i, &alerts);
        put_text(&f, alerts.len ? alerts.data : NULL);
        end_row(&f);
    }
    f.ok = f.ok && buf_check(&alerts, err);
    buf_fini(&alerts);
    return finish(&f);
}

/* ---- relations ---- */

/* Numbers and times that vary are always told of: where the rows that were
 * looked at have none of them, their cells are empty. */
static bool
is_related(const struct profile *p, enum relation r, size_t col)
{
    const struct profile_column *c = &p->column[col];

    if (c->numeric && c->n_distinct > 1 && r != RELATION_CRAMER)
        return true;
    for (size_t i = 0; i < p->n_cols; i++)
        if (i != col && !isnan(profile_relation(p, r, i, col)))
            return true;
    return false;
}

/* The columns that have any relation, or all. */
static size_t
related(const struct profile *p, enum relation r, size_t *col)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_cols; i++)
        if (is_related(p, r, i))
            col[n++] = i;
    if (n > 0)
        return n;
    for (size_t i = 0; i < p->n_cols; i++)
        col[i] = i;
    return p->n_cols;
}

static struct frame *
relation_rows(struct filling *f, const struct profile *p, enum relation r,
              const size_t *col, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_text(f, p->column[col[i]].name);
        for (size_t k = 0; k < n; k++)
            put_float(f, i == k ? 1 : profile_relation(p, r, col[i], col[k]));
        end_row(f);
    }
    return finish(f);
}

struct frame *
overview_relations(const struct profile *p, enum relation r, struct error *err)
{
    size_t n = p->n_cols, made = 0,
           *col = mem_try_array(n + 1, sizeof *col, err);
    char **name = mem_try_array(n + 1, sizeof *name, err);
    enum col_type *type = mem_try_array(n + 1, sizeof *type, err);
    struct dict *taken = dict_new(err);
    struct filling f = {.err = err, .ok = col && name && type && taken};
    struct frame *out = NULL;

    n = f.ok ? related(p, r, col) : 0;
    for (; f.ok && made <= n; made++) {
        name[made] = names_unique(
            str_of(made ? p->column[col[made - 1]].name : "column"), made,
            taken, err);
        type[made] = made ? COL_FLOAT64 : COL_TEXT;
        f.ok = name[made];
    }
    if (f.ok) {
        f.b = builder_new(n + 1, (const char *const *)name, type, err);
        f.ok = f.b;
    }
    if (f.ok)
        out = relation_rows(&f, p, r, col, n);
    for (size_t i = 0; name && i < made; i++)
        free(name[i]);
    dict_unref(taken);
    free(name);
    free(type);
    free(col);
    return out;
}

/* ---- what is missing ---- */

enum { CHUNK = 65536 };

struct holes {
    const struct frame *f;
    size_t *col, n; /* columns that miss something */
    uint64_t *mark; /* of each: a random number */
    int64_t *key;   /* of each row: the marks of what it misses, joined */
    size_t *only;   /* n of each chunk: rows that miss nothing else; NULL */
    const struct progress *progress;
};

static void
mark_rows(void *ctx, size_t chunk, size_t begin_row, size_t end)
{
    struct holes *h = ctx;

    if (progress_stopped(h->progress))
        return;
    for (size_t i = begin_row; i < end; i++) {
        uint64_t key = 0;
        size_t missing = 0, last = 0;

        for (size_t k = 0; k < h->n; k++)
            if (!column_bit(column_validity(frame_column(h->f, h->col[k])),
                            i)) {
                key ^= h->mark[k];
                missing++;
                last = k;
            }
        if (h->key)
            h->key[i] = (int64_t)key;
        if (h->only && missing == 1)
            h->only[chunk * h->n + last]++;
    }
}

/* The caller calls holes_fini, also after a failure. */
static bool
holes_init(struct holes *h, const struct frame *f, struct error *err)
{
    size_t n = frame_cols(f);

    *h = (struct holes){.f = f,
                        .col = mem_try_array(n, sizeof *h->col, err),
                        .mark = mem_try_array(n, sizeof *h->mark, err)};
    if (!h->col || !h->mark)
        return false;
    for (size_t i = 0; i < n; i++)
        if (column_missing(frame_column(f, i)) > 0) {
            h->mark[h->n] = rng_at(1, 0, i);
            h->col[h->n++] = i;
        }
    return true;
}

static void
holes_fini(struct holes *h)
{
    free(h->col);
    free(h->mark);
    free(h->key);
    free(h->only);
}

struct frame *
overview_missing(const struct frame *f, struct pool *pool,
                 const struct progress *progress, struct error *err)
{
    static const struct heading headings[] = {{"column", COL_TEXT},
                                              {"missing", COL_INT64},
                                              {"share", COL_FLOAT64},
                                              {"only", COL_INT64}};
    size_t rows = frame_rows(f), chunks = (rows + CHUNK - 1) / CHUNK, k = 0;
    struct frame *out = NULL;
    struct filling b;
    struct holes h;

    if (!holes_init(&h, f, err) ||
        !(h.only = mem_try_array(chunks * h.n + 1, sizeof *h.only, err)))
        goto out;
    h.progress = progress;
    pool_for(pool, rows, CHUNK, mark_rows, &h);
    if (!progress_check(progress, err))
        goto out;
    b = begin(headings, 4, err);
    for (size_t i = 0; b.ok && i < frame_cols(f); i++) {
        size_t missing = column_missing(frame_column(f, i)), only = 0;

        for (size_t chunk = 0; missing && chunk < chunks; chunk++)
            only += h.only[chunk * h.n + k];
        k += missing > 0;
        put_text(&b, frame_name(f, i));
        put_int(&b, missing);
        put_float(&b, share_of(missing, rows));
        put_int(&b, only);
        end_row(&b);
    }
    out = finish(&b);
out:
    holes_fini(&h);
    return out;
}

/* Takes h->key; a frame of one column. */
static struct frame *
keys_frame(struct holes *h, struct error *err)
{
    static const char *const name[] = {"key"};
    size_t rows = frame_rows(h->f);
    struct column *c = column_new(COL_INT64, rows, h->key, NULL, NULL, err);

    h->key = NULL;
    return c ? frame_new(rows, 1, name, &c, err) : NULL;
}

static struct frame *
patterns_frame(const struct holes *h, const struct rowgroup *g,
               struct error *err)
{
    static const struct heading headings[] = {{"missing", COL_TEXT},
                                              {"columns", COL_INT64},
                                              {"rows", COL_INT64},
                                              {"share", COL_FLOAT64}};
    size_t rows = frame_rows(h->f), *count;
    struct filling b = begin(headings, 4, err);
    struct buf names;

    if (!(count = mem_try_array(g->n_groups + 1, sizeof *count, err)))
        b.ok = false;
    for (size_t i = 0; b.ok && i < rows; i++)
        count[g->group[i]]++;
    buf_init(&names);
    for (size_t i = 0; b.ok && i < g->n_groups; i++) {
        size_t n = 0;

        buf_clear(&names);
        for (size_t k = 0; k < h->n; k++)
            if (!column_is_valid(frame_column(h->f, h->col[k]), g->first[i]))
                buf_printf(&names, "%s%s", n++ ? ", " : "",
                           frame_name(h->f, h->col[k]));
        put_text(&b, n ? names.data : NULL);
        put_int(&b, n);
        put_int(&b, count[i]);
        put_float(&b, share_of(count[i], rows));
        end_row(&b);
    }
    b.ok = b.ok && buf_check(&names, err);
    buf_fini(&names);
    free(count);
    return finish(&b);
}

struct frame *
overview_patterns(const struct frame *f, struct pool *pool,
                  const struct progress *progress, struct error *err)
{
    static const char *const most[] = {"-rows", NULL};
    struct frame *keys = NULL, *found = NULL, *out = NULL;
    struct rowgroup g = {0};
    struct holes h;

    if (holes_init(&h, f, err) &&
        (h.key = mem_try_aligned(frame_rows(f), sizeof *h.key, err))) {
        h.progress = progress;
        pool_for(pool, frame_rows(f), CHUNK, mark_rows, &h);
        keys = progress_check(progress, err) ? keys_frame(&h, err) : NULL;
    }
    if (keys && rowgroup_find(keys, &(size_t){0}, 1, pool, progress, &g, err))
        found = patterns_frame(&h, &g, err);
    if (found)
        out = verb_sort(found, most, pool, err);
    rowgroup_fini(&g);
    frame_unref(found);
    frame_unref(keys);
    holes_fini(&h);
    return out;
}

/* ---- what occurs twice ---- */

/* Not a name of the columns. */
static void
free_name(const struct frame *f, const char *wanted, char out[32])
{
    snprintf(out, 32, "%s", wanted);
    for (unsigned i = 2; frame_find(f, out) >= 0; i++)
        snprintf(out, 32, "%s_%u", wanted, i);
}

/* The groups of more than one row, most rows first, ties by appearance. */
static struct frame *
repeated(const struct frame *groups, struct pool *pool, struct error *err)
{
    size_t n = frame_cols(groups), kept = 0;
    const int64_t *count = column_int64s(frame_column(groups, n - 1));
    uint32_t *rows = mem_try_array(frame_rows(groups), sizeof *rows, err);
    size_t *order = mem_try_array(n, sizeof *order, err);
    struct query_key key = {.descending = true};
    struct frame *some = NULL, *turned = NULL, *out = NULL;
    uint32_t *sorted = NULL;

    if (rows && order) {
        for (size_t i = 0; i < frame_rows(groups); i++)
            if (count[i] > 1)
                rows[kept++] = (uint32_t)i;
        for (size_t i = 0; i < n; i++)
            order[i] = i ? i - 1 : n - 1;
        some = gather_frame(groups, rows, kept, pool, err);
    }
    if (some && (turned = frame_select(some, order, n, err)) &&
        (sorted = query_sort(turned, &key, 1, pool, NULL, err)))
        out = gather_frame(turned, sorted, kept, pool, err);
    free(sorted);
    frame_unref(turned);
    frame_unref(some);
    free(order);
    free(rows);
    return out;
}

struct frame *
overview_duplicates(const struct frame *f, const char *const *names,
                    struct pool *pool, const struct progress *progress,
                    struct error *err)
{
    const char **all = NULL;
    char copies[32], aggregate[48];
    const char *const aggregates[] = {aggregate, NULL};
    struct frame *groups = NULL, *out = NULL;

    if (!names) {
        if (!(all = mem_try_array(frame_cols(f) + 1, sizeof *all, err)))
            return NULL;
        for (size_t i = 0; i < frame_cols(f); i++)
            all[i] = frame_name(f, i);
        names = all;
    }
    free_name(f, "copies", copies);
    snprintf(aggregate, sizeof aggregate, "%s = count()", copies);
    if ((groups = verb_group(f, names, aggregates, pool, progress, err)))
        out = repeated(groups, pool, err);
    frame_unref(groups);
    free(all);
    return out;
}

/* ---- as expressions ---- */

/* Infinite values and NaN have no literal. */
static void
put_float_equals(struct buf *out, const char *name, double v)
{
    char text[STR_F64_MAX];

    if (isnan(v))
        buf_puts(out, "not (");
    expr_put_name(name, out);
    if (isnan(v)) {
        buf_puts(out, " = ");
        expr_put_name(name, out);
        buf_putc(out, ')');
    } else if (isinf(v)) {
        buf_puts(out, v > 0 ? " > 1.7976931348623157e308"
                            : " < -1.7976931348623157e308");
    } else {
        str_from_f64(v == 0 ? 0 : v, text);
        buf_printf(out, " = %s", text);
    }
}

/* The least whole number has no literal. */
static void
put_literal(struct buf *out, const struct column *c, size_t row)
{
    if (column_type(c) == COL_INT64 && column_int64s(c)[row] == INT64_MIN)
        buf_puts(out, "-9223372036854775807 - 1");
    else
        expr_put_value(c, row, out);
}

void
overview_put_equals(struct buf *out, const char *name, const struct column *c,
                    size_t row)
{
    if (!column_is_valid(c, row)) {
        expr_put_name(name, out);
        buf_puts(out, " is null");
    } else if (column_type(c) == COL_FLOAT64) {
        put_float_equals(out, name, column_float64s(c)[row]);
    } else if (column_type(c) == COL_BOOL) {
        buf_puts(out, column_bools(c)[row] ? "" : "not ");
        expr_put_name(name, out);
    } else {
        expr_put_name(name, out);
        buf_puts(out, " = ");
        put_literal(out, c, row);
    }
}

/* An edge of a bin. */
static void
put_bound(struct buf *out, const char *name, const char *sign,
          const struct column *c, size_t row)
{
    char text[STR_F64_MAX];

    expr_put_name(name, out);
    buf_printf(out, " %s ", sign);
    if (column_type(c) == COL_FLOAT64) {
        str_from_f64(column_float64s(c)[row], text);
        buf_puts(out, text);
    } else {
        put_literal(out, c, row);
    }
}

void
overview_put_range(struct buf *out, const char *name, const struct frame *bins,
                   size_t row)
{
    const struct column *from = frame_column(bins, 0);
    const struct column *to = frame_column(bins, 1);
    size_t last = frame_rows(bins) - 1;

    if (column_is_valid(from, row)) {
        put_bound(out, name, ">=", from, row);
        buf_puts(out, " and ");
        put_bound(out, name, "<", to, row);
        return;
    }
    expr_put_name(name, out); /* in no bin: not there, or not finite */
    buf_puts(out, " is null");
    if (last == 0)
        return;
    buf_puts(out, " or not (");
    put_bound(out, name, ">=", from, 0);
    buf_puts(out, " and ");
    put_bound(out, name, "<", to, last - 1);
    buf_putc(out, ')');
}

void
overview_put_any_missing(struct buf *out, const struct frame *f)
{
    size_t n = 0;

    for (size_t i = 0; i < frame_cols(f); i++) {
        if (column_missing(frame_column(f, i)) == 0)
            continue;
        buf_puts(out, n++ ? " or " : "");
        expr_put_name(frame_name(f, i), out);
        buf_puts(out, " is null");
    }
    if (n == 0)
        buf_puts(out, "false");
}
