/* serve/server_state.h -- what the files of the HTTP server share: server.c starts
 * it and answers, server_stop.c ends it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_SERVER_STATE_H
#define LATHE_SERVE_SERVER_STATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "serve/route.h"
#include "serve/server.h"

enum slot_phase { SLOT_IDLE, SLOT_READING, SLOT_ANSWERING, SLOT_CUT };

struct headers {
    const char *type, *encoding, *accept, *json_len, *length, *transfer;
    const char *expect;
    unsigned n_length;
};

struct slot {
    struct server *server;
    struct slot *prev, *next;
    int fd;
    atomic_int phase; /* enum slot_phase */
    atomic_int_least64_t late_us;
    int64_t opened_ms;
    uint64_t begin_ns;
    bool handled;    /* this request was given to us: it is pending */
    atomic_bool any; /* some request came */
    bool too_large;
    size_t swallowed;
    struct headers headers;
    struct buf body;
    struct reply reply;
};

struct server {
    struct model *model;
    char *name, *version, *label, *url;
    struct rows_form *form;
    struct service service;
    struct pool *pool; /* ours, or NULL */
    struct MHD_Daemon *daemon;
    int listen_fd;
    unsigned port;
    size_t max_body;
    int64_t deadline_us, idle_us;
    unsigned most, threads;        /* connections, of so many threads */
    atomic_uint_least64_t started; /* connections so far */

    pthread_mutex_t lock; /* slots, stopping */
    pthread_cond_t wake;
    struct slot *slots;
    bool stopping;
    struct pool_job *keeper;
};

/* End the thread that looks after late connections. */
void server_end_keeper(struct server *s);
/* Without a daemon and a keeper by now. */
void server_free(struct server *s);
#endif
