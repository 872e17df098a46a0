/* serve/stat.h -- counts and latencies of an endpoint.
 * Latencies go into a log-bucketed histogram (error at most 3 %).
 * Threads: stat_request() from any thread, without a lock.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_STAT_H
#define LATHE_SERVE_STAT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"

struct stat;
struct stat *stat_new(void);
void stat_free(struct stat *s);
void stat_request(struct stat *s, int status, uint64_t us, uint64_t rows);
struct stat_view {
    uint64_t requests, errors_4xx, errors_5xx, rows;
    double p50_ms, p95_ms, p99_ms; /* since start; NaN without requests */
    double recent_p50_ms, recent_p95_ms, recent_p99_ms; /* last 60 s */
    double recent_rps;             /* last 10 s */
    double recent_error_share;     /* last 60 s */
};
void stat_view(const struct stat *s, struct stat_view *out);
void stat_prometheus(const struct stat *s, const char *model, const char *version, struct buf *out);
#endif
