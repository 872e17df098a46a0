/* frame/identifier.h -- columns that name rows, and tell nothing else of them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_IDENTIFIER_H
#define LATHE_FRAME_IDENTIFIER_H

#include "frame/frame.h"

/* The share of different values from which a column may be one, and how many
 * there must be. */
#define IDENTIFIER_SHARE 0.95
enum { IDENTIFIER_LEAST = 10 };

/* id, user_id, user-id, userId, UUID, guid. */
bool identifier_name(const char *name);
/* Do n whole numbers that rose and fell that often count the rows, or fill a
 * range without many holes? */
bool identifier_range(size_t n, size_t n_rise, size_t n_fall, double min,
                      double max);
/* What the profile's ID_LIKE says of a column of whole numbers: nearly all of
 * them differ, and by its name or its range they are names.  Of columns with
 * many rows a million, evenly spaced, are compared.  False of columns of other
 * types, and where there is no memory to tell (16 MiB at most).  O(n). */
bool identifier_numbers(const struct frame *f, size_t col);
#endif
