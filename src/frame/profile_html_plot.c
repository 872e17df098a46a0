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

/* ---- correlations ---------------------------------------------------- */

static bool
has_any(const struct profile *p, enum relation r, size_t col)
{
    for (size_t i = 0; i < p->n_cols; i++)
        if (i != col && !isnan(profile_relation(p, r, col, i)))
            return true;
    return false;
}

/* Columns that the measure is defined for. */
static size_t
pick(const struct profile *p, enum relation r, size_t list[HEAT_MOST])
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_cols && n < HEAT_MOST; i++)
        if (has_any(p, r, i))
            list[n++] = i;
    return n;
}

static void
put_row(struct buf *out, const struct profile *p, enum relation r,
        const size_t *list, size_t n, size_t i)
{
    double y = (double)i * CELL;

    buf_printf(out, "<text x=\"%d\" y=\"%g\" text-anchor=\"end\">", LABEL - 5,
               y + 12);
    html_text(out, p->column[list[i]].name);
    buf_puts(out, "</text>");
    for (size_t k = 0; k < n; k++) {
        double score = k == i ? 1 : profile_relation(p, r, list[i], list[k]);

        if (isnan(score))
            continue;
        buf_printf(out,
                   "<rect class=\"%s\" x=\"%g\" y=\"%g\" width=\"%d\" "
                   "height=\"%d\" fill-opacity=\"%.2f\"><title>",
                   score < 0 ? "neg" : "pos", LABEL + (double)k * CELL, y,
                   CELL - 1, CELL - 1, fabs(score));
        html_text(out, p->column[list[k]].name);
        buf_printf(out, " %.3f</title></rect>", score);
    }
}

static void
put_heatmap(struct buf *out, const struct profile *p, enum relation r)
{
    size_t list[HEAT_MOST], n = pick(p, r, list), side;

    if (n < 2)
        return;
    side = n * CELL + UNDER;
    buf_printf(out,
               "<div class=\"scroll\" data-measure=\"%s\"><svg viewBox=\"0 0 "
               "%zu %zu\" width=\"%zu\" role=\"img\" aria-label=\"%s\">",
               profile_relation_word(r), LABEL + side, side, LABEL + side,
               profile_relation_word(r));
    for (size_t i = 0; i < n; i++) {
        put_row(out, p, r, list, n, i);
        buf_printf(out, "<text transform=\"translate(%zu %zu) rotate(60)\">",
                   LABEL + i * CELL + 4, n * CELL + 8);
        html_text(out, p->column[list[i]].name);
        buf_puts(out, "</text>");
    }
    buf_puts(out, "</svg></div>\n");
}

void
html_heatmap(struct buf *out, const struct profile *p)
{
    buf_puts(out, "<p><label>Measure <select id=\"measure\">");
    for (enum relation r = 0; r < RELATION_N; r++) {
        size_t list[HEAT_MOST];

        if (p->relation[r] && pick(p, r, list) > 1)
            buf_printf(out, "<option>%s</option>", profile_relation_word(r));
    }
    buf_puts(out, "</select></label></p>\n");
    for (enum relation r = 0; r < RELATION_N; r++)
        if (p->relation[r])
            put_heatmap(out, p, r);
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
    double rows = (double)frame_rows(p->frame) / (double)p->n_bands;
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
