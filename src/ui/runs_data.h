/* ui/runs_data.h -- the runs of the project and their curves, as the screen
 * needs them: loaded in the background, kept, refreshed when they change.
 *
 * Main thread.  What a getter returns is valid until the loop turns.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_RUNS_DATA_H
#define LATHE_UI_RUNS_DATA_H

#include "base/json.h"
#include "session/session.h"
#include "store/run.h"

struct runs_data;

/* changed(ctx) is called when something was loaded. */
struct runs_data *
runs_data_new(struct session *s, void (*changed)(void *ctx), void *ctx);
void runs_data_free(struct runs_data *d); /* changed() comes no more */
/* Load the list again, soon; several asks become one. */
void runs_data_reload(struct runs_data *d);
bool runs_data_loaded(const struct runs_data *d);
/* Why the last load failed; "" when it did not. */
const char *runs_data_error(const struct runs_data *d);

size_t runs_data_count(const struct runs_data *d);
const struct run *
runs_data_run(const struct runs_data *d, size_t i); /* newest first */
size_t runs_data_find(const struct runs_data *d, const char *id); /* SIZE_MAX */
/* The final metrics of run i, or NULL; a JSON object. */
const struct json *runs_data_metrics(const struct runs_data *d, size_t i);
const struct json *runs_data_params(const struct runs_data *d, size_t i);
/* The metric to show in one column: name borrowed, false when there is none. */
bool runs_data_headline(const struct runs_data *d, size_t i, const char **name,
                        double *value);

/* Curves of a run, or NULL: being loaded, changed() will come. */
const struct series_list *runs_data_series(struct runs_data *d, const char *id);
const struct series *
series_by_name(const struct series_list *l, const char *name);
#endif
