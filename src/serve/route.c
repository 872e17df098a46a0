/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/route.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/loop.h"
#include "base/proc.h"
#include "serve/oip.h"
#include "serve/predict.h"

static const char json_type_name[] = "application/json";
static const char plain_type[] = "text/plain; charset=utf-8";

enum { MANY_ROWS = 4096 }; /* from here on the pool helps */

/* The parts of a path that a pattern leaves open. */
struct match {
    struct str name, version;
};

struct route {
    const char *method, *pattern;
    void (*answer)(const struct service *s, const struct request *q,
                   const struct match *m, struct reply *r);
    bool counted;
};

void
reply_init(struct reply *r)
{
    memset(r, 0, sizeof *r);
    buf_init(&r->body);
}

void
reply_clear(struct reply *r)
{
    struct buf body = r->body;

    frame_unref(r->asked);
    memset(r, 0, sizeof *r);
    r->body = body;
    buf_clear(&r->body);
}

void
reply_fini(struct reply *r)
{
    frame_unref(r->asked);
    buf_fini(&r->body);
    memset(r, 0, sizeof *r);
}

/* ---- errors ---- */

static void
set_reply(struct reply *r, unsigned status, const char *type)
{
    r->status = status;
    r->type = type;
}

void
route_refuse(const char *path, unsigned status, const char *why,
             struct reply *r)
{
    struct json_writer w;

    buf_clear(&r->body);
    r->json_len = 0;
    json_writer_init(&w, &r->body);
    if (status == 415 && !strcmp(path, "/invocations")) {
        set_reply(r, status, plain_type);
        buf_puts(&r->body, why);
        buf_putc(&r->body, '\n');
        return;
    }
    set_reply(r, status, json_type_name);
    json_open(&w, '{');
    if (!strcmp(path, "/invocations")) {
        json_name(&w, "error_code");
        json_put_string(&w, status >= 500 ? "INTERNAL_ERROR" : "BAD_REQUEST");
        json_name(&w, "message");
        json_put_string(&w, why);
        json_name(&w, "stack_trace");
        json_put_string(&w, "");
    } else {
        json_name(&w, "error");
        json_put_string(&w, why);
    }
    json_close(&w, '}');
}

static void
refuse_error(const struct request *q, const struct error *err, struct reply *r)
{
    unsigned status = 400;

    if (err->code == ERR_NOMEM || err->code == ERR_CORRUPT)
        status = err->code == ERR_NOMEM ? 503 : 500;
    route_refuse(q->path, status, err->message, r);
}

/* ---- Content-Type ---- */

static struct str
cut_word(struct str *s, char at)
{
    const char *end = s->n ? memchr(s->p, at, s->n) : NULL;
    struct str word = {s->p, end ? (size_t)(end - s->p) : s->n};

    s->p += word.n + (end != NULL);
    s->n -= word.n + (end != NULL);
    return str_trim(word);
}

/* The media type into *kind; false when a parameter is not charset=utf-8. */
static bool
read_type(const char *type, struct str *kind, struct str *bad)
{
    struct str s = str_of(type);

    *kind = cut_word(&s, ';');
    while (s.n) {
        struct str value = cut_word(&s, ';'), name;

        *bad = value;
        if (!value.n)
            continue;
        name = cut_word(&value, '=');
        value = str_trim(value);
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"') {
            value.p++;
            value.n -= 2;
        }
        if (!str_eq_nocase(name, STR("charset")) ||
            !(str_eq_nocase(value, STR("utf-8")) ||
              str_eq_nocase(value, STR("utf8"))))
            return false;
    }
    return true;
}

static bool
refuse_type(const struct request *q, const char *what, struct str value,
            const char *want, struct reply *r)
{
    struct buf why;

    buf_init(&why);
    buf_printf(&why, "%s is '%.*s', expected %s", what, (int)value.n, value.p,
               want);
    route_refuse(q->path, 415, why.data, r);
    buf_fini(&why);
    return false;
}

/* A compressed body would be read as garbage. */
static bool
check_encoding(const struct request *q, struct reply *r)
{
    struct str e = str_of(q->encoding);

    if (!e.n || str_eq_nocase(e, STR("identity")))
        return true;
    return refuse_type(q, "Content-Encoding", e, "none", r);
}

/* ---- predicting ---- */

static uint64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Predict r->asked; an empty table has an empty answer. */
static bool
predict(const struct service *s, struct reply *r, struct prediction *p,
        struct error *err)
{
    struct pool *pool = NULL;

    memset(p, 0, sizeof *p);
    r->call.rows = frame_rows(r->asked);
    if (!r->call.rows) {
        p->k = model_width(s->model);
        return true;
    }
    if (r->call.rows >= MANY_ROWS)
        pool = s->pool;
    return model_predict_all(s->model, r->asked, pool, p, err);
}

static bool
wants_csv(const struct request *q)
{
    struct str accept = str_of(q->accept), first = cut_word(&accept, ',');

    first = cut_word(&first, ';');
    return str_eq_nocase(first, STR("text/csv"));
}

static bool
check_invocation_type(const struct request *q, bool *csv, struct reply *r)
{
    const char *want = "application/json or text/csv, charset utf-8";
    struct str kind, bad = {NULL, 0};

    if (!q->type || !*q->type) {
        route_refuse(q->path, 415,
                     "no Content-Type, expected application/json or text/csv",
                     r);
        return false;
    }
    if (!read_type(q->type, &kind, &bad))
        return refuse_type(q, "a parameter of Content-Type", bad, want, r);
    *csv = str_eq_nocase(kind, STR("text/csv"));
    if (!*csv && !str_eq_nocase(kind, STR("application/json")))
        return refuse_type(q, "Content-Type", kind, want, r);
    return check_encoding(q, r);
}

static void
answer_invocations(const struct service *s, const struct request *q,
                   const struct match *m, struct reply *r)
{
    struct prediction p = {0};
    struct error err;
    uint64_t begin = now_ns(), read, scored;
    bool csv = false;

    (void)m;
    if (!check_invocation_type(q, &csv, r))
        return;
    r->asked = csv ? predict_parse_csv(s->form, q->body, &err)
                   : predict_parse_json(s->form, q->body, &err);
    read = now_ns();
    if (!r->asked || !predict(s, r, &p, &err)) {
        refuse_error(q, &err, r);
        return;
    }
    scored = now_ns();
    if (wants_csv(q)) {
        predict_answer_csv(s->model, &p, &r->body);
        set_reply(r, 200, "text/csv; charset=utf-8");
    } else {
        predict_answer_json(s->model, &p, &r->body);
        set_reply(r, 200, json_type_name);
    }
    prediction_fini(&p);
    r->call.input_ns = read - begin;
    r->call.infer_ns = scored - read;
    r->call.output_ns = now_ns() - scored;
}

/* ---- Open Inference Protocol ---- */

/* One segment of *path into *out: "/x" -> "x". */
static bool
take_segment(const char **path, struct str *out)
{
    size_t n;

    if (**path != '/')
        return false;
    n = strcspn(*path + 1, "/");
    *out = (struct str){*path + 1, n};
    *path += 1 + n;
    return n > 0;
}

/* {name} and {version} in a pattern match one segment each. */
static bool
match_pattern(const char *pattern, const char *path, struct match *m)
{
    struct str want, got;

    memset(m, 0, sizeof *m);
    while (*pattern && *path) {
        if (!take_segment(&pattern, &want) || !take_segment(&path, &got))
            return false;
        if (str_is(want, "{name}"))
            m->name = got;
        else if (str_is(want, "{version}"))
            m->version = got;
        else if (!str_eq(want, got))
            return false;
    }
    return !*pattern && !*path;
}

/* Name and version of the path are those served, else 404. */
static bool
check_model(const struct service *s, const struct request *q,
            const struct match *m, struct reply *r)
{
    struct buf why;

    if (str_is(m->name, s->name) &&
        (!m->version.p || str_is(m->version, s->version)))
        return true;
    buf_init(&why);
    if (!str_is(m->name, s->name))
        buf_printf(&why, "no model '%.*s' here, this is '%s'", (int)m->name.n,
                   m->name.p, s->name);
    else
        buf_printf(&why, "no version '%.*s' of '%s' here, this is '%s'",
                   (int)m->version.n, m->version.p, s->name, s->version);
    route_refuse(q->path, 404, why.data, r);
    buf_fini(&why);
    return false;
}

static bool
check_oip_type(const struct request *q, struct reply *r)
{
    static const char *const known[] = {"application/json",
                                        "application/octet-stream",
                                        "application/x-www-form-urlencoded"};
    struct str kind, bad = {NULL, 0};

    /* The protocol says nothing of the header, and Triton does not look at
     * it: what curl -d sends by itself is let through. */
    if (!q->type || !*q->type)
        return check_encoding(q, r);
    if (!read_type(q->type, &kind, &bad))
        return refuse_type(q, "a parameter of Content-Type", bad,
                           "charset=utf-8", r);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq_nocase(kind, str_of(known[i])))
            return check_encoding(q, r);
    return refuse_type(q, "Content-Type", kind,
                       "application/json or application/octet-stream", r);
}

static void
answer_infer(const struct service *s, const struct request *q,
             const struct match *m, struct reply *r)
{
    struct oip_request in;
    struct prediction p = {0};
    struct error err;
    uint64_t begin = now_ns(), read, scored;

    if (!check_model(s, q, m, r) || !check_oip_type(q, r))
        return;
    if (!oip_parse(s->form, q->body, q->json_len, &in, &err)) {
        refuse_error(q, &err, r);
        return;
    }
    read = now_ns();
    r->asked = frame_ref(in.rows);
    if (predict(s, r, &p, &err)) {
        scored = now_ns();
        oip_answer(s->model, s->name, s->version, &in, &p, &r->body,
                   &r->json_len);
        set_reply(r, 200,
                  r->json_len ? "application/octet-stream" : json_type_name);
        r->call.input_ns = read - begin;
        r->call.infer_ns = scored - read;
        r->call.output_ns = now_ns() - scored;
    } else {
        refuse_error(q, &err, r);
    }
    prediction_fini(&p);
    oip_request_fini(&in);
}

static bool
is_ready(const struct service *s)
{
    return !atomic_load_explicit(&s->draining, memory_order_relaxed);
}

static void
answer_flag(struct reply *r, const char *model, const char *key, bool value)
{
    struct json_writer w;

    json_writer_init(&w, &r->body);
    json_open(&w, '{');
    if (model) {
        json_name(&w, "name");
        json_put_string(&w, model);
    }
    json_name(&w, key);
    json_put_bool(&w, value);
    json_close(&w, '}');
    set_reply(r, value ? 200 : 503, json_type_name);
}

static void
answer_live(const struct service *s, const struct request *q,
            const struct match *m, struct reply *r)
{
    (void)s;
    (void)q;
    (void)m;
    answer_flag(r, NULL, "live", true);
}

static void
answer_ready(const struct service *s, const struct request *q,
             const struct match *m, struct reply *r)
{
    (void)q;
    (void)m;
    answer_flag(r, NULL, "ready", is_ready(s));
}

static void
answer_model_ready(const struct service *s, const struct request *q,
                   const struct match *m, struct reply *r)
{
    if (check_model(s, q, m, r))
        answer_flag(r, s->name, "ready", is_ready(s));
}

static void
answer_server(const struct service *s, const struct request *q,
              const struct match *m, struct reply *r)
{
    (void)s;
    (void)q;
    (void)m;
    buf_puts(&r->body, "{\"name\":\"" PACKAGE_NAME
                       "\",\"version\":\"" PACKAGE_VERSION "\",\"extensions\":"
                       "[\"binary_tensor_data\"]}");
    set_reply(r, 200, json_type_name);
}

static void
answer_model(const struct service *s, const struct request *q,
             const struct match *m, struct reply *r)
{
    if (!check_model(s, q, m, r))
        return;
    oip_metadata(s->model, s->name, s->version, &r->body);
    set_reply(r, 200, json_type_name);
}

/* ---- MLflow's small ones, Prometheus, ours ---- */

static void
answer_ping(const struct service *s, const struct request *q,
            const struct match *m, struct reply *r)
{
    (void)q;
    (void)m;
    buf_putc(&r->body, '\n');
    set_reply(r, is_ready(s) ? 200 : 503, plain_type);
}

static void
answer_version(const struct service *s, const struct request *q,
               const struct match *m, struct reply *r)
{
    (void)s;
    (void)q;
    (void)m;
    buf_puts(&r->body, PACKAGE_VERSION "\n");
    set_reply(r, 200, plain_type);
}

static void
put_drift(const struct service *s, struct buf *out)
{
    struct error err;
    size_t n = 0;
    struct drift_score *d = s->drift ? drift_scores(s->drift, &n, &err) : NULL;

    if (!d)
        return;
    buf_puts(out, "# HELP lathe_drift_score Population stability index of an "
                  "input against the training rows\n"
                  "# TYPE lathe_drift_score gauge\n");
    for (size_t i = 0; i < n; i++) {
        if (isnan(d[i].psi))
            continue;
        buf_puts(out, "lathe_drift_score{model=\"");
        stat_prometheus_label(out, s->name);
        buf_puts(out, "\",feature=\"");
        stat_prometheus_label(out, d[i].name);
        buf_puts(out, "\",test=\"psi\"} ");
        buf_double(out, d[i].psi);
        buf_putc(out, '\n');
    }
    free(d);
}

static void
answer_metrics(const struct service *s, const struct request *q,
               const struct match *m, struct reply *r)
{
    uint64_t cpu_us = 0, rss = 0;

    (void)q;
    (void)m;
    stat_prometheus(s->stats, s->name, s->version, &r->body);
    put_drift(s, &r->body);
    if (proc_usage(getpid(), &cpu_us, &rss)) {
        buf_puts(&r->body, "# HELP process_cpu_seconds_total User and system "
                           "time\n# TYPE process_cpu_seconds_total counter\n"
                           "process_cpu_seconds_total ");
        buf_double(&r->body, (double)cpu_us / 1e6);
        buf_printf(&r->body,
                   "\n# HELP process_resident_memory_bytes Resident memory\n"
                   "# TYPE process_resident_memory_bytes gauge\n"
                   "process_resident_memory_bytes %llu\n",
                   (unsigned long long)rss);
    }
    set_reply(r, 200, "text/plain; version=0.0.4; charset=utf-8");
}

static void
put_pair(struct json_writer *w, const char *name, double x)
{
    json_name(w, name);
    json_put_double(w, x);
}

static void
put_view(const struct service *s, struct json_writer *w)
{
    struct stat_view v;

    stat_view(s->stats, &v);
    json_name(w, "requests");
    json_put_i64(w, (int64_t)v.requests);
    json_name(w, "errors_4xx");
    json_put_i64(w, (int64_t)v.errors_4xx);
    json_name(w, "errors_5xx");
    json_put_i64(w, (int64_t)v.errors_5xx);
    json_name(w, "rows");
    json_put_i64(w, (int64_t)v.rows);
    put_pair(w, "p50_ms", v.p50_ms);
    put_pair(w, "p95_ms", v.p95_ms);
    put_pair(w, "p99_ms", v.p99_ms);
    put_pair(w, "recent_p50_ms", v.recent_p50_ms);
    put_pair(w, "recent_p95_ms", v.recent_p95_ms);
    put_pair(w, "recent_p99_ms", v.recent_p99_ms);
    put_pair(w, "recent_rps", v.recent_rps);
    put_pair(w, "recent_error_share", v.recent_error_share);
}

static void
put_features(const struct service *s, struct json_writer *w)
{
    struct error err;
    size_t n = 0;
    struct drift_score *d = s->drift ? drift_scores(s->drift, &n, &err) : NULL;

    json_name(w, "features");
    json_open(w, '[');
    for (size_t i = 0; d && i < n; i++) {
        json_open(w, '{');
        json_name(w, "name");
        json_put_string(w, d[i].name);
        put_pair(w, "psi", d[i].psi);
        json_name(w, "n");
        json_put_i64(w, (int64_t)d[i].n);
        json_name(w, "level");
        json_put_string(w, drift_level_word(d[i].level));
        json_close(w, '}');
    }
    json_close(w, ']');
    free(d);
}

static void
answer_stats(const struct service *s, const struct request *q,
             const struct match *m, struct reply *r)
{
    uint64_t cpu_us = 0, rss = 0;
    struct json_writer w;

    (void)q;
    (void)m;
    if (!proc_usage(getpid(), &cpu_us, &rss))
        cpu_us = rss = 0;
    json_writer_init(&w, &r->body);
    json_open(&w, '{');
    json_name(&w, "model");
    json_put_string(&w, s->name);
    json_name(&w, "version");
    json_put_string(&w, s->version);
    json_name(&w, "label");
    json_put_string(&w, s->label);
    json_name(&w, "pid");
    json_put_i64(&w, getpid());
    json_name(&w, "uptime_ms");
    json_put_i64(&w, loop_now_ms() - s->started_ms);
    json_name(&w, "cpu_us");
    json_put_i64(&w, (int64_t)cpu_us);
    json_name(&w, "rss");
    json_put_i64(&w, (int64_t)rss);
    put_pair(&w, "sla_ms", s->sla_ms);
    put_view(s, &w);
    put_features(s, &w);
    json_close(&w, '}');
    set_reply(r, 200, json_type_name);
}

/* ---- the table ---- */

static const struct route routes[] = {
    {"POST", "/invocations", answer_invocations, true},
    {"POST", "/v2/models/{name}/infer", answer_infer, true},
    {"POST", "/v2/models/{name}/versions/{version}/infer", answer_infer, true},
    {"GET", "/ping", answer_ping, false},
    {"GET", "/health", answer_ping, false},
    {"GET", "/version", answer_version, false},
    {"GET", "/metrics", answer_metrics, false},
    {"GET", "/lathe/stats", answer_stats, false},
    {"GET", "/v2", answer_server, false},
    {"GET", "/v2/health/live", answer_live, false},
    {"GET", "/v2/health/ready", answer_ready, false},
    {"GET", "/v2/models/{name}", answer_model, false},
    {"GET", "/v2/models/{name}/ready", answer_model_ready, false},
    {"GET", "/v2/models/{name}/versions/{version}", answer_model, false},
    {"GET", "/v2/models/{name}/versions/{version}/ready", answer_model_ready,
     false}};
enum { N_ROUTES = sizeof routes / sizeof routes[0] };

static const struct route *
find_route(const char *path, struct match *m)
{
    for (size_t i = 0; i < N_ROUTES; i++)
        if (match_pattern(routes[i].pattern, path, m))
            return &routes[i];
    return NULL;
}

/* Every path has one method. */
static bool
method_suits(const struct route *f, const struct request *q, struct reply *r)
{
    bool get = !strcmp(f->method, "GET");
    struct buf why;

    if (!strcmp(f->method, q->method) || (get && !strcmp(q->method, "HEAD")))
        return true;
    r->allow = get ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
    if (!strcmp(q->method, "OPTIONS")) {
        set_reply(r, 204, NULL);
        return false;
    }
    buf_init(&why);
    buf_printf(&why, "%s does not take %s, only %s", q->path, q->method,
               r->allow);
    route_refuse(q->path, 405, why.data, r);
    buf_fini(&why);
    r->counted = true;
    return false;
}

static void
refuse_path(const struct request *q, struct reply *r)
{
    const char *known[N_ROUTES], *near;
    struct buf why;

    for (size_t i = 0; i < N_ROUTES; i++)
        known[i] = routes[i].pattern;
    near = str_nearest(str_of(q->path), known, N_ROUTES);
    buf_init(&why);
    buf_printf(&why, "nothing at '%s'", q->path);
    if (near)
        buf_printf(&why, " (did you mean %s?)", near);
    route_refuse(q->path, 404, why.data, r);
    buf_fini(&why);
    r->counted = true;
}

void
route_answer(const struct service *s, const struct request *q, struct reply *r)
{
    struct match m;
    const struct route *f = find_route(q->path, &m);

    if (!f) {
        refuse_path(q, r);
        return;
    }
    if (!method_suits(f, q, r))
        return;
    r->counted = f->counted;
    f->answer(s, q, &m, r);
    if (r->body.failed)
        route_refuse(q->path, 503, "no memory for the answer", r);
    if (r->asked && r->status == 200 && s->drift)
        r->counts = drift_put(s->drift, r->asked);
}

void
route_after(const struct service *s, struct reply *r)
{
    drift_settle(s->drift, r->counts);
    r->counts = NULL;
    frame_unref(r->asked);
    r->asked = NULL;
}
