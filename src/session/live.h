/* session/live.h -- the curves of runs that are live or being looked at.
 *
 * The one reader of the metric stream for screens: events come in from any
 * thread, snapshots go out decimated to what a pane can show.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_LIVE_H
#define LATHE_SESSION_LIVE_H

#include "session/session.h"

struct live; /* belongs to the session: session_live() */
struct live *live_new(struct session *s); /* by session_new() alone */
void live_free(struct live *l);
struct live *session_live(struct session *s); /* any thread */

void live_begin(struct live *l, const char *run);                     /* any thread */
void live_event(struct live *l, const char *run, const struct event *e); /* any thread */
void live_end(struct live *l, const char *run);                       /* any thread */
/* Copy of a run's series so far; false when the run is not held (then
 * run_series() of the store has it). */
bool live_series(struct live *l, const char *run, struct series_list *out);
uint64_t live_version(struct live *l, const char *run); /* changes with data */
#endif
