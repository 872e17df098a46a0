/* engine/metric_slice.c -- the scores of parts of the rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/metric_slice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/builder.h"
#include "frame/expr.h"
#include "frame/order.h"

enum { QUARTERS = 4, LABEL_CELLS = 24, LABEL_MOST = 50, RESAMPLES = 200 };

/* Which part each row is in. */
struct cutting {
    uint32_t *part;
    char **name;
    size_t n;
};

static void
cutting_fini(struct cutting *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->name[i]);
    free(c->name);
    free(c->part);
}

/* Room for n parts, whose names come by name_add(). */
static bool
cutting_init(struct cutting *c, size_t rows, size_t n, struct error *err)
{
    return (c->part = mem_try_array(rows, sizeof *c->part, err)) &&
           (c->name = mem_try_array(n, sizeof *c->name, err));
}

static bool
name_add(struct cutting *c, const char *text, size_t len, struct error *err)
{
    char *t = mem_try_text(text, len, err);

    if (t)
        c->name[c->n++] = t;
    return t != NULL;
}

/* ---- by value ---- */

struct level {
    uint32_t code;
    size_t rows;
    struct str text;
};

static int
by_rows(const void *a, const void *b)
{
    const struct level *x = a, *y = b;

    if (x->rows != y->rows)
        return x->rows > y->rows ? -1 : 1;
    return str_cmp(x->text, y->text);
}

/* Values of a text column that occur, the most frequent first. */
static struct level *
levels_of(const struct column *c, size_t *n, struct error *err)
{
    size_t codes = dict_count(column_dict(c));
    struct level *l = mem_try_array(codes, sizeof *l, err);

    if (!l)
        return NULL;
    for (uint32_t i = 0; i < codes; i++)
        l[i] = (struct level){i, 0, dict_text(column_dict(c), i)};
    for (size_t i = 0; i < column_rows(c); i++)
        if (column_is_valid(c, i))
            l[column_codes(c)[i]].rows++;
    qsort(l, codes, sizeof *l, by_rows);
    for (*n = 0; *n < codes && l[*n].rows > 0;)
        ++*n;
    return l;
}

static bool
cut_by_value(const struct column *c, struct cutting *out, struct error *err)
{
    size_t n = 0, kept, codes = dict_count(column_dict(c));
    struct level *l = levels_of(c, &n, err);
    uint32_t *part = mem_try_array(codes, sizeof *part, err);
    bool ok;

    kept = n > SLICE_MANY ? SLICE_MANY : n;
    ok = l && part && cutting_init(out, column_rows(c), kept + 2, err);
    for (size_t i = 0; i < n && ok; i++) {
        part[l[i].code] = (uint32_t)(i < kept ? i : kept);
        if (i < kept)
            ok = name_add(out, l[i].text.p, l[i].text.n, err);
    }
    if (ok && n > kept)
        ok = name_add(out, "others", 6, err);
    for (size_t i = 0; i < column_rows(c) && ok; i++)
        out->part[i] =
            column_is_valid(c, i) ? part[column_codes(c)[i]] : (uint32_t)out->n;
    if (ok && column_missing(c) > 0)
        ok = name_add(out, "(missing)", 9, err);
    free(l);
    free(part);
    return ok;
}

/* ---- by quartile ---- */

/* A time, without seconds where they are 0. */
static void
minute_print(int64_t us, char out[STR_F64_MAX + 8])
{
    size_t n = str_from_timestamp(us, out);

    if (us % 60000000 == 0 && n > 3)
        out[n - 3] = '\0';
}

/* Dates in days, timestamps in seconds, as column_numbers() has them. */
static void
edge_print(enum col_type type, double x, char out[STR_F64_MAX + 8])
{
    if (type == COL_DATE)
        (void)str_from_date((int32_t)x, out);
    else if (type == COL_TIMESTAMP)
        minute_print(llround(x * 1e6), out);
    else
        (void)str_from_f64(x, out);
}

static bool
range_add(struct cutting *out, enum col_type type, const double edge[2],
          bool last, struct error *err)
{
    char text[96], a[STR_F64_MAX + 8], b[STR_F64_MAX + 8];

    edge_print(type, edge[0], a);
    edge_print(type, edge[1], b);
    snprintf(text, sizeof text, last ? "%s to %s" : "%s to below %s", a, b);
    return name_add(out, text, strlen(text), err);
}

/* Parts [cut, next cut), the last one closed; equal cuts are one. */
static bool
quartiles_make(const double *x, size_t m, enum col_type type, double *edge,
               struct cutting *out, struct error *err)
{
    size_t n = 0;

    edge[n++] = x[0];
    for (size_t q = 1; q < QUARTERS; q++)
        if (x[m * q / QUARTERS] > edge[n - 1])
            edge[n++] = x[m * q / QUARTERS];
    edge[n] = x[m - 1];
    for (size_t i = 0; i < n; i++)
        if (!range_add(out, type, edge + i, i + 1 == n, err))
            return false;
    return true;
}

static bool
cut_by_number(const struct column *c, struct cutting *out, struct error *err)
{
    size_t rows = column_rows(c), m = 0, n = 0;
    double *x = mem_try_array(rows, sizeof *x, err);
    double *sorted = mem_try_array(rows, sizeof *sorted, err);
    double edge[QUARTERS + 1];
    bool ok = x && sorted && cutting_init(out, rows, QUARTERS + 1, err);

    if (ok) {
        column_numbers(c, 0, rows, x);
        for (size_t i = 0; i < rows; i++)
            if (!isnan(x[i]))
                sorted[m++] = x[i];
        ok = order_numbers(sorted, m, NULL, err);
        ok = ok && (m == 0 ||
                    quartiles_make(sorted, m, column_type(c), edge, out, err));
        n = out->n;
    }
    for (size_t i = 0; i < rows && ok; i++) {
        out->part[i] = (uint32_t)(isnan(x[i]) ? n : 0);
        for (size_t j = 1; j < n; j++)
            out->part[i] += x[i] >= edge[j];
    }
    if (ok && m < rows)
        ok = name_add(out, "(missing)", 9, err);
    free(x);
    free(sorted);
    return ok;
}

static bool
cut(const struct column *c, struct cutting *out, struct error *err)
{
    enum col_type t = column_type(c);
    struct column *text;
    size_t lost;
    bool ok;

    if (t == COL_TEXT)
        return cut_by_value(c, out, err);
    if (t != COL_BOOL && t != COL_INT64)
        return cut_by_number(c, out, err);
    if (!(text = column_cast(c, COL_TEXT, &lost, err)))
        return false;
    /* Whole numbers that are many are numbers, not names. */
    ok = dict_count(column_dict(text)) > SLICE_MANY
             ? cut_by_number(c, out, err)
             : cut_by_value(text, out, err);
    column_unref(text);
    return ok;
}

/* ---- judging a part ---- */

struct part_rows {
    double *y, *p, *weight;
    uint32_t *group;
    uint16_t *guess;
};

static void
part_fini(struct part_rows *t)
{
    free(t->y);
    free(t->p);
    free(t->weight);
    free(t->group);
    free(t->guess);
}

static bool
part_init(struct part_rows *t, const struct metric_rows *r, size_t n,
          struct error *err)
{
    return (t->y = mem_try_array(n, sizeof *t->y, err)) &&
           (t->p = mem_try_array(n * r->k, sizeof *t->p, err)) &&
           (!r->weight ||
            (t->weight = mem_try_array(n, sizeof *t->weight, err))) &&
           (!r->group ||
            (t->group = mem_try_array(n, sizeof *t->group, err))) &&
           (!r->guess || (t->guess = mem_try_array(n, sizeof *t->guess, err)));
}

static void
part_copy(struct part_rows *t, const struct metric_rows *r, size_t from,
          size_t to)
{
    t->y[to] = r->y[from];
    memcpy(t->p + to * r->k, r->p + from * r->k, r->k * sizeof *t->p);
    if (t->weight)
        t->weight[to] = r->weight[from];
    if (t->group)
        t->group[to] = r->group[from];
    if (t->guess)
        t->guess[to] = r->guess[from];
}

struct judging {
    const struct metric_rows *rows;
    char *const *classes;
    const struct evaluation_options *o;
    struct pool *pool;
};

static bool
judge_part(const struct judging *g, const uint32_t *part, size_t which,
           struct evaluation *out, struct error *err)
{
    struct metric_rows r = *g->rows;
    struct evaluation_options o = *g->o;
    struct part_rows t = {0};
    size_t n = 0;
    bool ok;

    for (size_t i = 0; i < g->rows->n; i++)
        n += part[i] == which;
    r.n = n;
    if (o.resamples == 0)
        o.resamples = RESAMPLES; /* there are many parts */
    if ((ok = part_init(&t, g->rows, n, err))) {
        n = 0;
        for (size_t i = 0; i < g->rows->n; i++)
            if (part[i] == which)
                part_copy(&t, g->rows, i, n++);
        r.y = t.y;
        r.p = t.p;
        r.weight = t.weight;
        r.group = t.group;
        r.guess = t.guess;
        ok = evaluation_of(&r, g->classes, &o, g->pool, out, err);
    }
    part_fini(&t);
    return ok;
}

/* A slice for each part that the expression cuts the rows into. */
static bool
slice_by(const struct judging *g, const struct frame *f, const char *text,
         struct slices *out, struct error *err)
{
    struct expr *e = expr_parse(str_of(text), err);
    struct column *c = e ? expr_eval(e, f, g->pool, err) : NULL;
    struct cutting k = {0};
    struct slice *more = NULL;
    bool ok =
        c && cut(c, &k, err) &&
        (more = mem_try_resize(out->slice, out->n + k.n, sizeof *more, err));

    if (more)
        out->slice = more;
    for (size_t i = 0; i < k.n && ok; i++) {
        struct slice s = {.by = mem_try_text(text, strlen(text), err)};

        ok = s.by && judge_part(g, k.part, i, &s.of, err);
        if (!ok) {
            free(s.by);
            break;
        }
        s.part = k.name[i];
        k.name[i] = NULL;
        out->slice[out->n++] = s;
    }
    cutting_fini(&k);
    column_unref(c);
    expr_free(e);
    return ok || error_prefix(err, "slice '%.64s': ", text);
}

bool
slices_make(const struct frame *f, const char *const *exprs,
            const struct metric_rows *rows, char *const *classes,
            const struct evaluation_options *o, struct pool *pool,
            struct slices *out, struct error *err)
{
    struct judging g = {rows, classes, o, pool};

    *out = (struct slices){0};
    for (; exprs && *exprs; exprs++)
        if (!slice_by(&g, f, *exprs, out, err))
            return false;
    return true;
}

void
slices_fini(struct slices *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->slice[i].by);
        free(s->slice[i].part);
        evaluation_fini(&s->slice[i].of);
    }
    free(s->slice);
    *s = (struct slices){0};
}

/* ---- telling ---- */

static void
cell_left(struct buf *out, const char *text, size_t cells)
{
    size_t from = out->len;

    buf_plain(out, text, strlen(text), cells - 2);
    buf_fill(out, ' ',
             cells -
                 str_width((struct str){out->data + from, out->len - from}));
}

/* With the decimals that the whole has. */
static void
scores_line(const struct evaluation *e, const struct evaluation *whole,
            size_t n, struct buf *out)
{
    for (size_t m = 0; m < n; m++) {
        double v = e->score[m].value;
        char text[STR_F64_MAX];

        if (isnan(v))
            snprintf(text, sizeof text, "-");
        else
            str_from_decimals(
                v,
                metric_decimals(whole->score[m].metric, whole->score[m].value),
                text);
        buf_printf(out, " %11s", text);
    }
    buf_putc(out, '\n');
}

/* As wide as the names of parts are, within bounds: two times need much. */
static size_t
label_cells(const struct slices *s)
{
    size_t cells = LABEL_CELLS;

    for (size_t i = 0; i < s->n; i++) {
        size_t wide = str_width(str_of(s->slice[i].part)) + 2;

        cells = wide > cells ? wide : cells;
    }
    return cells > LABEL_MOST ? LABEL_MOST : cells;
}

void
slices_print(const struct slices *s, const struct evaluation *whole,
             size_t width, struct buf *out)
{
    size_t first = label_cells(s), n;

    if (s->n == 0)
        return;
    n = width < first + 34 ? (first > LABEL_CELLS ? 1 : 2)
                           : (width - first - 10) / 12;
    n = n > whole->n_scores ? whole->n_scores : n;
    for (size_t i = 0; i < s->n; i++) {
        const struct slice *p = &s->slice[i];
        char rows[STR_F64_MAX];

        if (i == 0 || strcmp(p[-1].by, p->by) != 0) {
            buf_putc(out, '\n');
            cell_left(out, p->by, first);
            buf_printf(out, "%10s", "rows");
            for (size_t m = 0; m < n; m++)
                buf_printf(out, " %11.11s", whole->score[m].metric->name);
            buf_putc(out, '\n');
        }
        str_from_count(p->of.n, rows);
        cell_left(out, p->part, first);
        buf_printf(out, "%10s", rows);
        scores_line(&p->of, whole, n, out);
    }
}

void
slices_json(const struct slices *s, struct json_writer *w)
{
    json_open(w, '[');
    for (size_t i = 0; i < s->n; i++) {
        json_open(w, '{');
        json_name(w, "slice");
        json_put_string(w, s->slice[i].by);
        json_name(w, "part");
        json_put_string(w, s->slice[i].part);
        json_name(w, "evaluation");
        evaluation_json(&s->slice[i].of, w);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* Names of the columns of the frame; text: room for those of the metrics. */
static void
columns_of(const struct evaluation *e, const char **names, enum col_type *types,
           char (*text)[METRIC_NAME + 8])
{
    static const char *const first[] = {"slice", "part", "rows"};
    static const char *const part[] = {"", "_low", "_high"};
    size_t n = 0;

    for (; n < 3; n++) {
        names[n] = first[n];
        types[n] = n < 2 ? COL_TEXT : COL_INT64;
    }
    for (size_t m = 0; m < e->n_scores; m++)
        for (size_t j = 0; j < 3; j++, n++) {
            snprintf(text[n], sizeof text[n], "%s%s", e->score[m].metric->name,
                     part[j]);
            names[n] = text[n];
            types[n] = COL_FLOAT64;
        }
}

static bool
slice_row(struct builder *b, const struct slice *s, struct error *err)
{
    if (!builder_text(b, 0, str_of(s->by), err) ||
        !builder_text(b, 1, str_of(s->part), err) ||
        !builder_i64(b, 2, (int64_t)s->of.n, err))
        return false;
    for (size_t m = 0; m < s->of.n_scores; m++) {
        const struct scored *x = &s->of.score[m];
        const double v[] = {x->value, x->low, x->high};

        for (size_t j = 0; j < 3; j++)
            if (!isnan(v[j]) && !builder_f64(b, 3 + 3 * m + j, v[j], err))
                return false;
    }
    return builder_end_row(b, err);
}

struct frame *
slices_frame(const struct slices *s, struct error *err)
{
    enum { COLUMNS = 3 + 3 * METRIC_MAX };
    char text[COLUMNS][METRIC_NAME + 8];
    const char *names[COLUMNS];
    enum col_type types[COLUMNS];
    struct builder *b;

    if (s->n == 0)
        return frame_new(0, 0, NULL, NULL, err);
    columns_of(&s->slice[0].of, names, types, text);
    b = builder_new(3 + 3 * s->slice[0].of.n_scores, names, types, err);
    for (size_t i = 0; i < s->n && b; i++)
        if (!slice_row(b, &s->slice[i], err)) {
            builder_free(b);
            return NULL;
        }
    return b ? builder_finish(b, err) : NULL;
}
