/* A profile as a page of its own: it loads nothing from anywhere, is light or
 * dark as the reader's system is, sorts and searches.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/profile_html.h"

#include <math.h>
#include <string.h>

#include "frame/profile_page.h"

enum { LINKS_SHOWN = 100, SAMPLE_ROWS = 10, SAMPLE_COLS = 60 };

static const char *const levels[] = {"note", "warn", "bad"};

/* ---- text ------------------------------------------------------------ */

void
html_text(struct buf *out, const char *s)
{
    struct buf scratch;
    struct str clean;

    buf_init(&scratch);
    clean = page_clean(s, str_of(s).n, &scratch);
    buf_html(out, clean.p, clean.n);
    out->failed |= scratch.failed;
    buf_fini(&scratch);
}

void
html_number(struct buf *out, double x, enum col_type type)
{
    char text[48];

    buf_html(out, text, page_number_text(x, type, text));
}

void
html_about(struct buf *out, double x, enum col_type type, bool estimate)
{
    buf_puts(out, "<td class=\"n\" data-v=\"");
    if (isfinite(x))
        buf_double(out, x);
    buf_puts(out, "\">");
    if (estimate && !isnan(x))
        buf_puts(out, HTML_ABOUT);
    html_number(out, x, type);
    buf_puts(out, "</td>");
}

void
html_cell(struct buf *out, double x, enum col_type type)
{
    html_about(out, x, type, false);
}

static void
put_count(struct buf *out, size_t n, bool estimate)
{
    char text[STR_F64_MAX];

    buf_printf(out, "<td class=\"n\" data-v=\"%zu\">%s", n,
               estimate ? HTML_ABOUT : "");
    buf_add(out, text, str_from_count(n, text));
    buf_puts(out, "</td>");
}

/* What the search looks in: a column's name, type and alerts. */
static void
put_search_name(struct buf *out, const struct profile *p, size_t col)
{
    struct buf name;

    buf_init(&name);
    buf_printf(&name, "%s %s", p->column[col].name,
               column_type_word(p->column[col].type));
    for (size_t i = 0; i < p->n_alerts; i++)
        if (p->alert[i].col == (long)col)
            buf_printf(&name, " %s", profile_alert_word(p->alert[i].kind));
    for (size_t at = 0, n = 0; at < name.len; n++) {
        struct str rest = {name.data, name.len};
        int32_t cp = str_next(rest, &at);
        char utf8[4];

        if (cp >= 0x20 && (cp < 0x7f || cp >= 0xa0))
            buf_html(out, utf8, str_put_utf8(str_cp_lower((uint32_t)cp), utf8));
    }
    out->failed |= name.failed;
    buf_fini(&name);
}

/* ---- parts of the page ------------------------------------------------ */

static void
put_header(struct buf *out, const struct profile *p, const char *title)
{
    size_t missing = 0;

    for (size_t i = 0; i < p->n_cols; i++)
        missing += p->column[i].n_missing;
    buf_puts(out, "<header><h1>");
    html_text(out, title);
    buf_puts(out, "</h1><p>");
    page_plural(out, p->n_rows, "row");
    buf_puts(out, ", ");
    page_plural(out, p->n_cols, "column");
    buf_puts(out, ", ");
    page_plural(out, missing, "missing value");
    buf_puts(out, ", ");
    page_plural(out, p->n_duplicates, "repeated row");
    if (p->target) {
        buf_puts(out, "; target ");
        html_text(out, p->target);
    }
    if (p->redacted)
        buf_puts(out, "; values are left out");
    buf_puts(out, "</p></header>\n<nav><input id=\"q\" type=\"search\" "
                  "placeholder=\"column, type or alert\" "
                  "aria-label=\"search\"><span id=\"found\" class=\"dim\">"
                  "</span><a href=\"#alerts\">alerts</a>"
                  "<a href=\"#columns\">columns</a>");
    if (p->times)
        buf_puts(out, "<a href=\"#series\">over time</a>");
    if (p->against)
        buf_puts(out, "<a href=\"#against\">against</a>");
    if (p->relation[RELATION_AUTO])
        buf_puts(out, "<a href=\"#pairs\">pairs</a>");
    if (p->band)
        buf_puts(out, "<a href=\"#missing\">missing</a>");
    if (!p->redacted && frame_rows(p->frame) > 0)
        buf_puts(out, "<a href=\"#rows\">rows</a>");
    buf_puts(out, "<a href=\"#details\">details</a></nav>\n");
}

static void
put_alert(struct buf *out, const struct profile *p, const struct alert *a)
{
    buf_puts(out, "<li");
    if (a->col >= 0) {
        buf_puts(out, " data-name=\"");
        put_search_name(out, p, (size_t)a->col);
        buf_putc(out, '"');
    }
    buf_printf(out, "><span class=\"kind %s\">%s</span><span>",
               levels[a->level], profile_alert_word(a->kind));
    if (a->col >= 0) {
        buf_printf(out, "<a href=\"#c%ld\">", a->col);
        html_text(out, p->column[a->col].name);
        buf_puts(out, "</a>: ");
    }
    html_text(out, a->text);
    buf_puts(out, "</span></li>\n");
}

static void
put_alerts(struct buf *out, const struct profile *p)
{
    buf_puts(out, "<h2 id=\"alerts\">Alerts</h2>\n<ul class=\"alerts\">\n");
    for (size_t i = 0; i < p->n_alerts; i++)
        put_alert(out, p, &p->alert[i]);
    buf_puts(out, "</ul>\n");
    if (p->n_alerts == 0)
        buf_puts(out, "<p>None.</p>\n");
}

static void
put_marks(struct buf *out, const struct profile *p, size_t col)
{
    buf_puts(out, "<td>");
    for (size_t i = 0; i < p->n_alerts; i++)
        if (p->alert[i].col == (long)col)
            buf_printf(out, "<span class=\"kind %s\">%s</span> ",
                       levels[p->alert[i].level],
                       profile_alert_word(p->alert[i].kind));
    buf_puts(out, "</td>");
}

static void
put_row(struct buf *out, const struct profile *p, size_t col)
{
    const struct profile_column *c = &p->column[col];
    double missing = c->n ? 100 * (double)c->n_missing / (double)c->n : 0;
    bool measured = c->numeric && !profile_is_category(c);
    char share[32];

    buf_puts(out, "<tr data-name=\"");
    put_search_name(out, p, col);
    buf_printf(out, "\"><td><a href=\"#c%zu\">", col);
    html_text(out, c->name);
    buf_printf(out, "</a></td><td>%s</td><td class=\"n\" data-v=\"%.6f\">",
               column_type_word(c->type), missing);
    html_text(out, page_share_text(c->n_missing, c->n, share));
    buf_puts(out, "</td>");
    put_count(out, c->n_distinct, c->estimated & ESTIMATE_DISTINCT);
    html_cell(out, measured ? c->mean : NAN, c->type);
    html_cell(out,
              measured ? c->sd / (c->type == COL_TIMESTAMP ? 86400 : 1) : NAN,
              COL_FLOAT64);
    html_cell(out, measured ? c->min : NAN, c->type);
    html_about(out, measured ? c->quantile[4] : NAN, c->type,
               c->estimated & ESTIMATE_QUANTILES);
    html_cell(out, measured ? c->max : NAN, c->type);
    if (p->target)
        html_cell(out, c->target_score, COL_FLOAT64);
    buf_puts(out, "<td>");
    html_spark(out, c);
    buf_puts(out, "</td>");
    put_marks(out, p, col);
    buf_puts(out, "</tr>\n");
}

static void
put_errors(struct buf *out, const struct profile *p)
{
    struct buf text;

    buf_init(&text);
    profile_errors_text(p, &text);
    if (text.len)
        buf_printf(out,
                   "<p class=\"dim\">" HTML_ABOUT " marks estimates: %s.</p>\n",
                   text.data);
    out->failed |= text.failed;
    buf_fini(&text);
}

static void
put_table(struct buf *out, const struct profile *p)
{
    static const char *const numbers[] = {"missing", "distinct", "mean", "sd",
                                          "min",     "median",   "max"};

    buf_puts(out, "<h2 id=\"columns\">Columns</h2>\n<div class=\"scroll\">"
                  "<table><thead><tr><th data-sort=\"t\">column</th>"
                  "<th data-sort=\"t\">type</th>");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        buf_printf(out, "<th class=\"n\" data-sort=\"n\">%s</th>", numbers[i]);
    if (p->target)
        buf_printf(out, "<th class=\"n\" data-sort=\"n\">%s</th>",
                   p->target_classes ? "AUC" : "correlation");
    buf_puts(out, "<th>shape</th><th>alerts</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < p->n_cols; i++)
        put_row(out, p, i);
    buf_puts(out, "</tbody></table></div>\n");
    put_errors(out, p);
}

static void
put_series(struct buf *out, const struct profile *p)
{
    if (!p->times)
        return;
    buf_puts(out, "<h2 id=\"series\">Over ");
    html_text(out, p->column[p->times->col].name);
    buf_puts(out, "</h2>\n<p class=\"dim\">");
    page_plural(out, p->times->n, "row");
    buf_puts(out, ", ");
    page_plural(out, p->times->n_gaps, "gap");
    buf_puts(out, ", ");
    page_plural(out, p->times->n_repeats, "repeated time");
    buf_puts(out, "</p><div class=\"scroll\"><table><thead><tr>"
                  "<th data-sort=\"t\">column</th>");
    for (size_t k = 0; k < PROFILE_LAGS; k++)
        buf_printf(out, "<th class=\"n\" data-sort=\"n\">lag %zu</th>",
                   profile_lags[k]);
    buf_puts(out, "<th class=\"n\" data-sort=\"n\">Dickey-Fuller p</th>"
                  "<th class=\"n\" data-sort=\"n\">season, rows</th></tr>"
                  "</thead><tbody>\n");
    for (size_t i = 0; i < p->n_cols; i++) {
        const struct profile_series *s = p->column[i].series;

        if (!s)
            continue;
        buf_puts(out, "<tr data-name=\"");
        put_search_name(out, p, i);
        buf_puts(out, "\"><td>");
        html_text(out, p->column[i].name);
        buf_puts(out, "</td>");
        for (size_t k = 0; k < PROFILE_LAGS; k++)
            html_cell(out, s->autocorrelation[k], COL_FLOAT64);
        html_cell(out, s->adf_p, COL_FLOAT64);
        html_cell(out, s->period ? (double)s->period : NAN, COL_FLOAT64);
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out, "</tbody></table></div>\n");
}

static void
put_verdict(struct buf *out, const struct profile_pair *o)
{
    buf_puts(out, "<td>");
    if (!o->there || !o->here)
        buf_puts(out, o->here ? "not there" : "only there");
    else if (o->test != DRIFT_NONE)
        buf_printf(out, "<span class=\"%s\">%s</span>",
                   o->drifts ? "warn" : "note",
                   o->drifts ? "drifts" : "does not");
    buf_puts(out, "</td>");
}

static void
put_against(struct buf *out, const struct profile *p)
{
    static const char *const heads[] = {
        "missing", "there", "mean", "there", "PSI", "JS", "KS", "Wasserstein"};
    const struct profile_against *a = p->against;

    if (!a)
        return;
    buf_puts(out, "<h2 id=\"against\">Against ");
    html_text(out, a->name);
    buf_puts(out, "</h2>\n<p class=\"dim\">");
    page_plural(out, a->n_rows, "row");
    buf_printf(out, ", %zu of %zu columns drift, ", a->n_drifting, a->n_tested);
    page_plural(out, a->n_overlap, "row");
    buf_puts(out, " in common");
    profile_looked_text(p, out);
    buf_puts(out, "</p><div class=\"scroll\"><table><thead><tr>"
                  "<th data-sort=\"t\">column</th>");
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        buf_printf(out, "<th class=\"n\" data-sort=\"n\">%s</th>", heads[i]);
    buf_puts(out, "<th data-sort=\"t\">verdict</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < a->n_pairs; i++) {
        const struct profile_pair *o = &a->pair[i];

        buf_puts(out, "<tr><td>");
        html_text(out, o->name);
        buf_puts(out, "</td>");
        put_count(out, o->n_missing[0], false);
        put_count(out, o->n_missing[1], false);
        html_cell(out, o->mean[0], o->type[0]);
        html_cell(out, o->mean[1], o->type[1]);
        html_cell(out, o->psi, COL_FLOAT64);
        html_cell(out, o->js, COL_FLOAT64);
        html_cell(out, o->ks, COL_FLOAT64);
        html_cell(out, o->wasserstein, COL_FLOAT64);
        put_verdict(out, o);
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out, "</tbody></table></div>\n");
}

static void
put_pairs(struct buf *out, const struct profile *p)
{
    if (!p->relation[RELATION_AUTO])
        return;
    buf_puts(out, "<h2 id=\"pairs\">Pairs</h2>\n");
    html_heatmap(out, p);
    if (p->n_links == 0)
        return;
    buf_puts(out, "<div class=\"scroll tall\"><table><thead><tr>"
                  "<th data-sort=\"t\">column</th><th data-sort=\"t\">with</th>"
                  "<th data-sort=\"t\">measure</th>"
                  "<th class=\"n\" data-sort=\"n\">score</th></tr></thead>"
                  "<tbody>\n");
    for (size_t i = 0; i < p->n_links && i < LINKS_SHOWN; i++) {
        const struct profile_link *l = &p->link[i];

        buf_puts(out, "<tr><td>");
        html_text(out, p->column[l->a].name);
        buf_puts(out, "</td><td>");
        html_text(out, p->column[l->b].name);
        buf_printf(out, "</td><td>%s</td>",
                   l->spearman ? "Spearman" : "Cramer's V");
        html_cell(out, l->score, COL_FLOAT64);
        buf_puts(out, "</tr>\n");
    }
    buf_puts(out, "</tbody></table></div>\n");
}

static void
put_missing(struct buf *out, const struct profile *p)
{
    if (!p->band)
        return;
    buf_puts(out, "<h2 id=\"missing\">Missing</h2>\n<p class=\"dim\">Each bar "
                  "is the table from its first row to its last.</p>\n");
    html_holes(out, p);
    buf_puts(out, "<div class=\"scroll\"><table><thead><tr>"
                  "<th class=\"n\">rows</th><th>miss</th></tr></thead><tbody>"
                  "<tr>");
    put_count(out, p->n_complete, false);
    buf_puts(out, "<td>nothing</td></tr>\n");
    for (size_t k = 0; k < p->n_patterns; k++) {
        bool any = false;

        buf_puts(out, "<tr>");
        put_count(out, p->pattern[k].rows, p->pattern_error > 0);
        buf_puts(out, "<td>");
        for (size_t i = 0; i < p->n_cols; i++)
            if (profile_pattern_has(p, k, i)) {
                buf_puts(out, any ? ", " : "");
                html_text(out, p->column[i].name);
                any = true;
            }
        buf_puts(out, "</td></tr>\n");
    }
    buf_puts(out, "</tbody></table></div>\n");
    html_nullity(out, p);
}

/* ---- rows ------------------------------------------------------------ */

static void
put_rows(struct buf *out, const struct profile *p, size_t begin, size_t end)
{
    struct buf text;

    buf_init(&text);
    for (size_t row = begin; row < end; row++) {
        buf_printf(out, "<tr><td class=\"n dim\">%zu</td>",
                   (size_t)profile_row(p, row) + 1);
        for (size_t i = 0; i < p->n_cols && i < SAMPLE_COLS; i++) {
            const struct profile_column *c = &p->column[i];

            buf_clear(&text);
            column_print(frame_column(p->frame, i), row, &text);
            buf_puts(out, c->numeric ? "<td class=\"n\">" : "<td>");
            html_text(out, text.data);
            buf_puts(out, "</td>");
        }
        buf_puts(out, "</tr>\n");
    }
    out->failed |= text.failed;
    buf_fini(&text);
}

/* The first and the last rows, as they are. */
static void
put_sample(struct buf *out, const struct profile *p)
{
    size_t n = frame_rows(p->frame), head = n < SAMPLE_ROWS ? n : SAMPLE_ROWS;
    size_t tail = n - head < SAMPLE_ROWS ? n - head : SAMPLE_ROWS;

    if (p->redacted || n == 0)
        return;
    buf_puts(out, "<h2 id=\"rows\">Rows</h2>\n<div class=\"scroll\"><table "
                  "class=\"sample\"><thead><tr><th></th>");
    for (size_t i = 0; i < p->n_cols && i < SAMPLE_COLS; i++) {
        buf_puts(out, p->column[i].numeric ? "<th class=\"n\">" : "<th>");
        html_text(out, p->column[i].name);
        buf_puts(out, "</th>");
    }
    buf_puts(out, "</tr></thead><tbody>\n");
    put_rows(out, p, 0, head);
    if (head + tail < n)
        buf_printf(out, "<tr><td class=\"dim\" colspan=\"2\">...</td></tr>\n");
    put_rows(out, p, n - tail, n);
    buf_puts(out, "</tbody></table></div>\n");
}

static void
put_details(struct buf *out, const struct profile *p)
{
    buf_puts(out, "<h2 id=\"details\">Details</h2>\n");
    for (size_t i = 0; i < p->n_cols; i++) {
        buf_printf(out, "<section class=\"column\" id=\"c%zu\" data-name=\"",
                   i);
        put_search_name(out, p, i);
        buf_puts(out, "\">");
        html_column(out, p, i);
        buf_puts(out, "</section>\n");
    }
}

void
profile_html(const struct profile *p, const char *title, struct buf *out)
{
    buf_puts(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
        "<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
        "'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n<title>");
    html_text(out, title);
    buf_puts(out, "</title>\n<style>\n");
    html_style(out);
    buf_puts(out, "</style>\n</head>\n<body>\n");
    put_header(out, p, title);
    put_alerts(out, p);
    put_table(out, p);
    put_series(out, p);
    put_against(out, p);
    put_pairs(out, p);
    put_missing(out, p);
    put_sample(out, p);
    put_details(out, p);
    buf_puts(out, "<script>\n");
    html_script(out);
    buf_puts(out, "</script>\n</body>\n</html>\n");
}
