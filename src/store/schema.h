/* store/schema.h -- the tables, as the steps that made them; for store/ alone.
 *
 * PRAGMA user_version counts the steps that a database has taken.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_SCHEMA_H
#define LATHE_STORE_SCHEMA_H

#include <stdint.h>

#include "base/error.h"

struct sqlite3;

enum { SCHEMA_APPLICATION = 0x4c544845 }; /* "LTHE", in the file's header */

/* What this program knows. */
int64_t schema_newest(void);
/* What the database is at; 0 for an empty one.  ERR_STATE when it is newer
 * than this program, ERR_TYPE when it is a database of another program. */
bool
schema_version(struct sqlite3 *db, int64_t *out, struct error *err) MUST_USE;
/* Take the missing steps, all in one transaction.  Two processes may do it at
 * once: the second finds nothing to do. */
bool schema_migrate(struct sqlite3 *db, struct error *err) MUST_USE;
#endif
