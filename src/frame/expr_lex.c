/* Tokens of an expression.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/expr_lex.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "frame/expr_ast.h"
#include "frame/synonym.h"

/* ---- errors ---------------------------------------------------------- */

bool
expr_fail(const char *text, size_t len, size_t at, enum error_code code,
          struct error *err, const char *fmt, ...)
{
    char message[ERROR_MESSAGE_MAX];
    struct str before = {text, at < len ? at : len};
    size_t i = 0, column = 1;
    va_list ap;

    while (str_next(before, &i) >= 0)
        column++;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    return error_set(err, code, "character %zu: %s", column, message);
}

static bool
syntax(struct lexer *l, size_t at, const char *message)
{
    return expr_fail(l->e->text, l->e->len, at, ERR_PARSE, l->err, "%s",
                     message);
}

/* ---- tokens ---------------------------------------------------------- */

static bool
is_word_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool
is_word(char c)
{
    return is_word_start(c) || isdigit((unsigned char)c);
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Names such as test.auc are plain words: a dot counts between two letters. */
static size_t
word_end(const char *s, size_t at)
{
    while (is_word(s[at]) || (s[at] == '.' && is_word_start(s[at + 1])))
        at++;
    return at;
}

static size_t
number_end(const char *s, size_t at)
{
    while (is_digit(s[at]))
        at++;
    if (s[at] == '.')
        at++;
    while (is_digit(s[at]))
        at++;
    if (s[at] == 'e' || s[at] == 'E') {
        size_t digits = at + 1 + (s[at + 1] == '+' || s[at + 1] == '-');

        if (is_digit(s[digits])) {
            at = digits;
            while (is_digit(s[at]))
                at++;
        }
    }
    return at;
}

/* One past the closing quote; 0 when there is none. */
static size_t
quoted_end(const struct lexer *l, size_t begin)
{
    const char *s = l->e->text;

    for (size_t at = begin + 1; at < l->e->len; at++)
        if (s[at] == s[begin] && s[++at] != s[begin])
            return at;
    return 0;
}

static int
hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character that \n, \r, \t, \\ or \x0a at `*at` stands for; *at is left
 * at its last byte. */
static bool
lex_escape(struct lexer *l, size_t *at, char *out)
{
    static const char letters[] = "nrt\\", means[] = "\n\r\t\\";
    const char *s = l->e->text + *at, *letter = strchr(letters, s[1]);
    int high = -1, low = -1;

    if (s[1] && letter) {
        *out = means[letter - letters];
        *at += 1;
        return true;
    }
    if (s[1] == 'x' && (high = hex_digit(s[2])) >= 0)
        low = hex_digit(s[3]);
    if (low < 0)
        return syntax(
            l, *at,
            "no such escape: \\n, \\r, \\t, \\\\ or \\x and two digits");
    *out = (char)(16 * high + low);
    *at += 3;
    return true;
}

/* Text between quotes; a doubled quote stands for itself. */
static bool
lex_quoted(struct lexer *l, size_t begin, bool escapes)
{
    const char *s = l->e->text;
    char quote = s[begin], *copy;
    size_t end = quoted_end(l, begin), n = 0;

    if (!end)
        return syntax(l, begin,
                      quote == '`' ? "the name has no closing backtick"
                                   : "the text has no closing quote");
    if (!(copy = arena_try(&l->e->mem, end - begin, 1, l->err)))
        return false;
    for (size_t at = begin + 1; at < end - 1; at++) {
        at += s[at] == quote;
        copy[n] = s[at];
        if (escapes && s[at] == '\\' && !lex_escape(l, &at, &copy[n]))
            return false;
        n++;
    }
    l->now.type = quote == '`' ? TOKEN_NAME : TOKEN_TEXT;
    l->now.text = (struct str){copy, n};
    l->now.end = end;
    return true;
}

static size_t
sign_length(const char *s)
{
    static const char two[][3] = {"==", "!=", "<>", "<=", ">=", "//"};

    for (size_t i = 0; i < sizeof two / sizeof *two; i++)
        if (s[0] == two[i][0] && s[1] == two[i][1])
            return 2;
    return s[0] && strchr("=<>+-*/%^(),", s[0]) ? 1 : 0;
}

static bool
lex_sign(struct lexer *l, size_t begin)
{
    const char *s = l->e->text + begin, *form;
    size_t n = sign_length(s);

    if (!n && *s == '&')
        return syntax(l, begin, "write 'and' for &");
    if (!n && *s == '|')
        return syntax(l, begin, "write 'or' for |");
    if (!n && *s == '!')
        return syntax(l, begin, "write 'not' for !");
    if (s[0] == '*' && s[1] == '*')
        return syntax(l, begin, "write ^ for **");
    if (!n) {
        size_t at = 0, left = l->e->len - begin;

        str_next((struct str){s, left}, &at);
        form = synonym_form((struct str){s, at});
        return expr_fail(l->e->text, l->e->len, begin, ERR_PARSE, l->err,
                         "unexpected character '%.*s'%s%s",
                         isprint((unsigned char)*s) || (unsigned char)*s > 0x7f
                             ? (int)at
                             : 0,
                         s, form ? "; write " : "", form ? form : "");
    }
    l->now.type = TOKEN_SIGN;
    l->now.end = begin + n;
    return true;
}

bool
lex_next(struct lexer *l)
{
    const char *s = l->e->text;
    size_t at = l->now.end;
    struct token *t = &l->now;

    l->prev_end = at;
    while (at < l->e->len && strchr(" \t\r\n", s[at]) && s[at])
        at++;
    t->begin = t->end = at;
    if (at >= l->e->len) {
        t->type = TOKEN_END;
        return true;
    }
    if (s[at] == '\'' || s[at] == '"' || s[at] == '`')
        return lex_quoted(l, at, false);
    if ((s[at] == 'e' || s[at] == 'E') &&
        (s[at + 1] == '\'' || s[at + 1] == '"'))
        return lex_quoted(l, at + 1, true);
    if (is_word_start(s[at])) {
        t->type = TOKEN_WORD;
        t->end = word_end(s, at);
    } else if (is_digit(s[at]) || (s[at] == '.' && is_digit(s[at + 1]))) {
        t->type = TOKEN_NUMBER;
        t->end = number_end(s, at);
        if (is_word_start(s[t->end]))
            return syntax(l, at, "a number runs into a word");
    } else if (!lex_sign(l, at)) {
        return false;
    }
    t->text = (struct str){s + at, t->end - at};
    return true;
}

bool
lex_is_sign(const struct lexer *l, const char *sign)
{
    return l->now.type == TOKEN_SIGN && str_is(l->now.text, sign);
}

bool
lex_is_word(const struct lexer *l, const char *word)
{
    return l->now.type == TOKEN_WORD &&
           str_eq_nocase(l->now.text, str_of(word));
}
