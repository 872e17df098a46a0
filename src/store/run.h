/* store/run.h -- runs: parameters, metric series, tags, lineage.
 *
 * A run is live from run_begin() to run_end() or until the process that began
 * it is gone, which reads as RUN_LOST.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_RUN_H
#define LATHE_STORE_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "store/db.h"
#include "store/series.h"

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
    const char *git_commit; /* may be NULL */
    const char *build;      /* version and compiler */
    const char *source;     /* "churn.lua [4]", "lathe train"; may be NULL */
    const char *tags;       /* JSON object; may be NULL */
};

/* Registers a live run; id comes out.  params and tags that are not a JSON
 * object: ERR_TYPE or ERR_PARSE. */
bool run_begin(struct store *s, const struct run_start *r, run_id id,
               struct error *err) MUST_USE;
/* End with final metrics (JSON object name -> number), chosen parameters (JSON
 * object that replaces params; NULL keeps them) and the model's digest; texts
 * may be NULL.  ERR_STATE when it has ended before. */
bool run_end(struct store *s, const run_id id, enum run_state state,
             const char *message, const char *metrics, const char *params,
             const char *artifact, struct error *err) MUST_USE;
/* More final metrics of a run that has ended: those of the same name take the
 * place of what was there. */
bool run_add_metrics(struct store *s, const char *id, const char *metrics,
                     struct error *err) MUST_USE;
bool run_tag(struct store *s, const char *id, const char *key,
             const char *value, struct error *err) MUST_USE;
bool run_rename(struct store *s, const char *id, const char *name,
                struct error *err) MUST_USE;
/* Of training data that was not known at the beginning, since it streams. */
bool run_fingerprint(struct store *s, const char *id, const char *fingerprint,
                     struct error *err) MUST_USE;
/* Marks deleted; listed no more; `lathe gc` removes.  A live run: ERR_STATE.
 * undelete looks among the deleted ones. */
bool run_delete(struct store *s, const char *id, bool undelete,
                struct error *err) MUST_USE;

/* All texts owned by the run; "" when absent, but "{}" for params, metrics and
 * tags, which are always a JSON object. */
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
/* limit 0: all. */
bool run_list(struct store *s, size_t limit, struct run_list *out,
              struct error *err) MUST_USE;
void run_list_fini(struct run_list *l);
/* id: full, a run's name, or a unique prefix of 4 digits or more, each with or
 * without "runs:/"; here and in all that take an id.  ERR_NOTFOUND, or
 * ERR_USAGE with the candidates when several fit. */
bool run_find(struct store *s, const char *id, struct run *out,
              struct error *err) MUST_USE;
/* The newest that has this artifact, before others one with that tag.
 * ERR_NOTFOUND. */
bool run_find_artifact(struct store *s, const char *digest, const char *tag,
                       struct run *out, struct error *err) MUST_USE;
void run_fini(struct run *r);

/* ---- for the other modules of store/ ---- */

struct sqlite3;

/* The key of the run that id names, as run_find(); `deleted`: among the deleted
 * ones. */
bool run_key(struct sqlite3 *db, const char *id, bool deleted, int64_t *key,
             struct error *err) MUST_USE;
#endif
