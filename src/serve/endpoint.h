/* serve/endpoint.h -- endpoint processes: start, stop, ask.
 *
 * An endpoint is `lathe serve` in a session of its own, found again through
 * its row in the store (pid and start time) and its port.
 * All functions block: call them from pool jobs or command-line programs.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_ENDPOINT_H
#define LATHE_SERVE_ENDPOINT_H

#include "store/deployment.h"
#include "serve/drift.h"
#include "serve/stat.h"

struct endpoint_options {
    const char *host;   /* NULL: 127.0.0.1 */
    unsigned port;      /* 0: any free one */
    double sla_ms;
};
enum endpoint_state { ENDPOINT_UP, ENDPOINT_STARTING, ENDPOINT_STOPPED, ENDPOINT_DEAD };
const char *endpoint_state_word(enum endpoint_state s);

struct endpoint_feature { char name[64]; double psi; uint64_t n; enum drift_level level; };
/* A snapshot, by value: owns features. */
struct endpoint_status {
    enum endpoint_state state;
    struct stat_view stat;
    double cpu_percent; /* of one core, between the last two asks; NaN first */
    uint64_t cpu_us, rss;
    int64_t uptime_ms;
    struct endpoint_feature *feature;
    size_t n_features;
};

/* Start (or restart on another version) and wait until it answers /ping. */
bool endpoint_create(struct store *s, const char *name, const char *reference,
                     const struct endpoint_options *o, struct deployment *out,
                     struct error *err) MUST_USE;
bool endpoint_stop(struct store *s, const char *name, struct error *err) MUST_USE;
bool endpoint_start(struct store *s, const char *name, struct error *err) MUST_USE;
bool endpoint_remove(struct store *s, const char *name, struct error *err) MUST_USE;
bool endpoint_ask(const struct deployment *d, struct endpoint_status *out, struct error *err) MUST_USE;
void endpoint_status_fini(struct endpoint_status *s);
/* POST a JSON body to /invocations; the answer's text into out, whatever its
 * status. */
bool endpoint_invoke(const struct deployment *d, const char *body, size_t len,
                     struct buf *out, long *status, struct error *err) MUST_USE;
/* The last lines of its log. */
bool endpoint_log(struct store *s, const char *name, size_t lines, struct buf *out, struct error *err) MUST_USE;
#endif
