/* script/expression.h -- what a chunk's last statement is, what it assigns.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SCRIPT_EXPRESSION_H
#define LATHE_SCRIPT_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>

struct lua_State;

/* Where "return" makes the value of the last expression the chunk's; len when
 * its last statement has none. *is_call: that value is a call's. */
size_t expression_find(struct lua_State *L, const char *code, size_t len,
                       bool *is_call);
/* Names that the chunk's top level assigns: "data, trees = ..."; NULL-ended,
 * caller frees each and the array. */
char **expression_assigned(const char *code, size_t len);
/* The same, and "function name()". */
bool expression_sets(const char *code, size_t len, const char *name);
/* Does the name stand in it as a variable that is read? */
bool expression_reads(const char *code, size_t len, const char *name);
#endif
