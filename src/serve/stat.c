/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/stat.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/mem.h"

enum {
    SUB_BITS = 5,
    SUB = 1 << SUB_BITS,
    TOP_BIT = 36, /* 2^36 us are 19 hours */
    N_BUCKETS = (TOP_BIT - SUB_BITS + 2) * SUB,
    N_MARKS = 64, /* a minute of seconds and a few more */
    RATE_MS = 10000,
    RECENT_MS = 60000
};

/* Upper bounds of the Prometheus histogram, in microseconds. */
static const uint64_t edge_us[] = {
    50,    100,    250,    500,    1000,    2500,    5000,    10000,   25000,
    50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};
enum { N_EDGES = sizeof edge_us / sizeof edge_us[0] };

/* Statuses told apart; whatever else is counted as its hundred's first. */
static const int code_of[] = {200, 400, 404, 405, 408, 411,
                              413, 415, 431, 500, 503};
enum { N_CODES = sizeof code_of / sizeof code_of[0] };

struct by_code {
    atomic_uint_least64_t edge[N_EDGES + 1], ns;
};

struct mark {
    int64_t at_ms;
    uint64_t requests, errors;
    uint32_t bucket[N_BUCKETS]; /* modulo 2^32: only differences are used */
};

struct stats {
    atomic_uint_least64_t requests, errors_4xx, errors_5xx, rows, executions;
    atomic_uint_least64_t ns, input_ns, infer_ns, output_ns, pending;
    atomic_uint_least64_t bucket[N_BUCKETS];
    struct by_code code[N_CODES];
    pthread_mutex_t lock; /* the marks */
    size_t n_marks;       /* ever made; mark i is at i % N_MARKS */
    struct mark mark[N_MARKS];
};

static void
add(atomic_uint_least64_t *a, uint64_t n)
{
    atomic_fetch_add_explicit(a, n, memory_order_relaxed);
}

static uint64_t
get(const atomic_uint_least64_t *a)
{
    return atomic_load_explicit(a, memory_order_relaxed);
}

struct stats *
stat_new(void)
{
    struct stats *s = mem_new(sizeof *s);

    pthread_mutex_init(&s->lock, NULL);
    stat_tick(s, loop_now_ms());
    return s;
}

void
stat_free(struct stats *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* 0..31 us have a bucket each; above, the power of two and the five bits
 * below its leading one. */
static size_t
bucket_of(uint64_t us)
{
    unsigned top = 0;

    if (us < SUB)
        return (size_t)us;
    while (us >> top > 1)
        top++;
    if (top > TOP_BIT)
        return N_BUCKETS - 1;
    return (top - SUB_BITS + 1) * SUB + (us >> (top - SUB_BITS) & (SUB - 1));
}

static double
bucket_middle_us(size_t i)
{
    if (i < SUB)
        return (double)i + 0.5;
    return ldexp((double)(SUB + i % SUB) + 0.5, (int)(i / SUB) - 1);
}

static size_t
code_index(int status)
{
    size_t found = 0;

    for (size_t i = 0; i < N_CODES; i++) {
        if (code_of[i] == status)
            return i;
        if (code_of[i] == status / 100 * 100)
            found = i;
    }
    return found;
}

static void
count_code(struct by_code *c, uint64_t ns)
{
    size_t i = 0;

    while (i < N_EDGES && ns > edge_us[i] * 1000)
        i++;
    add(&c->edge[i], 1);
    add(&c->ns, ns);
}

void
stat_begin(struct stats *s)
{
    add(&s->pending, 1);
}

void
stat_end(struct stats *s)
{
    atomic_fetch_sub_explicit(&s->pending, 1, memory_order_relaxed);
}

void
stat_call(struct stats *s, const struct stat_call *c)
{
    add(&s->bucket[bucket_of(c->ns / 1000)], 1);
    count_code(&s->code[code_index(c->status)], c->ns);
    if (c->status >= 500) {
        add(&s->errors_5xx, 1);
    } else if (c->status >= 400) {
        add(&s->errors_4xx, 1);
    } else {
        add(&s->rows, c->rows);
        add(&s->executions, 1);
        add(&s->ns, c->ns);
        add(&s->input_ns, c->input_ns);
        add(&s->infer_ns, c->infer_ns);
        add(&s->output_ns, c->output_ns);
    }
    add(&s->requests, 1);
}

void
stat_request(struct stats *s, int status, uint64_t us, uint64_t rows)
{
    stat_call(s, &(struct stat_call){
                     .status = status, .ns = us * 1000, .rows = rows});
}

static uint64_t
errors_of(const struct stats *s)
{
    return get(&s->errors_4xx) + get(&s->errors_5xx);
}

void
stat_tick(struct stats *s, int64_t now_ms)
{
    struct mark *m;

    pthread_mutex_lock(&s->lock);
    m = &s->mark[s->n_marks++ % N_MARKS];
    m->at_ms = now_ms;
    m->requests = get(&s->requests);
    m->errors = errors_of(s);
    for (size_t i = 0; i < N_BUCKETS; i++)
        m->bucket[i] = (uint32_t)get(&s->bucket[i]);
    pthread_mutex_unlock(&s->lock);
}

/* The youngest mark that is at least `ago` old, else the oldest there is. */
static const struct mark *
mark_before(const struct stats *s, int64_t now_ms, int64_t ago)
{
    size_t n = s->n_marks < N_MARKS ? s->n_marks : N_MARKS;
    const struct mark *m = NULL;

    for (size_t i = 1; i <= n; i++) {
        m = &s->mark[(s->n_marks - i) % N_MARKS];
        if (now_ms - m->at_ms >= ago)
            break;
    }
    return m;
}

/* Nearest rank over the buckets since `from` (NULL: the start), in ms. */
static void
quantiles(const struct stats *s, const struct mark *from, double *p50,
          double *p95, double *p99)
{
    const double level[] = {0.50, 0.95, 0.99};
    double *out[] = {p50, p95, p99};
    uint64_t count[N_BUCKETS], total = 0, seen = 0;
    size_t next = 0;

    for (size_t i = 0; i < N_BUCKETS; i++) {
        count[i] = get(&s->bucket[i]);
        if (from)
            count[i] = (uint32_t)((uint32_t)count[i] - from->bucket[i]);
        total += count[i];
    }
    for (size_t i = 0; i < N_BUCKETS && next < 3; i++) {
        seen += count[i];
        while (next < 3 && total &&
               seen >= (uint64_t)ceil(level[next] * (double)total))
            *out[next++] = bucket_middle_us(i) / 1000;
    }
    while (next < 3)
        *out[next++] = NAN;
}

static void
view_recent(const struct stats *s, int64_t now_ms, struct stat_view *v)
{
    const struct mark *ten = mark_before(s, now_ms, RATE_MS);
    const struct mark *minute = mark_before(s, now_ms, RECENT_MS);
    uint64_t all = get(&s->requests), errors = errors_of(s);
    double seconds = (double)(now_ms - ten->at_ms) / 1000;
    double n = (double)(all - minute->requests);

    v->recent_rps = seconds > 0 ? (double)(all - ten->requests) / seconds : 0;
    v->recent_error_share = n > 0 ? (double)(errors - minute->errors) / n : NAN;
    quantiles(s, minute, &v->recent_p50_ms, &v->recent_p95_ms,
              &v->recent_p99_ms);
}

void
stat_view_at(const struct stats *s, int64_t now_ms, struct stat_view *out)
{
    /* The lock is no part of what the caller sees as the counts. */
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&s->lock;

    out->requests = get(&s->requests);
    out->errors_4xx = get(&s->errors_4xx);
    out->errors_5xx = get(&s->errors_5xx);
    out->rows = get(&s->rows);
    quantiles(s, NULL, &out->p50_ms, &out->p95_ms, &out->p99_ms);
    pthread_mutex_lock(lock);
    view_recent(s, now_ms, out);
    pthread_mutex_unlock(lock);
}

void
stat_view(const struct stats *s, struct stat_view *out)
{
    stat_view_at(s, loop_now_ms(), out);
}

void
stat_prometheus_label(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n') {
            buf_puts(out, "\\n");
            continue;
        }
        if (*text == '\\' || *text == '"')
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
}

static void
put_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
put_line(struct buf *out, const char *name, const char *labels,
         const char *more, uint64_t value)
{
    buf_printf(out, "%s{%s%s} %llu\n", name, labels, more,
               (unsigned long long)value);
}

static void
put_triton(const struct stats *s, const char *labels, struct buf *out)
{
    const struct {
        const char *name, *more, *help;
        uint64_t value;
    } c[] = {
        {"nv_inference_request_success", "",
         "Requests answered with predictions", get(&s->executions)},
        {"nv_inference_request_failure", ",reason=\"OTHER\"",
         "Requests that asked wrongly", get(&s->errors_4xx)},
        {"nv_inference_request_failure", ",reason=\"BACKEND\"", NULL,
         get(&s->errors_5xx)},
        {"nv_inference_count", "", "Rows predicted", get(&s->rows)},
        {"nv_inference_exec_count", "", "Calls of the model",
         get(&s->executions)},
        {"nv_inference_request_duration_us", "",
         "Time spent on requests that succeeded", get(&s->ns) / 1000},
        {"nv_inference_compute_input_duration_us", "",
         "Of it, reading the rows", get(&s->input_ns) / 1000},
        {"nv_inference_compute_infer_duration_us", "", "Of it, the model",
         get(&s->infer_ns) / 1000},
        {"nv_inference_compute_output_duration_us", "",
         "Of it, writing the answer", get(&s->output_ns) / 1000},
    };

    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        if (c[i].help)
            put_head(out, c[i].name, "counter", c[i].help);
        put_line(out, c[i].name, labels, c[i].more, c[i].value);
    }
    put_head(out, "nv_inference_pending_request_count", "gauge",
             "Requests at work");
    put_line(out, "nv_inference_pending_request_count", labels, "",
             get(&s->pending));
}

static void
put_histogram(const struct by_code *c, const char *labels, int code,
              struct buf *out)
{
    uint64_t total = 0;

    for (size_t i = 0; i <= N_EDGES; i++)
        total += get(&c->edge[i]);
    if (!total)
        return;
    total = 0;
    for (size_t i = 0; i < N_EDGES; i++) {
        total += get(&c->edge[i]);
        buf_printf(out,
                   "lathe_request_duration_seconds_bucket{%s,code=\"%d\","
                   "le=\"",
                   labels, code);
        buf_double(out, (double)edge_us[i] / 1e6);
        buf_printf(out, "\"} %llu\n", (unsigned long long)total);
    }
    total += get(&c->edge[N_EDGES]);
    buf_printf(out,
               "lathe_request_duration_seconds_bucket{%s,code=\"%d\","
               "le=\"+Inf\"} %llu\n",
               labels, code, (unsigned long long)total);
    buf_printf(out, "lathe_request_duration_seconds_sum{%s,code=\"%d\"} ",
               labels, code);
    buf_double(out, (double)get(&c->ns) / 1e9);
    buf_printf(out,
               "\nlathe_request_duration_seconds_count{%s,code=\"%d\"} "
               "%llu\n",
               labels, code, (unsigned long long)total);
}

void
stat_prometheus(const struct stats *s, const char *model, const char *version,
                struct buf *out)
{
    struct buf labels;

    buf_init(&labels);
    buf_puts(&labels, "model=\"");
    stat_prometheus_label(&labels, model);
    buf_puts(&labels, "\",version=\"");
    stat_prometheus_label(&labels, version);
    buf_putc(&labels, '"');
    put_triton(s, labels.data, out);
    put_head(out, "lathe_request_duration_seconds", "histogram",
             "Request line to answer, by status");
    for (size_t i = 0; i < N_CODES; i++)
        put_histogram(&s->code[i], labels.data, code_of[i], out);
    buf_fini(&labels);
}
