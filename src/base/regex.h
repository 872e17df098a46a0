/* base/regex.h -- PCRE2 with limits: a hostile pattern ends in an error.
 *
 * Patterns are Unicode-aware and match anywhere in the text; (?i), ^ and $
 * say otherwise.  Bytes that are not UTF-8 match nothing, and the text around
 * them is searched as usual.  A search uses the JIT; where that runs out of
 * its stack, the interpreter, whose memory is bounded, tries again.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_REGEX_H
#define LATHE_BASE_REGEX_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum {
    REGEX_MAX_PATTERN = 4096,  /* bytes */
    REGEX_MAX_TEXT = 1u << 20, /* bytes searched at once */
    REGEX_MAX_STEPS = 1000000, /* backtracking steps from one start */
    REGEX_MAX_HEAP_KIB = 65536 /* of the interpreter */
};

struct regex;

/* ERR_PARSE names the character of the pattern that is wrong; ERR_LIMIT when
 * it is too long or nested too deeply. */
struct regex *
regex_new(struct str pattern, bool ignore_case, struct error *err) MUST_USE;
void regex_free(struct regex *r);
unsigned regex_groups(const struct regex *r); /* capture groups it has */
/* *found: does it match anywhere in s?  Match, depth, heap and length limits
 * give ERR_LIMIT.  group/out: when out is not NULL, the text of that capture
 * group (0: the whole match; empty when it took no part).  Safe from several
 * threads. */
bool regex_find(const struct regex *r, struct str s, bool *found,
                unsigned group, struct str *out, struct error *err) MUST_USE;
/* Appends s to out with every match, also an empty one behind another, become
 * `to`, in which \0 is the match, \1 to \9 a group (nothing when it took no
 * part) and \\ a backslash.  ERR_RANGE when there is no such group, ERR_LIMIT
 * also beyond `most` bytes of out. */
bool regex_replace(const struct regex *r, struct str s, struct str to,
                   size_t most, struct buf *out, struct error *err) MUST_USE;
/* What a search needs, for many of them in one thread: regex_find() without a
 * group makes its own each time.  Aborts without memory. */
struct regex_work;
struct regex_work *regex_work_new(const struct regex *r);
void regex_work_free(struct regex_work *w);
bool regex_test(const struct regex *r, struct regex_work *w, struct str s,
                bool *found, struct error *err) MUST_USE;
#endif
