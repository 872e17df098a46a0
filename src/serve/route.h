/* serve/route.h -- requests to answers: the method and path table.
 *
 * No socket is known here: a request is a method, a path, a few headers and
 * a body, an answer a status, a type and bytes.  So the same function is the
 * server's, the fuzzer's and the tests'.
 *
 * MLflow's scoring server: /ping, /health, /version, /invocations.  Open
 * Inference Protocol v2 below /v2.  Prometheus: /metrics.  Ours: /lathe/stats.
 * HEAD is answered where GET is, OPTIONS everywhere.
 *
 * Threads: route_answer() from any thread, on one service.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_ROUTE_H
#define LATHE_SERVE_ROUTE_H

#include <stdatomic.h>

#include "base/buf.h"
#include "engine/model.h"
#include "serve/drift.h"
#include "serve/rows.h"
#include "serve/stat.h"

/* What all requests share. Borrowed, but for what is counted. */
struct service {
    const struct model *model;
    const struct rows_form *form; /* of the model */
    const char *name, *version, *label;
    struct stats *stats;
    struct drift *drift; /* NULL: the model has no baseline */
    struct pool *pool;   /* for many rows at once; may be NULL */
    double sla_ms;
    int64_t started_ms;   /* loop_now_ms() */
    atomic_bool draining; /* about to end: not ready any more */
};

struct request {
    const char *method, *path; /* path: decoded, without the query */
    const char *type;          /* Content-Type */
    const char *encoding;      /* Content-Encoding */
    const char *accept;        /* Accept */
    const char *json_len;      /* Inference-Header-Content-Length */
    struct str body;           /* (any of the headers may be NULL) */
};

struct reply {
    unsigned status;
    const char *type;  /* Content-Type: static text */
    const char *allow; /* Allow: static text, or NULL */
    size_t json_len;   /* Inference-Header-Content-Length; 0: none */
    struct buf body;
    bool counted;          /* a call of the model, or a wrong address: belongs
                             in the statistics */
    struct stat_call call; /* its parts and rows; status and ns are not set */
    struct frame *asked;   /* the rows predicted */
    struct drift_asked *counts; /* the same, for route_after() */
};

void reply_init(struct reply *r);
/* Ready for the next; keeps the body's memory. */
void reply_clear(struct reply *r);
void reply_fini(struct reply *r);
/* Everything there is to say about a request. */
void
route_answer(const struct service *s, const struct request *q, struct reply *r);
/* Replace the answer by an error in the form that the path's clients expect
 * (the MLflow or the v2 object). */
void route_refuse(const char *path, unsigned status, const char *why,
                  struct reply *r);
/* Once the answer is on its way: count what was asked, for drift.  Who has the
 * answer finds it counted, also before this. */
void route_after(const struct service *s, struct reply *r);
#endif
