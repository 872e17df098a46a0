/* engine/event.h -- the metric stream.
 *
 * Whatever learns, tunes or serves emits events; run store, curves, progress
 * bar, early stopping are readers.  There is no second path.  The sink is
 * called on the emitting thread, must not block and copies what it keeps.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_EVENT_H
#define LATHE_ENGINE_EVENT_H

#include <stdint.h>

struct event {
    const char *name; /* "train.logloss", "valid.auc"; valid during the call */
    int64_t step;     /* boosting round, epoch, request count */
    double value;
    int64_t time_ms; /* since 1970, UTC */
};

struct event_sink {
    void (*emit)(void *ctx, const struct event *e); /* NULL: nobody listens */
    void *ctx;
};

void event_emit(const struct event_sink *sink, const char *name, int64_t step,
                double value);
#endif
