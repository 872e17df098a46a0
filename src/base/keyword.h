/* base/keyword.h -- the reserved words of Lua 5.4.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_KEYWORD_H
#define LATHE_BASE_KEYWORD_H

#include <stdbool.h>

#include "base/str.h"

extern const char *const keyword_list[]; /* in order, NULL-ended */
bool keyword_is(struct str word);
/* May it be a variable, or the key of a table without brackets? */
bool keyword_allows(struct str name);
#endif
