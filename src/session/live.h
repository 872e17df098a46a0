/* session/live.h -- the curves of runs that are live or being looked at.
 *
 * The one reader of the metric stream for screens: events come in from any
 * thread, snapshots go out decimated to what a pane can show.  A series holds
 * at most LIVE_POINTS points: when it is full, the same number of events each
 * become their smallest and largest value, so that no spike is lost and the
 * density is even; all values stay in the store.  The last event is always
 * the snapshot's last point.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_LIVE_H
#define LATHE_SESSION_LIVE_H

#include "session/session.h"

enum {
    LIVE_POINTS = 1 << 14, /* 50 times what 160 cells of braille can show */
    LIVE_ENDED = 16        /* runs that are held on after their end */
};

struct live; /* belongs to the session: session_live() */
/* By session_new() alone; s is told of changes (TOPIC_RUNS), NULL: nobody. */
struct live *live_new(struct session *s);
void live_free(struct live *l);
struct live *session_live(struct session *s); /* any thread */

/* All from any thread. */
void live_begin(struct live *l, const char *run);
/* Events of a run that is not held are ignored. */
void live_event(struct live *l, const char *run, const struct event *e);
void live_end(struct live *l, const char *run);
/* Copy of a run's series so far, by name; false when the run is not held (then
 * run_series() of the store has it) or there is no memory. */
bool live_series(struct live *l, const char *run, struct series_list *out);
/* Changes with data; 0 when the run is not held. */
uint64_t live_version(struct live *l, const char *run);
#endif
