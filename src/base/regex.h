/* base/regex.h -- PCRE2 with limits: a hostile pattern ends in an error.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_REGEX_H
#define LATHE_BASE_REGEX_H

#include "base/error.h"
#include "base/str.h"

struct regex;

struct regex *regex_new(struct str pattern, bool ignore_case, struct error *err) MUST_USE;
void regex_free(struct regex *r);
/* *found: does it match anywhere in s?  Match and depth limits give ERR_LIMIT.
 * group/out: when out is not NULL, the text of that capture group.  Safe from
 * several threads. */
bool regex_find(const struct regex *r, struct str s, bool *found, unsigned group,
                struct str *out, struct error *err) MUST_USE;
#endif
