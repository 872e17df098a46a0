/* serve/endpoint.h -- endpoint processes: start, stop, ask.
 *
 * An endpoint is `lathe serve` in a session of its own, found again through
 * its row in the store (pid and start time) and its port.  It inherits a
 * socket that listens already (see serve/listen.h), so a
 * port that is taken is told here, and a request never comes too early.
 * Its folder is .lathe/endpoints/NAME: the log, and a lock held while it is
 * created, started, stopped or removed.
 *
 * All functions block: call them from pool jobs or command-line programs.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_ENDPOINT_H
#define LATHE_SERVE_ENDPOINT_H

#include "serve/drift.h"
#include "serve/stat.h"
#include "store/deployment.h"

enum { ENDPOINT_NAME_MAX = 63 };

struct endpoint_options {
    const char *host; /* NULL: 127.0.0.1 */
    unsigned port;    /* 0: any free one */
    double sla_ms;    /* 0: none */
};
enum endpoint_state {
    ENDPOINT_UP,       /* answers */
    ENDPOINT_STARTING, /* its process lives, but does not answer (yet) */
    ENDPOINT_STOPPED,  /* on request */
    ENDPOINT_DEAD      /* should run and does not */
};
const char *endpoint_state_word(enum endpoint_state s);

struct endpoint_feature {
    char name[64];
    double psi; /* NaN without rows */
    uint64_t n;
    enum drift_level level;
};
/* A snapshot, by value: owns features.  Zeroed before the first ask. */
struct endpoint_status {
    enum endpoint_state state;
    struct stat_view stat;
    double cpu_percent; /* of one core, between the last two asks; NaN first */
    uint64_t cpu_us, rss;
    int64_t uptime_ms;
    int64_t pid; /* as it says itself */
    char label[128];
    struct endpoint_feature *feature;
    size_t n_features;
};

/* Start and wait until it answers /ping.  A name that is up is replaced: the
 * new process starts on another port, is checked, and only then the old one
 * ends; where the old one's very port is asked for, the old one ends first
 * (*gap, when not NULL, is then set to true).  When the new one does not come
 * up, the error ends in the last line of its log and an old one on another
 * port stays. */
bool endpoint_create(struct store *s, const char *name, const char *reference,
                     const struct endpoint_options *o, struct deployment *out,
                     struct error *err) MUST_USE;
bool
endpoint_create_gap(struct store *s, const char *name, const char *reference,
                    const struct endpoint_options *o, struct deployment *out,
                    bool *gap, struct error *err) MUST_USE;
/* SIGTERM, which lets it answer what it has accepted; SIGKILL after 10 s. */
bool
endpoint_stop(struct store *s, const char *name, struct error *err) MUST_USE;
/* What is up stays. The reference is resolved anew; the port stays if free. */
bool
endpoint_start(struct store *s, const char *name, struct error *err) MUST_USE;
/* Stop, forget, delete its log. */
bool
endpoint_remove(struct store *s, const char *name, struct error *err) MUST_USE;
/* An endpoint that does not answer is a state, not an error.  *out is read as
 * the last snapshot and replaced. */
bool endpoint_ask(const struct deployment *d, struct endpoint_status *out,
                  struct error *err) MUST_USE;
void endpoint_status_fini(struct endpoint_status *s);
enum drift_level endpoint_worst_drift(const struct endpoint_status *s);
/* POST to /invocations what a person typed: a record ({"tenure": 2}), a list
 * of records, or one of MLflow's forms; in it inputs left out count as missing,
 * unless it has "params" of its own.  The answer's text goes into out, whatever
 * its status. */
bool endpoint_invoke(const struct deployment *d, const char *body, size_t len,
                     struct buf *out, long *status, struct error *err) MUST_USE;
/* The body that endpoint_invoke() sends; what is not JSON stays as it is. */
void endpoint_body(struct str typed, struct buf *out);
/* The last lines of its log. */
bool endpoint_log(struct store *s, const char *name, size_t lines,
                  struct buf *out, struct error *err) MUST_USE;
#endif
