/* ui/view_runs_compare.c -- the lettered runs side by side.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/metric.h"

enum { COMPARE_MAX = 200 };

/* Names of metrics, then of parameters, over all lettered runs. */
struct names {
    const char *name[COMPARE_MAX];
    bool metric[COMPARE_MAX];
    size_t n;
};

/* Parameters that all runs leave as they are would hide the others. */
static void
collect_names(const struct run *run, const struct json *object, bool metric,
              struct names *out)
{
    for (const struct json *v = object ? json_first(object) : NULL; v;
         v = json_next(v)) {
        size_t j = 0;

        if (metric ? json_type(v) != JSON_NUMBER : runs_is_default(run, v))
            continue;
        while (j < out->n && (out->metric[j] != metric ||
                              strcmp(out->name[j], json_key(v)) != 0))
            j++;
        if (j == out->n && out->n < COMPARE_MAX) {
            out->name[out->n] = json_key(v);
            out->metric[out->n++] = metric;
        }
    }
}

static void
compare_names(struct view_runs *r, struct names *out)
{
    out->n = 0;
    for (int metric = 1; metric >= 0; metric--)
        for (size_t k = 0; k <= r->n_overlay; k++) {
            size_t i = runs_lettered(r, k);

            if (i != SIZE_MAX)
                collect_names(runs_data_run(r->data, i),
                              metric ? runs_data_metrics(r->data, i)
                                     : runs_data_params(r->data, i),
                              metric, out);
        }
}

static void
compare_value(struct view_runs *r, size_t i, const char *name, bool metric,
              struct buf *b)
{
    const struct json *o =
        metric ? runs_data_metrics(r->data, i) : runs_data_params(r->data, i);
    const struct json *v = o ? json_find(o, name) : NULL;

    if (!v)
        buf_puts(b, "-");
    else
        runs_scalar_text(v, b);
}

/* The letter with the best value of a metric; SIZE_MAX when none stands out. */
static size_t
best_letter(struct view_runs *r, const char *name)
{
    size_t best = SIZE_MAX, n = 0;
    double value = NAN;
    bool same = true;

    if (!metric_ranked(name))
        return SIZE_MAX;
    for (size_t k = 0; k <= r->n_overlay; k++) {
        size_t i = runs_lettered(r, k);
        const struct json *o =
            i == SIZE_MAX ? NULL : runs_data_metrics(r->data, i);
        const struct json *v = o ? json_find(o, name) : NULL;

        if (!v || json_type(v) != JSON_NUMBER)
            continue;
        same = same && (n == 0 || json_number(v) == value);
        if (n++ == 0 || metric_better(name, json_number(v), value)) {
            best = k;
            value = json_number(v);
        }
    }
    return n > 1 && !same ? best : SIZE_MAX;
}

static void
draw_compare_row(struct view_runs *r, const struct canvas *c, int y,
                 const char *name, bool metric, int name_w, int col_w)
{
    size_t best = metric ? best_letter(r, name) : SIZE_MAX, n = 0;
    struct buf first, b;
    bool differs = false;
    int x = name_w + 1;

    buf_init(&first);
    buf_init(&b);
    draw_fit(c, 1, y, name_w - 1, ROLE_DIM, DRAW_LEFT, str_of(name));
    for (size_t k = 0; k <= r->n_overlay && x + col_w <= c->w; k++) {
        size_t i = runs_lettered(r, k);

        if (i == SIZE_MAX)
            continue;
        buf_clear(&b);
        compare_value(r, i, name, metric, &b);
        if (n++ == 0)
            buf_puts(&first, b.data);
        else
            differs = differs || strcmp(first.data, b.data) != 0;
        draw_fit(c, x, y, col_w - 1, k == best ? ROLE_OK : ROLE_TEXT,
                 DRAW_RIGHT, (struct str){b.data, b.len});
        if (k == best)
            draw_text(c, x + col_w - 2 - (int)b.len, y, ROLE_OK, "✓");
        x += col_w;
    }
    if (differs && x < c->w)
        draw_text(c, x, y, ROLE_WARN, "≠");
    buf_fini(&first);
    buf_fini(&b);
}

static size_t
draw_heads(struct view_runs *r, const struct canvas *c, int x, int col_w)
{
    size_t n = 0;

    for (size_t k = 0; k <= r->n_overlay && x + col_w <= c->w; k++) {
        size_t i = runs_lettered(r, k);
        char head[80];

        if (i == SIZE_MAX)
            continue;
        snprintf(head, sizeof head, "%c %s", (char)('a' + k),
                 runs_data_run(r->data, i)->name);
        draw_fit(c, x, 0, col_w - 1,
                 (ROLE_SERIES_0 + (unsigned)k % THEME_SERIES) | DRAW_BOLD,
                 DRAW_RIGHT, str_of(head));
        x += col_w;
        n++;
    }
    return n;
}

void
runs_compare_draw(struct view *v, const struct canvas *c)
{
    struct view_runs *r = runs_mine(v);
    struct names names;
    int name_w = c->w / 3 > 26 ? 26 : c->w / 3, col_w;

    compare_names(r, &names);
    col_w = (c->w - name_w - 3) / (int)(r->n_overlay + 1);
    col_w = col_w > 14 ? 14 : col_w < 8 ? 8 : col_w;
    if (draw_heads(r, c, name_w + 1, col_w) == 0)
        return;
    list_set(&r->compare, names.n);
    list_show(&r->compare, (size_t)(c->h > 1 ? c->h - 1 : 0));
    for (int y = 1; y < c->h; y++) {
        size_t at = r->compare.top + (size_t)y - 1;

        if (at >= names.n)
            break;
        draw_compare_row(r, c, y, names.name[at], names.metric[at], name_w,
                         col_w);
        if (c->focus && at == r->compare.at)
            draw_attrs(c, (struct rect){0, y, c->w, 1}, THEME_UNDER);
    }
}

struct list *
runs_compare_of(struct view *v)
{
    return &runs_mine(v)->compare;
}
