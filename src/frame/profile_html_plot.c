/* The pictures of a profile's page.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>

#include "frame/profile_html.h"

enum {
    SPARK_W = 96,
    SPARK_H = 20,
    HIST_W = 340,
    HIST_H = 110,
    CELL = 17,
    LABEL = 150,
    UNDER = 90,     /* for the names below a heat map */
    HEAT_MOST = 60, /* columns of a heat map */
    HOLES_W = 480,
    HOLES_ROW = 15
};

static size_t
n_bars(const struct profile_column *c)
{
    return c->numeric ? c->n_bins : c->n_top;
}

static double
bar(const struct profile_column *c, size_t i)
{
    return (double)(c->numeric ? c->histogram[i] : c->top[i].count);
}

static double
highest(const struct profile_column *c)
{
    double most = 0;

    for (size_t i = 0; i < n_bars(c); i++)
        most = fmax(most, bar(c, i));
    return most;
}

/* ---- histograms ------------------------------------------------------ */

void
html_spark(struct buf *out, const struct profile_column *c)
{
    size_t n = n_bars(c);
    double most = highest(c), w = (double)SPARK_W / (double)(n > 8 ? n : 8);

    if (n == 0)
        return;
    buf_printf(
        out,
        "<svg class=\"spark\" viewBox=\"0 0 %d %d\" aria-hidden=\"true\">"
        "<path class=\"bar\" d=\"",
        SPARK_W, SPARK_H);
    for (size_t i = 0; i < n; i++) {
        double h = SPARK_H * bar(c, i) / most;

        if (h > 0)
            buf_printf(out, "M%.4g %dh%.4gv-%.4gh-%.4gz", (double)i * w,
                       SPARK_H, w * 0.9, fmax(h, 1), w * 0.9);
    }
    buf_puts(out, "\"/></svg>");
}

/* The ends of bin i, for a tooltip. */
static void
put_range(struct buf *out, const struct profile_column *c, size_t i)
{
    double step = (c->max - c->min) / (double)c->n_bins;
    bool whole =
        c->type != COL_FLOAT64 && c->max - c->min + 1 == (double)c->n_bins;

    if (whole) {
        html_number(out, c->min + (double)i, c->type);
    } else {
        html_number(out, c->min + (double)i * step, c->type);
        buf_puts(out, " to ");
        html_number(out, c->min + (double)(i + 1) * step, c->type);
    }
    buf_puts(out, ": ");
}

void
html_histogram(struct buf *out, const struct profile *p,
               const struct profile_column *c)
{
    double most = highest(c), w = (double)HIST_W / (double)c->n_bins;
    char text[STR_F64_MAX];

    if (!c->numeric || c->n_bins == 0 || most == 0)
        return;
    buf_printf(out,
               "<svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" "
               "aria-label=\"histogram\">",
               HIST_W, HIST_H + 16, HIST_W);
    for (size_t i = 0; i < c->n_bins; i++) {
        double h = HIST_H * bar(c, i) / most;

        if (h == 0)
            continue;
        h = fmax(h, 1);
        buf_printf(out,
                   "<rect class=\"bar\" x=\"%.5g\" y=\"%.5g\" width=\"%.4g\" "
                   "height=\"%.4g\"><title>",
                   (double)i * w, HIST_H - h, w * 0.94, h);
        if (!p->redacted)
            put_range(out, c, i);
        buf_add(out, text, str_from_count(c->histogram[i], text));
        buf_puts(out, "</title></rect>");
    }
    if (!p->redacted) {
        buf_printf(out, "<text x=\"0\" y=\"%d\">", HIST_H + 13);
        html_number(out, c->min, c->type);
        buf_printf(out, "</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">",
                   HIST_W, HIST_H + 13);
        html_number(out, c->max, c->type);
        buf_puts(out, "</text>");
    }
    buf_puts(out, "</svg>");
}

/* ---- heat maps ------------------------------------------------------- */

/* A measure of pairs, as the profile keeps it. */
struct map {
    const struct profile *p;
    const double *score; /* n_cols x n_cols, a < b */
    const char *word;
    size_t col[HEAT_MOST]; /* those it is defined for */
    size_t n;
};

static double
score_of(const struct map *m, size_t a, size_t b)
{
    size_t n = m->p->n_cols;

    if (a == b)
        return 1;
    return m->score[a < b ? a * n + b : b * n + a];
}

static void
map_init(struct map *m, const struct profile *p, const double *score,
         const char *word)
{
    *m = (struct map){.p = p, .score = score, .word = word};
    for (size_t i = 0; score && i < p->n_cols && m->n < HEAT_MOST; i++)
        for (size_t k = 0; k < p->n_cols; k++)
            if (k != i && !isnan(score_of(m, i, k))) {
                m->col[m->n++] = i;
                break;
            }
}

static void
put_row(struct buf *out, const struct map *m, size_t i)
{
    const struct profile_column *c = m->p->column;
    double y = (double)i * CELL;

    buf_printf(out, "<text x=\"%d\" y=\"%g\" text-anchor=\"end\">", LABEL - 5,
               y + 12);
    html_text(out, c[m->col[i]].name);
    buf_puts(out, "</text>");
    for (size_t k = 0; k < m->n; k++) {
        double score = score_of(m, m->col[i], m->col[k]);

        if (isnan(score))
            continue;
        buf_printf(out,
                   "<rect class=\"%s\" x=\"%g\" y=\"%g\" width=\"%d\" "
                   "height=\"%d\" fill-opacity=\"%.2f\"><title>",
                   score < 0 ? "neg" : "pos", LABEL + (double)k * CELL, y,
                   CELL - 1, CELL - 1, fabs(score));
        html_text(out, c[m->col[k]].name);
        buf_printf(out, " %.3f</title></rect>", score);
    }
    buf_printf(out, "<text transform=\"translate(%zu %zu) rotate(60)\">",
               LABEL + i * CELL + 4, m->n * CELL + 8);
    html_text(out, c[m->col[i]].name);
    buf_puts(out, "</text>");
}

/* The whole, in an element that the caller has opened. */
static void
put_map(struct buf *out, const struct map *m)
{
    size_t longest = 1, side;

    for (size_t i = 0; i < m->n; i++) {
        size_t w = str_width(str_of(m->p->column[m->col[i]].name));

        longest = w > longest ? w : longest;
    }
    /* The names below are slanted. */
    side = m->n * CELL + 14 + (longest < 18 ? longest * 5 : UNDER);
    buf_printf(out,
               "<svg viewBox=\"0 0 %zu %zu\" width=\"%zu\" role=\"img\" "
               "aria-label=\"%s\">",
               LABEL + side, side, LABEL + side, m->word);
    for (size_t i = 0; i < m->n; i++)
        put_row(out, m, i);
    buf_puts(out, "</svg></div>\n");
}

void
html_heatmap(struct buf *out, const struct profile *p)
{
    struct map m;

    buf_puts(out, "<p><label>Measure <select id=\"measure\">");
    for (enum relation r = 0; r < RELATION_N; r++) {
        map_init(&m, p, p->relation[r], profile_relation_word(r));
        if (m.n > 1)
            buf_printf(out, "<option>%s</option>", m.word);
    }
    buf_puts(out, "</select></label></p>\n");
    for (enum relation r = 0; r < RELATION_N; r++) {
        map_init(&m, p, p->relation[r], profile_relation_word(r));
        if (m.n < 2)
            continue;
        buf_printf(out, "<div class=\"scroll\" data-measure=\"%s\">", m.word);
        put_map(out, &m);
    }
    if (p->n_cols > HEAT_MOST)
        buf_printf(out, "<p class=\"dim\">The first %d columns.</p>\n",
                   HEAT_MOST);
}

/* ---- what is missing ------------------------------------------------- */

/* A row a column, a cell a part of the rows, from top left as in the table. */
void
html_holes(struct buf *out, const struct profile *p)
{
    double w = (double)HOLES_W / (double)p->n_bands;
    double rows = (double)p->n_rows / (double)p->n_bands;
    size_t line = 0, n = 0;

    for (size_t i = 0; i < p->n_cols; i++)
        n += p->column[i].n_missing > 0;
    buf_printf(out,
               "<div class=\"scroll\"><svg viewBox=\"0 0 %d %zu\" width=\"%d\" "
               "role=\"img\" aria-label=\"missing values\">",
               LABEL + HOLES_W, n * HOLES_ROW + 4, LABEL + HOLES_W);
    for (size_t i = 0; i < p->n_cols; i++) {
        double y = (double)line * HOLES_ROW;

        if (p->column[i].n_missing == 0)
            continue;
        line++;
        buf_printf(out, "<text x=\"%d\" y=\"%g\" text-anchor=\"end\">",
                   LABEL - 5, y + 11);
        html_text(out, p->column[i].name);
        buf_printf(out,
                   "</text><rect class=\"frame\" x=\"%d\" y=\"%g\" "
                   "width=\"%d\" height=\"%d\"/>",
                   LABEL, y, HOLES_W, HOLES_ROW - 2);
        for (size_t k = 0; k < p->n_bands; k++) {
            double share = p->band[i * p->n_bands + k] / rows;

            if (share > 0)
                buf_printf(out,
                           "<rect class=\"hole\" x=\"%.5g\" y=\"%g\" "
                           "width=\"%.4g\" height=\"%d\" "
                           "fill-opacity=\"%.2f\"/>",
                           LABEL + (double)k * w, y, w, HOLES_ROW - 2,
                           0.15 + 0.85 * fmin(share, 1));
        }
    }
    buf_puts(out, "</svg></div>\n");
}

void
html_nullity(struct buf *out, const struct profile *p)
{
    struct map m;

    map_init(&m, p, p->nullity, "missing together");
    if (m.n < 2)
        return;
    buf_puts(out, "<p class=\"dim\">Missing together (correlation of what is "
                  "missing).</p>\n<div class=\"scroll\">");
    put_map(out, &m);
}
