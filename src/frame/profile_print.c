/* A profile for people: alerts first, then a line a column, then what the
 * width left out, then how columns tell the target.
 *
 * Texts of the table are printed without control characters: they may hold
 * escape sequences.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "frame/profile_part.h"

enum {
    TYPE_CELLS = 5,
    MISSING_CELLS = 6,
    DISTINCT_CELLS = 9,
    NAME_MIN = 8,
    NAME_MAX = 26,
    ALERT_HEAD = 20,  /* mark and kind */
    ALERT_INDENT = 5, /* where the text goes when that leaves no room */
    ALERTS_ALONE = 3, /* alerts of one kind that get a line each */
    SCORES_SHOWN = 12
};

struct printer {
    const struct profile *p;
    struct buf *out;
    size_t width;
    bool utf8;
    size_t name_cells, number_cells, shape_cells;
    const struct figure *figure; /* numbers of a row, in order */
    size_t n_figures;
    bool words; /* room for the kinds of alerts at the end of a row */
};

/* ---- cells ----------------------------------------------------------- */

static struct str
clean(const char *s, size_t n, struct buf *scratch)
{
    struct str in = {s, n};
    int32_t cp;

    buf_clear(scratch);
    for (size_t at = 0; (cp = str_next(in, &at)) >= 0;) {
        char utf8[4];

        if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
            cp = ' ';
        buf_add(scratch, utf8, str_put_utf8((uint32_t)cp, utf8));
    }
    return (struct str){scratch->data, scratch->len};
}

/* s in exactly `cells` cells; ".." or an ellipsis where it is cut. */
static void
put_cell(struct printer *t, struct str s, size_t cells, bool right)
{
    const char *dots = t->utf8 ? "\xe2\x80\xa6" : "..";
    size_t dots_width = t->utf8 ? 1 : 2, w = str_width(s);

    if (w > cells) {
        size_t room = cells > dots_width ? cells - dots_width : cells;

        s.n = str_fit(s, room, &w);
        buf_add(t->out, s.p, s.n);
        if (room < cells) {
            buf_puts(t->out, dots);
            w += dots_width;
        }
        buf_fill(t->out, ' ', cells - w);
        return;
    }
    if (right)
        buf_fill(t->out, ' ', cells - w);
    buf_add(t->out, s.p, s.n);
    if (!right)
        buf_fill(t->out, ' ', cells - w);
}

static void
put_dirty(struct printer *t, const char *s, size_t cells)
{
    struct buf scratch;

    buf_init(&scratch);
    put_cell(t, clean(s, str_of(s).n, &scratch), cells, false);
    t->out->failed |= scratch.failed;
    buf_fini(&scratch);
}

static void
end_line(struct buf *out)
{
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->data[--out->len] = 0;
    buf_putc(out, '\n');
}

static void
put_count(struct buf *out, size_t n)
{
    char text[STR_F64_MAX];

    buf_add(out, text, str_from_count(n, text));
}

static void
put_plural(struct buf *out, size_t n, const char *one)
{
    put_count(out, n);
    buf_printf(out, " %s%s", one, n == 1 ? "" : "s");
}

/* ---- numbers --------------------------------------------------------- */

/* Without the zeros that say nothing: "0.50" is "0.5". */
static size_t
trim_zeros(char *s, size_t n)
{
    if (!memchr(s, '.', n) || memchr(s, 'e', n))
        return n;
    while (s[n - 1] == '0')
        n--;
    return s[n - 1] == '.' ? n - 1 : n;
}

/* Five figures or more, with commas, in at most nine cells. */
static size_t
number_text(double x, enum col_type type, char out[48])
{
    double size = fabs(x);
    int digits = size >= 1 ? (int)floor(log10(size)) + 1 : 1;
    int decimals = digits < 5 ? 5 - digits : 0; /* of what has no commas */
    size_t n = 0;

    if (isnan(x))
        return (size_t)snprintf(out, 48, "-");
    if (type == COL_DATE || type == COL_TIMESTAMP) {
        double days = floor(type == COL_DATE ? x : x / 86400);

        if (fabs(days) > INT32_MAX)
            return (size_t)snprintf(out, 48, "-");
        return str_from_date((int32_t)days, out);
    }
    if (size >= 1e7 || (size > 0 && size < 1e-3))
        return (size_t)snprintf(out, 48, "%.2e", x);
    if (x < 0)
        out[n++] = '-';
    /* Four digits stay together: they are often years. */
    if (size >= 9999.95) {
        n += str_from_count((uint64_t)rint(size), out + n);
        return n;
    }
    n += (size_t)snprintf(out + n, 40, "%.*f", decimals, size);
    return trim_zeros(out, n);
}

static void
put_number(struct printer *t, double x, enum col_type type, size_t cells)
{
    char text[48];

    put_cell(t, (struct str){text, number_text(x, type, text)}, cells, true);
}

/* "12.3%", "<0.1%"; zero is left blank. */
static void
put_share(struct printer *t, size_t part, size_t whole, size_t cells)
{
    char text[32];
    double share = whole ? 100 * (double)part / (double)whole : 0;

    if (part == 0)
        snprintf(text, sizeof text, "-");
    else if (share < 0.1)
        snprintf(text, sizeof text, "<0.1%%");
    else
        snprintf(text, sizeof text, "%.1f%%", share);
    put_cell(t, str_of(text), cells, true);
}

/* ---- shapes ---------------------------------------------------------- */

static void
put_bar(struct buf *out, double share, bool utf8)
{
    static const char ascii[] = " .:-=+*#@";
    char block[4];
    int level = share > 0 ? (int)ceil(share * 8) : 0;

    if (level > 8)
        level = 8;
    if (!utf8 || level == 0)
        buf_putc(out, ascii[level]);
    else
        buf_add(out, block, str_put_utf8(0x2580 + (uint32_t)level, block));
}

/* Rows in cell `i` of `cells`: bins count by the part that lies in it. */
static double
cell_count(const struct profile_column *c, size_t i, size_t cells)
{
    double step = (double)c->n_bins / (double)cells;
    double begin = (double)i * step, end = begin + step, sum = 0;

    for (size_t b = (size_t)begin; b < c->n_bins && (double)b < end; b++) {
        double low = begin > (double)b ? begin : (double)b;
        double high = end < (double)b + 1 ? end : (double)b + 1;

        sum += (double)c->histogram[b] * (high - low);
    }
    return sum;
}

void
profile_sparkline(const struct profile_column *c, size_t cells, bool utf8,
                  struct buf *out)
{
    size_t n = c->numeric ? c->n_bins : c->n_top;
    double most = 0;

    if (n < cells)
        cells = n;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < cells; i++) {
            double x =
                c->numeric ? cell_count(c, i, cells) : (double)c->top[i].count;

            if (pass)
                put_bar(out, x / most, utf8);
            else if (x > most)
                most = x;
        }
}

/* A horizontal bar of `cells` cells, filled by share. */
static void
put_meter(struct printer *t, double share, size_t cells)
{
    size_t n = (size_t)rint(share * (double)cells);

    for (size_t i = 0; i < n && i < cells; i++)
        buf_puts(t->out, t->utf8 ? "\xe2\x96\x87" : "#");
}

/* ---- the layout ------------------------------------------------------ */

enum {
    FIGURE_MEAN = -1,
    FIGURE_SD = -2,
    FIGURE_MIN = -3,
    FIGURE_MAX = -4,
    FIGURE_SKEW = -5,
    FIGURE_ZEROS = -6
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

    /* The deviation of a date is in days. */
    if (what == FIGURE_SD && c->type == COL_TIMESTAMP)
        x /= 86400;
    if (day && what == FIGURE_SD)
        plain = true;
    put_number(t, x, plain ? COL_FLOAT64 : c->type, cells);
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
    size_t least = longest_name(t->p), i = 0;

    t->number_cells = has_days(t->p) ? 10 : 9;
    t->shape_cells = t->width >= 140 ? 12 : t->width >= 60 ? 8 : 6;
    if (least > 14)
        least = 14;
    while (sets[i].n && row_cells(t, sets[i].n) + least > t->width)
        i++;
    t->figure = sets[i].figure;
    t->n_figures = sets[i].n;

    size_t used = row_cells(t, t->n_figures);

    t->name_cells = longest_name(t->p);
    if (used + t->name_cells > t->width)
        t->name_cells = t->width > used + NAME_MIN ? t->width - used : NAME_MIN;
    t->words = used + t->name_cells + 16 <= t->width;
}

/* ---- alerts ---------------------------------------------------------- */

static const char *
level_mark(enum alert_level level, bool utf8)
{
    static const char *const marks[][2] = {
        [ALERT_NOTE] = {".", "\xc2\xb7"},
        [ALERT_WARN] = {"!", "!"},
        [ALERT_BAD] = {"x", "\xe2\x9c\x97"},
    };

    return marks[level][utf8];
}

static void
put_alert_head(struct printer *t, const struct alert *a)
{
    buf_printf(t->out, " %s ", level_mark(a->level, t->utf8));
    put_cell(t, str_of(profile_alert_word(a->kind)), 17, false);
}

/* Cells for the text of an alert. */
static size_t
room(const struct printer *t)
{
    size_t indent = t->width > ALERT_HEAD + 36 ? ALERT_HEAD : ALERT_INDENT;

    return t->width > indent + 16 ? t->width - indent : 16;
}

/* Bytes of s that go on a line: as many words as fit, one at least. */
static size_t
line_length(struct str s, size_t cells)
{
    size_t n = str_fit(s, cells, NULL), at = n;

    if (n == s.n || n == 0)
        return s.n;
    while (at > 0 && s.p[at] != ' ')
        at--;
    return at > 0 ? at : n;
}

/* s over as many lines of `cells` cells as it takes, from the second on behind
 * `indent` blanks. */
static void
put_wrapped(struct printer *t, struct str s, size_t cells, size_t indent)
{
    for (bool goes_on = false; s.n > 0; goes_on = true) {
        size_t n = line_length(s, cells);

        if (goes_on)
            buf_fill(t->out, ' ', indent);
        buf_add(t->out, s.p, n);
        end_line(t->out);
        s = str_trim((struct str){s.p + n, s.n - n});
    }
}

/* What follows the head of an alert; a narrow page has lines of its own for
 * it. */
static void
put_alert_text(struct printer *t, struct str s)
{
    bool beside = t->width > ALERT_HEAD + 36;

    if (!beside) {
        end_line(t->out);
        buf_fill(t->out, ' ', ALERT_INDENT);
    }
    put_wrapped(t, s, room(t), beside ? ALERT_HEAD : ALERT_INDENT);
}

static void
put_alert(struct printer *t, const struct alert *a)
{
    struct buf line, scratch;

    buf_init(&line);
    buf_init(&scratch);
    if (a->col >= 0)
        buf_printf(&line, "%s: ", t->p->column[a->col].name);
    buf_puts(&line, a->text);
    put_alert_head(t, a);
    put_alert_text(t, clean(line.data, line.len, &scratch));
    t->out->failed |= line.failed || scratch.failed;
    buf_fini(&line);
    buf_fini(&scratch);
}

/* Many of one kind: "12 columns: a, b, c, 9 more". */
static void
put_alert_group(struct printer *t, const struct alert *a, size_t n)
{
    struct buf line, scratch;
    size_t shown = 0, cells;

    buf_init(&line);
    buf_init(&scratch);
    buf_printf(&line, "%zu columns: ", n);
    cells = line.len;
    for (; shown < n; shown++) {
        const char *raw = t->p->column[a[shown].col].name;
        struct str name = clean(raw, str_of(raw).n, &scratch);
        size_t w = str_width(name);

        if (shown && cells + w + 12 > room(t))
            break;
        buf_printf(&line, "%s%s", shown ? ", " : "", scratch.data);
        cells += w + 2;
    }
    if (shown < n)
        buf_printf(&line, ", %zu more", n - shown);
    put_alert_head(t, a);
    put_alert_text(t, (struct str){line.data, line.len});
    t->out->failed |= line.failed || scratch.failed;
    buf_fini(&line);
    buf_fini(&scratch);
}

static void
put_alerts(struct printer *t)
{
    const struct profile *p = t->p;

    if (!p->n_alerts) {
        buf_puts(t->out, "no alerts\n");
        return;
    }
    put_plural(t->out, p->n_alerts, "alert");
    buf_putc(t->out, '\n');
    for (size_t i = 0, j; i < p->n_alerts; i = j) {
        const struct alert *a = &p->alert[i];

        for (j = i + 1; j < p->n_alerts && p->alert[j].kind == a->kind &&
                        p->alert[j].level == a->level;
             j++)
            ;
        if (j - i > ALERTS_ALONE)
            put_alert_group(t, a, j - i);
        else
            for (size_t k = i; k < j; k++)
                put_alert(t, &p->alert[k]);
    }
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
    for (size_t i = 0; i < c->n_top; i++) {
        struct str s =
            clean(c->top[i].text, str_of(c->top[i].text).n, &scratch);
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
            buf_puts(&line, t->utf8 ? "\xe2\x80\xa6" : "..");
        buf_puts(&line, share);
        used = str_width((struct str){line.data, line.len});
    }
    if (!c->n_top && c->n_distinct > 0)
        buf_printf(&line, "all differ, %zu to %zu characters", c->min_length,
                   c->max_length);
    put_cell(t, (struct str){line.data, line.len}, cells, false);
    t->out->failed |= line.failed || scratch.failed;
    buf_fini(&line);
    buf_fini(&scratch);
}

static void
put_marks(struct printer *t, size_t col)
{
    const struct profile *p = t->p;
    bool any = false;

    for (size_t i = 0; i < p->n_alerts; i++) {
        const struct alert *a = &p->alert[i];

        if (a->col != (long)col)
            continue;
        if (!any)
            buf_puts(t->out, level_mark(a->level, t->utf8));
        if (t->words) {
            const char *w = profile_alert_word(a->kind);

            buf_putc(t->out, any ? ',' : ' ');
            for (; *w; w++)
                buf_putc(t->out, *w == '_'                ? '-'
                                 : *w >= 'A' && *w <= 'Z' ? (char)(*w | 0x20)
                                                          : *w);
        }
        any = true;
    }
}

static void
put_shape(struct printer *t, const struct profile_column *c)
{
    struct buf line;

    buf_init(&line);
    profile_sparkline(c, t->shape_cells, t->utf8, &line);
    put_cell(t, (struct str){line.data, line.len}, t->shape_cells, false);
    t->out->failed |= line.failed;
    buf_fini(&line);
}

static void
put_row(struct printer *t, size_t col)
{
    const struct profile_column *c = &t->p->column[col];
    char text[STR_F64_MAX];

    buf_putc(t->out, ' ');
    put_dirty(t, c->name, t->name_cells);
    buf_putc(t->out, ' ');
    put_cell(t, str_of(short_type(c->type)), TYPE_CELLS, false);
    put_share(t, c->n_missing, c->n, MISSING_CELLS);
    put_cell(t, (struct str){text, str_from_count(c->n_distinct, text)},
             DISTINCT_CELLS, true);
    if (!profile_is_category(c))
        for (size_t i = 0; i < t->n_figures; i++) {
            buf_putc(t->out, ' ');
            put_figure(t, c, t->figure[i].what, t->number_cells);
        }
    else if (t->n_figures) {
        buf_puts(t->out, "  ");
        put_top(t, c, t->n_figures * (t->number_cells + 1) - 2);
    }
    buf_putc(t->out, ' ');
    put_shape(t, c);
    buf_putc(t->out, ' ');
    put_marks(t, col);
    end_line(t->out);
}

static void
put_heads(struct printer *t, const struct figure *figure, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_putc(t->out, ' ');
        put_cell(t, str_of(figure[i].head), t->number_cells, true);
    }
}

static void
put_columns(struct printer *t)
{
    buf_putc(t->out, '\n');
    buf_putc(t->out, ' ');
    put_cell(t, STR("column"), t->name_cells, false);
    buf_putc(t->out, ' ');
    put_cell(t, STR("type"), TYPE_CELLS, false);
    put_cell(t, STR("miss"), MISSING_CELLS, true);
    put_cell(t, STR("distinct"), DISTINCT_CELLS, true);
    put_heads(t, t->figure, t->n_figures);
    buf_puts(t->out, " shape");
    end_line(t->out);
    for (size_t i = 0; i < t->p->n_cols; i++)
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
           cells + (n + 1) * (t->number_cells + 1) <= t->width)
        n++;
    for (size_t i = 0; i < t->p->n_cols; i++)
        any = any || is_measured(&t->p->column[i]);
    if (!any || n < 2 || t->n_figures >= LENGTH(wide))
        return;
    buf_putc(t->out, '\n');
    buf_putc(t->out, ' ');
    put_cell(t, STR("number"), t->name_cells, false);
    put_heads(t, others, n);
    end_line(t->out);
    for (size_t i = 0; i < t->p->n_cols; i++) {
        const struct profile_column *c = &t->p->column[i];

        if (!is_measured(c))
            continue;
        buf_putc(t->out, ' ');
        put_dirty(t, c->name, t->name_cells);
        for (size_t k = 0; k < n; k++) {
            buf_putc(t->out, ' ');
            put_figure(t, c, others[k].what, t->number_cells);
        }
        end_line(t->out);
    }
}

/* ---- the target ------------------------------------------------------ */

/* Columns by score, best first; ties in the order of the table. */
static size_t
best_scores(const struct profile *p, size_t *best)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_cols; i++) {
        size_t at;

        if (isnan(p->column[i].target_score))
            continue;
        for (at = n; at > 0 && p->column[best[at - 1]].target_score <
                                   p->column[i].target_score;
             at--)
            if (at < SCORES_SHOWN)
                best[at] = best[at - 1];
        if (at < SCORES_SHOWN) {
            best[at] = i;
            n += n < SCORES_SHOWN;
        }
    }
    return n;
}

static void
put_scores(struct printer *t)
{
    const struct profile *p = t->p;
    size_t best[SCORES_SHOWN], n = best_scores(p, best);
    double base = p->target_classes ? 0.5 : 0;
    size_t meter = t->width > t->name_cells + 30 ? 20 : 0;
    struct buf scratch;

    if (!p->target || n == 0)
        return;
    buf_init(&scratch);
    clean(p->target, str_of(p->target).n, &scratch);
    buf_printf(t->out, "\n alone against %s (%s)\n", scratch.data,
               p->target_classes ? "AUC, 0.5 is chance"
                                 : "correlation, 0 is none");
    for (size_t i = 0; i < n; i++) {
        const struct profile_column *c = &p->column[best[i]];

        buf_putc(t->out, ' ');
        put_dirty(t, c->name, t->name_cells);
        buf_printf(t->out, " %.3f ", c->target_score);
        put_meter(t, (c->target_score - base) / (1 - base), meter);
        end_line(t->out);
    }
    t->out->failed |= scratch.failed;
    buf_fini(&scratch);
}

/* ---- the page -------------------------------------------------------- */

static void
put_summary(struct printer *t)
{
    const struct profile *p = t->p;
    size_t missing = 0;
    double bytes = (double)frame_bytes(p->frame);
    struct buf line;

    for (size_t i = 0; i < p->n_cols; i++)
        missing += p->column[i].n_missing;
    buf_init(&line);
    put_plural(&line, frame_rows(p->frame), "row");
    buf_puts(&line, " x ");
    put_plural(&line, p->n_cols, "column");
    if (bytes >= 1 << 20)
        buf_printf(&line, ", %.1f MiB, ", bytes / (1 << 20));
    else
        buf_printf(&line, ", %.0f KiB, ", ceil(bytes / 1024));
    if (missing)
        put_plural(&line, missing, "missing value");
    else
        buf_puts(&line, "nothing missing");
    buf_puts(&line, ", ");
    if (p->n_duplicates)
        put_plural(&line, p->n_duplicates, "repeated row");
    else
        buf_puts(&line, "no repeated rows");
    put_wrapped(t, (struct str){line.data, line.len},
                t->width > 2 ? t->width - 2 : 1, 2);
    t->out->failed |= line.failed;
    buf_fini(&line);
}

void
profile_print(const struct profile *p, size_t width, bool utf8, struct buf *out)
{
    struct printer t = {.p = p, .out = out, .width = width, .utf8 = utf8};

    plan(&t);
    put_summary(&t);
    put_alerts(&t);
    if (p->n_cols == 0)
        return;
    put_columns(&t);
    put_others(&t);
    put_scores(&t);
}
