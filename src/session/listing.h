/* session/listing.h -- lists of things as aligned text.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_LISTING_H
#define LATHE_SESSION_LISTING_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"

enum { LISTING_WORD = 32 };

struct listing;

/* Titles of the columns, NULL-ended; one that begins with '>' is set to the
 * right, one with '@' has times.  They are borrowed. */
struct listing *listing_new(const char *const *titles);
void listing_free(struct listing *l);
/* The next cell, from left to right; rows end by themselves. */
void listing_add(struct listing *l, const char *text); /* NULL, "": "-" */
void listing_addf(struct listing *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Columns are cut to fit `width` cells (0: never): times lose their year, the
 * last column gives, then the widest, then those from the last on. */
void listing_print(const struct listing *l, size_t width, struct buf *out);

/* "2026-11-23 18:45" in local time; "" for 0. */
void listing_time(int64_t ms, char out[LISTING_WORD]);
/* "850 ms", "1.2 s", "3 min 20 s", "2 h 5 min" */
void listing_duration(int64_t ms, char out[LISTING_WORD]);
/* "1.2 MiB" */
void listing_bytes(uint64_t n, char out[LISTING_WORD]);
#endif
