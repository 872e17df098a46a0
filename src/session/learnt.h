/* session/learnt.h -- has a model learnt from these rows?
 *
 * A model file has the fingerprint of the rows that were learnt from and held
 * out; where others of their table were set aside for a test, the run that the
 * file is the artifact of has that of the whole table, as a tag, and the scores
 * of the test.  What is not in this project's store is not known.
 * Blocks: pool jobs and command-line programs only.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_LEARNT_H
#define LATHE_SESSION_LEARNT_H

#include "engine/model.h"
#include "session/session.h"

#define LEARNT_TABLE "table" /* the tag */
enum { LEARNT_PRINT = 33 };

/* The fingerprint of the table that a model has learnt from some rows of. */
void
learnt_table(struct session *s, const struct model *m, char out[LEARNT_PRINT]);
/* How many of the n_rows rows of the table with this fingerprint it has learnt
 * from, 0 where it is another; then says in *note that its scores are too good
 * here, and those of rows that it has not learnt from, where they are known. */
size_t learnt_note(struct session *s, const struct model *m, const char *print,
                   size_t n_rows, struct buf *note);
#endif
