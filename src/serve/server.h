/* serve/server.h -- the HTTP server of a model, on libmicrohttpd.
 *
 * Routes: see serve/route.h.  Bound to 127.0.0.1 unless told otherwise.
 * Handlers hold a reference to the model and their own scratch: never Lua,
 * never the session.
 *
 * Limits: bytes of a body (413, chunked ones too) and of the headers (431),
 * connections (more wait in the kernel's queue), and the time from a request's
 * first line to the end of its answer: what is late gets 408 if nothing was
 * answered yet, and is cut off, however busily it drips.
 *
 * It takes a listening socket that it is handed: see serve/listen.h.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_SERVER_H
#define LATHE_SERVE_SERVER_H

#include "engine/model.h"

struct server;

struct server_options {
    const char *host;         /* NULL: "127.0.0.1" */
    unsigned port;            /* 0: any free one */
    const char *name;         /* model name in URLs and metrics: "churn" */
    const char *version;      /* "3"; NULL: "1" */
    const char *label;        /* shown by /lathe/stats; NULL: "name/version" */
    size_t max_body;          /* bytes; 0: 16 MiB; above: 413 */
    double sla_ms;            /* 0: none */
    unsigned threads;         /* 0: one per core of the pool */
    unsigned deadline_ms;     /* whole request; 0: 30,000 */
    unsigned idle_ms;         /* between requests; 0: 60,000 */
    unsigned max_connections; /* 0: 1,024 */
    struct pool *pool;        /* borrowed; NULL: one of its own */
};

/* Listening when it returns. Holds a reference of m.  ERR_EXISTS: the port is
 * taken. */
struct server *
server_start(const struct model *m, const struct server_options *o,
             struct error *err) MUST_USE;
unsigned server_port(const struct server *s);
/* "http://127.0.0.1:8080"; borrowed. */
const char *server_url(const struct server *s);
/* Stop accepting, answer what was accepted (at most grace_ms), release. */
void server_stop(struct server *s, int64_t grace_ms);
#endif
