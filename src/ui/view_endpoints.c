/* ui/view_endpoints.c -- endpoints: what they answer, how fast, and whether
 * what is asked still looks like what they were trained on.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_endpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "session/task.h"
#include "ui/tether.h"
#include "ui/ui.h"

const struct deployment *
endpoints_at_cursor(const struct view_endpoints *e)
{
    return e->list.at < e->poll.list.n ? &e->poll.list.deployment[e->list.at]
                                       : NULL;
}

const struct endpoint_status *
endpoints_status_at_cursor(const struct view_endpoints *e)
{
    return endpoints_at_cursor(e) ? &e->poll.status[e->list.at] : NULL;
}

static struct list *
list_of(struct view *v)
{
    return &endpoints_mine(v)->list;
}

static struct list *
features_of(struct view *v)
{
    return &endpoints_mine(v)->features;
}

static struct pager *
answer_of(struct view *v)
{
    return &endpoints_mine(v)->answer;
}

static const struct view_region regions[] = {
    [ENDPOINTS_REGION_LIST] = {"endpoints", endpoints_list_draw,
                               endpoints_list_title, list_of, NULL, 0},
    [ENDPOINTS_REGION_CHART] = {"latency", endpoints_chart_draw,
                                endpoints_chart_title, NULL, NULL,
                                REGION_PASSIVE},
    [ENDPOINTS_REGION_DRIFT] = {"drift", endpoints_drift_draw,
                                endpoints_drift_title, features_of, NULL, 0},
    [ENDPOINTS_REGION_DETAIL] = {"requests", endpoints_detail_draw,
                                 endpoints_detail_title, NULL, answer_of, 0},
    {0},
};

static const struct view_sign signs[] = {
    {"●", "the endpoint answers"},
    {"▲", "it answers, but later than the SLA, or an input has drifted far"},
    {"…", "it is starting"},
    {"○", "it was stopped"},
    {"✗", "its process ended by itself: L shows why, o starts it"},
    {0},
};

static void
endpoints_layout(struct view *v, struct layout *l)
{
    struct rect body = l->body, lower;

    (void)v;
    if (body.w >= 130) {
        struct rect right = rect_right(&body, body.w * 2 / 5);

        layout_place(l, ENDPOINTS_REGION_DRIFT, rect_top(&right, right.h / 2));
        layout_place(l, ENDPOINTS_REGION_DETAIL, right);
        layout_place(l, ENDPOINTS_REGION_CHART,
                     rect_bottom(&body, body.h * 3 / 5));
    } else {
        lower = rect_bottom(&body, body.h * 3 / 4);
        layout_place(l, ENDPOINTS_REGION_DETAIL, rect_bottom(&lower, 6));
        layout_place(l, ENDPOINTS_REGION_DRIFT, rect_right(&lower, 38));
        layout_place(l, ENDPOINTS_REGION_CHART, lower);
    }
    layout_place(l, ENDPOINTS_REGION_LIST, body);
}

static void
endpoints_placed(struct view *v)
{
    struct view_endpoints *e = endpoints_mine(v);
    const struct rect *chart = &v->layout.placed[ENDPOINTS_REGION_CHART];

    if (chart->w > 0 &&
        (e->want_w != chart->w - 1 || e->want_h != chart->h - 1)) {
        e->want_w = chart->w - 1;
        e->want_h = chart->h - 1;
        endpoints_ask_chart(e);
    }
}

/* ---- actions ---- */

static bool
has_endpoint(struct view *v)
{
    return endpoints_at_cursor(endpoints_mine(v)) != NULL;
}

static void
run_on_it(struct view_endpoints *e, const char *verb)
{
    const struct deployment *d = endpoints_at_cursor(e);
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
    struct view_endpoints *e = endpoints_mine(v);
    const struct endpoint_status *s = endpoints_status_at_cursor(e);
    const struct deployment *d = endpoints_at_cursor(e);
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
    struct view_endpoints *e = endpoints_mine(v);
    const struct deployment *d = endpoints_at_cursor(e);
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
    const struct deployment *d = endpoints_at_cursor(endpoints_mine(v));
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
    run_on_it(endpoints_mine(v), "log");
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

/* What the server says is wrong, without the envelope; else all it said. */
static void
put_answer(const struct request *r, struct buf *out)
{
    struct error err;
    struct str said = {r->answer.data ? r->answer.data : "", r->answer.len};
    struct json *j = r->status >= 400 ? json_parse(said, &err) : NULL;
    const struct json *m =
        j && json_type(j) == JSON_OBJECT ? json_find(j, "message") : NULL;

    if (m && json_type(m) == JSON_STRING)
        buf_puts(out, json_string(m));
    else
        buf_add(out, said.p, said.n);
    json_free(j);
}

static void
request_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct request *r = ctx;
    struct view_endpoints *e = tether_end(r->view);
    struct buf text;

    (void)t;
    buf_init(&text);
    /* The answer first: in a small terminal there is no room for more. */
    if (ok) {
        buf_printf(&text, "%ld in %.2f ms · ", r->status, (double)r->us / 1000);
        put_answer(r, &text);
        buf_printf(&text, "\n> %s\n", r->body);
    } else {
        buf_printf(&text, "%s\n> %s\n", err->message, r->body);
    }
    if (e) {
        pager_set(&e->answer, text.data, text.len);
        loader_ask(e->loader, NULL); /* it was counted */
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
    const struct deployment *d = endpoints_at_cursor(e);
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
    const struct endpoint_status *s = endpoints_status_at_cursor(e);

    buf_puts(out, "{\"dataframe_records\": [{");
    for (size_t i = 0; s && i < s->n_features; i++) {
        buf_puts(out, i ? ", " : "");
        buf_json(out, s->feature[i].name, strlen(s->feature[i].name));
        buf_puts(out, ": null");
    }
    buf_puts(out, "}]}");
}

/* The inputs of the model after a quote; the only one left brings the colon. */
static size_t
complete_input(void *ctx, struct str line, size_t at, size_t *begin,
               char ***out)
{
    const struct endpoint_status *s = endpoints_status_at_cursor(ctx);
    size_t from = at, n = 0;

    while (from > 0 && line.p[from - 1] != '"')
        from--;
    *begin = from;
    if (!s || from == 0)
        return 0;
    *out = mem_new((s->n_features + 1) * sizeof **out);
    for (size_t i = 0; i < s->n_features; i++)
        if (strncmp(s->feature[i].name, line.p + from, at - from) == 0)
            (*out)[n++] = mem_text(s->feature[i].name);
    if (n == 1) {
        size_t len = strlen((*out)[0]) + sizeof "\": ";
        char *opened = mem_new(len);

        snprintf(opened, len, "%s\": ", (*out)[0]);
        free((*out)[0]);
        (*out)[0] = opened;
    }
    return n;
}

static void
act_invoke(struct view *v, const struct view_call *call)
{
    (void)call;
    if (endpoints_at_cursor(endpoints_mine(v)))
        ui_ask(v->ui, &(struct ui_question){
                          .label = "JSON: ",
                          .text = "{\"",
                          .history = "invoke",
                          .hint = "a row: {\"column\": value, ...}   "
                                  "Tab lists the columns   Enter send",
                          .complete = complete_input,
                          .done = body_given,
                          .ctx = endpoints_mine(v)});
}

static const struct view_action actions[] = {
    {"try", "Endpoint: send a request",
     "Posts a JSON line to /invocations and shows the answer: a row, rows in "
     "[], or one of MLflow's forms. A column that is not given is missing.",
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
    endpoints_poll_init(e);
    e->plotter = plotter_new(ui_loop(ui), plot_note, e);
    pager_init(&e->answer);
    return &e->view;
}

static void
endpoints_close(struct view *v)
{
    struct view_endpoints *e = endpoints_mine(v);

    tether_cut(e->tether);
    endpoints_poll_fini(e);
    plotter_free(e->plotter);
    plot_image_fini(&e->image);
    pager_fini(&e->answer);
    free(e);
}

static void
endpoints_changed(struct view *v, unsigned topics)
{
    if (topics & TOPIC_ENDPOINTS)
        loader_ask(endpoints_mine(v)->loader, NULL);
}

static void
endpoints_shown(struct view *v, bool on)
{
    endpoints_poll_run(endpoints_mine(v), on);
}

static bool
endpoints_show(struct view *v, const char *what, struct error *err)
{
    (void)err;
    snprintf(endpoints_mine(v)->current, sizeof endpoints_mine(v)->current,
             "%s", what);
    loader_ask(endpoints_mine(v)->loader, NULL);
    return true;
}

static void
endpoints_badge(struct view *v, struct buf *out)
{
    struct view_endpoints *e = endpoints_mine(v);

    for (size_t i = 0; i < e->poll.list.n; i++)
        if (e->poll.status[i].state == ENDPOINT_DEAD) {
            buf_puts(out, "✗");
            return;
        }
    for (size_t i = 0; i < e->poll.list.n; i++)
        if (endpoint_worst_drift(&e->poll.status[i]) == DRIFT_MAJOR) {
            buf_puts(out, "▲");
            return;
        }
}

static void
endpoints_subject(struct view *v, struct buf *out)
{
    const struct deployment *d = endpoints_at_cursor(endpoints_mine(v));

    if (d)
        buf_puts(out, d->name);
}

static bool
endpoints_mouse(struct view *v, unsigned region, const struct input_event *in)
{
    struct list *l = &endpoints_mine(v)->list;

    if (region != ENDPOINTS_REGION_LIST || in->mouse != MOUSE_PRESS)
        return false;
    if (in->y > 0 && l->top + (size_t)in->y - 1 < l->n)
        l->at = l->top + (size_t)in->y - 1;
    return true;
}

static bool
endpoints_copy(struct view *v, enum copy_what what, struct buf *out)
{
    const struct deployment *d = endpoints_at_cursor(endpoints_mine(v));

    if (!d)
        return false;
    if (what == COPY_REFERENCE)
        buf_printf(out, "http://%s:%lld/invocations", d->host,
                   (long long)d->port);
    else {
        buf_puts(out, "curl -s -H 'Content-Type: application/json' -d '");
        empty_request(endpoints_mine(v), out);
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
    .signs = signs,
    .open = endpoints_open,
    .close = endpoints_close,
    .layout = endpoints_layout,
    .placed = endpoints_placed,
    .changed = endpoints_changed,
    .shown = endpoints_shown,
    .show = endpoints_show,
    .mouse = endpoints_mouse,
    .badge = endpoints_badge,
    .subject = endpoints_subject,
    .copy = endpoints_copy,
};
