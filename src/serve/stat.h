/* serve/stat.h -- counts and latencies of an endpoint.
 *
 * Latencies go into buckets of 1/32 of their power of two: a quantile is the
 * middle of its bucket, at most 3 % off (half a microsecond below 16 us).
 * Everything counts up from the start; "recent" is now less what
 * stat_tick() noted a minute ago, so a request costs a few relaxed additions
 * and no lock.
 * Threads: stat_begin(), stat_end() from any thread, without a lock;
 * the others from any thread, under one.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_STAT_H
#define LATHE_SERVE_STAT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"

struct stats; /* sys/stat.h has the other name */

struct stats *stat_new(void); /* aborts without memory */
void stat_free(struct stats *s);

/* One answered request. The parts are 0 when it did not come that far. */
struct stat_call {
    int status;    /* of the answer */
    uint64_t ns;   /* request line to answer */
    uint64_t rows; /* predicted */
    uint64_t input_ns, infer_ns, output_ns;
};
void stat_begin(struct stats *s); /* a request is at work... */
void stat_end(struct stats *s);   /* ...and no longer */
void stat_call(struct stats *s, const struct stat_call *c);
/* The same without its parts. */
void stat_request(struct stats *s, int status, uint64_t us, uint64_t rows);

/* Remember the counts as they are now; every second, by one thread.  now_ms:
 * loop_now_ms(). */
void stat_tick(struct stats *s, int64_t now_ms);

struct stat_view {
    uint64_t requests, errors_4xx, errors_5xx, rows;
    double p50_ms, p95_ms, p99_ms; /* since start; NaN without requests */
    double recent_p50_ms, recent_p95_ms, recent_p99_ms; /* last 60 s */
    double recent_rps;                                  /* last 10 s */
    double recent_error_share; /* last 60 s; NaN without requests */
};
void stat_view(const struct stats *s, struct stat_view *out);
void stat_view_at(const struct stats *s, int64_t now_ms, struct stat_view *out);

/* Text format 0.0.4: Triton's counters and a histogram of our own. */
void stat_prometheus(const struct stats *s, const char *model,
                     const char *version, struct buf *out);
/* A label's value, escaped, without its quotes. */
void stat_prometheus_label(struct buf *out, const char *text);
#endif
