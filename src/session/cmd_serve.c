/* session/cmd_serve.c -- serve, and endpoints.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "serve/endpoint.h"
#include "serve/server.h"
#include "session/cmd.h"

enum { GRACE_MS = 10000 };

/* ---- serve ---- */

bool
cmd_serve(struct session *s, struct task *t, struct call *c, struct error *err)
{
    const char *name = call_text(c, "model");
    struct server_options o = {.host = call_text(c, "host"),
                               .port = (unsigned)call_int(c, "port"),
                               .sla_ms = call_float(c, "sla-ms"),
                               .threads = (unsigned)call_int(c, "threads")};
    struct server *server;
    struct model *m;
    char *label;

    if (call_int(c, "port") < 0 || call_int(c, "port") > 65535)
        return error_set(err, ERR_USAGE,
                         "serve: --port is %s, expected 0 to "
                         "65535",
                         call_text(c, "port"));
    if (!(m = cmd_open_model(s, name, &label, err)))
        return false;
    o.label = label;
    server = server_start(m, &o, err);
    model_unref(m);
    if (!server) {
        free(label);
        return false;
    }
    if (call_json(c))
        buf_printf(call_out(c),
                   "{\"host\":\"%s\",\"port\":%u,\"model\":\"%s\"}\n", o.host,
                   server_port(server), label);
    else
        buf_printf(call_out(c),
                   "%s at http://%s:%u  (POST /invocations, GET /ping "
                   "/metrics, /v2; Ctrl-C ends it)\n",
                   label, o.host, server_port(server));
    call_flush(c);
    progress_begin(task_progress(t), "serving", 0);
    while (task_sleep(t, -1))
        ;
    server_stop(server, GRACE_MS);
    free(label);
    return true;
}

/* ---- endpoints ---- */

struct asked {
    struct endpoint_status status;
    bool answered;
    struct error err;
};

static void
ask(const struct deployment *d, struct asked *a)
{
    *a = (struct asked){.status = {.state = ENDPOINT_STOPPED}};
    a->answered = endpoint_ask(d, &a->status, &a->err);
}

static const char *
state_of(const struct deployment *d, const struct asked *a)
{
    if (a->answered)
        return endpoint_state_word(a->status.state);
    return endpoint_state_word(d->wanted ? ENDPOINT_DEAD : ENDPOINT_STOPPED);
}

static bool
is_up(const struct asked *a)
{
    return a->answered && a->status.state == ENDPOINT_UP;
}

static const char *
drift_word(enum drift_level level)
{
    static const char *const words[] = {"too few rows", "ok", "moderate",
                                        "major"};

    return words[level];
}

static void
put_drift(struct json_writer *w, const struct endpoint_status *e)
{
    json_open(w, '[');
    for (size_t i = 0; i < e->n_features; i++) {
        json_open(w, '{');
        json_name(w, "feature");
        json_put_string(w, e->feature[i].name);
        json_name(w, "psi");
        json_put_double(w, e->feature[i].psi);
        json_name(w, "rows");
        json_put_i64(w, (int64_t)e->feature[i].n);
        json_name(w, "level");
        json_put_string(w, drift_word(e->feature[i].level));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void
put_number(struct json_writer *w, const char *name, double x)
{
    json_name(w, name);
    json_put_double(w, x);
}

static void
put_members(struct json_writer *w, const struct deployment *d,
            const struct asked *a)
{
    const struct stat_view *v = &a->status.stat;

    json_name(w, "name");
    json_put_string(w, d->name);
    json_name(w, "reference");
    json_put_string(w, d->reference);
    json_name(w, "model");
    json_put_string(w, d->label);
    json_name(w, "state");
    json_put_string(w, state_of(d, a));
    json_name(w, "host");
    json_put_string(w, d->host);
    json_name(w, "port");
    json_put_i64(w, d->port);
    json_name(w, "pid");
    json_put_i64(w, d->pid);
    put_number(w, "sla_ms", d->sla_ms);
    if (is_up(a)) {
        json_name(w, "requests");
        json_put_i64(w, (int64_t)v->requests);
        json_name(w, "rows");
        json_put_i64(w, (int64_t)v->rows);
        json_name(w, "errors");
        json_put_i64(w, (int64_t)(v->errors_4xx + v->errors_5xx));
        put_number(w, "p50_ms", v->p50_ms);
        put_number(w, "p95_ms", v->p95_ms);
        put_number(w, "p99_ms", v->p99_ms);
        put_number(w, "requests_per_second", v->recent_rps);
        json_name(w, "rss");
        json_put_i64(w, (int64_t)a->status.rss);
        json_name(w, "uptime_ms");
        json_put_i64(w, a->status.uptime_ms);
        json_name(w, "drift");
        put_drift(w, &a->status);
    }
}

static void
put_endpoint(struct json_writer *w, const struct deployment *d,
             const struct asked *a)
{
    json_open(w, '{');
    put_members(w, d, a);
    json_close(w, '}');
}

/* ---- ls ---- */

struct endpoints {
    struct deployment_list list;
    struct asked *asked; /* of each */
};

static void
put_listed(const void *of, size_t i, struct json_writer *w)
{
    const struct endpoints *e = of;

    put_members(w, &e->list.deployment[i], &e->asked[i]);
}

static void
add_ms(struct listing *l, const struct asked *a, double ms)
{
    if (is_up(a) && isfinite(ms))
        listing_addf(l, "%.2f", ms);
    else
        listing_add(l, NULL);
}

static void
add_row(const void *of, size_t i, struct listing *l)
{
    const struct endpoints *e = of;
    const struct deployment *d = &e->list.deployment[i];
    const struct asked *a = &e->asked[i];
    const struct stat_view *v = &a->status.stat;

    listing_add(l, d->name);
    listing_add(l, d->label);
    listing_add(l, state_of(d, a));
    listing_addf(l, "%s:%lld", d->host, (long long)d->port);
    if (is_up(a)) {
        listing_addf(l, "%llu", (unsigned long long)v->requests);
        listing_addf(l, "%llu",
                     (unsigned long long)(v->errors_4xx + v->errors_5xx));
    } else {
        listing_add(l, NULL);
        listing_add(l, NULL);
    }
    add_ms(l, a, v->p50_ms);
    add_ms(l, a, v->p99_ms);
    listing_add(l,
                is_up(a) ? drift_word(endpoint_worst_drift(&a->status)) : NULL);
}

bool
cmd_endpoint_ls(struct session *s, struct task *t, struct call *c,
                struct error *err)
{
    static const char *const titles[] = {
        "endpoint", "model",   "state",   "address", ">requests",
        ">errors",  ">p50 ms", ">p99 ms", "drift",   NULL};
    struct store *store = cmd_store(s, err);
    struct endpoints e;
    bool ok;

    if (!store || !deployment_list(store, &e.list, err))
        return false;
    e.asked = mem_new((e.list.n + 1) * sizeof *e.asked);
    for (size_t i = 0; i < e.list.n; i++)
        ask(&e.list.deployment[i], &e.asked[i]);
    ok = cmd_list(t, c,
                  &(struct cmd_list){.of = &e,
                                     .n = e.list.n,
                                     .titles = titles,
                                     .none = "no endpoints yet",
                                     .none_so = "no endpoints are so",
                                     .row = add_row,
                                     .put = put_listed},
                  err);
    for (size_t i = 0; i < e.list.n; i++)
        endpoint_status_fini(&e.asked[i].status);
    free(e.asked);
    deployment_list_fini(&e.list);
    return ok;
}

static void
tell(struct call *c, const struct deployment *d, const char *what)
{
    struct json_writer w;
    struct asked a;

    if (!call_json(c)) {
        buf_printf(call_out(c), "%s %s: %s at http://%s:%lld\n", what, d->name,
                   d->label, d->host, (long long)d->port);
        return;
    }
    ask(d, &a);
    cmd_json(c, &w);
    put_endpoint(&w, d, &a);
    cmd_json_end(c);
    endpoint_status_fini(&a.status);
}

bool
cmd_endpoint_create(struct session *s, struct task *t, struct call *c,
                    struct error *err)
{
    struct endpoint_options o = {.host = call_text(c, "host"),
                                 .port = (unsigned)call_int(c, "port"),
                                 .sla_ms = call_float(c, "sla-ms")};
    struct store *store = session_store(s, true, err);
    struct deployment d;

    progress_begin(task_progress(t), "starting", 0);
    if (!store || !endpoint_create(store, call_text(c, "name"),
                                   call_text(c, "model"), &o, &d, err))
        return false;
    tell(c, &d, "started");
    deployment_fini(&d);
    session_notify(s, TOPIC_ENDPOINTS);
    return true;
}

typedef bool
endpoint_verb(struct store *s, const char *name, struct error *err);

static bool
do_verb(struct session *s, struct call *c, endpoint_verb *verb,
        const char *done, struct error *err)
{
    struct store *store = cmd_store(s, err);
    const char *name = call_text(c, "name");

    if (!store || !verb(store, name, err))
        return false;
    buf_printf(call_out(c), "%s %s\n", done, name);
    session_notify(s, TOPIC_ENDPOINTS);
    return true;
}

bool
cmd_endpoint_start(struct session *s, struct task *t, struct call *c,
                   struct error *err)
{
    (void)t;
    return do_verb(s, c, endpoint_start, "started", err);
}

bool
cmd_endpoint_stop(struct session *s, struct task *t, struct call *c,
                  struct error *err)
{
    (void)t;
    return do_verb(s, c, endpoint_stop, "stopped", err);
}

bool
cmd_endpoint_rm(struct session *s, struct task *t, struct call *c,
                struct error *err)
{
    (void)t;
    return do_verb(s, c, endpoint_remove, "removed", err);
}

static bool
find_endpoint(struct session *s, struct call *c, struct deployment *d,
              struct error *err)
{
    struct store *store = cmd_store(s, err);

    return store && deployment_find(store, call_text(c, "name"), d, err);
}

static void
print_endpoint(const struct deployment *d, const struct asked *a,
               struct buf *out)
{
    const struct stat_view *v = &a->status.stat;
    char text[LISTING_WORD];

    buf_printf(out, "%s  %s  http://%s:%lld\n", d->name, state_of(d, a),
               d->host, (long long)d->port);
    buf_printf(out, "model       %s (%s)\n", d->label, d->reference);
    if (!is_up(a)) {
        if (!a->answered && d->wanted)
            buf_printf(out, "            %s\n", a->err.message);
        return;
    }
    listing_duration(a->status.uptime_ms, text);
    buf_printf(out, "up          %s, process %lld\n", text, (long long)d->pid);
    buf_printf(out,
               "requests    %llu (%.1f a second), %llu rows, errors %llu "
               "client, %llu server\n",
               (unsigned long long)v->requests, v->recent_rps,
               (unsigned long long)v->rows, (unsigned long long)v->errors_4xx,
               (unsigned long long)v->errors_5xx);
    if (v->requests)
        buf_printf(out, "latency ms  p50 %.3f  p95 %.3f  p99 %.3f", v->p50_ms,
                   v->p95_ms, v->p99_ms);
    if (v->requests && d->sla_ms > 0)
        buf_printf(out, "  (SLA %g: %s)", d->sla_ms,
                   v->p99_ms <= d->sla_ms ? "kept" : "broken");
    if (v->requests)
        buf_putc(out, '\n');
    buf_printf(out, "drift       %s\n",
               drift_word(endpoint_worst_drift(&a->status)));
}

bool
cmd_endpoint_show(struct session *s, struct task *t, struct call *c,
                  struct error *err)
{
    struct deployment d;
    struct json_writer w;
    struct asked a;

    (void)t;
    if (!find_endpoint(s, c, &d, err))
        return false;
    ask(&d, &a);
    if (call_json(c)) {
        cmd_json(c, &w);
        put_endpoint(&w, &d, &a);
        cmd_json_end(c);
    } else {
        print_endpoint(&d, &a, call_out(c));
    }
    endpoint_status_fini(&a.status);
    deployment_fini(&d);
    return true;
}

bool
cmd_endpoint_drift(struct session *s, struct task *t, struct call *c,
                   struct error *err)
{
    static const char *const titles[] = {"feature", ">psi", ">rows", "verdict",
                                         NULL};
    struct deployment d;
    struct json_writer w;
    struct listing *l;
    struct asked a;
    bool ok;

    (void)t;
    if (!find_endpoint(s, c, &d, err))
        return false;
    ask(&d, &a);
    ok = a.answered;
    if (!ok) {
        *err = a.err;
        error_prefix(err, "%s: ", d.name);
    } else if (call_json(c)) {
        cmd_json(c, &w);
        put_drift(&w, &a.status);
        cmd_json_end(c);
    } else {
        l = listing_new(titles);
        for (size_t i = 0; i < a.status.n_features; i++) {
            const struct endpoint_feature *f = &a.status.feature[i];

            listing_add(l, f->name);
            listing_addf(l, "%.4f", f->psi);
            listing_addf(l, "%llu", (unsigned long long)f->n);
            listing_add(l, drift_word(f->level));
        }
        listing_print(l, call_list_width(c), call_out(c));
        listing_free(l);
    }
    endpoint_status_fini(&a.status);
    deployment_fini(&d);
    return ok;
}

/* {"tenure": 2} is one record; what holds one of the known forms goes as it
 * is. */
static bool
wrap_body(const char *text, struct buf *body, struct error *err)
{
    static const char *const forms[] = {"dataframe_split", "dataframe_records",
                                        "instances", "inputs"};
    struct json *root = json_parse(str_of(text), err);
    bool known = false;

    if (!root) {
        err->code = ERR_USAGE;
        return error_prefix(err, "the body is no JSON: ");
    }
    for (size_t i = 0; i < 4 && json_type(root) == JSON_OBJECT; i++)
        known = known || json_find(root, forms[i]);
    if (known)
        buf_puts(body, text);
    else
        buf_printf(body, "{\"dataframe_records\":%s%s%s}",
                   json_type(root) == JSON_ARRAY ? "" : "[", text,
                   json_type(root) == JSON_ARRAY ? "" : "]");
    json_free(root);
    return true;
}

bool
cmd_endpoint_invoke(struct session *s, struct task *t, struct call *c,
                    struct error *err)
{
    const char *text = call_text(c, "body");
    struct deployment d;
    struct buf file, body;
    long status;
    bool ok = true;

    (void)t;
    if (!find_endpoint(s, c, &d, err))
        return false;
    buf_init(&file);
    buf_init(&body);
    if (*text == '@')
        ok = file_read(text + 1, 16 << 20, &file, err);
    ok = ok && wrap_body(*text == '@' ? file.data : text, &body, err) &&
         endpoint_invoke(&d, body.data, body.len, call_out(c), &status, err);
    if (ok && call_out(c)->len &&
        call_out(c)->data[call_out(c)->len - 1] != '\n')
        buf_putc(call_out(c), '\n');
    if (ok && status != 200)
        ok = error_set(err, ERR_RANGE, "%s answered %ld", d.name, status);
    buf_fini(&file);
    buf_fini(&body);
    deployment_fini(&d);
    return ok;
}

bool
cmd_endpoint_log(struct session *s, struct task *t, struct call *c,
                 struct error *err)
{
    struct store *store = cmd_store(s, err);
    int64_t lines = call_int(c, "lines");
    struct deployment d;

    (void)t;
    if (!store || !deployment_find(store, call_text(c, "name"), &d, err))
        return false;
    deployment_fini(&d);
    return endpoint_log(store, call_text(c, "name"),
                        lines < 0 ? 0 : (size_t)lines, call_out(c), err);
}
