/* frame/names.h -- column names for a table from outside: none empty, no two
 * alike.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_NAMES_H
#define LATHE_FRAME_NAMES_H

#include "frame/dict.h"

/* The first of "wanted", "wanted_2", "wanted_3", ... that is not yet in taken,
 * where it is added; blanks around it do not count, zero bytes become U+FFFD,
 * and an empty one is "column_N", N being col + 1.  Caller frees. */
char *names_unique(struct str wanted, size_t col, struct dict *taken,
                   struct error *err) MUST_USE;
#endif
