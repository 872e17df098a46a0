/* serve/server.c -- the HTTP server of a model, on libmicrohttpd.
 *
 * A slot is one connection: its request, its answer, their memory, and the
 * time at which it is late.  All callbacks of a connection come from the one
 * thread of libmicrohttpd that owns it.  A request goes
 *
 *   SLOT_IDLE --first line--> SLOT_READING --whole body--> SLOT_ANSWERING
 *       ^                          |                             |
 *       +------------------------- + ------- sent or broken -----+
 *
 * The keeper, a thread of ours, looks at all slots about once a second: it
 * shuts the socket of a late one down, which its owner then sees as the end
 * of the connection.  The list of slots has a lock, taken when a connection
 * opens or closes and by the keeper; a slot leaves the list before its
 * descriptor is closed, so the keeper never touches a descriptor that is
 * somebody else's by now.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/server.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "serve/drift.h"
#include "serve/listen.h"
#include "serve/rows.h"
#include "serve/server_state.h"
#include "serve/stat.h"

enum {
    BODY_MAX = 16 << 20,
    SWALLOW_MAX = 64 << 20, /* read past the limit, so that 413 arrives */
    HEADERS_MAX = 32 << 10,
    KEEP_MAX = 1 << 20, /* memory a quiet connection may keep */
    CONNECTIONS_MAX = 1024,
    DEADLINE_MS = 30000,
    IDLE_MS = 60000,
    TICK_MS = 1000
};

/* ---- slots ---- */

static void
set_late(struct slot *s, int64_t in_us)
{
    atomic_store_explicit(&s->late_us, loop_now_us() + in_us,
                          memory_order_relaxed);
}

static struct slot *
slot_open(struct server *s, int fd)
{
    struct slot *slot = mem_new(sizeof *slot);

    slot->server = s;
    slot->fd = fd;
    slot->opened_ms = loop_now_ms();
    buf_init(&slot->body);
    reply_init(&slot->reply);
    set_late(slot, s->deadline_us);
    atomic_fetch_add(&s->started, 1);
    pthread_mutex_lock(&s->lock);
    slot->next = s->slots;
    if (s->slots)
        s->slots->prev = slot;
    s->slots = slot;
    pthread_mutex_unlock(&s->lock);
    return slot;
}

static void
slot_close(struct slot *slot)
{
    struct server *s = slot->server;

    pthread_mutex_lock(&s->lock);
    if (slot->prev)
        slot->prev->next = slot->next;
    else
        s->slots = slot->next;
    if (slot->next)
        slot->next->prev = slot->prev;
    pthread_mutex_unlock(&s->lock);
    reply_fini(&slot->reply);
    buf_fini(&slot->body);
    free(slot);
}

static void
on_connection(void *cls, struct MHD_Connection *c, void **context,
              enum MHD_ConnectionNotificationCode code)
{
    const union MHD_ConnectionInfo *info;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
        *context = slot_open(cls, info->connect_fd);
    } else {
        slot_close(*context);
        *context = NULL;
    }
}

/* An answer written past libmicrohttpd, on a connection that ends with it and
 * has no other answer under way. */
static void
answer_and_cut(const struct slot *s, const char *status, const char *why)
{
    struct buf b;

    buf_init(&b);
    buf_printf(&b,
               "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\nConnection: close\r\n\r\n"
               "{\"error\":\"%s\"}",
               status, strlen(why) + strlen("{\"error\":\"\"}"), why);
    /* The connection ends whether or not this arrives. */
    if (send(s->fd, b.data, b.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_write(LOG_DEBUG, "serve: %s could not be sent", status);
    shutdown(s->fd, SHUT_RDWR);
    buf_fini(&b);
}

/* ---- the keeper ---- */

static void
cut_if_late(struct slot *s, int64_t now_us)
{
    int phase = SLOT_READING;
    struct stat_call c = {.status = 408};

    if (atomic_load_explicit(&s->late_us, memory_order_relaxed) > now_us)
        return;
    if (atomic_compare_exchange_strong(&s->phase, &phase, SLOT_CUT)) {
        c.ns = (uint64_t)s->server->deadline_us * 1000;
        stat_call(s->server->service.stats, &c);
        answer_and_cut(s, "408 Request Timeout",
                       "the request took too long to arrive");
    } else {
        shutdown(s->fd, SHUT_RDWR);
    }
    atomic_store_explicit(&s->late_us, INT64_MAX, memory_order_relaxed);
}

static void
wait_ms(struct server *s, int64_t ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    pthread_cond_timedwait(&s->wake, &s->lock, &t);
}

static void
keep(void *ctx)
{
    struct server *s = ctx;
    int64_t step = s->deadline_us / 4000, next_ms = 0;

    if (step > s->idle_us / 4000)
        step = s->idle_us / 4000;
    step = step < 1 ? 1 : step > TICK_MS ? TICK_MS : step;
    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        int64_t now_us = loop_now_us();

        for (struct slot *i = s->slots; i; i = i->next)
            cut_if_late(i, now_us);
        if (now_us / 1000 >= next_ms) {
            stat_tick(s->service.stats, now_us / 1000);
            if (s->service.drift)
                drift_tick(s->service.drift, now_us / 1000);
            next_ms = now_us / 1000 + TICK_MS;
        }
        wait_ms(s, step);
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- requests ---- */

static uint64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The first line is there. */
static void *
on_line(void *cls, const char *uri, struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct slot *slot = info->socket_context;

    (void)uri;
    slot->begin_ns = now_ns();
    atomic_store_explicit(&slot->any, true, memory_order_relaxed);
    slot->handled = false;
    slot->too_large = false;
    slot->swallowed = 0;
    set_late(slot, ((struct server *)cls)->deadline_us);
    atomic_store(&slot->phase, SLOT_READING);
    return slot;
}

static void
trim(struct buf *b)
{
    buf_clear(b);
    if (b->cap > KEEP_MAX) {
        buf_fini(b);
        buf_init(b);
    }
}

/* Sent, or broken off. */
static void
on_completed(void *cls, struct MHD_Connection *c, void **con_cls,
             enum MHD_RequestTerminationCode code)
{
    struct server *s = cls;
    struct slot *slot = *con_cls;

    (void)c;
    (void)code;
    if (!slot)
        return;
    *con_cls = NULL;
    if (slot->handled) {
        route_after(&s->service, &slot->reply);
        stat_end(s->service.stats);
    }
    reply_clear(&slot->reply);
    trim(&slot->reply.body);
    trim(&slot->body);
    set_late(slot, s->idle_us);
    atomic_store(&slot->phase, SLOT_IDLE);
}

static enum MHD_Result
take_header(void *cls, enum MHD_ValueKind kind, const char *key,
            const char *value)
{
    struct headers *h = cls;
    const struct {
        const char *name;
        const char **to;
    } want[] = {{"Content-Length", &h->length},
                {"Content-Type", &h->type},
                {"Accept", &h->accept},
                {"Content-Encoding", &h->encoding},
                {"Transfer-Encoding", &h->transfer},
                {"Expect", &h->expect},
                {"Inference-Header-Content-Length", &h->json_len}};

    (void)kind;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        if (!str_eq_nocase(str_of(key), str_of(want[i].name)))
            continue;
        *want[i].to = value ? value : "";
        h->n_length += i == 0;
        break;
    }
    return MHD_YES;
}

static void
add_header(struct MHD_Response *m, const char *name, const char *value)
{
    if (value && MHD_add_response_header(m, name, value) != MHD_YES)
        log_write(LOG_WARN, "serve: header %s left out: no memory", name);
}

/* From here on the answer is ours; false when the keeper was faster. */
static bool
claim(struct slot *slot)
{
    int phase = SLOT_READING;

    return atomic_compare_exchange_strong(&slot->phase, &phase,
                                          SLOT_ANSWERING) ||
           phase == SLOT_ANSWERING;
}

static enum MHD_Result
send_reply(struct slot *slot, struct MHD_Connection *c)
{
    struct server *s = slot->server;
    struct reply *r = &slot->reply;
    char number[STR_F64_MAX];
    struct MHD_Response *m;
    enum MHD_Result ok;

    if (!claim(slot))
        return MHD_NO;
    m = MHD_create_response_from_buffer(r->body.len, r->body.data,
                                        MHD_RESPMEM_PERSISTENT);
    if (!m)
        return MHD_NO;
    add_header(m, "Content-Type", r->type);
    add_header(m, "Allow", r->allow);
    if (r->json_len) {
        number[str_from_f64((double)r->json_len, number)] = '\0';
        add_header(m, "Inference-Header-Content-Length", number);
    }
    if (atomic_load_explicit(&s->service.draining, memory_order_relaxed))
        add_header(m, "Connection", "close");
    ok = MHD_queue_response(c, r->status, m);
    MHD_destroy_response(m);
    if (r->counted) {
        r->call.status = (int)r->status;
        r->call.ns = now_ns() - slot->begin_ns;
        stat_call(s->service.stats, &r->call);
    }
    return ok;
}

static enum MHD_Result
refuse(struct slot *slot, struct MHD_Connection *c, const char *url,
       unsigned status, const char *why)
{
    reply_clear(&slot->reply);
    route_refuse(url, status, why, &slot->reply);
    slot->reply.counted = true;
    return send_reply(slot, c);
}

static enum MHD_Result
refuse_size(struct slot *slot, struct MHD_Connection *c, const char *url)
{
    char why[80];

    snprintf(why, sizeof why, "the body is over the limit of %zu bytes",
             slot->server->max_body);
    return refuse(slot, c, url, 413, why);
}

/* The headers are there, the body is not: what can be refused already? */
static enum MHD_Result
on_headers(struct slot *slot, struct MHD_Connection *c, const char *url,
           const char *method)
{
    struct headers *h = &slot->headers;
    int64_t length = 0;

    slot->handled = true;
    stat_begin(slot->server->service.stats);
    memset(h, 0, sizeof *h);
    MHD_get_connection_values(c, MHD_HEADER_KIND, take_header, h);
    if (h->n_length > 1 || (h->length && h->transfer))
        return refuse(slot, c, url, 400,
                      "Content-Length is there twice, or beside "
                      "Transfer-Encoding");
    if (h->transfer &&
        !str_eq_nocase(str_trim(str_of(h->transfer)), STR("chunked")))
        return refuse(slot, c, url, 400,
                      "Transfer-Encoding must be chunked, or absent");
    if (h->length && (!str_to_i64(str_of(h->length), &length) || length < 0))
        return refuse(slot, c, url, 400, "Content-Length is not a number");
    if (!strcmp(method, "POST") && !h->length && !h->transfer)
        return refuse(slot, c, url, 411,
                      "no Content-Length, and not Transfer-Encoding: chunked");
    slot->too_large = (uint64_t)length > slot->server->max_body;
    if (slot->too_large && (h->expect || length > SWALLOW_MAX))
        return refuse_size(slot, c, url);
    return MHD_YES;
}

/* Too much is read on and dropped, within reason: a client that is still
 * sending would lose the answer with the connection. */
static enum MHD_Result
on_body(struct slot *slot, const char *data, size_t len)
{
    if (!slot->too_large && len > slot->server->max_body - slot->body.len)
        slot->too_large = true;
    if (!slot->too_large) {
        buf_add(&slot->body, data, len);
        return MHD_YES;
    }
    trim(&slot->body);
    slot->swallowed += len;
    if (slot->swallowed <= SWALLOW_MAX)
        return MHD_YES;
    stat_call(slot->server->service.stats, &(struct stat_call){.status = 413});
    answer_and_cut(slot, "413 Content Too Large", "the body is too large");
    return MHD_NO;
}

static enum MHD_Result
on_whole(struct slot *slot, struct MHD_Connection *c, const char *url,
         const char *method)
{
    const struct headers *h = &slot->headers;
    struct request q = {.method = method,
                        .path = url,
                        .type = h->type,
                        .encoding = h->encoding,
                        .accept = h->accept,
                        .json_len = h->json_len};

    if (!claim(slot))
        return MHD_NO;
    if (slot->too_large)
        return refuse_size(slot, c, url);
    if (slot->body.failed)
        return refuse(slot, c, url, 503, "no memory for the body");
    q.body = (struct str){slot->body.data, slot->body.len};
    reply_clear(&slot->reply);
    route_answer(&slot->server->service, &q, &slot->reply);
    return send_reply(slot, c);
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *c, const char *url,
           const char *method, const char *version, const char *data,
           size_t *len, void **con_cls)
{
    struct slot *slot = *con_cls;
    enum MHD_Result ok;

    (void)cls;
    (void)version;
    if (!slot->handled)
        return on_headers(slot, c, url, method);
    if (!*len)
        return on_whole(slot, c, url, method);
    ok = on_body(slot, data, *len);
    *len = 0;
    return ok;
}

PRINTF_LIKE(2, 0)
static void
on_log(void *cls, const char *fmt, va_list ap)
{
    struct buf b;

    (void)cls;
    buf_init(&b);
    buf_vprintf(&b, fmt, ap);
    log_write(LOG_DEBUG, "serve: %.*s",
              (int)str_trim((struct str){b.data, b.len}).n, b.data);
    buf_fini(&b);
}

/* ---- start ---- */

/* The threads of the server leave all signals to the program's own. */
static struct MHD_Daemon *
start_daemon(struct server *s)
{
    unsigned threads = s->threads;
    struct MHD_OptionItem list[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_log, NULL},
        {MHD_OPTION_LISTEN_SOCKET, s->listen_fd, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADERS_MAX, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, s->most, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT,
         (intptr_t)((s->idle_us > s->deadline_us ? s->idle_us
                                                 : s->deadline_us) /
                        1000000 +
                    1),
         NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_line, s},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads,
         NULL},
        {MHD_OPTION_END, 0, NULL}};
    struct MHD_Daemon *d;
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    d = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0,
        NULL, NULL, on_request, s, MHD_OPTION_ARRAY, list, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return d;
}

static void
set_url(struct server *s, const char *host)
{
    struct buf url;

    buf_init(&url);
    if (!host || !strcmp(host, "0.0.0.0") || !strcmp(host, "::"))
        host = "127.0.0.1";
    buf_printf(&url, strchr(host, ':') ? "http://[%s]:%u" : "http://%s:%u",
               host, s->port);
    s->url = buf_take(&url);
}

/* What stands in URLs: letters, digits, '.', '_', '-'. */
static char *
url_word(const char *p, size_t n)
{
    struct buf b;

    buf_init(&b);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];

        buf_putc(&b, isalnum(c) || strchr("._-", c) ? (char)c : '-');
    }
    return buf_take(&b);
}

/* "churn/3" is version 3 of churn, a file is what it is called before its
 * last dot. */
static void
set_names(struct server *s, const struct server_options *o)
{
    const char *label = o->label ? o->label : "model";
    const char *slash = strrchr(label, '/'), *dot = strrchr(label, '.');
    size_t n = strlen(label);
    struct buf b;

    if (slash)
        n = (size_t)(slash - label);
    else if (dot && dot > label)
        n = (size_t)(dot - label);
    s->name = o->name ? mem_text(o->name) : url_word(label, n);
    if (o->version)
        s->version = mem_text(o->version);
    else
        s->version = mem_text(slash && slash[1] && !o->name ? slash + 1 : "1");
    buf_init(&b);
    buf_printf(&b, "%s/%s", s->name, s->version);
    s->label = o->label ? mem_text(o->label) : mem_text(b.data);
    buf_fini(&b);
}

static struct server *
new_server(const struct model *m, const struct server_options *o)
{
    struct server *s = mem_new(sizeof *s);
    pthread_condattr_t attr;

    s->model = model_ref(m);
    set_names(s, o);
    s->max_body = o->max_body ? o->max_body : BODY_MAX;
    s->deadline_us =
        (o->deadline_ms ? o->deadline_ms : DEADLINE_MS) * INT64_C(1000);
    s->idle_us = (o->idle_ms ? o->idle_ms : IDLE_MS) * INT64_C(1000);
    s->listen_fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &attr);
    pthread_condattr_destroy(&attr);
    return s;
}

static bool
set_service(struct server *s, const struct server_options *o, struct error *err)
{
    struct service *v = &s->service;
    struct error none;
    size_t n;

    v->model = s->model;
    if (!(s->form = rows_form_new(s->model, err)))
        return false;
    v->form = s->form;
    v->name = s->name;
    v->version = s->version;
    v->label = s->label;
    v->sla_ms = o->sla_ms;
    v->started_ms = loop_now_ms();
    v->stats = stat_new();
    v->pool = o->pool;
    if (!v->pool)
        v->pool = s->pool = pool_new(0);
    model_baselines(s->model, &n);
    if (!n) { /* a model from elsewhere: nothing to compare with */
        log_write(LOG_INFO, "serve: %s has no baseline: no drift", s->label);
        return true;
    }
    v->drift = drift_new(s->model, &none);
    if (!v->drift) {
        *err = none;
        return false;
    }
    return true;
}

void
server_free(struct server *s)
{
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    rows_form_free(s->form);
    drift_free(s->service.drift);
    stat_free(s->service.stats);
    if (s->pool)
        pool_free(s->pool);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    model_unref(s->model);
    free(s->name);
    free(s->version);
    free(s->label);
    free(s->url);
    free(s);
}

void
server_end_keeper(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    if (s->keeper)
        pool_join(s->keeper);
}

struct server *
server_start(const struct model *m, const struct server_options *o,
             struct error *err)
{
    struct server *s = new_server(m, o);

    if (!set_service(s, o, err) ||
        (s->listen_fd = listen_open(o->host, o->port, &s->port, err)) < 0)
        goto fail;
    set_url(s, o->host);
    s->threads = o->threads ? o->threads : pool_threads(s->service.pool);
    s->most = o->max_connections ? o->max_connections : CONNECTIONS_MAX;
    s->most = s->most < s->threads ? s->threads : s->most;
    s->keeper = pool_start(s->service.pool, keep, s, err);
    if (!s->keeper)
        goto fail;
    s->daemon = start_daemon(s);
    if (s->daemon)
        return s;
    s->listen_fd = -1; /* closed by it, also when it fails */
    error_set(err, ERR_STATE, "the HTTP server could not be started");
    server_end_keeper(s);
fail:
    server_free(s);
    return NULL;
}

unsigned
server_port(const struct server *s)
{
    return s->port;
}

const char *
server_url(const struct server *s)
{
    return s->url;
}
