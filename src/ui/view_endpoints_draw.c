/* ui/view_endpoints_draw.c -- the list, the latencies, the drift, one endpoint.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_endpoints.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui/draw_plot.h"
#include "ui/ui.h"

void
endpoints_moved(struct view_endpoints *e)
{
    const struct deployment *d = endpoints_at_cursor(e);

    if (d && strcmp(d->name, e->current) != 0) {
        snprintf(e->current, sizeof e->current, "%s", d->name);
        endpoints_rank_drift(e);
        endpoints_ask_chart(e);
    }
}

/* ---- the list ---- */

static bool
is_late(const struct deployment *d, const struct endpoint_status *s)
{
    return s->state == ENDPOINT_UP && d->sla_ms > 0 &&
           s->stat.recent_p99_ms > d->sla_ms;
}

static void
state_words(const struct deployment *d, const struct endpoint_status *s,
            const char **text, unsigned *style)
{
    bool drifts = endpoint_worst_drift(s) == DRIFT_MAJOR;

    switch (s->state) {
    case ENDPOINT_UP:
        *text = is_late(d, s) ? "▲ late" : drifts ? "▲ drift" : "● up";
        *style = is_late(d, s) || drifts ? ROLE_WARN : ROLE_OK;
        break;
    case ENDPOINT_STARTING:
        *text = "… starting";
        *style = ROLE_INFO;
        break;
    case ENDPOINT_STOPPED:
        *text = "○ stopped";
        *style = ROLE_DIM;
        break;
    default:
        *text = "✗ dead";
        *style = ROLE_ERROR;
    }
}

static int
number(const struct canvas *c, int x, int y, int w, unsigned style, double v,
       int decimals)
{
    char text[32];

    snprintf(text, sizeof text, "%.*f", decimals, v);
    return draw_fit(c, x, y, w, style, DRAW_RIGHT,
                    isnan(v) ? STR("-") : str_of(text));
}

/* Below it the model, p50, p95 and the errors are left out. */
enum { WIDE_LIST = 68 };

static void
draw_head(const struct canvas *c)
{
    int x;

    if (c->w < WIDE_LIST) {
        draw_text(c, 1, 0, ROLE_DIM, "endpoint     state       req/s p99 ms");
        return;
    }
    x = draw_text(c, 1, 0, ROLE_DIM,
                  "endpoint     model      state       req/s"
                  " p50 ms p95 ms p99 ms err %");
    if (c->w - x > 12)
        x = draw_fit(c, x, 0, 6, ROLE_DIM, DRAW_RIGHT, STR("cpu %"));
    if (c->w - x > 4)
        draw_text(c, x + 1, 0, ROLE_DIM, c->w - x > 12 ? "p50, 5 min" : "p50");
}

static void
draw_row(struct view_endpoints *e, const struct canvas *c, int y, size_t i)
{
    const struct deployment *d = &e->poll.list.deployment[i];
    const struct endpoint_status *s = &e->poll.status[i];
    const struct endpoints_track *t = endpoints_track_of(e, d->name);
    const struct stat_view *v = &s->stat;
    bool up = s->state == ENDPOINT_UP, wide = c->w >= WIDE_LIST;
    const char *word;
    unsigned style;
    int x;

    state_words(d, s, &word, &style);
    x = draw_fit(c, 1, y, 12, ROLE_TITLE, DRAW_LEFT, str_of(d->name));
    if (wide)
        x = draw_fit(c, x + 1, y, 10, ROLE_TEXT, DRAW_LEFT, str_of(d->label));
    x = draw_fit(c, x + 1, y, 10, style, DRAW_LEFT, str_of(word));
    x = number(c, x, y, 7, ROLE_TEXT, up ? v->recent_rps : NAN, 1);
    if (wide) {
        x = number(c, x, y, 7, ROLE_TEXT, up ? v->recent_p50_ms : NAN, 2);
        x = number(c, x, y, 7, ROLE_TEXT, up ? v->recent_p95_ms : NAN, 2);
    }
    x = number(c, x, y, 7, is_late(d, s) ? ROLE_WARN | DRAW_BOLD : ROLE_TEXT,
               up ? v->recent_p99_ms : NAN, 2);
    if (!wide)
        return;
    x = number(c, x, y, 6, ROLE_TEXT, up ? 100 * v->recent_error_share : NAN,
               1);
    if (c->w - x > 12)
        x = number(c, x, y, 6, ROLE_TEXT, up && t ? t->cpu_percent : NAN, 0);
    if (t && c->w - x > 4)
        draw_spark(c, x + 1, y, c->w - x - 2, ROLE_INFO, t->p50, t->n, 0, 0);
}

static void
draw_empty(struct view_endpoints *e, const struct canvas *c)
{
    if (!e->loaded) {
        draw_text(c, 1, 1, ROLE_DIM, "loading…");
    } else if (e->error[0]) {
        draw_wrap(c, (struct rect){1, 1, c->w - 2, c->h - 1}, ROLE_ERROR,
                  str_of(e->error));
    } else {
        draw_text(c, 1, 1, ROLE_TEXT, "Nothing is served yet.");
        draw_markup(c, 1, 2, ROLE_DIM,
                    "<4> goes to the registry, where <d> deploys a version");
        draw_markup(c, 1, 3, ROLE_DIM,
                    "<3> goes to the runs, where <r> registers a model first");
        draw_text(c, 1, 4, ROLE_DIM,
                  "In a notebook:  lathe.deploy(\"churn@production\")");
    }
}

void
endpoints_list_draw(struct view *v, const struct canvas *c)
{
    struct view_endpoints *e = endpoints_mine(v);

    if (e->poll.list.n == 0) {
        draw_empty(e, c);
        return;
    }
    endpoints_moved(e);
    draw_head(c);
    list_show(&e->list, (size_t)(c->h > 1 ? c->h - 1 : 0));
    for (int y = 1; y < c->h; y++) {
        size_t i = e->list.top + (size_t)y - 1;

        if (i >= e->poll.list.n)
            break;
        draw_row(e, c, y, i);
        if (i == e->list.at) {
            draw_select(c, (struct rect){0, y, 14, 1});
        }
    }
}

void
endpoints_list_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_endpoints *e = endpoints_mine(v);
    size_t up = 0;

    for (size_t i = 0; i < e->poll.list.n; i++)
        up += e->poll.status[i].state == ENDPOINT_UP;
    buf_puts(left, "Endpoints");
    if (e->poll.list.n > 0)
        buf_printf(left, " · %zu up", up);
    if (up < e->poll.list.n)
        buf_printf(left, " · %zu not", e->poll.list.n - up);
    if (e->poll.list.n > 0)
        buf_puts(right, "latency of the last minute");
}

/* ---- the chart ---- */

/* The newest value there is, or NaN. */
static double
newest(const double *v, size_t n)
{
    while (n > 0 && isnan(v[n - 1]))
        n--;
    return n > 0 ? v[n - 1] : NAN;
}

static bool
near_sla(const struct endpoints_track *t, double sla_ms)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->p99[i] > sla_ms / 5)
            return true;
    return false;
}

/* What there is to draw of the endpoint under the cursor; NULL: nothing. */
static const struct endpoints_track *
charted(struct view_endpoints *e)
{
    const struct deployment *d = endpoints_at_cursor(e);
    const struct endpoints_track *t = d ? endpoints_track_of(e, d->name) : NULL;

    return t && t->n > 1 && !isnan(newest(t->p50, t->n)) ? t : NULL;
}

static void
chart_done(void *ctx, const struct plot_image *im)
{
    struct view_endpoints *e = ctx;

    if (charted(e)) /* else the cursor has moved on meanwhile */
        plot_image_copy(&e->image, im);
    ui_touch(e->view.ui);
}

void
endpoints_ask_chart(struct view_endpoints *e)
{
    const struct endpoints_track *t = charted(e);
    struct plot_series s[3];
    struct plot_spec spec;
    double x[ENDPOINTS_HISTORY], ends[2], sla[2];
    char label[2][32];
    size_t n = 2;

    if (!t)
        plot_image_fini(&e->image);
    if (!t || e->want_w < 10 || e->want_h < 4 ||
        !ui_visible(e->view.ui, &e->view))
        return;
    for (size_t i = 0; i < t->n; i++)
        x[i] = t->time[i] - t->time[t->n - 1];
    snprintf(label[0], sizeof label[0], "p50 %.2f", newest(t->p50, t->n));
    snprintf(label[1], sizeof label[1], "p99 %.2f", newest(t->p99, t->n));
    s[0] = (struct plot_series){x, t->p50, t->n, 1, label[0], false, 0};
    s[1] = (struct plot_series){x, t->p99, t->n, 2, label[1], false, 0};
    /* Far above the curves it would only press them flat; the title has it. */
    sla[0] = sla[1] = endpoints_at_cursor(e)->sla_ms;
    if (sla[0] > 0 && near_sla(t, sla[0])) {
        ends[0] = x[0];
        ends[1] = 0;
        s[n++] = (struct plot_series){ends, sla, 2, 6, "SLA", false, 0};
    }
    spec = plot_spec_of(s, n, e->want_w, e->want_h);
    spec.x_min = x[0];
    spec.x_max = 0;
    spec.y_min = 0;
    plotter_request(e->plotter, &spec, chart_done, e);
}

void
endpoints_chart_draw(struct view *v, const struct canvas *c)
{
    struct view_endpoints *e = endpoints_mine(v);
    const struct endpoint_status *s = endpoints_status_at_cursor(e);

    if (!s)
        return;
    if (e->image.width > 0)
        draw_plot(c, 0, 0, &e->image, 0, c->h);
    else if (s->state == ENDPOINT_UP)
        draw_markup(c, 1, 1, ROLE_DIM, "no requests yet: <t> sends one");
}

void
endpoints_chart_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct deployment *d = endpoints_at_cursor(endpoints_mine(v));
    const struct endpoint_status *s =
        endpoints_status_at_cursor(endpoints_mine(v));
    double p99 = s && s->state == ENDPOINT_UP ? s->stat.recent_p99_ms : NAN;

    const struct endpoints_track *t = charted(endpoints_mine(v));

    buf_puts(left, "latency ms");
    if (t)
        buf_printf(left, " · last %.0f s", t->time[t->n - 1] - t->time[0]);
    if (!d || !(d->sla_ms > 0))
        return;
    buf_printf(right, "SLA %g ms", d->sla_ms);
    if (!isnan(p99))
        buf_puts(right, p99 > d->sla_ms ? " ▲ missed" : " ✓ met");
}

/* ---- drift ---- */

/* By falling score; what has none comes last, ties in the model's order. */
static int
worse_first(const void *a, const void *b)
{
    const struct endpoint_feature *x =
        *(const struct endpoint_feature *const *)a;
    const struct endpoint_feature *y =
        *(const struct endpoint_feature *const *)b;
    double p = isnan(x->psi) ? -1 : x->psi, q = isnan(y->psi) ? -1 : y->psi;

    return p > q ? -1 : p < q ? 1 : x < y ? -1 : x > y;
}

void
endpoints_rank_drift(struct view_endpoints *e)
{
    const struct endpoint_status *s = endpoints_status_at_cursor(e);
    size_t n = s ? s->n_features : 0;

    free(e->drift);
    e->drift = mem_new((n + 1) * sizeof *e->drift);
    for (size_t i = 0; i < n; i++)
        e->drift[i] = &s->feature[i];
    qsort(e->drift, n, sizeof *e->drift, worse_first);
    list_set(&e->features, n);
}

static void
draw_feature(const struct canvas *c, int y, const struct endpoint_feature *f)
{
    static const unsigned styles[] = {ROLE_DIM, ROLE_OK, ROLE_WARN, ROLE_ERROR};
    char text[48];

    if (f->level == DRIFT_FEW || isnan(f->psi))
        snprintf(text, sizeof text, "few rows");
    else
        snprintf(text, sizeof text, "%.3f %-8s", f->psi,
                 drift_level_word(f->level));
    draw_fit(c, 1, y, c->w - 17, ROLE_TEXT, DRAW_LEFT, str_of(f->name));
    draw_fit(c, c->w - 15, y, 14, styles[f->level], DRAW_RIGHT, str_of(text));
}

void
endpoints_drift_draw(struct view *v, const struct canvas *c)
{
    struct view_endpoints *e = endpoints_mine(v);
    const struct endpoint_status *s = endpoints_status_at_cursor(e);
    int rows = c->h > 4 ? c->h - 1 : c->h;

    if (!s || s->n_features == 0) {
        draw_text(c, 1, 0, ROLE_DIM,
                  s && s->state == ENDPOINT_UP ? "nothing was asked yet" : "");
        return;
    }
    list_show(&e->features, (size_t)rows);
    for (int y = 0; y < rows; y++) {
        size_t i = e->features.top + (size_t)y;

        if (i >= e->features.n)
            break;
        draw_feature(c, y, e->drift[i]);
        if (c->focus && i == e->features.at)
            draw_restyle(c, (struct rect){0, y, c->w, 1}, ROLE_SELECT);
    }
    if (rows < c->h)
        draw_text(c, 1, rows, ROLE_DIM, "PSI: 0.1 moderate, 0.25 major");
    draw_scrollbar(c, c->w - 1, 0, rows, e->features.top, (size_t)rows,
                   e->features.n);
}

void
endpoints_drift_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct endpoint_status *s =
        endpoints_status_at_cursor(endpoints_mine(v));

    buf_puts(left, "asked against trained");
    if (s && s->n_features > 0)
        buf_printf(right, "%llu rows", (unsigned long long)s->stat.rows);
}

/* ---- one endpoint ---- */

void
endpoints_detail_draw(struct view *v, const struct canvas *c)
{
    struct view_endpoints *e = endpoints_mine(v);
    const struct deployment *d = endpoints_at_cursor(e);
    const struct endpoint_status *s = endpoints_status_at_cursor(e);
    struct canvas rest;
    char text[256];
    int used = 1;

    if (!d)
        return;
    draw_printf(c, 1, 0, ROLE_TEXT, "POST http://%s:%lld/invocations", d->host,
                (long long)d->port);
    snprintf(text, sizeof text,
             "%s → %s · %llu requests · 4xx %llu · 5xx %llu · memory %.0f MiB",
             d->reference, d->label, (unsigned long long)s->stat.requests,
             (unsigned long long)s->stat.errors_4xx,
             (unsigned long long)s->stat.errors_5xx,
             (double)s->rss / (1 << 20));
    if (s->state == ENDPOINT_DEAD)
        draw_markup(c, 1, 1, ROLE_ERROR,
                    "✗ its process ended by itself: <L> shows why, "
                    "<o> starts it again");
    else if (s->state == ENDPOINT_STOPPED)
        draw_markup(c, 1, 1, ROLE_DIM, "○ stopped: <o> starts it");
    else
        used = draw_wrap(c, (struct rect){1, 1, c->w - 2, 2}, ROLE_DIM,
                         str_of(text));
    int y = 1 + used + (c->h > 6);

    if (c->h <= y)
        return;
    rest = canvas_sub(c, (struct rect){1, y, c->w - 1, c->h - y});
    if (e->answer.text.len > 0)
        pager_draw(&e->answer, &rest, NULL);
    else if (s->state == ENDPOINT_UP)
        draw_markup(&rest, 0, 0, ROLE_DIM,
                    "<t> sends a request, <y> copies a curl line");
}

void
endpoints_detail_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct deployment *d = endpoints_at_cursor(endpoints_mine(v));

    (void)right;
    buf_puts(left, d ? d->name : "endpoint");
}
