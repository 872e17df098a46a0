/* frame/fingerprint.h -- what tells one table from another, batch by batch.
 *
 * A 128-bit hash of names, types and values in the order of the rows, that
 * does not depend on how the table was made, cut into batches, or on the codes
 * of its texts.  frame_fingerprint() is that of a single batch.  Memory: 32
 * KiB a column up to 1,024 columns, and no less than 0.6 KiB for each of more.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_FINGERPRINT_H
#define LATHE_FRAME_FINGERPRINT_H

#include "frame/frame.h"

struct fingerprint;

/* Of a table with the columns of head, whose rows do not count. */
struct fingerprint *
fingerprint_new(const struct frame *head, struct error *err) MUST_USE;
void fingerprint_free(struct fingerprint *p);
/* More rows, with the same columns. */
bool fingerprint_add(struct fingerprint *p, const struct frame *rows,
                     struct error *err) MUST_USE;
/* Of all rows that were added: 32 hex digits and a zero.  The last call. */
bool fingerprint_end(struct fingerprint *p, char out[33],
                     struct error *err) MUST_USE;
/* The rows of s, which it takes over, also when it fails, added to *p as they
 * pass: a new one, which the caller frees once the stream is closed, and which
 * begins again as the stream does. */
struct stream;
struct stream *fingerprint_stream(struct fingerprint **p, struct stream *s,
                                  struct error *err) MUST_USE;
#endif
