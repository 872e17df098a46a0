/* A profile for people: alerts first, then a line a column, then what the
 * width left out, then how columns tell the target and each other.
 *
 * Texts of the table are printed without control characters: they may hold
 * escape sequences.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "frame/profile_page.h"

enum {
    TYPE_CELLS = 5,
    MISSING_CELLS = 6,
    DISTINCT_CELLS = 9,
    NAME_MIN = 8,
    NAME_MAX = 26
};

struct printer {
    struct page at;
    size_t name_cells, number_cells, shape_cells;
    const struct figure *figure; /* numbers of a row, in order */
    size_t n_figures;
    size_t words; /* cells for the kinds of alerts at the end of a row */
};

/* ---- the layout ------------------------------------------------------ */

enum {
    FIGURE_MEAN = -1,
    FIGURE_SD = -2,
    FIGURE_MIN = -3,
    FIGURE_MAX = -4,
    FIGURE_SKEW = -5
};

/* One number of a column: a quantile by its index, or one of the above. */
struct figure {
    const char *head;
    int what;
};

static const struct figure widest[] = {
    {"mean", FIGURE_MEAN},
    {"sd", FIGURE_SD},
    {"min", FIGURE_MIN},
    {"5%", 1},
    {"25%", 3},
    {"median", 4},
    {"75%", 5},
    {"95%", 7},
    {"max", FIGURE_MAX},
    {"skew", FIGURE_SKEW},
};
static const struct figure wide[] = {
    {"mean", FIGURE_MEAN}, {"sd", FIGURE_SD}, {"min", FIGURE_MIN}, {"25%", 3},
    {"median", 4},         {"75%", 5},        {"max", FIGURE_MAX}};
static const struct figure narrow[] = {
    {"min", FIGURE_MIN}, {"median", 4}, {"max", FIGURE_MAX}};
static const struct figure narrowest[] = {{"median", 4}};
/* What the second table of a narrow page adds. */
static const struct figure others[] = {{"mean", FIGURE_MEAN},
                                       {"sd", FIGURE_SD},
                                       {"5%", 1},
                                       {"25%", 3},
                                       {"75%", 5},
                                       {"95%", 7},
                                       {"skew", FIGURE_SKEW}};

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static double
figure_of(const struct profile_column *c, int what)
{
    switch (what) {
    case FIGURE_MEAN:
        return c->mean;
    case FIGURE_SD:
        return c->sd;
    case FIGURE_MIN:
        return c->min;
    case FIGURE_MAX:
        return c->max;
    case FIGURE_SKEW:
        return c->skew;
    default:
        return c->quantile[what];
    }
}

static void
put_figure(struct printer *t, const struct profile_column *c, int what,
           size_t cells)
{
    bool plain = what == FIGURE_SKEW;
    bool day = c->type == COL_DATE || c->type == COL_TIMESTAMP;
    double x = figure_of(c, what);
    char text[1 + 48];

    /* The deviation of a date is in days. */
    if (what == FIGURE_SD && c->type == COL_TIMESTAMP)
        x /= 86400;
    if (day && what == FIGURE_SD)
        plain = true;
    if (what < 0 || !(c->estimated & ESTIMATE_QUANTILES) || isnan(x)) {
        page_number(&t->at, x, plain ? COL_FLOAT64 : c->type, cells);
        return;
    }
    text[0] = '~';
    page_cell(&t->at,
              (struct str){text, 1 + page_number_text(x, c->type, text + 1)},
              cells, true);
}

static size_t
longest_name(const struct profile *p)
{
    size_t most = NAME_MIN;

    for (size_t i = 0; i < p->n_cols; i++) {
        size_t w = str_width(str_of(p->column[i].name));

        most = w > most ? w : most;
    }
    return most < NAME_MAX ? most : NAME_MAX;
}

static bool
has_days(const struct profile *p)
{
    for (size_t i = 0; i < p->n_cols; i++)
        if (p->column[i].type == COL_DATE || p->column[i].type == COL_TIMESTAMP)
            return true;
    return false;
}

static bool
has_estimates(const struct profile *p)
{
    for (size_t i = 0; i < p->n_cols; i++)
        if (p->column[i].estimated)
            return true;
    return false;
}

/* Cells of a row beside its name, with n figures. */
static size_t
row_cells(const struct printer *t, size_t n)
{
    return 1 + 1 + TYPE_CELLS + MISSING_CELLS + DISTINCT_CELLS +
           n * (t->number_cells + 1) + 1 + t->shape_cells + 2;
}

static void
plan(struct printer *t)
{
    static const struct {
        const struct figure *figure;
        size_t n;
    } sets[] = {{widest, LENGTH(widest)},
                {wide, LENGTH(wide)},
                {narrow, LENGTH(narrow)},
                {narrowest, LENGTH(narrowest)},
                {NULL, 0}};
    size_t least = longest_name(t->at.p), i = 0;

    t->number_cells = (has_days(t->at.p) ? 10 : 9) + has_estimates(t->at.p);
    t->shape_cells = t->at.width >= 140 ? 12 : t->at.width >= 60 ? 8 : 6;
    if (least > 14)
        least = 14;
    while (sets[i].n && row_cells(t, sets[i].n) + least > t->at.width)
        i++;
    t->figure = sets[i].figure;
    t->n_figures = sets[i].n;

    size_t used = row_cells(t, t->n_figures);

    t->name_cells = longest_name(t->at.p);
    if (used + t->name_cells > t->at.width)
        t->name_cells =
            t->at.width > used + NAME_MIN ? t->at.width - used : NAME_MIN;
    t->words = used + t->name_cells + 18 <= t->at.width
                   ? t->at.width - used - t->name_cells
                   : 0;
}

/* ---- the table of columns -------------------------------------------- */

static const char *
short_type(enum col_type type)
{
    return type == COL_TIMESTAMP ? "time" : column_type_word(type);
}

/* "No 73.5%, Yes 26.5%": as many as fit. */
static void
put_top(struct printer *t, const struct profile_column *c, size_t cells)
{
    struct buf line, scratch;
    size_t used = 0, longest = cells > 44 ? 20 : cells > 12 ? cells - 10 : 4;

    buf_init(&line);
    buf_init(&scratch);
    if (c->n_top && c->estimated & ESTIMATE_TOP)
        buf_putc(&line, '~');
    for (size_t i = 0; i < c->n_top; i++) {
        struct str s =
            page_clean(c->top[i].text, str_of(c->top[i].text).n, &scratch);
        size_t w = str_width(s), full = w;
        char share[16];

        if (w > longest)
            s.n = str_fit(s, longest, &w);
        snprintf(share, sizeof share, " %.1f%%",
                 100 * (double)c->top[i].count / (double)(c->n - c->n_missing));
        if (used + w + strlen(share) + 2 > cells && i > 0)
            break;
        buf_puts(&line, i ? ", " : "");
        if (s.n)
            buf_add(&line, s.p, s.n);
        else
            buf_puts(&line, "''");
        if (w < full)
            buf_puts(&line, t->at.utf8 ? "\xe2\x80\xa6" : "..");
        buf_puts(&line, share);
        used = str_width((struct str){line.data, line.len});
    }
    if (!c->n_top && c->n_distinct > 0)
        buf_printf(&line, "%s, %zu to %zu characters",
                   c->estimated ? "none is frequent" : "all differ",
                   c->min_length, c->max_length);
    page_cell(&t->at, (struct str){line.data, line.len}, cells, false);
    t->at.out->failed |= line.failed || scratch.failed;
    buf_fini(&line);
    buf_fini(&scratch);
}

/* HIGH_CARDINALITY as high-cardinality. */
static void
put_lower(struct buf *out, const char *w)
{
    for (; *w; w++)
        buf_putc(out, *w == '_'                ? '-'
                      : *w >= 'A' && *w <= 'Z' ? (char)(*w | 0x20)
                                               : *w);
}

static void
put_marks(struct printer *t, size_t col)
{
    const struct profile *p = t->at.p;
    size_t left = t->words;
    bool any = false;

    for (size_t i = 0; i < p->n_alerts; i++) {
        const struct alert *a = &p->alert[i];
        const char *w = profile_alert_word(a->kind);

        if (a->col != (long)col)
            continue;
        if (!any)
            buf_puts(t->at.out, page_mark(a->level, t->at.utf8));
        if (strlen(w) + 2 < left) {
            buf_putc(t->at.out, any ? ',' : ' ');
            put_lower(t->at.out, w);
            left -= strlen(w) + 1;
        } else if (left > 2) {
            buf_puts(t->at.out, ",+");
            left = 0;
        }
        any = true;
    }
}

static void
put_shape(struct printer *t, const struct profile_column *c)
{
    struct buf line;

    buf_init(&line);
    profile_sparkline(c, t->shape_cells, t->at.utf8, &line);
    page_cell(&t->at, (struct str){line.data, line.len}, t->shape_cells, false);
    t->at.out->failed |= line.failed;
    buf_fini(&line);
}

static void
put_row(struct printer *t, size_t col)
{
    const struct profile_column *c = &t->at.p->column[col];
    char text[48];

    buf_putc(t->at.out, ' ');
    page_dirty(&t->at, c->name, t->name_cells);
    buf_putc(t->at.out, ' ');
    page_cell(&t->at, str_of(short_type(c->type)), TYPE_CELLS, false);
    page_share(&t->at, c->n_missing, c->n, MISSING_CELLS);
    page_cell(&t->at, (struct str){text, page_distinct_text(c, text)},
              DISTINCT_CELLS, true);
    if (!profile_is_category(c))
        for (size_t i = 0; i < t->n_figures; i++) {
            buf_putc(t->at.out, ' ');
            put_figure(t, c, t->figure[i].what, t->number_cells);
        }
    else if (t->n_figures) {
        buf_puts(t->at.out, "  ");
        put_top(t, c, t->n_figures * (t->number_cells + 1) - 2);
    }
    buf_putc(t->at.out, ' ');
    put_shape(t, c);
    buf_putc(t->at.out, ' ');
    put_marks(t, col);
    page_end_line(t->at.out);
}

static void
put_heads(struct printer *t, const struct figure *figure, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_putc(t->at.out, ' ');
        page_cell(&t->at, str_of(figure[i].head), t->number_cells, true);
    }
}

static void
put_columns(struct printer *t)
{
    buf_putc(t->at.out, '\n');
    buf_putc(t->at.out, ' ');
    page_cell(&t->at, STR("column"), t->name_cells, false);
    buf_putc(t->at.out, ' ');
    page_cell(&t->at, STR("type"), TYPE_CELLS, false);
    page_cell(&t->at, STR("miss"), MISSING_CELLS, true);
    page_cell(&t->at, STR("distinct"), DISTINCT_CELLS, true);
    put_heads(t, t->figure, t->n_figures);
    buf_puts(t->at.out, " shape");
    page_end_line(t->at.out);
    for (size_t i = 0; i < t->at.p->n_cols; i++)
        put_row(t, i);
}

/* ---- the rest of the numbers, on a narrow page ------------------------ */

static bool
is_measured(const struct profile_column *c)
{
    return c->n_distinct > 0 && !profile_is_category(c);
}

static void
put_others(struct printer *t)
{
    size_t cells = t->name_cells + 1;
    size_t n = 0;
    bool any = false;

    while (n < LENGTH(others) &&
           cells + (n + 1) * (t->number_cells + 1) <= t->at.width)
        n++;
    for (size_t i = 0; i < t->at.p->n_cols; i++)
        any = any || is_measured(&t->at.p->column[i]);
    if (!any || n < 2 || t->n_figures >= LENGTH(wide))
        return;
    buf_putc(t->at.out, '\n');
    buf_putc(t->at.out, ' ');
    page_cell(&t->at, STR("number"), t->name_cells, false);
    put_heads(t, others, n);
    page_end_line(t->at.out);
    for (size_t i = 0; i < t->at.p->n_cols; i++) {
        const struct profile_column *c = &t->at.p->column[i];

        if (!is_measured(c))
            continue;
        buf_putc(t->at.out, ' ');
        page_dirty(&t->at, c->name, t->name_cells);
        for (size_t k = 0; k < n; k++) {
            buf_putc(t->at.out, ' ');
            put_figure(t, c, others[k].what, t->number_cells);
        }
        page_end_line(t->at.out);
    }
}

/* What is not exact, and by how much. */
static void
put_errors(struct printer *t)
{
    struct buf line;

    if (!has_estimates(t->at.p))
        return;
    buf_init(&line);
    buf_puts(&line, "~ estimates: ");
    profile_errors_text(t->at.p, &line);
    buf_puts(t->at.out, "\n ");
    page_wrapped(&t->at, (struct str){line.data, line.len},
                 t->at.width > 3 ? t->at.width - 3 : 1, 3);
    t->at.out->failed |= line.failed;
    buf_fini(&line);
}

/* ---- the page -------------------------------------------------------- */

static void
put_summary(struct printer *t)
{
    const struct profile *p = t->at.p;
    size_t missing = 0;
    double bytes = (double)p->bytes;
    struct buf line;

    for (size_t i = 0; i < p->n_cols; i++)
        missing += p->column[i].n_missing;
    buf_init(&line);
    page_plural(&line, p->n_rows, "row");
    buf_puts(&line, " x ");
    page_plural(&line, p->n_cols, "column");
    if (bytes >= 1 << 30)
        buf_printf(&line, ", %.1f GiB, ", bytes / (1 << 30));
    else if (bytes >= 1 << 20)
        buf_printf(&line, ", %.1f MiB, ", bytes / (1 << 20));
    else
        buf_printf(&line, ", %.0f KiB, ", ceil(bytes / 1024));
    if (missing)
        page_plural(&line, missing, "missing value");
    else
        buf_puts(&line, "nothing missing");
    buf_puts(&line, ", ");
    if (p->n_duplicates)
        page_plural(&line, p->n_duplicates, "repeated row");
    else
        buf_puts(&line, "no repeated rows");
    page_wrapped(&t->at, (struct str){line.data, line.len},
                 t->at.width > 2 ? t->at.width - 2 : 1, 2);
    t->at.out->failed |= line.failed;
    buf_fini(&line);
}

void
profile_print(const struct profile *p, size_t width, bool utf8, struct buf *out)
{
    struct printer t = {
        .at = {.p = p, .out = out, .width = width, .utf8 = utf8}};

    plan(&t);
    put_summary(&t);
    page_alerts(&t.at);
    if (p->n_cols == 0)
        return;
    put_columns(&t);
    put_others(&t);
    put_errors(&t);
    page_against(&t.at, t.name_cells);
    page_series(&t.at, t.name_cells);
    page_scores(&t.at, t.name_cells);
    page_links(&t.at, t.name_cells);
    page_missing(&t.at);
}
