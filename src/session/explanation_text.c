/* session/explanation_text.c -- explanations in text cells.
 *
 * Shares of many rows are a strip for each feature: how many rows have which
 * share, all on one axis, as a bee swarm seen from above; an arrow says whether
 * larger values of the feature have larger shares.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "session/explanation.h"
#include "session/plot.h"
#include "session/summary.h"

enum {
    NUMBER_CELLS = 10,
    DIGITS = 4,
    NAME_CELLS = 28,
    ROWS_SHOWN = 20,
    PAIRS_SHOWN = 15,
    BAR_CELLS = 16,
    CHART_ROWS = 14,
    CLASS_MAX = 7
};
#define TREND 0.3 /* a correlation from which there is an arrow */

static void
put_glyph(struct buf *out, const char *full, const char *ascii, bool plain)
{
    buf_puts(out, plain ? ascii : full);
}

static void
put_bar(struct buf *out, size_t cells, bool plain)
{
    for (size_t i = 0; i < cells; i++)
        put_glyph(out, "▇", "#", plain);
}

static size_t
bar_of(double x, double top, size_t cells)
{
    if (!(top > 0) || !isfinite(x))
        return 0;
    return (size_t)(fmin(fabs(x) / top, 1) * (double)cells + 0.5);
}

/* In a column of numbers; `sign`: also of those above 0. */
static void
put_number(struct buf *out, double x, int decimals, bool sign)
{
    char text[STR_F64_MAX];
    size_t n = str_from_decimals(x, decimals, text) + (sign && x >= 0);

    buf_fill(out, ' ', n < NUMBER_CELLS ? 1 + NUMBER_CELLS - n : 1);
    buf_puts(out, sign && x >= 0 ? "+" : "");
    buf_puts(out, text);
}

/* A name in `cells` cells. */
static void
put_name(struct buf *out, struct str name, size_t cells)
{
    size_t from = out->len, used;

    buf_plain(out, name.p, name.n, cells);
    used = str_width((struct str){out->data + from, out->len - from});
    buf_fill(out, ' ', used < cells ? cells - used : 0);
}

/* The widest of the first names of a column, within bounds. */
static size_t
name_cells(const struct column *c, size_t n)
{
    size_t widest = 6;

    for (size_t i = 0; i < column_rows(c) && i < n; i++) {
        size_t w = str_width(column_text(c, i));

        widest = w > widest ? w : widest;
    }
    return widest < NAME_CELLS ? widest : NAME_CELLS;
}

static void
put_rest(size_t n, size_t shown, struct buf *out)
{
    if (n > shown)
        buf_printf(out, "  and %zu more\n", n - shown);
}

static const struct explain_names *
names_of(const struct explanation *e)
{
    return e->shares.names.n ? &e->shares.names : &e->effect.names;
}

/* Classes are told in their order, the first ones. */
static void
put_other_classes(const struct explanation *e, size_t n, struct buf *out)
{
    if (n > CLASS_MAX)
        buf_printf(out, "and %zu more %s: --class NAME tells of one\n",
                   n - CLASS_MAX, names_of(e)->words);
}

/* ---- shares of many rows ---- */

size_t
explanation_feature(const struct explanation *e, struct str name)
{
    const struct shares *s = &e->shares;

    for (size_t j = 0; j < s->n_features; j++)
        if (str_eq(str_of(s->feature[j]), name))
            return j;
    return SIZE_MAX;
}

/* The correlation of values and shares, 0 where the feature is no number of
 * the table. */
static double
tendency(const struct explanation *e, size_t feature, size_t output)
{
    const struct shares *s = &e->shares;
    long col = frame_find(e->rows, s->feature[feature]);
    const struct column *c;
    double n = 0, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0, d;

    if (col < 0)
        return 0;
    c = frame_column(e->rows, (size_t)col);
    for (size_t r = 0; r < s->n && column_type(c) != COL_TEXT; r++) {
        double x = column_number(c, r), y = shares_at(s, r, output)[feature];

        if (!isfinite(x))
            continue;
        n++;
        sx += x;
        sy += y;
        sxx += x * x;
        syy += y * y;
        sxy += x * y;
    }
    d = (n * sxx - sx * sx) * (n * syy - sy * sy);
    return d > 0 ? (n * sxy - sx * sy) / sqrt(d) : 0;
}

int
explanation_trend(const struct explanation *e, size_t feature, size_t output)
{
    double t = tendency(e, feature, output);

    return t > TREND ? 1 : t < -TREND ? -1 : 0;
}

struct explanation_axis
explanation_axis(const struct explanation *e, size_t output, size_t cells)
{
    const struct shares *s = &e->shares;
    struct explanation_axis a = {.cells = cells};

    for (size_t r = 0; r < s->n; r++)
        for (size_t j = 0; j < s->n_features; j++) {
            double v = shares_at(s, r, output)[j];

            a.low = fmin(a.low, v);
            a.high = fmax(a.high, v);
        }
    return a;
}

size_t
explanation_cell(const struct explanation_axis *a, double share)
{
    double at = a->high > a->low
                    ? (share - a->low) / (a->high - a->low) * (double)a->cells
                    : 0;

    return at < (double)a->cells ? (size_t)at : a->cells - 1;
}

void
explanation_strip(const struct explanation *e, size_t output, size_t feature,
                  const struct explanation_axis *a, uint8_t *level)
{
    const struct shares *s = &e->shares;
    size_t count[EXPLANATION_CELLS] = {0}, most = 0;

    for (size_t r = 0; r < s->n; r++)
        count[explanation_cell(a, shares_at(s, r, output)[feature])]++;
    for (size_t i = 0; i < a->cells; i++)
        most = count[i] > most ? count[i] : most;
    for (size_t i = 0; i < a->cells; i++) {
        double part = most ? sqrt((double)count[i] / (double)most) : 0;

        level[i] =
            count[i] ? (uint8_t)(1 + part * (EXPLANATION_LEVELS - 0.01)) : 0;
    }
}

static void
put_strip(const struct explanation *e, size_t output, size_t feature,
          const struct explanation_axis *a, bool plain, struct buf *out)
{
    static const char *const full[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const ascii[] = {".", ".", ":", ":", "+", "+", "#", "#"};
    uint8_t level[EXPLANATION_CELLS];
    size_t zero = explanation_cell(a, 0);

    explanation_strip(e, output, feature, a, level);
    for (size_t i = 0; i < a->cells; i++)
        if (level[i] > 0)
            put_glyph(out, full[level[i] - 1], ascii[level[i] - 1], plain);
        else
            put_glyph(out, i == zero ? "│" : " ", i == zero ? "|" : " ", plain);
}

static void
put_arrow(int trend, bool plain, struct buf *out)
{
    if (trend > 0)
        put_glyph(out, "↗", "/", plain);
    else if (trend < 0)
        put_glyph(out, "↘", "\\", plain);
    else
        buf_putc(out, ' ');
}

/* The ends of the axis, and zero where there is room between. */
static void
put_axis(const struct explanation_axis *axis, size_t indent, struct buf *out)
{
    char left[STR_F64_MAX], right[STR_F64_MAX];
    size_t zero = explanation_cell(axis, 0), cells = axis->cells, a, b;

    a = str_from_number(axis->low, 3, left);
    b = str_from_number(axis->high, 3, right);
    buf_fill(out, ' ', indent);
    buf_puts(out, left);
    if (zero > a + 1 && zero + 2 + b < cells) {
        buf_fill(out, ' ', zero - a);
        buf_putc(out, '0');
        buf_fill(out, ' ', cells - zero - 1 - b);
    } else {
        buf_fill(out, ' ', cells > a + b ? cells - a - b : 1);
    }
    buf_puts(out, right);
    buf_putc(out, '\n');
}

static void
put_strips(const struct explanation *e, size_t output, size_t width, bool plain,
           struct buf *out)
{
    const struct shares *s = &e->shares;
    const struct column *names = frame_column(e->ranking, 0);
    size_t n = frame_rows(e->ranking), cells = name_cells(names, ROWS_SHOWN);
    size_t used = cells + 16;
    size_t strip = width > used + 20 ? width - used : 20;
    struct error nomem;
    double *mean = mem_try_array(s->n_features, sizeof *mean, &nomem);
    struct explanation_axis axis =
        explanation_axis(e, output, strip < 60 ? strip : 60);
    double top = 0;

    if (!mean) {
        out->failed = true;
        return;
    }
    shares_mean(s, (long)output, mean);
    for (size_t j = 0; j < s->n_features; j++)
        top = fmax(top, mean[j]);
    put_axis(&axis, used, out);
    for (size_t i = 0; i < n && i < ROWS_SHOWN; i++) {
        size_t j = explanation_feature(e, column_text(names, i));

        buf_puts(out, "  ");
        put_name(out, column_text(names, i), cells);
        put_number(out, mean[j], str_decimals(top, DIGITS), false);
        buf_putc(out, ' ');
        put_arrow(explanation_trend(e, j, output), plain, out);
        buf_putc(out, ' ');
        put_strip(e, output, j, &axis, plain, out);
        while (out->len && out->data[out->len - 1] == ' ')
            out->len--;
        buf_putc(out, '\n');
    }
    put_rest(n, ROWS_SHOWN, out);
    free(mean);
}

static void
put_class(const struct explanation *e, size_t output, struct buf *out)
{
    const struct explain_names *names = names_of(e);

    if (names->n == 0)
        return;
    buf_printf(out, "%s ", names->word);
    buf_plain(out, names->name[output], strlen(names->name[output]),
              NAME_CELLS);
    buf_putc(out, '\n');
}

static void
text_shares(const struct explanation *e, size_t width, bool plain,
            struct buf *out)
{
    size_t first = e->output < 0 ? 0 : (size_t)e->output;
    size_t last = e->output < 0 ? e->shares.k : first + 1;

    for (size_t c = first; c < last && c < first + CLASS_MAX; c++) {
        put_class(e, c, out);
        put_strips(e, c, width, plain, out);
    }
    put_other_classes(e, last - first, out);
}

/* ---- one row ---- */

static int
by_size(const void *a, const void *b)
{
    const double *x = a, *y = b; /* share, feature */

    if (fabs(x[0]) != fabs(y[0]))
        return fabs(x[0]) > fabs(y[0]) ? -1 : 1;
    return x[1] < y[1] ? -1 : x[1] > y[1];
}

/* "contract = Month-to-month". */
static void
put_value(const struct explanation *e, size_t feature, struct buf *out)
{
    const char *name = e->shares.feature[feature];
    long col = frame_find(e->rows, name);

    buf_puts(out, name);
    if (col < 0)
        return;
    buf_puts(out, " = ");
    if (column_is_valid(frame_column(e->rows, (size_t)col), 0))
        column_print(frame_column(e->rows, (size_t)col), 0, out);
    else
        buf_puts(out, "missing");
}

/* A bar to the left of the middle or to the right of it. */
static void
put_turn(double x, double top, bool plain, struct buf *out)
{
    size_t bar = bar_of(x, top, BAR_CELLS);

    buf_fill(out, ' ', x < 0 ? BAR_CELLS - bar : BAR_CELLS);
    if (x < 0)
        put_bar(out, bar, plain);
    put_glyph(out, "│", "|", plain);
    if (x >= 0)
        put_bar(out, bar, plain);
    buf_putc(out, '\n');
}

static void
put_fall(const struct explanation *e, size_t output, size_t cells, bool plain,
         struct buf *out)
{
    const struct shares *s = &e->shares;
    const double *v = shares_at(s, 0, output);
    struct error nomem;
    double *order = mem_try_array(s->n_features, 2 * sizeof *order, &nomem);
    double rest = 0, margin = shares_margin(s, 0, output);
    size_t n = s->n_features;
    int decimals;
    struct buf label;

    if (!order) {
        out->failed = true;
        return;
    }
    buf_init(&label);
    for (size_t j = 0; j < n; j++) {
        order[2 * j] = v[j];
        order[2 * j + 1] = (double)j;
    }
    qsort(order, n, 2 * sizeof *order, by_size);
    decimals = str_decimals(fmax(fabs(v[n]), fabs(margin)), DIGITS);
    buf_puts(out, "  ");
    put_name(out, STR("base"), cells);
    put_number(out, v[n], decimals, false);
    buf_putc(out, '\n');
    for (size_t i = 0; i < n; i++) {
        if (i >= ROWS_SHOWN) {
            rest += order[2 * i];
            continue;
        }
        buf_clear(&label);
        put_value(e, (size_t)order[2 * i + 1], &label);
        buf_puts(out, "  ");
        put_name(out, (struct str){label.data, label.len}, cells);
        put_number(out, order[2 * i], decimals, true);
        buf_puts(out, "  ");
        put_turn(order[2 * i], fabs(order[0]), plain, out);
    }
    if (n > ROWS_SHOWN) {
        buf_puts(out, "  ");
        put_name(out, STR("all others"), cells);
        put_number(out, rest, decimals, true);
        buf_putc(out, '\n');
    }
    buf_puts(out, "  ");
    put_name(out, str_of(s->scale), cells);
    put_number(out, margin, decimals, false);
    buf_putc(out, '\n');
    buf_fini(&label);
    free(order);
}

/* "probability 0.743, prediction Yes". */
static void
put_answer(const struct explanation *e, size_t cells, struct buf *out)
{
    const struct frame *f = e->answer;
    struct buf text;

    if (!f)
        return;
    buf_init(&text);
    buf_puts(out, "  ");
    put_name(out, STR("answer"), cells);
    for (size_t c = 0; c < frame_cols(f) && c <= CLASS_MAX; c++) {
        const struct column *v = frame_column(f, c);

        buf_printf(&text, "%s%s ", c ? ", " : " ", frame_name(f, c));
        if (column_type(v) == COL_FLOAT64)
            buf_number(&text, column_number(v, 0), DIGITS);
        else
            column_print(v, 0, &text);
    }
    buf_plain(out, text.data, text.len, 0);
    buf_fini(&text);
    buf_printf(out, "%s\n", frame_cols(f) > CLASS_MAX + 1 ? ", ..." : "");
}

static void
text_row(const struct explanation *e, size_t width, bool plain, struct buf *out)
{
    size_t first = e->output < 0 ? 0 : (size_t)e->output;
    size_t last = e->output < 0 ? e->shares.k : first + 1;
    size_t used = 2 * BAR_CELLS + 18;
    size_t cells = width > used + 20 ? width - used : 20;

    for (size_t c = first; c < last && c < first + CLASS_MAX; c++) {
        put_class(e, c, out);
        put_fall(e, c, cells < 44 ? cells : 44, plain, out);
    }
    put_answer(e, cells < 44 ? cells : 44, out);
    put_other_classes(e, last - first, out);
}

/* ---- pairs ---- */

struct pair {
    double mean;
    size_t a, b;
};

static int
by_mean(const void *pa, const void *pb)
{
    const struct pair *x = pa, *y = pb;

    if (x->mean != y->mean)
        return x->mean > y->mean ? -1 : 1;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return x->b < y->b ? -1 : x->b > y->b;
}

/* What two features have together: both halves. */
static double
mean_pair(const struct explanation *e, size_t a, size_t b)
{
    const struct shares *s = &e->shares;
    size_t first = e->output < 0 ? 0 : (size_t)e->output;
    size_t last = e->output < 0 ? s->k : first + 1;
    double sum = 0;

    for (size_t r = 0; r < s->n; r++)
        for (size_t c = first; c < last; c++)
            sum += 2 * fabs(shares_at(s, r, c)[a * (s->n_features + 1) + b]);
    return s->n ? sum / (double)s->n : 0;
}

static void
text_pairs(const struct explanation *e, bool plain, struct buf *out)
{
    const struct shares *s = &e->shares;
    size_t n = s->n_features, m = 0;
    struct error ignored;
    struct pair *p = mem_try_array(n * n / 2 + 1, sizeof *p, &ignored);
    struct buf label;

    if (!p)
        return;
    buf_init(&label);
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            p[m++] = (struct pair){mean_pair(e, a, b), a, b};
    qsort(p, m, sizeof *p, by_mean);
    for (size_t i = 0; i < m && i < PAIRS_SHOWN; i++) {
        buf_clear(&label);
        buf_printf(&label, "%s %s %s", s->feature[p[i].a], plain ? "x" : "×",
                   s->feature[p[i].b]);
        buf_puts(out, "  ");
        put_name(out, (struct str){label.data, label.len}, 44);
        put_number(out, p[i].mean, str_decimals(p[0].mean, DIGITS), false);
        buf_puts(out, "  ");
        put_bar(out, bar_of(p[i].mean, p[0].mean, BAR_CELLS), plain);
        buf_putc(out, '\n');
    }
    put_rest(m, PAIRS_SHOWN, out);
    buf_fini(&label);
    free(p);
}

/* ---- rankings ---- */

static void
text_ranking(const struct frame *f, size_t width, bool plain, struct buf *out)
{
    const struct column *names = frame_column(f, 0), *mean = frame_column(f, 1);
    const struct column *sd = frame_cols(f) > 2 ? frame_column(f, 2) : NULL;
    size_t n = frame_rows(f), cells = name_cells(names, ROWS_SHOWN);
    size_t bar = width > cells + 50 ? 2 * BAR_CELLS : BAR_CELLS;
    double top = n ? column_number(mean, 0) : 0;
    int decimals = str_decimals(top, DIGITS);

    for (size_t i = 0; i < n && i < ROWS_SHOWN; i++) {
        double x = column_number(mean, i);
        char text[STR_F64_MAX];

        buf_puts(out, "  ");
        put_name(out, column_text(names, i), cells);
        put_number(out, x, decimals, false);
        buf_putc(out, ' ');
        if (sd) {
            str_from_decimals(column_number(sd, i), decimals, text);
            buf_printf(out, "%s %-9s ", plain ? "+-" : "±", text);
        }
        put_bar(out, x > 0 ? bar_of(x, top, bar) : 0, plain);
        buf_putc(out, '\n');
    }
    put_rest(n, ROWS_SHOWN, out);
}

/* ---- effects ---- */

/* Texts, or the only number there is. */
static void
put_levels(const struct explanation *x, size_t output, bool plain,
           struct buf *out)
{
    const struct effect *e = &x->effect;
    bool texts = column_type(e->grid) == COL_TEXT;
    size_t cells = texts ? name_cells(e->grid, e->n_points) : NUMBER_CELLS;
    double top = 0;
    struct buf value;

    buf_init(&value);
    for (size_t p = 0; p < e->n_points; p++)
        top = fmax(top, fabs(effect_mean(e, p, output)));
    for (size_t p = 0; p < e->n_points; p++) {
        double mean = effect_mean(e, p, output);

        buf_clear(&value);
        column_print(e->grid, p, &value);
        buf_puts(out, "  ");
        put_name(out, (struct str){value.data, value.len}, cells);
        put_number(out, mean, str_decimals(top, DIGITS), false);
        buf_puts(out, "  ");
        put_bar(out, bar_of(mean, top, 2 * BAR_CELLS), plain);
        buf_putc(out, '\n');
    }
    out->failed = out->failed || value.failed;
    buf_fini(&value);
}

static void
put_curves(const struct explanation *x, size_t output, size_t width, bool plain,
           struct buf *out)
{
    struct plot_image im;
    struct error ignored;

    if (explanation_chart(x, (long)output, width < 100 ? (int)width : 100,
                          CHART_ROWS, plain ? PLOT_ASCII : PLOT_BRAILLE, &im,
                          &ignored)) {
        plot_image_text(&im, out);
        plot_image_fini(&im);
    }
}

static void
text_effect(const struct explanation *e, size_t width, bool plain,
            struct buf *out)
{
    size_t first = e->output < 0 ? 0 : (size_t)e->output;
    size_t last = e->output < 0 ? e->effect.k : first + 1;

    for (size_t c = first; c < last && c < first + CLASS_MAX; c++) {
        put_class(e, c, out);
        if (!explanation_has_line(e))
            put_levels(e, c, plain, out);
        else
            put_curves(e, c, width, plain, out);
    }
    put_other_classes(e, last - first, out);
}

void
explanation_text(const struct explanation *e, size_t width, bool plain,
                 struct buf *out)
{
    if (e->kind == EXPLANATION_ROW)
        buf_printf(out, "row %zu · ", e->row);
    buf_plain(out, e->note, strlen(e->note), 0);
    buf_putc(out, '\n');
    switch (e->kind) {
    case EXPLANATION_GAIN:
        summary_importance(e->frame, width, plain, out);
        break;
    case EXPLANATION_SHARES:
        text_shares(e, width, plain, out);
        break;
    case EXPLANATION_ROW:
        text_row(e, width, plain, out);
        break;
    case EXPLANATION_PAIRS:
        text_pairs(e, plain, out);
        break;
    case EXPLANATION_RANKING:
    case EXPLANATION_SHUFFLE:
        text_ranking(e->frame, width, plain, out);
        break;
    case EXPLANATION_EFFECT:
    case EXPLANATION_CURVES:
        text_effect(e, width, plain, out);
        break;
    }
}
