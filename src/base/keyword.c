/* base/keyword.c -- the reserved words of Lua 5.4.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/keyword.h"

#include <ctype.h>
#include <stddef.h>

const char *const keyword_list[] = {
    "and",      "break",  "do",   "else", "elseif", "end",   "false", "for",
    "function", "goto",   "if",   "in",   "local",  "nil",   "not",   "or",
    "repeat",   "return", "then", "true", "until",  "while", NULL};

bool
keyword_is(struct str word)
{
    for (const char *const *k = keyword_list; *k; k++)
        if (str_is(word, *k))
            return true;
    return false;
}

bool
keyword_allows(struct str name)
{
    if (name.n == 0 || isdigit((unsigned char)name.p[0]))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_')
            return false;
    return !keyword_is(name);
}
