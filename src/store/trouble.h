/* store/trouble.h -- what stands between us and the store's files, in words
 * that say what to do next; for store/ alone.
 *
 * SQLite says "unable to open database file" for a dozen causes.  This asks
 * the file system which one it is.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_TROUBLE_H
#define LATHE_STORE_TROUBLE_H

#include "base/error.h"

/* Look at the database at `path`, the files beside it and its folder.  False
 * with err set, the path first, when something is in the way; true when
 * nothing is.
 *   writing  ask for leave to write too, and for space */
bool trouble_none(const char *path, bool writing, struct error *err) MUST_USE;
/* The folder of a path of one slash or more; the caller frees. */
char *trouble_folder(const char *path);
/* Bytes in a file; 0 when there is none. */
long long trouble_size(const char *path, const char *suffix);
#endif
