/* store/registry.h -- models, versions, stages, aliases, an append-only log.
 *
 * Stages: None, Staging, Production, Archived.  A stage but Archived (and
 * None) holds at most one version: promoting moves the former holder to
 * Archived in the same transaction.  Rollback of a model gives Production back
 * to the version that held it before; once more, to the one before that.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_REGISTRY_H
#define LATHE_STORE_REGISTRY_H

#include "store/artifact.h"
#include "store/run.h"

enum stage { STAGE_NONE, STAGE_STAGING, STAGE_PRODUCTION, STAGE_ARCHIVED };
const char *stage_word(enum stage s); /* "None", "Staging", ... */
bool stage_parse(const char *word, enum stage *out,
                 struct error *err) MUST_USE; /* any case */

struct version {
    char *model;
    int64_t number; /* 1, 2, ... */
    enum stage stage;
    char *artifact, *run, *metrics, *description, *family; /* "" when absent,
                                                    but metrics then "{}" */
    char *aliases;                                         /* "champion,eu" */
    int64_t size; /* bytes of the artifact */
    int64_t created_ms;
};
struct version_list {
    struct version *version;
    size_t n;
};

/* A version that is to be: the name of its model, the digest of its artifact
 * and the bytes of that; the others may be NULL. */
struct new_version {
    const char *model, *digest;
    const char *run;     /* a full id */
    const char *metrics; /* a JSON object */
    const char *description, *family;
    int64_t size;
};
/* The next version of a model, which its first makes.  A model's name has no
 * blank, '/', '@' or ':' and at most 100 bytes: ERR_RANGE.  The artifact must
 * be there: ERR_NOTFOUND. */
bool registry_add(struct store *s, const struct new_version *v, int64_t *number,
                  struct error *err) MUST_USE;
/* why: shown in the history; may be NULL.  To the stage it has: done. */
bool
registry_promote(struct store *s, const char *model, int64_t number,
                 enum stage to, const char *why, struct error *err) MUST_USE;
/* *now: who holds Production then.  ERR_STATE when nobody did before. */
bool registry_rollback(struct store *s, const char *model, const char *why,
                       int64_t *now, struct error *err) MUST_USE;
/* alias to a version; number 0 removes it.  A stage's word, "latest" and bare
 * numbers are refused: ERR_RANGE.  Case is kept and ignored. */
bool registry_alias(struct store *s, const char *model, const char *alias,
                    int64_t number, struct error *err) MUST_USE;
/* model NULL: the newest version of each model, by name; else all versions of
 * one, newest first. */
bool registry_list(struct store *s, const char *model, struct version_list *out,
                   struct error *err) MUST_USE;
void version_list_fini(struct version_list *l);
void version_fini(struct version *v);

/* from and to are stages, or versions for an alias, whose name is in why. */
struct transition {
    int64_t time_ms, number;
    char *model, *what, *from, *to, *why,
        *who; /* what: "add", "stage", "rollback", "alias" */
};
struct transition_list {
    struct transition *transition;
    size_t n;
};
/* Of one model, or of all when it is NULL. */
bool registry_history(struct store *s, const char *model,
                      struct transition_list *out,
                      struct error *err) MUST_USE; /* newest first */
void transition_list_fini(struct transition_list *l);

/* "churn/3", "churn@production", "churn@champion", "churn" (latest), each
 * with or without "models:/"; also "models:/churn/Production", "churn@3",
 * "churn@latest".  After '@' an alias goes before a stage.  A stage with more
 * than one version (Archived, None): ERR_USAGE. */
bool registry_find(struct store *s, const char *reference, struct version *out,
                   struct error *err) MUST_USE;

/* Any name of a model as in DESIGN 5: a file, runs:/ID, a registry reference;
 * *path is its artifact file (caller frees); label says what it is
 * ("churn/3", "run 1f0c2b3a", the file's name; caller frees).  A file that
 * exists goes before a registry reference; "models:/" means the registry
 * alone.  s may be NULL where there is no project: then only files. */
bool model_resolve(struct store *s, const char *name, char **path, char **label,
                   struct error *err) MUST_USE;

/* ---- for registry_name.c ---- */

struct sqlite3;

/* The highest number of a model; ERR_NOTFOUND with the nearest name. */
bool registry_newest(struct sqlite3 *db, const char *model, int64_t *newest,
                     struct error *err) MUST_USE;
bool registry_version(struct sqlite3 *db, const char *model, int64_t number,
                      struct version *out, struct error *err) MUST_USE;
#endif
