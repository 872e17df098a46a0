/* store/sql.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/sql.h"

#include <assert.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

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

/* Fill err from the connection's last failure; returns false.  ERR_CORRUPT
 * for a damaged file, ERR_TIMEOUT when another process held it for too long,
 * ERR_EXISTS for a broken constraint, ERR_NOMEM, else ERR_IO. */
static bool
sql_error(struct sqlite3 *db, struct error *err)
{
    int errnum = sqlite3_system_errno(db);

    switch (sqlite3_errcode(db) & 0xff) {
    case SQLITE_NOMEM:
        return error_set(err, ERR_NOMEM, "no memory for the store");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(err, ERR_CORRUPT, "the store is damaged: %s",
                         sqlite3_errmsg(db));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, ERR_TIMEOUT,
                         "another process holds the store for too long");
    case SQLITE_FULL:
        return error_set(err, ERR_IO, "the disk of the store is full");
    case SQLITE_CONSTRAINT:
        return error_set(err, ERR_EXISTS, "%s", sqlite3_errmsg(db));
    case SQLITE_READONLY:
        return error_set(err, ERR_IO, "the store may not be written");
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        if (errnum)
            return error_set(err, ERR_IO, "%s: %s", sqlite3_errmsg(db),
                             strerror(errnum));
        break;
    default:
        break;
    }
    return error_set(err, ERR_IO, "%s", sqlite3_errmsg(db));
}

struct sqlite3 *
sql_connect(const char *path, struct error *err)
{
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(path, &db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                            SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK) {
        if (db)
            sql_error(db, err);
        else
            error_set(err, ERR_NOMEM, "no memory for the store");
        goto failed;
    }
    sqlite3_busy_timeout(db, BUSY_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* Without recursive triggers REPLACE would delete rows past them. */
    if (!sql_exec(db,
                  "PRAGMA foreign_keys = ON;"
                  "PRAGMA recursive_triggers = ON;"
                  "PRAGMA trusted_schema = OFF;"
                  "PRAGMA cell_size_check = ON;"
                  "PRAGMA synchronous = EXTRA;",
                  err))
        goto failed;
    return db;
failed:
    error_prefix(err, "%s: ", path);
    sql_disconnect(db);
    return NULL;
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
