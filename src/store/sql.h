/* store/sql.h -- statements over SQLite with our errors; for store/ alone.
 *
 *   const struct sql_value at[] = {sql_text(name), sql_int(key)};
 *   sql_run(db, "UPDATE run SET name = ?1 WHERE key = ?2", at, 2, err)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_SQL_H
#define LATHE_STORE_SQL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

enum sql_type { SQL_INT, SQL_REAL, SQL_TEXT };
struct sql_value {
    enum sql_type type;
    int64_t i;
    double d;      /* NaN is stored as NULL and read back as NaN */
    const char *t; /* borrowed; NULL is stored as "" */
};
struct sql_value sql_int(int64_t i);
struct sql_value sql_real(double d);
struct sql_value sql_text(const char *t);

/* Open (and make) the database with the pragmas that every connection of ours
 * has: foreign keys, a busy timeout, every commit fsynced.  Errors, here and
 * below, begin with the path where the file is to blame. */
struct sqlite3 *sql_connect(const char *path, struct error *err) MUST_USE;
/* For reading what is there.  Where nothing may be written the connection is
 * *frozen: it takes no lock and does not see what others write, so it should
 * be closed soon. */
struct sqlite3 *
sql_connect_read(const char *path, bool *frozen, struct error *err) MUST_USE;
/* The database's file. */
const char *sql_path(struct sqlite3 *db);
void sql_disconnect(struct sqlite3 *db);
/* A transaction that a failure of the disk has undone is no longer open. */
bool sql_in_transaction(struct sqlite3 *db);
/* The journal of this file from now on: "wal" or "delete". */
bool sql_set_journal(struct sqlite3 *db, const char *mode,
                     struct error *err) MUST_USE;

/* Statements without values or rows: "BEGIN IMMEDIATE". */
bool sql_exec(struct sqlite3 *db, const char *text, struct error *err) MUST_USE;
/* One statement whose rows, if any, do not matter. n must be the number of its
 * parameters, which the statement is asked. */
bool sql_run(struct sqlite3 *db, const char *text, const struct sql_value *at,
             size_t n, struct error *err) MUST_USE;

/* A statement with its values bound, before its first row; sql_close() it. */
struct sqlite3_stmt *
sql_open(struct sqlite3 *db, const char *text, const struct sql_value *at,
         size_t n, struct error *err) MUST_USE;
/* Bind again and start over. */
bool sql_again(struct sqlite3_stmt *q, const struct sql_value *at, size_t n,
               struct error *err) MUST_USE;
enum sql_step { SQL_ROW, SQL_END, SQL_FAILED };
enum sql_step sql_step(struct sqlite3_stmt *q, struct error *err) MUST_USE;
void sql_close(struct sqlite3_stmt *q);

int64_t sql_int_at(struct sqlite3_stmt *q, int column);
double sql_real_at(struct sqlite3_stmt *q, int column);
/* Borrowed until the next step; "" for NULL. */
const char *sql_text_at(struct sqlite3_stmt *q, int column);
/* A copy, "" for NULL; the caller frees. */
bool sql_take_text(struct sqlite3_stmt *q, int column, char **out,
                   struct error *err) MUST_USE;
/* The first column of the first row; `fallback` when there is no row. */
bool sql_get_int(struct sqlite3 *db, const char *text,
                 const struct sql_value *at, size_t n, int64_t fallback,
                 int64_t *out, struct error *err) MUST_USE;
#endif
