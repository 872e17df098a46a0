/* session/summary.c -- runs, versions and importances as text.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "engine/family.h"
#include "session/fit.h"

enum {
    DIGITS = 4,
    CURVE_DIGITS = 5,
    SETTING_DIGITS = 6, /* as cards of models */
    SPARK_CELLS = 24,
    BAR_CELLS = 30,
    IMPORTANCE_ROWS = 20,
    NAME_CELLS = 40,
    TEXT_CELLS = 500
};

static void
put_plain(struct buf *out, const char *s, size_t cells)
{
    buf_plain(out, s, strlen(s), cells);
}

/* ---- metrics ---- */

static bool
is_tested(const struct json *v)
{
    return strncmp(json_key(v), "test.", 5) == 0;
}

static bool
is_shown(const struct json *v, bool tested)
{
    return json_type(v) == JSON_NUMBER && is_tested(v) == tested &&
           strcmp(json_key(v), "best_step") != 0;
}

/* "auc 0.8499" */
static void
put_metric(const struct json *v, struct buf *out)
{
    put_plain(out, json_key(v), NAME_CELLS);
    buf_putc(out, ' ');
    buf_number(out, json_number(v), DIGITS);
}

/* Those on rows of a test before the others. */
void
summary_metrics(const char *metrics, size_t max, struct buf *out)
{
    struct error err;
    struct json *root =
        metrics && *metrics ? json_parse(str_of(metrics), &err) : NULL;
    bool object = root && json_type(root) == JSON_OBJECT;
    size_t n = 0;

    for (int tested = 1; tested >= 0 && object; tested--)
        for (const struct json *v = json_first(root); v && n < max;
             v = json_next(v)) {
            if (!is_shown(v, tested))
                continue;
            buf_puts(out, n ? ", " : "");
            put_metric(v, out);
            n++;
        }
    json_free(root);
}

void
summary_aside(const char *metrics, size_t max, struct buf *out)
{
    static const char *const kinds[] = {"test.", "cv.", "valid."};
    struct error err;
    struct json *root = json_parse(str_of(metrics), &err);
    size_t n = 0;

    for (size_t k = 0; root && n == 0 && k < sizeof kinds / sizeof *kinds; k++)
        for (const struct json *v = json_first(root); v && n < max;
             v = json_next(v)) {
            if (json_type(v) != JSON_NUMBER ||
                strncmp(json_key(v), kinds[k], strlen(kinds[k])) != 0)
                continue;
            buf_puts(out, n ? ", " : "");
            put_metric(v, out);
            n++;
        }
    json_free(root);
}

void
summary_flat(const struct evaluation *e, struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_open(&w, '{');
    for (size_t i = 0; i < e->n_scores; i++) {
        json_name(&w, e->score[i].metric->name);
        json_put_double(&w, e->score[i].value);
    }
    for (size_t i = 0; i < e->outcomes.n; i++) {
        json_name(&w, e->outcomes.at[i].name);
        json_put_double(&w, e->outcomes.at[i].value);
    }
    json_name(&w, "intervals");
    json_open(&w, '{');
    for (size_t i = 0; i < e->n_scores; i++) {
        json_name(&w, e->score[i].metric->name);
        json_open(&w, '[');
        json_put_double(&w, e->score[i].low);
        json_put_double(&w, e->score[i].high);
        json_close(&w, ']');
    }
    json_close(&w, '}');
    json_close(&w, '}');
}

static const struct json *
metrics_of(const struct json *root)
{
    const struct json *m =
        json_type(root) == JSON_OBJECT ? json_find(root, "metrics") : NULL;

    return m && json_type(m) == JSON_OBJECT ? m : NULL;
}

void
summary_flat_text(const char *evaluation, struct buf *out)
{
    struct error err;
    struct json *root =
        evaluation ? json_parse(str_of(evaluation), &err) : NULL;
    const struct json *m = root ? metrics_of(root) : NULL;
    struct json_writer w;

    json_writer_init(&w, out);
    json_open(&w, '{');
    for (const struct json *v = m ? json_first(m) : NULL; v; v = json_next(v)) {
        const struct json *x =
            json_type(v) == JSON_OBJECT ? json_find(v, "value") : v;

        if (!x || json_type(x) != JSON_NUMBER)
            continue;
        json_name(&w, json_key(v));
        json_put_double(&w, json_number(x));
    }
    json_close(&w, '}');
    json_free(root);
}

/* ---- curves ---- */

/* Eight levels between the least and the largest value; each cell is the mean
 * of its share of the series. */
static void
sparkline(const double *y, size_t n, size_t cells, bool plain, struct buf *out)
{
    static const char *const full[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const ascii[] = {"_", "_", ".", ".", "-", "-", "^", "^"};
    double low = INFINITY, high = -INFINITY;

    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i])) {
            low = fmin(low, y[i]);
            high = fmax(high, y[i]);
        }
    if (cells > n)
        cells = n;
    for (size_t c = 0; c < cells; c++) {
        size_t from = c * n / cells, to = (c + 1) * n / cells, m = 0;
        double sum = 0;
        int level;

        for (size_t i = from; i < to; i++)
            if (isfinite(y[i])) {
                sum += y[i];
                m++;
            }
        if (m == 0) {
            buf_putc(out, ' ');
            continue;
        }
        level = high > low
                    ? (int)((sum / (double)m - low) / (high - low) * 7.999)
                    : 0;
        buf_puts(out, plain ? ascii[level] : full[level]);
    }
}

static size_t
best_of(const struct series *s)
{
    size_t best = 0;

    for (size_t i = 1; i < s->n; i++)
        if (metric_better(s->name, s->value[i], s->value[best]))
            best = i;
    return best;
}

void
summary_curves(const struct series_list *list, size_t width, bool plain,
               struct buf *out)
{
    size_t names = 0, cells = SPARK_CELLS;

    for (size_t i = 0; i < list->n; i++)
        if (strlen(list->series[i].name) > names)
            names = strlen(list->series[i].name);
    if (width < names + cells + 44)
        cells = width > names + 52 ? width - names - 44 : 8;
    for (size_t i = 0; i < list->n; i++) {
        const struct series *s = &list->series[i];
        char last[STR_F64_MAX], most[STR_F64_MAX];
        size_t best;

        if (s->n == 0)
            continue;
        best = best_of(s);
        buf_printf(out, "  %-*s  ", (int)names, s->name);
        str_from_number(s->value[s->n - 1], CURVE_DIGITS, last);
        if (s->n == 1) {
            buf_printf(out, "%s @%lld\n", last, (long long)s->step[0]);
            continue;
        }
        sparkline(s->value, s->n, cells, plain, out);
        str_from_number(s->value[best], CURVE_DIGITS, most);
        buf_printf(out, "  last %s @%lld  best %s @%lld\n", last,
                   (long long)s->step[s->n - 1], most,
                   (long long)s->step[best]);
    }
}

/* ---- runs ---- */

const char *const summary_run_titles[] = {"run",    "name",    "state",
                                          "family", "target",  "@started",
                                          ">time",  "metrics", NULL};

static void
put_duration(const struct run *r, struct buf *out)
{
    char text[LISTING_WORD];

    if (!r->end_ms)
        return;
    listing_duration(r->end_ms - r->start_ms, text);
    buf_puts(out, text);
}

void
summary_run_row(const struct run *r, struct listing *l)
{
    char time[LISTING_WORD];
    struct buf b;

    buf_init(&b);
    listing_addf(l, "%.8s", r->id);
    listing_add(l, r->name);
    listing_add(l, run_state_word(r->state));
    listing_add(l, r->family);
    listing_add(l, r->target);
    listing_time(r->start_ms, time);
    listing_add(l, time);
    put_duration(r, &b);
    listing_add(l, b.data);
    buf_clear(&b);
    summary_metrics(r->metrics, 3, &b);
    listing_add(l, b.data);
    buf_fini(&b);
}

static void
put_field(struct buf *out, const char *label, const char *value)
{
    if (value && *value) {
        buf_printf(out, "%-12s", label);
        put_plain(out, value, TEXT_CELLS);
        buf_putc(out, '\n');
    }
}

/* The members of an object as "learning_rate 0.05, leaves 8, ...", wrapped to
 * width; those that a table has so by default are left out. */
static void
put_members(const char *label, const struct json *root,
            const struct param *table, size_t width, struct buf *out)
{
    size_t used = 12, n = 0;
    struct buf item;

    buf_init(&item);
    buf_printf(out, "%-12s", label);
    for (const struct json *v = json_first(root); v; v = json_next(v)) {
        if (params_is_default(table, v))
            continue;
        buf_clear(&item);
        buf_printf(&item, "%s ", json_key(v));
        if (json_type(v) == JSON_STRING)
            put_plain(&item, json_string(v), NAME_CELLS);
        else if (json_type(v) == JSON_NUMBER)
            buf_number(&item, json_number(v), SETTING_DIGITS);
        else
            json_print(&item, v);
        buf_puts(out, n > 0 ? "," : "");
        if (used + item.len + 2 > width && used > 12) {
            buf_printf(out, "\n%-12s", "");
            used = 12;
        } else if (n > 0) {
            buf_putc(out, ' ');
        }
        buf_puts(out, item.data);
        used += item.len + 2;
        n++;
    }
    buf_puts(out, n ? "\n" : "as by default\n");
    buf_fini(&item);
}

/* What somebody set or the family decided. */
static void
put_params(const struct run *r, size_t width, struct buf *out)
{
    const struct family *family = family_find(r->family);
    struct error err;
    struct json *root = json_parse(str_of(r->params), &err);

    if (root)
        put_members("parameters", root, family ? family->params : NULL, width,
                    out);
    json_free(root);
}

struct json *
summary_options(const struct run *r)
{
    struct error err;
    struct json *tags = json_parse(str_of(r->tags), &err), *root = NULL;
    const char *text;

    if (tags && json_find(tags, FIT_OPTIONS) &&
        json_get_string(tags, FIT_OPTIONS, &text, &err))
        root = json_parse(str_of(text), &err);
    json_free(tags);
    if (root && json_type(root) == JSON_OBJECT)
        return root;
    json_free(root);
    return NULL;
}

static void
put_options(const struct run *r, size_t width, struct buf *out)
{
    struct json *root = summary_options(r);

    if (root)
        put_members("options", root, NULL, width, out);
    json_free(root);
}

/* "first.lathe  #1a2b3c4d5e6f": what it went on from, and its artifact. */
static void
put_init(const struct run *r, struct buf *out)
{
    const char *name, *digest;
    struct error err;
    struct json *tags = json_parse(str_of(r->tags), &err);
    struct buf b;

    buf_init(&b);
    if (tags && json_find(tags, "init") &&
        json_get_string(tags, "init", &name, &err) &&
        json_get_string(tags, "init_artifact", &digest, &err))
        buf_printf(&b, "%s  #%.12s", name, digest);
    put_field(out, "init", b.data);
    buf_fini(&b);
    json_free(tags);
}

void
summary_run(const struct run *r, const struct series_list *series, size_t width,
            bool plain, struct buf *out)
{
    char time[LISTING_WORD];
    struct buf b;

    buf_init(&b);
    put_duration(r, &b);
    listing_time(r->start_ms, time);
    buf_puts(out, "run ");
    put_plain(out, r->name, NAME_CELLS);
    buf_printf(out, "  %s  %s", run_state_word(r->state), r->family);
    if (b.len)
        buf_printf(out, "  %s", b.data);
    buf_putc(out, '\n');
    if (r->message[0]) {
        buf_puts(out, "  ");
        put_plain(out, r->message, TEXT_CELLS);
        buf_putc(out, '\n');
    }
    summary_curves(series, width, plain, out);
    buf_clear(&b);
    summary_metrics(r->metrics, 20, &b);
    put_field(out, "metrics", b.data);
    put_params(r, width, out);
    put_options(r, width, out);
    buf_clear(&b);
    buf_printf(&b, "%s%s%.12s", r->data, r->fingerprint[0] ? "  #" : "",
               r->fingerprint);
    put_field(out, "data", b.data);
    put_init(r, out);
    put_field(out, "target", r->target);
    buf_clear(&b);
    buf_printf(&b, "%llu", (unsigned long long)r->seed);
    put_field(out, "seed", b.data);
    put_field(out, "source", r->source);
    put_field(out, "commit", r->git_commit);
    put_field(out, "build", r->build);
    put_field(out, "started", time);
    put_field(out, "artifact", r->artifact);
    put_field(out, "id", r->id);
    buf_fini(&b);
}

/* ---- versions ---- */

const char *const summary_version_titles[] = {"version",  "stage",   "aliases",
                                              "family",   "metrics", "run",
                                              "@created", NULL};

void
summary_version_row(const struct version *v, struct listing *l)
{
    char time[LISTING_WORD];
    struct buf b;

    buf_init(&b);
    summary_metrics(v->metrics, 2, &b);
    listing_addf(l, "%s/%lld", v->model, (long long)v->number);
    listing_add(l, stage_word(v->stage));
    listing_add(l, v->aliases);
    listing_add(l, v->family);
    listing_add(l, b.data);
    listing_addf(l, "%.8s", v->run);
    listing_time(v->created_ms, time);
    listing_add(l, time);
    buf_fini(&b);
}

void
summary_version(const struct version *v, struct buf *out)
{
    char time[LISTING_WORD], size[LISTING_WORD];
    struct buf b;

    buf_init(&b);
    buf_printf(out, "%s/%lld  %s", v->model, (long long)v->number,
               stage_word(v->stage));
    if (v->aliases[0])
        buf_printf(out, "  @%s", v->aliases);
    buf_putc(out, '\n');
    put_field(out, "model", v->family);
    summary_metrics(v->metrics, 20, &b);
    put_field(out, "metrics", b.data);
    put_field(out, "description", v->description);
    put_field(out, "run", v->run);
    listing_bytes((uint64_t)v->size, size);
    buf_clear(&b);
    buf_printf(&b, "%s  sha256 %s", size, v->artifact);
    put_field(out, "artifact", b.data);
    listing_time(v->created_ms, time);
    put_field(out, "created", time);
    buf_fini(&b);
}

/* ---- importance ---- */

void
summary_importance(const struct frame *f, size_t width, bool plain,
                   struct buf *out)
{
    const struct column *names = frame_column(f, 0);
    const struct column *values = frame_column(f, 1);
    size_t n = frame_rows(f), widest = 0, cells;
    double top = n ? column_number(values, 0) : 0;

    for (size_t i = 0; i < n && i < IMPORTANCE_ROWS; i++) {
        size_t w = str_width(column_text(names, i));

        widest = w > widest ? w : widest;
    }
    widest = widest < NAME_CELLS ? widest : NAME_CELLS;
    cells = width > widest + 12 + BAR_CELLS ? BAR_CELLS : 10;
    for (size_t i = 0; i < n && i < IMPORTANCE_ROWS; i++) {
        struct str name = column_text(names, i);
        double x = column_number(values, i);
        size_t bar = top > 0 ? (size_t)(x / top * (double)cells + 0.5) : 0;
        size_t from = out->len + 2, used;

        buf_puts(out, "  ");
        buf_plain(out, name.p, name.n, NAME_CELLS);
        used = str_width((struct str){out->data + from, out->len - from});
        buf_fill(out, ' ', used < widest ? widest - used + 2 : 2);
        buf_printf(out, "%5.1f %%  ", x * 100);
        for (size_t j = 0; j < bar; j++)
            buf_puts(out, plain ? "#" : "▇");
        buf_putc(out, '\n');
    }
    if (n > IMPORTANCE_ROWS)
        buf_printf(out, "  and %zu more\n", n - IMPORTANCE_ROWS);
}
