/* ui/view_data_columns.c -- the columns with their summaries, and one of them
 * in detail.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/ui.h"

/* ---- the columns ---- */

/* The profile is of all columns, also those that do not show. */
static long
in_profile(const struct table *t, size_t col)
{
    return frame_find(t->all, frame_name(t->frame, col));
}

static const struct profile_column *
profile_of(const struct table *t, size_t col)
{
    long at = t && t->profile ? in_profile(t, col) : -1;

    return at >= 0 && (size_t)at < t->profile->n_cols ? &t->profile->column[at]
                                                      : NULL;
}

/* A table that was counted from another is as it must be: its values are all
 * different, and few. */
static size_t
n_alerts(const struct table *t)
{
    return t->profile && !t->tally ? t->profile->n_alerts : 0;
}

static const struct alert *
worst_alert(const struct table *t, size_t col)
{
    const struct alert *worst = NULL;
    long at = in_profile(t, col);

    for (size_t i = 0; i < n_alerts(t); i++) {
        const struct alert *a = &t->profile->alert[i];

        if (a->col == at && (!worst || a->level > worst->level))
            worst = a;
    }
    return worst;
}

static unsigned
alert_style(const struct alert *a)
{
    return a->level == ALERT_BAD    ? ROLE_ERROR
           : a->level == ALERT_WARN ? ROLE_WARN
                                    : ROLE_DIM;
}

enum { MONTH_CELLS = 7 }; /* "2026-11" */

/* As many digits as w cells have room for; a day gives way to its month. */
static void
draw_number(const struct canvas *c, int x, int y, int w, double v,
            enum col_type t)
{
    char text[STR_F64_MAX];

    if (t == COL_DATE || t == COL_TIMESTAMP) {
        str_from_date((int32_t)floor(t == COL_DATE ? v : v / 86400), text);
        if (w < (int)strlen(text) && v >= 0)
            text[MONTH_CELLS] = '\0';
    } else {
        str_from_number(v, 5, text);
        for (int digits = 4; digits > 0 && (int)strlen(text) > w; digits--)
            snprintf(text, sizeof text, "%.*g", digits, v);
    }
    draw_fit(c, x, y, w, ROLE_TEXT, DRAW_RIGHT, str_of(text));
}

/* min, median and max; or the most frequent values with their shares. */
static void
draw_spread(const struct canvas *c, int x, int y, int w,
            const struct profile_column *p)
{
    const double at[] = {p->min, p->quantile[4], p->max};
    char line[128];

    if (p->numeric && p->n > p->n_missing) {
        for (int i = 0; i < 3; i++)
            draw_number(c, x + w / 3 * i + 1, y, w / 3 - 1, at[i], p->type);
        return;
    }
    line[0] = '\0';
    for (size_t i = 0; i < p->n_top && i < 3; i++) {
        size_t n = strlen(line);

        snprintf(line + n, sizeof line - n, "%s%.14s %.0f%%", i ? "  " : "",
                 p->top[i].text,
                 100.0 * (double)p->top[i].count / (double)(p->n ? p->n : 1));
    }
    draw_fit(c, x + 2, y, w - 2, ROLE_TEXT, DRAW_LEFT, str_of(line));
}

static void
draw_shape(const struct canvas *c, int x, int y, int w,
           const struct profile_column *p)
{
    double bins[PROFILE_BINS], most = 0;
    size_t n = p->numeric ? p->n_bins : 0; /* of a text: of its lengths */

    for (size_t i = 0; i < n; i++)
        bins[i] = (double)p->histogram[i];
    if (n == 0)
        for (n = 0; n < p->n_top; n++)
            bins[n] = (double)p->top[n].count;
    /* As many bars as cells: neighbours are summed. */
    if (n > (size_t)w) {
        for (int k = 0; k < w; k++) {
            double sum = 0;

            for (size_t i = (size_t)k * n / (size_t)w;
                 i < (size_t)(k + 1) * n / (size_t)w; i++)
                sum += bins[i];
            bins[k] = sum;
        }
        n = (size_t)w;
    }
    for (size_t i = 0; i < n; i++)
        most = fmax(most, bins[i]);
    if (n > 0)
        draw_spark(c, x, y, (int)n < w ? (int)n : w, ROLE_INFO, bins, n, 0,
                   most);
}

/* Where the parts of a row begin; 0: there is no room for it. */
struct parts {
    int name_w, type, missing, distinct, spread, spread_w, shape, sign;
};

enum {
    NAME_LEAST = 12,
    NAME_FAIR = 16, /* before the shape takes room from it */
    TYPE_CELLS = 6, /* with the gap before it, as all of these */
    MISSING_CELLS = 6,
    DISTINCT_CELLS = 10,
    SPREAD_LEAST = 20,
    SHAPE_CELLS = 11,
    SIGN_CELLS = 4 /* and the scroll bar */
};

/* The name goes first; then its type, what is missing, the shape; what is left
 * tells of the values. */
static struct parts
parts_of(int w)
{
    struct parts p = {.sign = w - SIGN_CELLS + 1};
    int room = w - 1 - SIGN_CELLS, x;
    bool missing = room >= NAME_LEAST + TYPE_CELLS + MISSING_CELLS, shape;

    room -= TYPE_CELLS + (missing ? MISSING_CELLS : 0);
    shape = room >= NAME_FAIR + SHAPE_CELLS;
    room -= shape ? SHAPE_CELLS : 0;
    p.name_w = w >= 100 ? 24 : w >= 60 ? 18 : room < 24 ? room : 24;
    p.name_w = p.name_w > 0 ? p.name_w : 0;
    p.type = 1 + p.name_w + 1;
    x = p.type + TYPE_CELLS - 1;
    p.missing = missing ? x : 0;
    x += missing ? MISSING_CELLS : 0;
    p.shape = shape ? w - SIGN_CELLS - SHAPE_CELLS + 1 : 0;
    if (shape && p.shape - x > DISTINCT_CELLS + SPREAD_LEAST) {
        p.distinct = x;
        p.spread = x + DISTINCT_CELLS;
        p.spread_w = p.shape - 1 - p.spread;
    }
    return p;
}

/* What the profile says. */
static void
draw_summary(const struct canvas *c, const struct parts *at, int y,
             const struct table *t, size_t col)
{
    const struct profile_column *p = profile_of(t, col);
    const struct alert *a = worst_alert(t, col);
    char text[STR_F64_MAX];

    if (!p)
        return;
    if (at->distinct) {
        str_from_count(p->n_distinct, text);
        draw_fit(c, at->distinct, y, DISTINCT_CELLS, ROLE_TEXT, DRAW_RIGHT,
                 str_of(text));
        draw_spread(c, at->spread, y, at->spread_w, p);
    }
    if (at->shape)
        draw_shape(c, at->shape, y, SHAPE_CELLS - 1, p);
    if (a)
        draw_text(c, at->sign, y, alert_style(a),
                  a->level == ALERT_NOTE ? "·" : "▲");
    if (t->target && strcmp(t->target, frame_name(t->frame, col)) == 0)
        draw_text(c, 0, y, ROLE_ACCENT, "◎");
}

/* t is NULL for first rows: what is counted waits for all of them. */
static void
draw_column_row(const struct canvas *c, const struct parts *at, int y,
                const struct frame *f, const struct table *t, size_t col)
{
    const struct column *column = frame_column(f, col);
    const struct profile_column *p;
    size_t missing, rows;
    char text[32];

    draw_fit(c, 1, y, at->name_w, ROLE_TITLE, DRAW_LEFT,
             str_of(frame_name(f, col)));
    draw_fit(c, at->type, y, TYPE_CELLS - 1, sheet_role(column_type(column)),
             DRAW_LEFT, str_of(sheet_type(column_type(column))));
    if (!t)
        return;
    p = t->profile_beyond ? profile_of(t, col) : NULL;
    missing = p ? p->n_missing : column_missing(column);
    rows = p ? p->n : column_rows(column);
    snprintf(text, sizeof text, "%.1f",
             100.0 * (double)missing / (double)(rows ? rows : 1));
    if (at->missing)
        draw_fit(c, at->missing, y, MISSING_CELLS,
                 missing ? ROLE_WARN : ROLE_DIM, DRAW_RIGHT, str_of(text));
    draw_summary(c, at, y, t, col);
}

static void
draw_head(const struct canvas *c, const struct parts *at)
{
    int w = at->spread_w / 3;

    draw_fit(c, 1, 0, at->name_w, ROLE_DIM, DRAW_LEFT, STR("column"));
    draw_fit(c, at->type, 0, TYPE_CELLS - 1, ROLE_DIM, DRAW_LEFT, STR("type"));
    if (at->missing)
        draw_fit(c, at->missing, 0, MISSING_CELLS, ROLE_DIM, DRAW_RIGHT,
                 STR("null%"));
    if (at->distinct) {
        draw_fit(c, at->distinct, 0, DISTINCT_CELLS, ROLE_DIM, DRAW_RIGHT,
                 STR("distinct"));
        draw_fit(c, at->spread, 0, w, ROLE_DIM, DRAW_RIGHT, STR("min"));
        draw_fit(c, at->spread + w, 0, w, ROLE_DIM, DRAW_RIGHT, STR("median"));
        draw_fit(c, at->spread + 2 * w, 0, w, ROLE_DIM, DRAW_RIGHT, STR("max"));
    }
    if (at->shape)
        draw_text(c, at->shape, 0, ROLE_DIM, "shape");
}

static void
draw_nothing(struct view_data *d, const struct canvas *c)
{
    if (d->opening) {
        data_open_draw(d, c, 1);
        return;
    }
    draw_text(c, 1, 1, ROLE_TEXT, "No table is open.");
    draw_markup(c, 1, 3, ROLE_DIM,
                "<o> opens a table: csv, tsv, jsonl, arrow or parquet");
    draw_markup(c, 1, 4, ROLE_DIM, "<2> goes to the notebook");
}

bool
data_columns_head(const struct view_data *d, int rows)
{
    return rows > 3 || (size_t)rows > d->look->columns.n;
}

void
data_columns_draw(struct view *v, const struct canvas *c)
{
    struct view_data *d = data_mine(v);
    struct table as;
    const struct table *t = data_part_seen(d, &as);
    const struct frame *f = data_frame(d);
    const struct parts at = parts_of(c->w);
    int head = data_columns_head(d, c->h);

    if (!f) {
        draw_nothing(d, c);
        return;
    }
    if (head)
        draw_head(c, &at);
    /* The cursor of the columns is that of the sheet. */
    if (c->focus)
        d->look->sheet.col = d->look->columns.at;
    else
        d->look->columns.at = d->look->sheet.col;
    list_show(&d->look->columns, (size_t)(c->h - head > 0 ? c->h - head : 0));
    for (int y = head; y < c->h; y++) {
        size_t col = d->look->columns.top + (size_t)(y - head);

        if (col >= d->look->columns.n)
            break;
        draw_column_row(c, &at, y, f, t, col);
        if (d->look->sheet.width[col].marked)
            draw_text(c, 0, y, ROLE_MARK | DRAW_BOLD, "●");
        if (col == d->look->columns.at) {
            draw_select(c, (struct rect){0, y, at.name_w + 2, 1});
        }
    }
    draw_scrollbar(c, c->w - 1, head, c->h - head, d->look->columns.top,
                   d->look->columns.rows, d->look->columns.n);
}

static void
say_alerts(const struct table *t, struct buf *out)
{
    size_t bad = 0;

    for (size_t i = 0; i < n_alerts(t); i++)
        bad += t->profile->alert[i].level != ALERT_NOTE;
    if (!t->profile)
        buf_puts(out, "profiling…");
    else if (bad > 0)
        buf_printf(out, "▲ %zu alert%s", bad, bad == 1 ? "" : "s");
}

enum { RULE_CELLS = 9, LEAST_TITLE = 8, PLACE_CELLS = 18 };

/* A long name or filter leaves room for what is right of it. */
static int
title_cells(struct view_data *d, unsigned region, const struct buf *right)
{
    return d->view.layout.placed[region].w - RULE_CELLS -
           (int)str_width((struct str){right->data, right->len});
}

static void
cut_to(struct buf *left, int cells)
{
    struct str all = {left->data, left->len};

    if (cells < LEAST_TITLE || (int)str_width(all) <= cells)
        return;
    left->len = str_fit(all, (size_t)cells - 1, NULL);
    buf_puts(left, "…");
}

void
data_cut_title(struct view_data *d, unsigned region, struct buf *left,
               const struct buf *right)
{
    cut_to(left, title_cells(d, region, right));
}

static void
say_rows(const struct table *t, char *out, size_t size)
{
    struct buf b;

    buf_init(&b);
    if (t->beyond) {
        beyond_put_rows(t->beyond, &b);
        snprintf(out, size, "%s", b.data);
    } else {
        str_from_count(frame_rows(t->frame), out);
    }
    buf_fini(&b);
}

void
data_columns_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_data *d = data_mine(v);
    struct table as;
    const struct table *t = data_part_seen(d, &as);
    size_t n_tables = session_tables(data_session(d));
    char rows[3 * STR_F64_MAX], size[4 * STR_F64_MAX + 64];
    int room;

    if (d->before || (!t && d->opening)) {
        if (!data_open_bar(d))
            data_open_words(d, left);
        buf_puts(left, left->len ? " · " : "");
        data_open_title(d, left);
        return;
    }
    if (!t) {
        buf_puts(left, "data");
        return;
    }
    say_rows(t, rows, sizeof rows);
    say_alerts(t, right);
    if (d->view.layout.placed[DATA_REGION_ROWS].w == 0)
        data_make_words(d, right);
    snprintf(size, sizeof size, " · %s row%s × %zu column%s", rows,
             strcmp(rows, "1") == 0 ? "" : "s", frame_cols(t->frame),
             frame_cols(t->frame) == 1 ? "" : "s");
    room = title_cells(d, DATA_REGION_COLUMNS, right) -
           (int)str_width(str_of(size)) - (int)str_width(str_of(t->name));
    if (n_tables > 1 && room >= PLACE_CELLS) /* the tab has their number */
        buf_printf(right, "%stable %zu of %zu", right->len ? " · " : "",
                   data_table_index(d) + 1, n_tables);
    buf_puts(left, t->name);
    if (room < 0)
        cut_to(left, (int)str_width(str_of(t->name)) + room);
    buf_puts(left, size);
    if (t->steps->hidden.n > 0)
        buf_printf(left, " · %zu hidden", t->steps->hidden.n);
    if (t->beyond)
        buf_puts(left, " · larger than memory");
    if (t->n_foreign > 0)
        buf_puts(left, " · not UTF-8");
}

/* ---- one column ---- */

static int
draw_alerts(const struct canvas *c, int y, const struct table *t, long col)
{
    for (size_t i = 0; i < n_alerts(t) && y < c->h; i++) {
        const struct alert *a = &t->profile->alert[i];

        if (a->col != col)
            continue;
        draw_text(c, 1, y, alert_style(a), a->level == ALERT_NOTE ? "·" : "▲");
        y += draw_wrap(c, (struct rect){3, y, c->w - 4, c->h - y},
                       alert_style(a), str_of(a->text));
    }
    return y;
}

struct number {
    const char *name;
    double value;
    int digits; /* at least */
};

/* In one line, or more where they do not fit: none is cut.  Where the next
 * line is. */
static int
draw_line(const struct canvas *c, int y, const struct number *list, size_t n)
{
    int x = 1;

    for (size_t i = 0; i < n && y < c->h; i++) {
        double v = list[i].value;
        bool whole = fabs(v) >= 1e5 && fabs(v) < 1e15;
        char text[64];
        int w;

        w = snprintf(text, sizeof text, whole ? "%s %.*f" : "%s %.*g",
                     list[i].name, whole ? 0 : list[i].digits, v);
        if (x > 1 && x + w >= c->w) {
            x = 1;
            if (++y >= c->h)
                break;
        }
        x = draw_text(c, x, y, ROLE_TEXT, text) + 2;
    }
    return y + 1;
}

static int
draw_numbers(const struct canvas *c, int y, const struct profile_column *p)
{
    const struct number moments[] = {
        {"mean", p->mean, 6}, {"sd", p->sd, 6}, {"skew", p->skew, 3}};
    const struct number quantiles[] = {{"5%", p->quantile[1], 5},
                                       {"25%", p->quantile[3], 5},
                                       {"50%", p->quantile[4], 5},
                                       {"75%", p->quantile[5], 5},
                                       {"95%", p->quantile[7], 5}};
    const struct number range[] = {{"min", p->min, 6},
                                   {"max", p->max, 6},
                                   {"iqr", p->quantile[5] - p->quantile[3], 5},
                                   {"mad", p->mad, 5}};

    y = draw_line(c, y, moments, 3);
    y = draw_line(c, y, quantiles, 5);
    y = draw_line(c, y, range, 4);
    if (y < c->h && (p->n_zero || p->n_negative))
        draw_printf(c, 1, y++, ROLE_DIM, "zeros %zu  negative %zu", p->n_zero,
                    p->n_negative);
    return y;
}

static int
draw_top(const struct canvas *c, int y, const struct profile_column *p)
{
    int w = c->w > 46 ? 22 : c->w / 2 - 1;

    for (size_t i = 0; i < p->n_top && y < c->h; i++, y++) {
        double share = (double)p->top[i].count / (double)(p->n ? p->n : 1);
        char count[STR_F64_MAX];

        str_from_count(p->top[i].count, count);
        draw_fit(c, 1, y, w, ROLE_TEXT, DRAW_LEFT, str_of(p->top[i].text));
        draw_fit(c, 1 + w, y, 9, ROLE_DIM, DRAW_RIGHT, str_of(count));
        draw_hbar(c, 2 + w + 9, y, c->w - w - 13, ROLE_INFO, share);
    }
    return y;
}

void
data_detail_draw(struct view *v, const struct canvas *c)
{
    struct view_data *d = data_mine(v);
    struct table as;
    const struct table *t = data_part_seen(d, &as);
    const struct profile_column *p;
    int y = 0;

    if (d->before)
        data_open_draw(d, c, 0);
    if (!t || d->look->sheet.col >= frame_cols(t->frame))
        return;
    p = profile_of(t, d->look->sheet.col);
    if (!p) {
        draw_text(c, 1, 0, ROLE_DIM, "profiling…");
        return;
    }
    y = draw_alerts(c, y, t, in_profile(t, d->look->sheet.col));
    if (p->n == p->n_missing) {
        if (y < c->h)
            draw_text(c, 1, y, ROLE_DIM, p->n ? "no values" : "no rows");
        return;
    }
    if (p->numeric && y < c->h) {
        y = draw_numbers(c, y, p);
        if (c->h - y >= 2 && p->n_bins > 0) {
            int w = c->w - 2 < (int)p->n_bins ? c->w - 2 : (int)p->n_bins;

            draw_shape(c, 1, y++, w, p);
        }
    }
    if (!isnan(p->target_score) && y < c->h)
        draw_printf(c, 1, y++, ROLE_DIM, "alone against %s: %.3f",
                    t->profile->target, p->target_score);
    y = draw_top(c, y, p);
    if (y < c->h)
        draw_alerts(c, y, t, -1);
}

/* Which rows the numbers are of, where not all show. */
static void
say_scope(const struct table *t, struct buf *out)
{
    char n[STR_F64_MAX];

    if (!t || !t->profile)
        return;
    str_from_count(frame_rows(t->all), n);
    if (t->beyond && !t->profile_beyond)
        buf_printf(out, "of the first %s rows", n);
    else if (t->beyond)
        buf_puts(out, "of all rows");
    else if (t->profile_beyond) {
        str_from_count(rowset_n(t->rows), n);
        buf_printf(out, "of these %s rows", n);
    } else if (t->steps->filter[0])
        buf_printf(out, "of all %s rows", n);
}

void
data_detail_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_data *d = data_mine(v);
    struct table as;
    const char *name = data_column_name(d);

    buf_puts(left, d->before ? "loading" : name[0] ? name : "column");
    say_scope(data_part_seen(d, &as), right);
}
