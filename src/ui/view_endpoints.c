/* ui/view_endpoints.c -- endpoints: what they answer, how fast, and whether
 * what is asked still looks like what they were trained on.
 *
 * While it is shown the view asks every endpoint once a second and keeps the
 * last five minutes; hidden, it asks nothing.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/endpoint.h"
#include "session/plot.h"
#include "session/task.h"
#include "ui/loader.h"
#include "ui/tether.h"
#include "ui/ui.h"
#include "ui/view.h"

enum { REGION_LIST, REGION_CHART, REGION_DRIFT, REGION_DETAIL };
enum { HISTORY = 300, POLL_MS = 1000, MAX_TRACKED = 64 };

/* What one poll brings. */
struct poll {
    struct deployment_list list;
    struct endpoint_status *status; /* one for each */
};

/* What is remembered of one endpoint between polls. */
struct track {
    char name[ENDPOINT_NAME_MAX + 1];
    double time[HISTORY], p50[HISTORY], p99[HISTORY], rps[HISTORY];
    size_t n;        /* polls kept, oldest first */
    uint64_t cpu_us; /* at the last poll */
    int64_t cpu_at_ms;
    int64_t cpu_pid;
    double cpu_percent; /* NaN: not known yet */
};

struct view_endpoints {
    struct view view;
    struct tether *tether; /* of the requests under way */
    struct loader *loader;
    struct plotter *plotter;
    struct poll poll;
    struct track *track; /* MAX_TRACKED */
    size_t n_tracks;
    struct list list, features;
    struct pager answer; /* of the last request */
    char asked[ENDPOINT_NAME_MAX + 1];
    bool shown, loaded;
    char error[ERROR_MESSAGE_MAX];
    struct loop_watch *timer;
    struct plot_image image;
    int want_w, want_h;
    char pending[320];
    char current[ENDPOINT_NAME_MAX + 1];
};

static struct view_endpoints *
mine(struct view *v)
{
    return (struct view_endpoints *)v;
}

static const struct deployment *
at_cursor(const struct view_endpoints *e)
{
    return e->list.at < e->poll.list.n ? &e->poll.list.deployment[e->list.at]
                                       : NULL;
}

static const struct endpoint_status *
status_at_cursor(const struct view_endpoints *e)
{
    return at_cursor(e) ? &e->poll.status[e->list.at] : NULL;
}

/* ---- polling ---- */

static void
free_poll(void *out)
{
    struct poll *p = out;

    for (size_t i = 0; p->status && i < p->list.n; i++)
        endpoint_status_fini(&p->status[i]);
    free(p->status);
    deployment_list_fini(&p->list);
    *p = (struct poll){0};
}

static bool
load_poll(struct task *t, const char *arg, void *out, struct error *err)
{
    struct store *s = session_store(task_session(t), false, err);
    struct poll *p = out;

    (void)arg;
    if (!s)
        return err->code == ERR_NOTFOUND; /* no store: no endpoints */
    if (!deployment_list(s, &p->list, err))
        return false;
    p->status = mem_try_array(p->list.n + 1, sizeof *p->status, err);
    for (size_t i = 0; p->status && i < p->list.n; i++)
        if (!endpoint_ask(&p->list.deployment[i], &p->status[i], err))
            return false;
    return p->status;
}

static struct track *
track_of(struct view_endpoints *e, const char *name, bool make)
{
    for (size_t i = 0; i < e->n_tracks; i++)
        if (strcmp(e->track[i].name, name) == 0)
            return &e->track[i];
    if (!make || e->n_tracks == MAX_TRACKED)
        return NULL;
    snprintf(e->track[e->n_tracks].name, sizeof e->track[0].name, "%s", name);
    e->track[e->n_tracks].cpu_percent = NAN;
    return &e->track[e->n_tracks++];
}

static void
track_cpu(struct track *t, const struct endpoint_status *s, int64_t now)
{
    if (t->cpu_pid == s->pid && now > t->cpu_at_ms && s->cpu_us >= t->cpu_us)
        t->cpu_percent = 100.0 * (double)(s->cpu_us - t->cpu_us) /
                         (1000.0 * (double)(now - t->cpu_at_ms));
    else
        t->cpu_percent = NAN;
    t->cpu_us = s->cpu_us;
    t->cpu_at_ms = now;
    t->cpu_pid = s->pid;
}

static void
track_add(struct track *t, const struct endpoint_status *s)
{
    int64_t now = loop_now_ms();

    if (t->n == HISTORY) {
        double *rows[] = {t->time, t->p50, t->p99, t->rps};

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            memmove(rows[i], rows[i] + 1, (HISTORY - 1) * sizeof *rows[i]);
        t->n--;
    }
    t->time[t->n] = (double)loop_wall_ms() / 1000.0;
    t->p50[t->n] = s->state == ENDPOINT_UP ? s->stat.recent_p50_ms : NAN;
    t->p99[t->n] = s->state == ENDPOINT_UP ? s->stat.recent_p99_ms : NAN;
    t->rps[t->n] = s->state == ENDPOINT_UP ? s->stat.recent_rps : NAN;
    t->n++;
    track_cpu(t, s, now);
}

static void ask_chart(struct view_endpoints *e);

static void
poll_loaded(void *ctx, const char *arg, void *out, bool ok,
            const struct error *err)
{
    struct view_endpoints *e = ctx;
    struct poll *fresh = out, old = e->poll;

    (void)arg;
    e->loaded = true;
    snprintf(e->error, sizeof e->error, "%s", ok ? "" : err->message);
    if (ok) {
        e->poll = *fresh;
        *fresh = old;
        list_set(&e->list, e->poll.list.n);
        for (size_t i = 0; i < e->poll.list.n; i++) {
            const char *name = e->poll.list.deployment[i].name;
            struct track *t = track_of(e, name, true);

            if (t)
                track_add(t, &e->poll.status[i]);
            if (strcmp(name, e->current) == 0)
                e->list.at = i;
        }
        ask_chart(e);
    }
    ui_touch(e->view.ui);
}

static const struct loader_class poll_loader = {sizeof(struct poll), load_poll,
                                                poll_loaded, free_poll};

static void
tick(void *ctx, int events)
{
    struct view_endpoints *e = ctx;

    (void)events;
    if (!loader_busy(e->loader))
        loader_ask(e->loader, NULL);
}

static void
moved(struct view_endpoints *e)
{
    const struct deployment *d = at_cursor(e);

    if (d && strcmp(d->name, e->current) != 0) {
        snprintf(e->current, sizeof e->current, "%s", d->name);
        ask_chart(e);
    }
}

/* ---- the list ---- */

static enum drift_level
worst_drift(const struct endpoint_status *s)
{
    enum drift_level worst = DRIFT_FEW;

    for (size_t i = 0; i < s->n_features; i++)
        if (s->feature[i].level > worst)
            worst = s->feature[i].level;
    return worst;
}

static void
state_words(const struct endpoint_status *s, const char **text, unsigned *style)
{
    switch (s->state) {
    case ENDPOINT_UP:
        *text = worst_drift(s) == DRIFT_MAJOR ? "▲ drift" : "● up";
        *style = worst_drift(s) == DRIFT_MAJOR ? ROLE_WARN : ROLE_OK;
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

static void
draw_row(struct view_endpoints *e, const struct canvas *c, int y, size_t i)
{
    const struct deployment *d = &e->poll.list.deployment[i];
    const struct endpoint_status *s = &e->poll.status[i];
    const struct track *t = track_of(e, d->name, false);
    bool up = s->state == ENDPOINT_UP;
    bool late = d->sla_ms > 0 && s->stat.recent_p99_ms > d->sla_ms;
    const char *word;
    unsigned style;
    int x;

    state_words(s, &word, &style);
    x = draw_fit(c, 1, y, 12, ROLE_TITLE, DRAW_LEFT, str_of(d->name));
    x = draw_fit(c, x + 1, y, 10, ROLE_TEXT, DRAW_LEFT, str_of(d->label));
    x = draw_fit(c, x + 1, y, 10, style, DRAW_LEFT, str_of(word));
    x = number(c, x, y, 7, ROLE_TEXT, up ? s->stat.recent_rps : NAN, 1);
    x = number(c, x, y, 7, ROLE_TEXT, up ? s->stat.recent_p50_ms : NAN, 2);
    x = number(c, x, y, 7, ROLE_TEXT, up ? s->stat.recent_p95_ms : NAN, 2);
    x = number(c, x, y, 7, late ? ROLE_WARN | DRAW_BOLD : ROLE_TEXT,
               up ? s->stat.recent_p99_ms : NAN, 2);
    x = number(c, x, y, 6, ROLE_TEXT,
               up ? 100 * s->stat.recent_error_share : NAN, 1);
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
        draw_markup(c, 1, 3, ROLE_DIM,
                    "<4> and <d> on a version deploys it, or in a notebook:");
        draw_text(c, 1, 4, ROLE_DIM, "lathe.deploy(\"churn@production\")");
    }
}

static void
list_draw(struct view *v, const struct canvas *c)
{
    static const char head[] = "endpoint     model      state       req/s"
                               "    p50    p95    p99  err%";
    struct view_endpoints *e = mine(v);
    int x;

    if (e->poll.list.n == 0) {
        draw_empty(e, c);
        return;
    }
    moved(e);
    x = draw_text(c, 1, 0, ROLE_DIM, head);
    if (c->w - x > 12)
        x = draw_fit(c, x, 0, 6, ROLE_DIM, DRAW_RIGHT, STR("cpu%"));
    if (c->w - x > 4)
        draw_text(c, x + 1, 0, ROLE_DIM, c->w - x > 12 ? "p50, 5 min" : "p50");
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

static void
list_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_endpoints *e = mine(v);
    size_t up = 0;

    for (size_t i = 0; i < e->poll.list.n; i++)
        up += e->poll.status[i].state == ENDPOINT_UP;
    buf_puts(left, "Endpoints");
    if (e->poll.list.n > 0)
        buf_printf(left, " · %zu up", up);
    if (up < e->poll.list.n)
        buf_printf(left, " · %zu not", e->poll.list.n - up);
    if (e->poll.list.n > 0)
        buf_puts(right, "latency of the last minute, ms");
}

/* ---- the chart ---- */

static void
chart_done(void *ctx, const struct plot_image *im)
{
    struct view_endpoints *e = ctx;
    size_t bytes = (size_t)im->width * (size_t)im->height * sizeof *im->cell;

    plot_image_fini(&e->image);
    e->image = *im;
    e->image.cell = mem_new(bytes);
    memcpy(e->image.cell, im->cell, bytes);
    ui_touch(e->view.ui);
}

/* The newest value there is, or NaN. */
static double
newest(const double *v, size_t n)
{
    while (n > 0 && isnan(v[n - 1]))
        n--;
    return n > 0 ? v[n - 1] : NAN;
}

static bool
near_sla(const struct track *t, double sla_ms)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->p99[i] > sla_ms / 5)
            return true;
    return false;
}

static void
ask_chart(struct view_endpoints *e)
{
    const struct deployment *d = at_cursor(e);
    const struct track *t = d ? track_of(e, d->name, false) : NULL;
    struct plot_series s[3];
    double x[HISTORY], ends[2], sla[2];
    char label[2][32];
    size_t n = 2;

    if (!t || t->n < 2 || isnan(newest(t->p50, t->n)) || e->want_w < 10 ||
        e->want_h < 4 || !ui_visible(e->view.ui, &e->view))
        return;
    for (size_t i = 0; i < t->n; i++)
        x[i] = t->time[i] - t->time[t->n - 1];
    snprintf(label[0], sizeof label[0], "p50 %.2f", newest(t->p50, t->n));
    snprintf(label[1], sizeof label[1], "p99 %.2f", newest(t->p99, t->n));
    s[0] = (struct plot_series){x, t->p50, t->n, 1, label[0], false};
    s[1] = (struct plot_series){x, t->p99, t->n, 2, label[1], false};
    /* Far above the curves it would only press them flat; the title has it. */
    if (d->sla_ms > 0 && near_sla(t, d->sla_ms)) {
        ends[0] = x[0];
        ends[1] = 0;
        sla[0] = sla[1] = d->sla_ms;
        s[n++] = (struct plot_series){ends, sla, 2, 6, "sla", false};
    }
    plotter_request(e->plotter,
                    &(struct plot_spec){.series = s,
                                        .n_series = n,
                                        .width = e->want_w,
                                        .height = e->want_h,
                                        .x_min = NAN,
                                        .x_max = NAN,
                                        .y_min = 0,
                                        .y_max = NAN},
                    chart_done, e);
}

static void
chart_draw(struct view *v, const struct canvas *c)
{
    struct view_endpoints *e = mine(v);
    const struct plot_image *im = &e->image;

    if (!at_cursor(e))
        return;
    if (im->width == 0)
        draw_text(c, 1, 1, ROLE_DIM, "requests draw a curve here; t sends one");
    for (int y = 0; y < im->height && y < c->h; y++)
        for (int x = 0; x < im->width && x < c->w; x++) {
            const struct plot_cell *cell = plot_image_at(im, x, y);

            if (cell->cp)
                draw_cp(c, x, y,
                        cell->ink > 0
                            ? ROLE_SERIES_0 +
                                  (unsigned)(cell->ink - 1) % THEME_SERIES
                        : cell->ink == INK_GRID ? ROLE_GRID
                                                : ROLE_CHART,
                        cell->cp);
        }
}

static void
chart_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct deployment *d = at_cursor(mine(v));
    const struct endpoint_status *s = status_at_cursor(mine(v));
    double p99 = s && s->state == ENDPOINT_UP ? s->stat.recent_p99_ms : NAN;

    buf_printf(left, "%s%slatency ms", d ? d->name : "", d ? " · " : "");
    if (!d || !(d->sla_ms > 0))
        return;
    buf_printf(right, "SLA %g ms", d->sla_ms);
    if (!isnan(p99))
        buf_puts(right, p99 > d->sla_ms ? " ▲ missed" : " ✓ met");
}

/* ---- drift ---- */

static void
drift_draw(struct view *v, const struct canvas *c)
{
    static const char *const signs[] = {"·", "✓", "▲", "▲"};
    static const unsigned styles[] = {ROLE_DIM, ROLE_OK, ROLE_WARN, ROLE_ERROR};
    struct view_endpoints *e = mine(v);
    const struct endpoint_status *s = status_at_cursor(e);

    if (!s || s->n_features == 0) {
        draw_text(c, 1, 0, ROLE_DIM, s ? "nothing was asked yet" : "");
        return;
    }
    list_set(&e->features, s->n_features);
    list_show(&e->features, (size_t)c->h);
    for (int y = 0; y < c->h; y++) {
        size_t i = e->features.top + (size_t)y;
        const struct endpoint_feature *f;

        if (i >= s->n_features)
            break;
        f = &s->feature[i];
        draw_fit(c, 1, y, c->w - 14, ROLE_TEXT, DRAW_LEFT, str_of(f->name));
        if (f->level == DRIFT_FEW || isnan(f->psi))
            draw_fit(c, c->w - 13, y, 12, ROLE_DIM, DRAW_RIGHT,
                     STR("few rows"));
        else
            draw_printf(c, c->w - 13, y, styles[f->level], "psi %5.3f %s",
                        f->psi, signs[f->level]);
        if (c->focus && i == e->features.at)
            draw_restyle(c, (struct rect){0, y, c->w, 1}, ROLE_SELECT);
    }
}

static void
drift_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct endpoint_status *s = status_at_cursor(mine(v));

    buf_puts(left, "asked against trained");
    if (s && s->n_features > 0)
        buf_printf(right, "%llu rows", (unsigned long long)s->stat.rows);
}

/* ---- one endpoint ---- */

static void
detail_draw(struct view *v, const struct canvas *c)
{
    struct view_endpoints *e = mine(v);
    const struct deployment *d = at_cursor(e);
    const struct endpoint_status *s = status_at_cursor(e);
    struct canvas rest;

    if (!d)
        return;
    draw_printf(c, 1, 0, ROLE_TEXT, "POST http://%s:%lld/invocations", d->host,
                (long long)d->port);
    draw_printf(c, 1, 1, ROLE_DIM,
                "%s → %s · %llu requests · 4xx %llu · 5xx %llu · %.0f MiB",
                d->reference, d->label, (unsigned long long)s->stat.requests,
                (unsigned long long)s->stat.errors_4xx,
                (unsigned long long)s->stat.errors_5xx,
                (double)s->rss / (1 << 20));
    if (c->h < 4)
        return;
    rest = canvas_sub(c, (struct rect){1, 3, c->w - 1, c->h - 3});
    if (e->answer.text.len > 0)
        pager_draw(&e->answer, &rest, NULL);
    else
        draw_markup(&rest, 0, 0, ROLE_DIM,
                    "<t> sends a request, <y> copies a curl line");
}

static void
detail_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct deployment *d = at_cursor(mine(v));

    (void)right;
    buf_puts(left, d ? d->name : "endpoint");
}

static struct list *
list_of(struct view *v)
{
    return &mine(v)->list;
}

static struct list *
features_of(struct view *v)
{
    return &mine(v)->features;
}

static struct pager *
answer_of(struct view *v)
{
    return &mine(v)->answer;
}

static const struct view_region regions[] = {
    [REGION_LIST] = {"endpoints", list_draw, list_title, list_of, NULL, 0},
    [REGION_CHART] = {"latency", chart_draw, chart_title, NULL, NULL,
                      REGION_PASSIVE},
    [REGION_DRIFT] = {"drift", drift_draw, drift_title, features_of, NULL, 0},
    [REGION_DETAIL] = {"requests", detail_draw, detail_title, NULL, answer_of,
                       0},
    {0},
};

static void
endpoints_layout(struct view *v, struct layout *l)
{
    struct view_endpoints *e = mine(v);
    struct rect body = l->body, lower;
    const struct rect *chart = &l->placed[REGION_CHART];

    if (body.w >= 130) {
        struct rect right = rect_right(&body, body.w * 2 / 5);

        layout_place(l, REGION_DRIFT, rect_top(&right, right.h / 2));
        layout_place(l, REGION_DETAIL, right);
        layout_place(l, REGION_CHART, rect_bottom(&body, body.h * 3 / 5));
    } else {
        lower = rect_bottom(&body, body.h * 3 / 4);
        layout_place(l, REGION_DETAIL, rect_bottom(&lower, 6));
        layout_place(l, REGION_DRIFT, rect_right(&lower, 34));
        layout_place(l, REGION_CHART, lower);
    }
    layout_place(l, REGION_LIST, body);
    if (e->want_w != chart->w - 1 || e->want_h != chart->h - 1) {
        e->want_w = chart->w - 1;
        e->want_h = chart->h - 1;
        ask_chart(e);
    }
}

/* ---- actions ---- */

static bool
has_endpoint(struct view *v)
{
    return at_cursor(mine(v)) != NULL;
}

static void
run_on_it(struct view_endpoints *e, const char *verb)
{
    const struct deployment *d = at_cursor(e);
    char line[160];

    if (!d)
        return;
    snprintf(line, sizeof line, "endpoint %s %s", verb, d->name);
    ui_run_command(e->view.ui, line, 0);
}

static void
confirmed(void *ctx, bool yes)
{
    struct view_endpoints *e = ctx;

    if (yes && e->pending[0])
        ui_run_command(e->view.ui, e->pending, 0);
    e->pending[0] = '\0';
}

static void
confirm(struct view_endpoints *e, const char *question)
{
    ui_confirm(e->view.ui, question, confirmed, e);
}

static void
act_toggle(struct view *v, const struct view_call *call)
{
    struct view_endpoints *e = mine(v);
    const struct endpoint_status *s = status_at_cursor(e);
    const struct deployment *d = at_cursor(e);
    char question[160];

    (void)call;
    if (!d)
        return;
    if (s->state != ENDPOINT_UP && s->state != ENDPOINT_STARTING) {
        run_on_it(e, "start");
        return;
    }
    snprintf(e->pending, sizeof e->pending, "endpoint stop %s", d->name);
    snprintf(question, sizeof question, "stop %s? clients get no answers then",
             d->name);
    confirm(e, question);
}

static void
act_remove(struct view *v, const struct view_call *call)
{
    struct view_endpoints *e = mine(v);
    const struct deployment *d = at_cursor(e);
    char question[160];

    (void)call;
    if (!d)
        return;
    snprintf(e->pending, sizeof e->pending, "endpoint rm %s", d->name);
    snprintf(question, sizeof question, "stop and forget %s?", d->name);
    confirm(e, question);
}

static void
act_model(struct view *v, const struct view_call *call)
{
    const struct deployment *d = at_cursor(mine(v));
    char line[256];

    if (!d || !call->arg || !call->arg[0])
        return;
    snprintf(line, sizeof line, "endpoint create %s %s --port %lld --sla-ms %g",
             d->name, call->arg, (long long)d->port, d->sla_ms);
    ui_run_command(v->ui, line, 0);
}

static void
act_log(struct view *v, const struct view_call *call)
{
    (void)call;
    run_on_it(mine(v), "log");
}

struct request {
    struct deployment to;
    char *body;
    struct buf answer;
    long status;
    int64_t us;
    struct tether *view;
};

static bool
send_request(struct task *t, void *ctx, struct error *err)
{
    struct request *r = ctx;
    int64_t begin = loop_now_us();
    bool ok;

    (void)t;
    ok = endpoint_invoke(&r->to, r->body, strlen(r->body), &r->answer,
                         &r->status, err);
    r->us = loop_now_us() - begin;
    return ok;
}

static void
request_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct request *r = ctx;
    struct view_endpoints *e = tether_end(r->view);
    struct buf text;

    (void)t;
    buf_init(&text);
    if (ok)
        buf_printf(&text, "> %s\n%ld in %.2f ms\n%s\n", r->body, r->status,
                   (double)r->us / 1000, r->answer.data);
    else
        buf_printf(&text, "> %s\n%s\n", r->body, err->message);
    if (e) {
        pager_set(&e->answer, text.data, text.len);
        ui_touch(e->view.ui);
    }
    buf_fini(&text);
    buf_fini(&r->answer);
    deployment_fini(&r->to);
    free(r->body);
    free(r);
}

static void
body_given(void *ctx, const char *text)
{
    struct view_endpoints *e = ctx;
    const struct deployment *d = at_cursor(e);
    struct request *r;

    if (!text || !text[0] || !d)
        return;
    r = mem_new(sizeof *r);
    r->view = tether_hold(e->tether);
    r->to = *d;
    r->to.name = mem_text(d->name);
    r->to.reference = mem_text(d->reference);
    r->to.label = mem_text(d->label);
    r->to.host = mem_text(d->host);
    r->body = mem_text(text);
    buf_init(&r->answer);
    task_start(ui_session(e->view.ui), &(struct task_spec){.title = "invoke",
                                                           .run = send_request,
                                                           .done = request_done,
                                                           .ctx = r,
                                                           .quiet = true});
}

/* A request with every column, to be filled in. */
static void
empty_request(struct view_endpoints *e, struct buf *out)
{
    const struct endpoint_status *s = status_at_cursor(e);

    buf_puts(out, "{\"dataframe_records\": [{");
    for (size_t i = 0; s && i < s->n_features; i++) {
        buf_puts(out, i ? ", " : "");
        buf_json(out, s->feature[i].name, strlen(s->feature[i].name));
        buf_puts(out, ": null");
    }
    buf_puts(out, "}]}");
}

static void
act_invoke(struct view *v, const struct view_call *call)
{
    struct buf text;

    (void)call;
    buf_init(&text);
    empty_request(mine(v), &text);
    if (at_cursor(mine(v)))
        ui_ask(v->ui, &(struct ui_question){
                          .label = "JSON: ",
                          .text = text.data,
                          .history = "invoke",
                          .hint = "MLflow's forms: dataframe_records, "
                                  "dataframe_split, instances, inputs",
                          .done = body_given,
                          .ctx = mine(v)});
    buf_fini(&text);
}

static const struct view_action actions[] = {
    {"try", "Endpoint: send a request",
     "Posts a JSON line to /invocations and shows the answer. A null is a "
     "missing value.",
     NULL, act_invoke, has_endpoint, ACTION_SUBJECT},
    {"on-off", "Endpoint: start or stop",
     "Stopping answers what was accepted, then ends the process.", NULL,
     act_toggle, has_endpoint, ACTION_SUBJECT},
    {"model", "Endpoint: serve another version",
     "Starts the new version, "
     "checks that it answers, then ends the old one.",
     "model (churn/3, churn@production): ", act_model, has_endpoint,
     ACTION_SUBJECT},
    {"log", "Endpoint: log", NULL, NULL, act_log, has_endpoint, ACTION_SUBJECT},
    {"delete", "Endpoint: remove", "Stops it and forgets it.", NULL, act_remove,
     has_endpoint, ACTION_SUBJECT},
    {0},
};

/* ---- the class ---- */

static void
plot_note(void *ctx, const char *text)
{
    ui_message(((struct view_endpoints *)ctx)->view.ui, MESSAGE_WARN, "%s",
               text);
}

static struct view *
endpoints_open(struct ui *ui)
{
    struct view_endpoints *e = mem_new(sizeof *e);

    e->view.ui = ui;
    e->tether = tether_new(e);
    e->track = mem_new(MAX_TRACKED * sizeof *e->track);
    e->loader = loader_new(ui_session(ui), &poll_loader, e);
    e->plotter = plotter_new(ui_loop(ui), plot_note, e);
    pager_init(&e->answer);
    return &e->view;
}

static void
endpoints_close(struct view *v)
{
    struct view_endpoints *e = mine(v);

    tether_cut(e->tether);
    loader_free(e->loader);
    loop_remove(e->timer);
    plotter_free(e->plotter);
    plot_image_fini(&e->image);
    pager_fini(&e->answer);
    free_poll(&e->poll);
    free(e->track);
    free(e);
}

static void
endpoints_changed(struct view *v, unsigned topics)
{
    if (topics & TOPIC_ENDPOINTS)
        loader_ask(mine(v)->loader, NULL);
}

static void
endpoints_shown(struct view *v, bool on)
{
    struct view_endpoints *e = mine(v);

    e->shown = on;
    if (on)
        loader_ask(e->loader, NULL);
    if (on && !e->timer)
        e->timer = loop_timer(ui_loop(v->ui), POLL_MS, true, tick, e);
    if (!on) {
        loop_remove(e->timer);
        e->timer = NULL;
    }
}

static bool
endpoints_show(struct view *v, const char *what, struct error *err)
{
    (void)err;
    snprintf(mine(v)->current, sizeof mine(v)->current, "%s", what);
    loader_ask(mine(v)->loader, NULL);
    return true;
}

static void
endpoints_badge(struct view *v, struct buf *out)
{
    struct view_endpoints *e = mine(v);

    for (size_t i = 0; i < e->poll.list.n; i++)
        if (e->poll.status[i].state == ENDPOINT_DEAD) {
            buf_puts(out, "✗");
            return;
        }
    for (size_t i = 0; i < e->poll.list.n; i++)
        if (worst_drift(&e->poll.status[i]) == DRIFT_MAJOR) {
            buf_puts(out, "▲");
            return;
        }
}

static void
endpoints_subject(struct view *v, struct buf *out)
{
    const struct deployment *d = at_cursor(mine(v));

    if (d)
        buf_puts(out, d->name);
}

static bool
endpoints_mouse(struct view *v, unsigned region, const struct input_event *in)
{
    struct list *l = &mine(v)->list;

    if (region != REGION_LIST || in->mouse != MOUSE_PRESS)
        return false;
    if (in->y > 0 && l->top + (size_t)in->y - 1 < l->n)
        l->at = l->top + (size_t)in->y - 1;
    return true;
}

static bool
endpoints_copy(struct view *v, enum copy_what what, struct buf *out)
{
    const struct deployment *d = at_cursor(mine(v));

    if (!d)
        return false;
    if (what == COPY_REFERENCE)
        buf_printf(out, "http://%s:%lld/invocations", d->host,
                   (long long)d->port);
    else {
        buf_puts(out, "curl -s -H 'Content-Type: application/json' -d '");
        empty_request(mine(v), out);
        buf_printf(out, "' http://%s:%lld/invocations", d->host,
                   (long long)d->port);
    }
    return true;
}

const struct view_class view_endpoints_class = {
    .name = "endpoints",
    .title = "Endpoints",
    .regions = regions,
    .actions = actions,
    .open = endpoints_open,
    .close = endpoints_close,
    .layout = endpoints_layout,
    .changed = endpoints_changed,
    .shown = endpoints_shown,
    .show = endpoints_show,
    .mouse = endpoints_mouse,
    .badge = endpoints_badge,
    .subject = endpoints_subject,
    .copy = endpoints_copy,
};
