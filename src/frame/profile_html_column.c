/* One column on a profile's page: its numbers, its shape, its values.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "frame/profile_html.h"

/* The sign before an estimate; nothing before what is exact. */
static const char *
about(const struct profile_column *c, unsigned kind)
{
    return c->estimated & kind ? HTML_ABOUT : "";
}

static void
put_about(struct buf *out, const char *name, const char *sign, size_t n)
{
    char text[STR_F64_MAX];

    buf_printf(out, "<tr><td>%s</td><td class=\"n\">%s", name, sign);
    buf_add(out, text, str_from_count(n, text));
    buf_puts(out, "</td></tr>");
}

static void
put_count(struct buf *out, const char *name, size_t n)
{
    put_about(out, name, "", n);
}

static void
put_estimate(struct buf *out, const char *name, const char *sign, double x,
             enum col_type type)
{
    if (isnan(x))
        return;
    buf_printf(out, "<tr><td>%s</td><td class=\"n\">%s", name, sign);
    html_number(out, x, type);
    buf_puts(out, "</td></tr>");
}

static void
put_number(struct buf *out, const char *name, double x, enum col_type type)
{
    put_estimate(out, name, "", x, type);
}

static void
put_counts(struct buf *out, const struct profile_column *c)
{
    buf_puts(out, "<table><tbody>");
    put_count(out, "rows", c->n);
    put_count(out, "missing", c->n_missing);
    put_about(out, "distinct", about(c, ESTIMATE_DISTINCT), c->n_distinct);
    put_about(out, "occur once", about(c, ESTIMATE_DISTINCT), c->n_unique);
    if (c->numeric) {
        put_count(out, "zeros", c->n_zero);
        put_count(out, "negative", c->n_negative);
        put_count(out, "infinite", c->n_infinite);
    }
    put_estimate(out, "entropy, bits", about(c, ESTIMATE_DISTINCT), c->entropy,
                 COL_FLOAT64);
    put_number(out, "information on the target, nats", c->mutual, COL_FLOAT64);
    put_number(out, "alone against the target", c->target_score, COL_FLOAT64);
    put_count(out, "bytes", c->bytes);
    buf_puts(out, "</tbody></table>");
}

/* Spans of time are told in days. */
static double
span(const struct profile_column *c, double x)
{
    return c->type == COL_TIMESTAMP ? x / 86400 : x;
}

static void
put_moments(struct buf *out, const struct profile_column *c)
{
    buf_puts(out, "<table><tbody>");
    put_number(out, "mean", c->mean, c->type);
    put_number(out, "deviation", span(c, c->sd), COL_FLOAT64);
    put_estimate(out, "median deviation", about(c, ESTIMATE_QUANTILES),
                 span(c, c->mad), COL_FLOAT64);
    put_number(out, "skewness", c->skew, COL_FLOAT64);
    put_number(out, "kurtosis", c->kurtosis, COL_FLOAT64);
    if (c->type == COL_INT64 || c->type == COL_FLOAT64) {
        put_number(out, "variation", c->sd / c->mean, COL_FLOAT64);
        put_number(out, "sum", c->sum, COL_FLOAT64);
    }
    put_estimate(out, "even (p)", about(c, ESTIMATE_HISTOGRAM), c->uniform,
                 COL_FLOAT64);
    buf_puts(out, "</tbody></table>");
}

static void
put_quantiles(struct buf *out, const struct profile_column *c)
{
    if (isnan(c->min))
        return;
    buf_puts(out, "<table><tbody>");
    put_number(out, "min", c->min, c->type);
    for (size_t i = 0; i < PROFILE_QUANTILES; i++) {
        char level[16];

        snprintf(level, sizeof level, "%g %%", 100 * profile_levels[i]);
        put_estimate(out, profile_levels[i] == 0.5 ? "median" : level,
                     about(c, ESTIMATE_QUANTILES), c->quantile[i], c->type);
    }
    put_number(out, "max", c->max, c->type);
    put_estimate(out, "between quarters", about(c, ESTIMATE_QUANTILES),
                 span(c, c->quantile[5] - c->quantile[3]), COL_FLOAT64);
    buf_puts(out, "</tbody></table>");
}

/* Values with bars; of: what the shares are of. */
static void
put_top(struct buf *out, const char *head, const struct profile_top *top,
        size_t n, size_t of)
{
    char text[STR_F64_MAX];

    if (n == 0)
        return;
    buf_printf(out,
               "<table><thead><tr><th>%s</th><th class=\"n\">rows</th>"
               "<th></th></tr></thead><tbody>",
               head);
    for (size_t i = 0; i < n; i++) {
        double share = of ? (double)top[i].count / (double)of : 0;

        buf_puts(out, "<tr><td>");
        html_text(out, *top[i].text ? top[i].text : "(empty)");
        buf_puts(out, "</td><td class=\"n\">");
        buf_add(out, text, str_from_count(top[i].count, text));
        buf_printf(out,
                   "</td><td>%.1f%% <span class=\"meter\" "
                   "style=\"width:%.1fem\"></span></td></tr>",
                   100 * share, 8 * share);
    }
    buf_puts(out, "</tbody></table>");
}

static void
put_texts(struct buf *out, const struct profile_column *c)
{
    static const char *const kinds[SCRIPT_N] = {"letters", "digits", "blanks",
                                                "signs", "control"};
    const struct profile_words *w = c->words;

    buf_puts(out, "<table><tbody>");
    put_count(out, "shortest", c->min_length);
    put_number(out, "mean length", c->mean_length, COL_FLOAT64);
    put_number(out, "median length", c->median_length, COL_FLOAT64);
    put_count(out, "longest", c->max_length);
    for (size_t i = 0; w && i < SCRIPT_N; i++)
        if (w->script[i])
            put_count(out, kinds[i], w->script[i]);
    if (w) {
        put_count(out, "different characters", w->n_distinct_chars);
        put_count(out, "different words", w->n_distinct);
    }
    buf_puts(out, "</tbody></table>");
}

static void
put_classes(struct buf *out, const struct profile *p,
            const struct profile_column *c)
{
    bool category = profile_is_category(c);

    if (!c->by_class || (category && c->n_top == 0))
        return;
    buf_puts(out, "<div class=\"scroll\"><table><thead><tr><th>by ");
    html_text(out, p->target);
    buf_puts(out, "</th><th class=\"n\">rows</th>");
    for (size_t i = 0; category && i < c->n_top; i++) {
        buf_puts(out, "<th class=\"n\">");
        html_text(out, c->top[i].text);
        buf_puts(out, "</th>");
    }
    if (!category)
        buf_puts(out, "<th class=\"n\">mean</th><th class=\"n\">deviation</th>"
                      "<th class=\"n\">median</th>");
    buf_puts(out, "</tr></thead><tbody>");
    for (size_t k = 0; k < p->n_classes; k++) {
        const struct profile_class *by = &c->by_class[k];
        double here = (double)(p->class_rows[k] - by->n_missing);

        buf_puts(out, "<tr><td>");
        html_text(out, p->class_name[k]);
        buf_printf(out, "</td><td class=\"n\">%zu</td>", p->class_rows[k]);
        for (size_t i = 0; category && i < c->n_top; i++)
            buf_printf(out, "<td class=\"n\">%.1f%%</td>",
                       here > 0 ? 100 * (double)by->top[i] / here : 0);
        if (!category) {
            html_cell(out, by->mean, c->type);
            html_cell(out, span(c, by->sd), COL_FLOAT64);
            html_cell(out, by->median, c->type);
        }
        buf_puts(out, "</tr>");
    }
    buf_puts(out, "</tbody></table></div>");
}

static void
put_alerts(struct buf *out, const struct profile *p, size_t col)
{
    for (size_t i = 0; i < p->n_alerts; i++) {
        const struct alert *a = &p->alert[i];
        static const char *const levels[] = {"note", "warn", "bad"};

        if (a->col != (long)col)
            continue;
        buf_printf(out, "<p class=\"dim\"><span class=\"kind %s\">%s</span> ",
                   levels[a->level], profile_alert_word(a->kind));
        html_text(out, a->text);
        buf_puts(out, "</p>");
    }
}

void
html_column(struct buf *out, const struct profile *p, size_t col)
{
    const struct profile_column *c = &p->column[col];
    size_t here = c->n - c->n_missing;

    buf_printf(out, "<h3>");
    html_text(out, c->name);
    buf_printf(out, " <span class=\"dim\">%s</span></h3>",
               column_type_word(c->type));
    put_alerts(out, p, col);
    buf_puts(out, "<div class=\"parts\">");
    html_histogram(out, p, c);
    put_counts(out, c);
    if (c->numeric) {
        put_moments(out, c);
        put_quantiles(out, c);
    }
    put_top(out,
            c->estimated & ESTIMATE_TOP ? HTML_ABOUT " most frequent"
                                        : "most frequent",
            c->top, c->n_top, here);
    if (c->n_distinct > c->n_top) {
        put_top(out, "smallest", c->low, c->n_low, here);
        put_top(out, "largest", c->high, c->n_high, here);
    }
    if (c->type == COL_TEXT) {
        put_texts(out, c);
        if (c->words)
            put_top(out, "words", c->words->top, c->words->n_top, c->words->n);
    }
    put_classes(out, p, c);
    buf_puts(out, "</div>");
}
