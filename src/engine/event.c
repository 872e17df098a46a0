/* engine/event.c -- the metric stream.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/event.h"

#include <time.h>

void
event_emit(const struct event_sink *sink, const char *name, int64_t step,
           double value)
{
    struct timespec now;

    if (!sink || !sink->emit)
        return;
    clock_gettime(CLOCK_REALTIME, &now);

    struct event e = {.name = name,
                      .step = step,
                      .value = value,
                      .time_ms =
                          (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};

    sink->emit(sink->ctx, &e);
}
