/* A profile for programs (JSON) and for documents (Markdown).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "frame/profile_page.h"
#include "frame/profile_part.h"

enum { LINKS_SHOWN = 50 };

static const char *
level_word(enum alert_level level)
{
    static const char *const words[] = {"note", "warn", "bad"};

    return words[level];
}

/* ---- JSON ------------------------------------------------------------ */

static void
name_count(struct json_writer *w, const char *name, size_t n)
{
    json_name(w, name);
    json_put_i64(w, (int64_t)n);
}

static void
name_double(struct json_writer *w, const char *name, double x)
{
    json_name(w, name);
    json_put_double(w, x);
}

static void
json_top(const char *name, const struct profile_top *top, size_t n,
         struct json_writer *w)
{
    json_name(w, name);
    json_open(w, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(w, '{');
        json_name(w, "value");
        json_put_string(w, top[i].text);
        name_count(w, "count", top[i].count);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void
json_histogram(const char *name, const struct profile_column *c,
               struct json_writer *w)
{
    json_name(w, name);
    json_open(w, '[');
    for (size_t i = 0; i < c->n_bins; i++)
        json_put_i64(w, (int64_t)c->histogram[i]);
    json_close(w, ']');
}

/* From row to row: 2 rising, 1 never falling, -1 never rising, -2 falling. */
static int
monotonic(const struct profile_column *c)
{
    size_t steps = c->n - c->n_missing - 1;

    if (c->n_distinct < 2 || (c->n_rise && c->n_fall))
        return 0;
    if (c->n_rise)
        return c->n_rise == steps ? 2 : 1;
    return c->n_fall == steps ? -2 : -1;
}

static void
json_numbers(const struct profile_column *c, struct json_writer *w)
{
    name_double(w, "mean", c->mean);
    name_double(w, "sd", c->sd);
    name_double(w, "min", c->min);
    name_double(w, "max", c->max);
    name_double(w, "sum", c->sum);
    name_double(w, "range", c->max - c->min);
    name_double(w, "variance", c->sd * c->sd);
    name_double(w, "cv", c->sd / c->mean);
    name_double(w, "iqr", c->quantile[5] - c->quantile[3]);
    name_double(w, "mad", c->mad);
    name_double(w, "skew", c->skew);
    name_double(w, "kurtosis", c->kurtosis);
    name_count(w, "zeros", c->n_zero);
    name_count(w, "negative", c->n_negative);
    name_count(w, "infinite", c->n_infinite);
    json_name(w, "quantiles");
    json_open(w, '{');
    for (size_t i = 0; i < PROFILE_QUANTILES; i++) {
        char level[16];

        snprintf(level, sizeof level, "%g", profile_levels[i]);
        name_double(w, level, c->quantile[i]);
    }
    json_close(w, '}');
    json_histogram("histogram", c, w);
    json_name(w, "monotonic");
    json_put_i64(w, monotonic(c));
    json_top("smallest", c->low, c->n_low, w);
    json_top("largest", c->high, c->n_high, w);
}

static void
json_texts(const struct profile_column *c, struct json_writer *w)
{
    static const char *const kinds[SCRIPT_N] = {
        [SCRIPT_LETTER] = "letter",   [SCRIPT_DIGIT] = "digit",
        [SCRIPT_BLANK] = "blank",     [SCRIPT_SIGN] = "sign",
        [SCRIPT_CONTROL] = "control",
    };
    const struct profile_words *d = c->words;

    name_count(w, "min_length", c->min_length);
    name_count(w, "max_length", c->max_length);
    name_double(w, "mean_length", c->mean_length);
    name_double(w, "median_length", c->median_length);
    json_histogram("length_histogram", c, w);
    if (!d)
        return;
    json_name(w, "looked_at");
    json_open(w, '{');
    name_count(w, "rows", d->n);
    name_count(w, "numbers", d->n_number);
    name_count(w, "dates", d->n_date);
    name_count(w, "lists", d->n_list);
    name_count(w, "blank", d->n_blank);
    name_count(w, "not_utf8", d->n_invalid);
    json_name(w, "characters");
    json_open(w, '{');
    for (size_t i = 0; i < SCRIPT_N; i++)
        name_count(w, kinds[i], d->script[i]);
    json_close(w, '}');
    name_count(w, "distinct_characters", d->n_distinct_chars);
    name_count(w, "distinct_words", d->n_distinct);
    json_top("words", d->top, d->n_top, w);
    json_close(w, '}');
}

/* What is not exact, by the names above, and by how much. */
static void
json_estimates(const struct profile_column *c, struct json_writer *w)
{
    static const struct {
        unsigned kind;
        const char *word;
    } words[] = {{ESTIMATE_DISTINCT, "distinct"},
                 {ESTIMATE_DISTINCT, "unique"},
                 {ESTIMATE_DISTINCT, "entropy"},
                 {ESTIMATE_QUANTILES, "mad"},
                 {ESTIMATE_QUANTILES, "quantiles"},
                 {ESTIMATE_HISTOGRAM, "histogram"},
                 {ESTIMATE_TOP, "top"}};

    if (!c->estimated)
        return;
    json_name(w, "estimated");
    json_open(w, '[');
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (c->estimated & words[i].kind)
            json_put_string(w, words[i].word);
    json_close(w, ']');
    json_name(w, "errors");
    json_open(w, '{');
    if (c->estimated & ESTIMATE_DISTINCT)
        name_double(w, "distinct", c->error.distinct);
    if (c->estimated & ESTIMATE_QUANTILES)
        name_double(w, "quantile_rank", c->error.rank);
    if (c->estimated & ESTIMATE_HISTOGRAM)
        name_count(w, "histogram_rows", c->error.bin);
    if (c->estimated & ESTIMATE_TOP)
        name_count(w, "top_rows", c->error.top);
    json_close(w, '}');
}

static void
json_column(const struct profile *p, const struct profile_column *c,
            struct json_writer *w)
{
    json_open(w, '{');
    json_name(w, "name");
    json_put_string(w, c->name);
    json_name(w, "type");
    json_put_string(w, column_type_word(c->type));
    name_count(w, "rows", c->n);
    name_count(w, "missing", c->n_missing);
    name_count(w, "distinct", c->n_distinct);
    name_count(w, "unique", c->n_unique);
    name_count(w, "bytes", c->bytes);
    name_double(w, "entropy", c->entropy);
    if (!isnan(c->uniform))
        name_double(w, "uniform_p", c->uniform);
    if (c->numeric)
        json_numbers(c, w);
    if (c->type == COL_TEXT)
        json_texts(c, w);
    json_top("top", c->top, c->n_top, w);
    json_estimates(c, w);
    if (!isnan(c->target_score))
        name_double(w, "target_score", c->target_score);
    if (!isnan(c->mutual))
        name_double(w, "mutual_information", c->mutual);
    if (c->series)
        profile_json_series(c->series, w);
    if (c->by_class) {
        json_name(w, "by_class");
        json_open(w, '[');
        for (size_t k = 0; k < p->n_classes; k++)
            profile_json_class(p, c, k, w);
        json_close(w, ']');
    }
    json_close(w, '}');
}

static void
json_alerts(const struct profile *p, struct json_writer *w)
{
    json_name(w, "alerts");
    json_open(w, '[');
    for (size_t i = 0; i < p->n_alerts; i++) {
        const struct alert *a = &p->alert[i];

        json_open(w, '{');
        json_name(w, "kind");
        json_put_string(w, profile_alert_word(a->kind));
        json_name(w, "level");
        json_put_string(w, level_word(a->level));
        json_name(w, "column");
        json_put_string(w, a->col < 0 ? NULL : p->column[a->col].name);
        json_name(w, "text");
        json_put_string(w, a->text);
        json_close(w, '}');
    }
    json_close(w, ']');
}

void
profile_json(const struct profile *p, struct json_writer *w)
{
    json_open(w, '{');
    name_count(w, "rows", p->n_rows);
    name_count(w, "columns", p->n_cols);
    name_count(w, "bytes", p->bytes);
    name_count(w, "duplicates", p->n_duplicates);
    name_count(w, "near_duplicates", p->n_near);
    if (p->streamed)
        name_count(w, "sampled_rows", frame_rows(p->frame));
    json_name(w, "target");
    json_put_string(w, p->target);
    if (p->target) {
        json_name(w, "target_measure");
        json_put_string(w, p->target_classes ? "auc" : "correlation");
    }
    json_alerts(p, w);
    json_name(w, "column");
    json_open(w, '[');
    for (size_t i = 0; i < p->n_cols; i++)
        json_column(p, &p->column[i], w);
    json_close(w, ']');
    profile_json_pairs(p, w);
    if (p->against)
        profile_json_against(p, w);
    if (p->times)
        profile_json_times(p, w);
    json_close(w, '}');
}

/* ---- Markdown -------------------------------------------------------- */

enum { MARK_CELLS = 200 };
#define ABOUT "\xe2\x89\x88" /* almost equal to */

/* Text in a cell of a table, where | and line ends would break it, < would
 * begin HTML and [ a link. */
static void
mark_text(struct buf *out, const char *text)
{
    struct buf plain;

    buf_init(&plain);
    buf_plain(&plain, text, strlen(text), MARK_CELLS);
    for (const char *s = plain.data; *s; s++) {
        if (*s == '<')
            buf_puts(out, "&lt;");
        else if (*s == '&')
            buf_puts(out, "&amp;");
        else if (strchr("|*_`\\[]", *s))
            buf_printf(out, "\\%c", *s);
        else
            buf_putc(out, *s);
    }
    buf_fini(&plain);
}

static void
mark_number(struct buf *out, double x, enum col_type type)
{
    char text[STR_F64_MAX];
    double days = floor(type == COL_DATE ? x : x / 86400);

    buf_puts(out, " ");
    if (isnan(x))
        buf_putc(out, '-');
    else if ((type == COL_DATE || type == COL_TIMESTAMP) &&
             fabs(days) <= INT32_MAX)
        buf_add(out, text, str_from_date((int32_t)days, text));
    else
        buf_number(out, x, 6);
    buf_puts(out, " |");
}

static void
mark_top(struct buf *out, const struct profile_column *c)
{
    for (size_t i = 0; i < c->n_top && i < 3; i++) {
        buf_puts(out, i ? ", " : "");
        mark_text(out, c->top[i].text);
        buf_printf(out, " %.1f%%",
                   100 * (double)c->top[i].count /
                       (double)(c->n - c->n_missing));
    }
}

static void
mark_column(struct buf *out, const struct profile_column *c, bool scores)
{
    char share[32];

    buf_puts(out, "| ");
    mark_text(out, c->name);
    buf_printf(out, " | %s | %s | %s%zu |", column_type_word(c->type),
               page_share_text(c->n_missing, c->n, share),
               c->estimated & ESTIMATE_DISTINCT ? ABOUT : "", c->n_distinct);
    mark_number(out, c->numeric ? c->mean : NAN, c->type);
    mark_number(out, c->numeric ? c->sd : NAN, COL_FLOAT64);
    mark_number(out, c->numeric ? c->min : NAN, c->type);
    if (c->estimated & ESTIMATE_QUANTILES && !isnan(c->quantile[4]))
        buf_puts(out, " " ABOUT);
    mark_number(out, c->numeric ? c->quantile[4] : NAN, c->type);
    mark_number(out, c->numeric ? c->max : NAN, c->type);
    buf_putc(out, ' ');
    profile_sparkline(c, 10, true, out);
    buf_puts(out, " | ");
    if (profile_is_category(c)) {
        if (c->n_top && c->estimated & ESTIMATE_TOP)
            buf_puts(out, ABOUT);
        mark_top(out, c);
    }
    buf_puts(out, " |");
    if (scores && isnan(c->target_score))
        buf_puts(out, " - |");
    else if (scores)
        buf_printf(out, " %.3f |", c->target_score);
    buf_putc(out, '\n');
}

static void
mark_errors(struct buf *out, const struct profile *p)
{
    struct buf text;

    buf_init(&text);
    profile_errors_text(p, &text);
    if (text.len)
        buf_printf(out, "\n" ABOUT " marks estimates: %s.\n", text.data);
    out->failed |= text.failed;
    buf_fini(&text);
}

static void
mark_score(struct buf *out, double x)
{
    if (isnan(x))
        buf_puts(out, " - |");
    else
        buf_printf(out, " %.3f |", x);
}

static void
mark_series(struct buf *out, const struct profile *p)
{
    if (!p->times)
        return;
    buf_puts(out, "\n## Over ");
    mark_text(out, p->column[p->times->col].name);
    buf_printf(out, "\n\n%zu rows, %zu gaps, %zu repeated times.\n\n| column |",
               p->times->n, p->times->n_gaps, p->times->n_repeats);
    for (size_t k = 0; k < PROFILE_LAGS; k++)
        buf_printf(out, " lag %zu |", profile_lags[k]);
    buf_puts(out, " ADF p | season |\n|---|");
    for (size_t k = 0; k < PROFILE_LAGS + 2; k++)
        buf_puts(out, "--:|");
    for (size_t i = 0; i < p->n_cols; i++) {
        const struct profile_series *s = p->column[i].series;

        if (!s)
            continue;
        buf_puts(out, "\n| ");
        mark_text(out, p->column[i].name);
        buf_puts(out, " |");
        for (size_t k = 0; k < PROFILE_LAGS; k++)
            mark_score(out, s->autocorrelation[k]);
        mark_score(out, s->adf_p);
        if (s->period)
            buf_printf(out, " %zu |", s->period);
        else
            buf_puts(out, " - |");
    }
    buf_putc(out, '\n');
}

static void
mark_distance(struct buf *out, double x)
{
    buf_putc(out, ' ');
    if (isnan(x))
        buf_putc(out, '-');
    else
        buf_number(out, x, 4);
    buf_puts(out, " |");
}

static void
mark_against(struct buf *out, const struct profile *p)
{
    const struct profile_against *a = p->against;

    if (!a)
        return;
    buf_puts(out, "\n## Against ");
    mark_text(out, a->name);
    buf_printf(out,
               "\n\n%zu rows, %zu of %zu columns drift, %zu rows in common",
               a->n_rows, a->n_drifting, a->n_tested, a->n_overlap);
    profile_looked_text(p, out);
    buf_puts(out, ".\n\n| column | missing | there | mean | there | PSI | JS | "
                  "KS | Wasserstein | verdict |\n"
                  "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|\n");
    for (size_t i = 0; i < a->n_pairs; i++) {
        const struct profile_pair *o = &a->pair[i];

        buf_puts(out, "| ");
        mark_text(out, o->name);
        buf_printf(out, " | %zu | %zu |", o->n_missing[0], o->n_missing[1]);
        mark_number(out, o->mean[0], o->type[0]);
        mark_number(out, o->mean[1], o->type[1]);
        mark_distance(out, o->psi);
        mark_distance(out, o->js);
        mark_distance(out, o->ks);
        mark_distance(out, o->wasserstein);
        buf_printf(out, " %s%s |\n",
                   !o->there   ? "not there"
                   : !o->here  ? "only there"
                   : o->drifts ? "drifts: "
                               : "",
                   o->test == DRIFT_NONE ? "" : profile_drift_word(o->test));
    }
}

static void
mark_links(struct buf *out, const struct profile *p)
{
    if (p->n_links == 0)
        return;
    buf_puts(out, "\n## Columns that go together\n\n"
                  "| a | b | measure | score |\n|---|---|---|--:|\n");
    for (size_t i = 0; i < p->n_links && i < LINKS_SHOWN; i++) {
        const struct profile_link *l = &p->link[i];

        buf_puts(out, "| ");
        mark_text(out, p->column[l->a].name);
        buf_puts(out, " | ");
        mark_text(out, p->column[l->b].name);
        buf_printf(out, " | %s | %.3f |\n",
                   l->spearman ? "Spearman" : "Cramer's V", l->score);
    }
}

static void
mark_missing(struct buf *out, const struct profile *p)
{
    if (p->n_patterns == 0)
        return;
    buf_printf(out,
               "\n## Missing together\n\n%zu rows miss nothing.\n\n"
               "| rows | columns |\n|--:|---|\n",
               p->n_complete);
    for (size_t k = 0; k < p->n_patterns; k++) {
        bool any = false;

        buf_printf(out, "| %zu | ", p->pattern[k].rows);
        for (size_t i = 0; i < p->n_cols; i++)
            if (profile_pattern_has(p, k, i)) {
                buf_puts(out, any ? ", " : "");
                mark_text(out, p->column[i].name);
                any = true;
            }
        buf_puts(out, " |\n");
    }
}

/* Means, or the share of the most frequent value, by class. */
static void
mark_classes(struct buf *out, const struct profile *p)
{
    if (p->n_classes == 0)
        return;
    buf_puts(out, "\n## By class\n\n| column | of it |");
    for (size_t k = 0; k < p->n_classes; k++) {
        buf_putc(out, ' ');
        mark_text(out, p->class_name[k]);
        buf_puts(out, " |");
    }
    buf_puts(out, "\n|---|---|");
    for (size_t k = 0; k < p->n_classes; k++)
        buf_puts(out, "--:|");
    for (size_t i = 0; i < p->n_cols; i++) {
        const struct profile_column *c = &p->column[i];
        bool category = profile_is_category(c);

        if (!c->by_class || (category && c->n_top == 0))
            continue;
        buf_puts(out, "\n| ");
        mark_text(out, c->name);
        buf_puts(out, category ? " | " : " | mean");
        if (category)
            mark_text(out, c->top[0].text);
        buf_puts(out, " |");
        for (size_t k = 0; k < p->n_classes; k++) {
            const struct profile_class *by = &c->by_class[k];
            double here = (double)(p->class_rows[k] - by->n_missing);

            if (category)
                buf_printf(out, " %.1f%% |",
                           here > 0 ? 100 * (double)by->top[0] / here : 0);
            else
                mark_number(out, by->mean, c->type);
        }
    }
    buf_putc(out, '\n');
}

void
profile_markdown(const struct profile *p, struct buf *out)
{
    buf_printf(out, "# Profile\n\n%zu rows, %zu columns, %zu repeated rows",
               p->n_rows, p->n_cols, p->n_duplicates);
    if (p->target) {
        buf_puts(out, ", target ");
        mark_text(out, p->target);
    }
    buf_puts(out, ".\n\n## Alerts\n\n");
    if (!p->n_alerts)
        buf_puts(out, "None.\n");
    for (size_t i = 0; i < p->n_alerts; i++) {
        const struct alert *a = &p->alert[i];

        buf_printf(out, "- **%s** (%s) ", profile_alert_word(a->kind),
                   level_word(a->level));
        if (a->col >= 0) {
            mark_text(out, p->column[a->col].name);
            buf_puts(out, ": ");
        }
        mark_text(out, a->text);
        buf_putc(out, '\n');
    }
    buf_puts(out, "\n## Columns\n\n| column | type | missing | distinct | mean "
                  "| sd | min | median | max | shape | most frequent |");
    if (p->target)
        buf_puts(out, p->target_classes ? " AUC |" : " correlation |");
    buf_puts(out, "\n|---|---|--:|--:|--:|--:|--:|--:|--:|---|---|");
    buf_puts(out, p->target ? "--:|\n" : "\n");
    for (size_t i = 0; i < p->n_cols; i++)
        mark_column(out, &p->column[i], p->target != NULL);
    mark_errors(out, p);
    mark_series(out, p);
    mark_against(out, p);
    mark_classes(out, p);
    mark_links(out, p);
    mark_missing(out, p);
}
