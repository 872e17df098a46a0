/* serve/server.h -- the HTTP server of one or more models, on libmicrohttpd.
 *
 * Routes: GET /ping /health /version /metrics /lathe/stats; POST /invocations;
 * Open Inference Protocol v2 over REST under /v2.  Bound to 127.0.0.1 unless told
 * otherwise.  Handlers hold a reference to the model and their own scratch:
 * never Lua, never the session.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_SERVER_H
#define LATHE_SERVE_SERVER_H

#include "engine/model.h"

struct server;

struct server_options {
    const char *host;     /* NULL: "127.0.0.1" */
    unsigned port;        /* 0: any free one */
    const char *name;     /* model name in URLs and metrics: "churn" */
    const char *version;  /* "3"; NULL: "1" */
    size_t max_body;      /* bytes; 0: 16 MiB; above: 413 */
    double sla_ms;        /* 0: none */
    unsigned threads;     /* 0: one per core of the pool */
    unsigned deadline_ms; /* whole request; 0: 30,000 */
};

/* Listening when it returns. Holds a reference of m. */
struct server *server_start(const struct model *m, const struct server_options *o,
                            struct error *err) MUST_USE;
unsigned server_port(const struct server *s);
/* Stop accepting, answer what was accepted (at most grace_ms), release. */
void server_stop(struct server *s, int64_t grace_ms);
#endif
