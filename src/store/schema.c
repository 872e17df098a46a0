/* store/schema.c -- see schema.h.
 *
 * A step is never edited once it has been released: a change is a new step.
 * Texts are "" when absent, so that no reader has to know of NULL; only a
 * point's value may be NULL, which is NaN.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/schema.h"

#include <stddef.h>
#include <stdio.h>

#include "store/sql.h"

/* Points are clustered by series, in the order they came: a curve is one
 * range of the tree.  series.n is the number that the next point gets. */
static const char RUNS[] =
    "CREATE TABLE run("
    "  key INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  id TEXT NOT NULL UNIQUE,"
    "  name TEXT NOT NULL,"
    "  family TEXT NOT NULL,"
    "  params TEXT NOT NULL,"
    "  data TEXT NOT NULL,"
    "  fingerprint TEXT NOT NULL,"
    "  target TEXT NOT NULL,"
    "  seed INTEGER NOT NULL,"
    "  git_commit TEXT NOT NULL,"
    "  build TEXT NOT NULL,"
    "  source TEXT NOT NULL,"
    "  message TEXT NOT NULL DEFAULT '',"
    "  metrics TEXT NOT NULL DEFAULT '{}',"
    "  artifact TEXT NOT NULL DEFAULT '',"
    "  state INTEGER NOT NULL DEFAULT 0,"
    "  start_ms INTEGER NOT NULL,"
    "  end_ms INTEGER NOT NULL DEFAULT 0,"
    "  pid INTEGER NOT NULL,"
    "  ticks INTEGER NOT NULL,"
    "  host TEXT NOT NULL,"
    "  boot TEXT NOT NULL,"
    "  deleted_ms INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE INDEX run_name ON run(name);"
    "CREATE TABLE tag("
    "  run INTEGER NOT NULL REFERENCES run(key) ON DELETE CASCADE,"
    "  name TEXT NOT NULL,"
    "  value TEXT NOT NULL,"
    "  PRIMARY KEY(run, name)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE series("
    "  key INTEGER PRIMARY KEY,"
    "  run INTEGER NOT NULL REFERENCES run(key) ON DELETE CASCADE,"
    "  name TEXT NOT NULL,"
    "  n INTEGER NOT NULL DEFAULT 0,"
    "  UNIQUE(run, name)"
    ") STRICT;"
    "CREATE TABLE point("
    "  series INTEGER NOT NULL REFERENCES series(key) ON DELETE CASCADE,"
    "  number INTEGER NOT NULL,"
    "  step INTEGER NOT NULL,"
    "  value REAL,"
    "  time_ms INTEGER NOT NULL,"
    "  PRIMARY KEY(series, number)"
    ") STRICT, WITHOUT ROWID;";

/* The index holds the rule that a stage has one holder even against a bug of
 * ours; the triggers hold the log and what a version is made of even against
 * another program's hand. */
static const char REGISTRY[] =
    "CREATE TABLE version("
    "  key INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  model TEXT NOT NULL,"
    "  number INTEGER NOT NULL CHECK(number > 0),"
    "  stage INTEGER NOT NULL DEFAULT 0 CHECK(stage BETWEEN 0 AND 3),"
    "  artifact TEXT NOT NULL,"
    "  run TEXT NOT NULL,"
    "  metrics TEXT NOT NULL,"
    "  description TEXT NOT NULL,"
    "  family TEXT NOT NULL,"
    "  size INTEGER NOT NULL,"
    "  created_ms INTEGER NOT NULL,"
    "  UNIQUE(model, number)"
    ") STRICT;"
    "CREATE UNIQUE INDEX version_holder ON version(model, stage)"
    "  WHERE stage IN (1, 2);"
    "CREATE TABLE alias("
    "  model TEXT NOT NULL,"
    "  name TEXT NOT NULL COLLATE NOCASE,"
    "  number INTEGER NOT NULL,"
    "  PRIMARY KEY(model, name),"
    "  FOREIGN KEY(model, number) REFERENCES version(model, number)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX alias_version ON alias(model, number);"
    "CREATE TABLE transition("
    "  key INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  time_ms INTEGER NOT NULL,"
    "  model TEXT NOT NULL,"
    "  number INTEGER NOT NULL,"
    "  what TEXT NOT NULL,"
    "  source TEXT NOT NULL,"
    "  target TEXT NOT NULL,"
    "  why TEXT NOT NULL,"
    "  who TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX transition_model ON transition(model);"
    "CREATE TRIGGER transition_no_update BEFORE UPDATE ON transition BEGIN"
    "  SELECT RAISE(ABORT, 'the log of transitions is append-only');"
    "END;"
    "CREATE TRIGGER transition_no_delete BEFORE DELETE ON transition BEGIN"
    "  SELECT RAISE(ABORT, 'the log of transitions is append-only');"
    "END;"
    "CREATE TRIGGER version_no_delete BEFORE DELETE ON version BEGIN"
    "  SELECT RAISE(ABORT, 'a version is never deleted');"
    "END;"
    "CREATE TRIGGER version_no_update BEFORE UPDATE OF key, model, number,"
    "  artifact, run, family, size, created_ms ON version BEGIN"
    "  SELECT RAISE(ABORT, 'a version is immutable');"
    "END;";

static const char DEPLOYMENTS[] = "CREATE TABLE deployment("
                                  "  name TEXT PRIMARY KEY,"
                                  "  reference TEXT NOT NULL,"
                                  "  label TEXT NOT NULL,"
                                  "  host TEXT NOT NULL,"
                                  "  port INTEGER NOT NULL,"
                                  "  pid INTEGER NOT NULL,"
                                  "  ticks INTEGER NOT NULL,"
                                  "  started_ms INTEGER NOT NULL,"
                                  "  sla_ms REAL NOT NULL,"
                                  "  wanted INTEGER NOT NULL"
                                  ") STRICT, WITHOUT ROWID;";

/* The last transaction of each process that writes with a rollback journal:
 * see writer.c. */
static const char WRITERS[] = "CREATE TABLE writer("
                              "  token TEXT PRIMARY KEY,"
                              "  number INTEGER NOT NULL,"
                              "  time_ms INTEGER NOT NULL"
                              ") STRICT, WITHOUT ROWID;";

enum { TEXTS_MAX = 4 }; /* of one step */
static const char *const STEPS[][TEXTS_MAX] = {
    {RUNS, REGISTRY, DEPLOYMENTS, WRITERS},
};
enum { N_STEPS = sizeof STEPS / sizeof STEPS[0] };

int64_t
schema_newest(void)
{
    return N_STEPS;
}

bool
schema_version(struct sqlite3 *db, int64_t *out, struct error *err)
{
    int64_t application = 0, tables = 0;

    if (!sql_get_int(db, "PRAGMA application_id", NULL, 0, 0, &application,
                     err) ||
        !sql_get_int(db, "PRAGMA user_version", NULL, 0, 0, out, err) ||
        !sql_get_int(db, "SELECT count(*) FROM sqlite_schema", NULL, 0, 0,
                     &tables, err))
        return false;
    if (application != SCHEMA_APPLICATION && (tables || *out))
        return error_set(err, ERR_TYPE,
                         "%s: this database belongs to another program",
                         sql_path(db));
    if (*out > N_STEPS)
        return error_set(err, ERR_STATE,
                         "%s: the store was written by a newer lathe (format "
                         "%lld, this one knows %d): update lathe to open it",
                         sql_path(db), (long long)*out, (int)N_STEPS);
    return true;
}

static bool
set_version(struct sqlite3 *db, struct error *err)
{
    char text[128];

    /* PRAGMA takes no parameters. */
    snprintf(text, sizeof text,
             "PRAGMA application_id = %d; PRAGMA user_version = %d",
             (int)SCHEMA_APPLICATION, (int)N_STEPS);
    return sql_exec(db, text, err);
}

static bool
take_steps(struct sqlite3 *db, struct error *err)
{
    int64_t at = 0;

    if (!schema_version(db, &at, err))
        return false;
    if (at == N_STEPS)
        return true;
    for (; at < N_STEPS; at++) {
        for (size_t i = 0; i < TEXTS_MAX && STEPS[at][i]; i++) {
            if (!sql_exec(db, STEPS[at][i], err))
                return false;
        }
    }
    return set_version(db, err);
}

bool
schema_migrate(struct sqlite3 *db, struct error *err)
{
    struct error ignored;

    if (!sql_exec(db, "BEGIN IMMEDIATE", err))
        return false;
    if (take_steps(db, err) && sql_exec(db, "COMMIT", err))
        return true;
    (void)!sql_exec(db, "ROLLBACK", &ignored);
    return false;
}
