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
/* What the profile's ID_LIKE says of a column of whole numbers: nearly all of
 * them differ, and by its name, or because they only rise or fall, or fill a
 * range without many holes, they are names.  *is is false of columns of other
 * types.  O(n) time; 16 bytes a row of columns that nearly are ones. */
bool identifier_numbers(const struct frame *f, size_t col, bool *is,
                        struct error *err) MUST_USE;
#endif
