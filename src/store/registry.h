/* store/registry.h -- models, versions, stages, aliases, an append-only log.
 *
 * Stages: None, Staging, Production, Archived.  A stage but Archived (and
 * None) holds at most one version: promoting moves the former holder to
 * Archived in the same transaction.  Rollback of a model gives Production back
 * to the version that held it before.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_REGISTRY_H
#define LATHE_STORE_REGISTRY_H

#include "store/artifact.h"
#include "store/run.h"

enum stage { STAGE_NONE, STAGE_STAGING, STAGE_PRODUCTION, STAGE_ARCHIVED };
const char *stage_word(enum stage s); /* "None", "Staging", ... */
bool stage_parse(const char *word, enum stage *out, struct error *err) MUST_USE; /* any case */

struct version {
    char *model;
    int64_t number; /* 1, 2, ... */
    enum stage stage;
    char *artifact, *run, *metrics, *description, *family; /* "" when absent */
    char *aliases; /* "champion,eu" */
    int64_t size;  /* bytes of the artifact */
    int64_t created_ms;
};
struct version_list { struct version *version; size_t n; };

bool registry_add(struct store *s, const char *model, const char *digest,
                  const char *run, const char *metrics, const char *description,
                  const char *family, int64_t size, int64_t *number,
                  struct error *err) MUST_USE;
/* why: shown in the history; may be NULL. */
bool registry_promote(struct store *s, const char *model, int64_t number,
                      enum stage to, const char *why, struct error *err) MUST_USE;
bool registry_rollback(struct store *s, const char *model, const char *why,
                       int64_t *now, struct error *err) MUST_USE;
/* alias to a version; number 0 removes it. A stage's word is refused. */
bool registry_alias(struct store *s, const char *model, const char *alias,
                    int64_t number, struct error *err) MUST_USE;
/* model NULL: the newest version of each model, by name; else all versions of
 * one, newest first. */
bool registry_list(struct store *s, const char *model, struct version_list *out,
                   struct error *err) MUST_USE;
void version_list_fini(struct version_list *l);
/* "churn/3", "churn@production", "churn@champion", "churn" (latest), each
 * with or without "models:/"; also "models:/churn/Production". */
bool registry_find(struct store *s, const char *reference, struct version *out,
                   struct error *err) MUST_USE;
void version_fini(struct version *v);

struct transition {
    int64_t time_ms, number;
    char *model, *what, *from, *to, *why, *who; /* what: "stage", "alias", "add" */
};
struct transition_list { struct transition *transition; size_t n; };
bool registry_history(struct store *s, const char *model, struct transition_list *out,
                      struct error *err) MUST_USE; /* newest first */
void transition_list_fini(struct transition_list *l);

/* Any name of a model as in DESIGN 5: a file, runs:/ID, a registry reference;
 * *path is its artifact file (caller frees); label says what it is
 * ("churn/3"). */
bool model_resolve(struct store *s, const char *name, char **path, char **label,
                   struct error *err) MUST_USE;
#endif
