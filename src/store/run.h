/* store/run.h -- runs: parameters, metric series, tags, lineage.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_RUN_H
#define LATHE_STORE_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "engine/event.h"
#include "store/db.h"

enum { RUN_ID_LEN = 32 }; /* hex digits */
typedef char run_id[RUN_ID_LEN + 1];

enum run_state { RUN_RUNNING, RUN_DONE, RUN_FAILED, RUN_CANCELLED, RUN_LOST };
const char *run_state_word(enum run_state s);

struct run_start {
    const char *name;        /* NULL: "run-N" by the store */
    const char *family;      /* "gbdt" */
    const char *params;      /* JSON object */
    const char *data;        /* path or name of the table */
    const char *fingerprint; /* of the training data; may be NULL */
    const char *target;
    uint64_t seed;
    const char *git_commit;  /* may be NULL */
    const char *build;       /* version and compiler */
    const char *source;      /* "churn.lua [4]", "lathe train"; may be NULL */
    const char *tags;        /* JSON object; may be NULL */
};

/* Registers a live run; id comes out. */
bool run_begin(struct store *s, const struct run_start *r, run_id id,
               struct error *err) MUST_USE;
/* Metric events: queued, batched, never waits; loss is impossible short of a
 * killed process, and then at most the last 200 ms. */
void run_event_post(struct store *s, const run_id id, const struct event *e);
/* End with final metrics (JSON object name -> number), chosen parameters (JSON
 * object that replaces params; NULL keeps them) and the model's digest. */
bool run_end(struct store *s, const run_id id, enum run_state state,
             const char *message, const char *metrics, const char *params,
             const char *artifact, struct error *err) MUST_USE;
bool run_tag(struct store *s, const char *id, const char *key,
             const char *value, struct error *err) MUST_USE;
bool run_rename(struct store *s, const char *id, const char *name, struct error *err) MUST_USE;
/* Marks deleted; listed no more; `lathe gc` removes. */
bool run_delete(struct store *s, const char *id, bool undelete, struct error *err) MUST_USE;

/* All texts owned by the run; "" when absent. */
struct run {
    run_id id;
    char *name, *family, *params, *data, *fingerprint, *target, *git_commit,
        *build, *source, *tags, *message, *metrics, *artifact;
    enum run_state state; /* RUN_RUNNING whose process is gone reads RUN_LOST */
    uint64_t seed;
    int64_t start_ms, end_ms; /* end 0 while live */
    int64_t pid;
};
struct run_list {
    struct run *run; /* newest first */
    size_t n;
};
bool run_list(struct store *s, size_t limit, struct run_list *out, struct error *err) MUST_USE;
void run_list_fini(struct run_list *l);
/* id: full, a unique prefix of 4 digits or more, or a run's name. */
bool run_find(struct store *s, const char *id, struct run *out, struct error *err) MUST_USE;
void run_fini(struct run *r);

struct series {
    char *name;
    size_t n;
    int64_t *step, *time_ms;
    double *value;
};
struct series_list { struct series *series; size_t n; };
bool run_series(struct store *s, const char *id, struct series_list *out, struct error *err) MUST_USE;
void series_list_fini(struct series_list *l);
#endif
