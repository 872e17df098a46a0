/* store/series.h -- metric events of runs: written in batches, read as series.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_SERIES_H
#define LATHE_STORE_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/event.h"
#include "store/db.h"

enum { RUN_ID_LEN = 32 }; /* hex digits */
typedef char run_id[RUN_ID_LEN + 1];

/* Metric events: queued, batched, never waits; loss is impossible short of a
 * killed process, and then at most the last 200 ms.  Any thread. */
void run_event_post(struct store *s, const run_id id, const struct event *e);

struct series {
    char *name;
    size_t n;
    int64_t *step, *time_ms;
    double *value;
};
struct series_list {
    struct series *series;
    size_t n;
};
/* By name; each in the order its events came. */
bool run_series(struct store *s, const char *id, struct series_list *out,
                struct error *err) MUST_USE;
void series_list_fini(struct series_list *l);
#endif
