/* store/sql.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/sql.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/trouble.h"

enum { BUSY_MS = 10000, SWITCH_WAIT_MS = 20 };

struct sql_value
sql_int(int64_t i)
{
    return (struct sql_value){.type = SQL_INT, .i = i};
}

struct sql_value
sql_real(double d)
{
    return (struct sql_value){.type = SQL_REAL, .d = d};
}

struct sql_value
sql_text(const char *t)
{
    return (struct sql_value){.type = SQL_TEXT, .t = t ? t : ""};
}

const char *
sql_path(struct sqlite3 *db)
{
    const char *path = db ? sqlite3_db_filename(db, "main") : NULL;

    return path && *path ? path : "the store";
}

static bool
is_full(struct sqlite3 *db)
{
    int code = sqlite3_errcode(db) & 0xff, errnum = sqlite3_system_errno(db);

    return code == SQLITE_FULL ||
           (code == SQLITE_IOERR && (errnum == ENOSPC || errnum == EDQUOT));
}

/* What the file system has against it; else what SQLite says. */
static bool
sql_trouble(struct sqlite3 *db, struct error *err)
{
    const char *path = sql_path(db);
    int errnum = sqlite3_system_errno(db);

    if (path[0] == '/' &&
        (!trouble_none(path, false, err) || !trouble_none(path, true, err)))
        return false;
    return errnum ? error_set(err, ERR_IO, "%s: %s: %s", path,
                              sqlite3_errmsg(db), strerror(errnum))
                  : error_set(err, ERR_IO, "%s: %s", path, sqlite3_errmsg(db));
}

/* Fill err from the connection's last failure; returns false.  ERR_CORRUPT
 * for a damaged file, ERR_TIMEOUT when another process held it for too long,
 * ERR_EXISTS for a broken constraint, ERR_NOMEM, else ERR_IO.  What the file
 * is to blame for begins with its path. */
static bool
sql_error(struct sqlite3 *db, struct error *err)
{
    if (is_full(db))
        return error_set(err, ERR_IO,
                         "%s: its disk is full: free some space and try again",
                         sql_path(db));
    switch (sqlite3_errcode(db) & 0xff) {
    case SQLITE_NOMEM:
        return error_set(err, ERR_NOMEM, "no memory for the store");
    case SQLITE_CORRUPT:
        return error_set(err, ERR_CORRUPT,
                         "%s: the store is damaged (%s): restore it from a "
                         "backup, or move it away to begin anew",
                         sql_path(db), sqlite3_errmsg(db));
    case SQLITE_NOTADB:
        return error_set(err, ERR_CORRUPT,
                         "%s: is not a database: restore it from a backup, "
                         "or move it away to begin anew",
                         sql_path(db));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, ERR_TIMEOUT,
                         "%s: another process holds the store for too long",
                         sql_path(db));
    case SQLITE_CONSTRAINT:
        return error_set(err, ERR_EXISTS, "%s", sqlite3_errmsg(db));
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return sql_trouble(db, err);
    default:
        return error_set(err, ERR_IO, "%s", sqlite3_errmsg(db));
    }
}

static bool
set_pragmas(struct sqlite3 *db, struct error *err)
{
    sqlite3_busy_timeout(db, BUSY_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* Without recursive triggers REPLACE would delete rows past them. */
    return sql_exec(db,
                    "PRAGMA foreign_keys = ON;"
                    "PRAGMA recursive_triggers = ON;"
                    "PRAGMA trusted_schema = OFF;"
                    "PRAGMA cell_size_check = ON;"
                    "PRAGMA synchronous = EXTRA;",
                    err);
}

/* *db is to be disconnected on failure too: it knows more of it. */
static bool
open_as(const char *path, int flags, struct sqlite3 **db, struct error *err)
{
    int rc = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc == SQLITE_OK)
        return set_pragmas(*db, err);
    if (!*db)
        return error_set(err, ERR_NOMEM, "no memory for the store");
    /* It does not know its path yet. */
    return trouble_none(path, false, err) ? sql_error(*db, err) : false;
}

struct sqlite3 *
sql_connect(const char *path, struct error *err)
{
    struct sqlite3 *db = NULL;

    if (open_as(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db, err))
        return db;
    sql_disconnect(db);
    return NULL;
}

/* As a URI, in which only these bytes stand for themselves. */
static struct sqlite3 *
open_frozen(const char *path, struct error *err)
{
    struct sqlite3 *db = NULL;
    struct buf uri;
    bool ok;

    buf_init(&uri);
    buf_puts(&uri, "file:");
    for (const char *p = path; *p; p++) {
        if (isalnum((unsigned char)*p) || strchr("/._-", *p))
            buf_putc(&uri, *p);
        else
            buf_printf(&uri, "%%%02x", (unsigned)(unsigned char)*p);
    }
    buf_puts(&uri, "?immutable=1");
    ok = buf_check(&uri, err) &&
         open_as(uri.data, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, &db, err);
    buf_fini(&uri);
    if (ok)
        return db;
    sql_disconnect(db);
    return NULL;
}

/* Where nothing can be written WAL has no place for its index.  What the log
 * holds would be missed without one, so that is an error. */
static bool
may_freeze(struct sqlite3 *db, const char *path, struct error *err)
{
    int code = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
    bool full = db && is_full(db);
    struct error why = *err;

    if ((code != SQLITE_READONLY && code != SQLITE_CANTOPEN && !full) ||
        !trouble_none(path, false, &why) ||
        (trouble_none(path, true, &why) && !full))
        return false;
    if (trouble_size(path, "-wal") == 0)
        return true;
    *err = why;
    return error_prefix(err,
                        "%s-wal holds changes that must be taken up where "
                        "writing is possible; ",
                        path);
}

struct sqlite3 *
sql_connect_read(const char *path, bool *frozen, struct error *err)
{
    struct sqlite3 *db = NULL;

    *frozen = false;
    if (open_as(path, SQLITE_OPEN_READWRITE, &db, err))
        return db;
    *frozen = may_freeze(db, path, err);
    sql_disconnect(db);
    return *frozen ? open_frozen(path, err) : NULL;
}

void
sql_disconnect(struct sqlite3 *db)
{
    (void)sqlite3_close(db);
}

bool
sql_in_transaction(struct sqlite3 *db)
{
    return !sqlite3_get_autocommit(db);
}

static bool
journal_is(struct sqlite3 *db, const char *pragma, const char *mode, bool *is,
           struct error *err)
{
    struct sqlite3_stmt *q = sql_open(db, pragma, NULL, 0, err);
    enum sql_step step;

    if (!q)
        return false;
    step = sql_step(q, err);
    *is = step == SQL_ROW && strcmp(sql_text_at(q, 0), mode) == 0;
    sql_close(q);
    return step != SQL_FAILED;
}

bool
sql_set_journal(struct sqlite3 *db, const char *mode, struct error *err)
{
    char pragma[64];
    bool is = false;

    if (!journal_is(db, "PRAGMA journal_mode", mode, &is, err))
        return false;
    snprintf(pragma, sizeof pragma, "PRAGMA journal_mode = %s", mode);
    /* The switch needs the file for itself and has no busy handler. */
    for (int waited = 0; !is; waited += SWITCH_WAIT_MS) {
        if (journal_is(db, pragma, mode, &is, err))
            break;
        if (waited >= BUSY_MS || sqlite3_errcode(db) != SQLITE_BUSY)
            return false;
        sqlite3_sleep(SWITCH_WAIT_MS);
    }
    return is || error_set(err, ERR_IO,
                           "the journal of the store cannot be "
                           "switched to %s",
                           mode);
}

bool
sql_exec(struct sqlite3 *db, const char *text, struct error *err)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        return sql_error(db, err);
    return true;
}

static int
bind_one(sqlite3_stmt *q, int i, const struct sql_value *v)
{
    switch (v->type) {
    case SQL_INT:
        return sqlite3_bind_int64(q, i, v->i);
    case SQL_REAL:
        return sqlite3_bind_double(q, i, v->d);
    default:
        return sqlite3_bind_text(q, i, v->t, -1, SQLITE_TRANSIENT);
    }
}

bool
sql_again(struct sqlite3_stmt *q, const struct sql_value *at, size_t n,
          struct error *err)
{
    assert((size_t)sqlite3_bind_parameter_count(q) == n);
    /* What it returns is how the last round ended, which was told then. */
    (void)sqlite3_reset(q);
    for (size_t i = 0; i < n; i++) {
        if (bind_one(q, (int)i + 1, &at[i]) != SQLITE_OK)
            return sql_error(sqlite3_db_handle(q), err);
    }
    return true;
}

struct sqlite3_stmt *
sql_open(struct sqlite3 *db, const char *text, const struct sql_value *at,
         size_t n, struct error *err)
{
    sqlite3_stmt *q = NULL;

    if (sqlite3_prepare_v2(db, text, -1, &q, NULL) != SQLITE_OK) {
        sql_error(db, err);
        return NULL;
    }
    if (!sql_again(q, at, n, err)) {
        sql_close(q);
        return NULL;
    }
    return q;
}

enum sql_step
sql_step(struct sqlite3_stmt *q, struct error *err)
{
    int rc = sqlite3_step(q);

    if (rc == SQLITE_ROW)
        return SQL_ROW;
    if (rc == SQLITE_DONE)
        return SQL_END;
    sql_error(sqlite3_db_handle(q), err);
    return SQL_FAILED;
}

void
sql_close(struct sqlite3_stmt *q)
{
    (void)sqlite3_finalize(q);
}

bool
sql_run(struct sqlite3 *db, const char *text, const struct sql_value *at,
        size_t n, struct error *err)
{
    struct sqlite3_stmt *q = sql_open(db, text, at, n, err);
    enum sql_step step = SQL_FAILED;

    if (!q)
        return false;
    do
        step = sql_step(q, err);
    while (step == SQL_ROW);
    sql_close(q);
    return step == SQL_END;
}

int64_t
sql_int_at(struct sqlite3_stmt *q, int column)
{
    return sqlite3_column_int64(q, column);
}

double
sql_real_at(struct sqlite3_stmt *q, int column)
{
    if (sqlite3_column_type(q, column) == SQLITE_NULL)
        return (double)NAN;
    return sqlite3_column_double(q, column);
}

const char *
sql_text_at(struct sqlite3_stmt *q, int column)
{
    const unsigned char *text = sqlite3_column_text(q, column);

    return text ? (const char *)text : "";
}

bool
sql_take_text(struct sqlite3_stmt *q, int column, char **out, struct error *err)
{
    const char *text = sql_text_at(q, column);

    return (*out = mem_try_text(text, strlen(text), err)) != NULL;
}

bool
sql_get_int(struct sqlite3 *db, const char *text, const struct sql_value *at,
            size_t n, int64_t fallback, int64_t *out, struct error *err)
{
    struct sqlite3_stmt *q = sql_open(db, text, at, n, err);
    enum sql_step step;

    if (!q)
        return false;
    step = sql_step(q, err);
    if (step != SQL_FAILED)
        *out = step == SQL_ROW ? sql_int_at(q, 0) : fallback;
    sql_close(q);
    return step != SQL_FAILED;
}
