/* script/expression.c -- what a chunk's last statement is.
 *
 * A cell ends in a value when its last statement is an expression.  Lua has
 * no expression statements but calls, so the place where "return" makes the
 * chunk whole is looked for, from the end: at a token that begins a line (or
 * follows a semicolon) outside of all brackets and blocks, with a prefix that
 * is a whole chunk by itself.
 *
 * A line that begins with "(", a text or a table after a value goes on with
 * the call before it; the only other way a chunk that is whole already can
 * end in an expression is a call, which begins with a name or "(".
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "script/expression.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/buf.h"
#include "base/keyword.h"
#include "base/mem.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_KEYWORD,
    TOKEN_VALUE,
    TOKEN_SIGN
};

struct token {
    enum token_kind kind;
    size_t at, len;
    bool first; /* of its line, or after a semicolon */
};

struct scanner {
    const char *p;
    size_t len, at;
};

/* But for those that are values. */
static bool
is_keyword(const char *p, size_t len)
{
    struct str word = {p, len};

    return keyword_is(word) && !str_is(word, "nil") && !str_is(word, "true") &&
           !str_is(word, "false");
}

/* "[[" or "[==[" at i: the level plus one, else 0. */
static size_t
long_bracket(const struct scanner *s, size_t i)
{
    size_t level = 0;

    if (i >= s->len || s->p[i] != '[')
        return 0;
    while (i + 1 + level < s->len && s->p[i + 1 + level] == '=')
        level++;
    return i + 1 + level < s->len && s->p[i + 1 + level] == '[' ? level + 1 : 0;
}

static size_t
skip_long(const struct scanner *s, size_t i, size_t level)
{
    for (i += level + 1; i < s->len; i++) {
        size_t n = 0;

        if (s->p[i] != ']')
            continue;
        while (n + 1 < level && i + 1 + n < s->len && s->p[i + 1 + n] == '=')
            n++;
        if (n + 1 == level && i + 1 + n < s->len && s->p[i + 1 + n] == ']')
            return i + 2 + n;
    }
    return s->len;
}

/* Past blanks and comments; *line: was there a line's end? */
static void
skip_blank(struct scanner *s, bool *line)
{
    while (s->at < s->len) {
        char c = s->p[s->at];

        if (c == '-' && s->at + 1 < s->len && s->p[s->at + 1] == '-') {
            size_t level = long_bracket(s, s->at + 2);

            if (level)
                s->at = skip_long(s, s->at + 2, level);
            else
                while (s->at < s->len && s->p[s->at] != '\n')
                    s->at++;
        } else if (isspace((unsigned char)c)) {
            *line = *line || c == '\n';
            s->at++;
        } else {
            return;
        }
    }
}

static size_t
skip_quoted(const struct scanner *s, size_t i)
{
    char quote = s->p[i++];

    while (i < s->len && s->p[i] != quote && s->p[i] != '\n')
        i += s->p[i] == '\\' ? 2 : 1;
    return i < s->len ? i + 1 : s->len;
}

static struct token
next_token(struct scanner *s)
{
    struct token t = {TOKEN_END, 0, 0, s->at == 0};
    size_t i, level;
    unsigned char c;

    skip_blank(s, &t.first);
    t.at = i = s->at;
    if (i >= s->len)
        return t;
    c = (unsigned char)s->p[i];
    if (isalpha(c) || c == '_') {
        while (i < s->len &&
               (isalnum((unsigned char)s->p[i]) || s->p[i] == '_'))
            i++;
        t.kind = is_keyword(s->p + t.at, i - t.at) ? TOKEN_KEYWORD : TOKEN_NAME;
    } else if (isdigit(c)) {
        while (i < s->len &&
               (isalnum((unsigned char)s->p[i]) || s->p[i] == '.'))
            i++;
        t.kind = TOKEN_VALUE;
    } else if (c == '"' || c == '\'') {
        i = skip_quoted(s, i);
        t.kind = TOKEN_VALUE;
    } else if ((level = long_bracket(s, i))) {
        i = skip_long(s, i, level);
        t.kind = TOKEN_VALUE;
    } else {
        i++;
        if (c == ':' && i < s->len && s->p[i] == ':')
            i++;
        t.kind = TOKEN_SIGN;
    }
    if (i > s->len)
        i = s->len;
    t.len = i - t.at;
    s->at = i;
    return t;
}

static bool
token_is(const struct scanner *s, const struct token *t, const char *word)
{
    return t->kind != TOKEN_END && strlen(word) == t->len &&
           memcmp(s->p + t->at, word, t->len) == 0;
}

static bool
token_in(const struct scanner *s, const struct token *t,
         const char *const *words)
{
    for (; *words; words++)
        if (token_is(s, t, *words))
            return true;
    return false;
}

/* How much deeper in brackets and blocks the chunk is after this token. */
static int
depth_of(const struct scanner *s, const struct token *t)
{
    static const char *const in[] = {"(",  "{",        "[",      "if",
                                     "do", "function", "repeat", NULL};
    static const char *const out[] = {")", "}", "]", "end", "until", NULL};

    if (t->kind == TOKEN_VALUE || t->kind == TOKEN_NAME)
        return 0;
    return token_in(s, t, in) ? 1 : token_in(s, t, out) ? -1 : 0;
}

/* A place where a statement may begin. */
struct place {
    size_t at;
    bool call;      /* a call may begin here: a name or "(" */
    bool statement; /* it begins with a word that only statements have */
};

struct places {
    struct place *place;
    size_t n;
    bool silent; /* the chunk ends in a semicolon */
};

/* Does a token after this one go on with it when it is "(", "{" or text? */
static bool
ends_value(const struct scanner *s, const struct token *t)
{
    return t->kind == TOKEN_NAME || t->kind == TOKEN_VALUE ||
           token_is(s, t, ")") || token_is(s, t, "]") || token_is(s, t, "}");
}

static struct places
find_places(const char *code, size_t len)
{
    static const char *const words[] = {"local",  "for",      "while", "if",
                                        "return", "function", "goto",  "break",
                                        "repeat", "do",       "end",   "until",
                                        "else",   "elseif",   "then",  NULL};
    struct scanner s = {code, len, 0};
    struct token before = {TOKEN_SIGN, 0, 0, false}, t;
    struct places out = {NULL, 0, false};
    int depth = 0;

    while ((t = next_token(&s)).kind != TOKEN_END) {
        bool call = t.kind == TOKEN_NAME ||
                    (token_is(&s, &t, "(") && !ends_value(&s, &before));

        if (depth == 0 && (t.first || token_is(&s, &before, ";"))) {
            struct place *grown =
                realloc(out.place, (out.n + 1) * sizeof *grown);

            if (!grown)
                break;
            out.place = grown;
            out.place[out.n++] = (struct place){
                t.at, call, t.kind == TOKEN_KEYWORD && token_in(&s, &t, words)};
        }
        depth += depth_of(&s, &t);
        if (depth < 0)
            depth = 0;
        before = t;
    }
    out.silent = token_is(&s, &before, ";");
    return out;
}

static bool
compiles(lua_State *L, const char *a, size_t na, const char *b, size_t nb)
{
    struct buf code;
    bool ok;

    buf_init(&code);
    buf_add(&code, a, na);
    if (b) {
        buf_puts(&code, "return ");
        buf_add(&code, b, nb);
    }
    ok = luaL_loadbufferx(L, code.data, code.len, "=?", "t") == LUA_OK;
    lua_pop(L, 1);
    buf_fini(&code);
    return ok;
}

size_t
expression_find(lua_State *L, const char *code, size_t len, bool *is_call)
{
    struct places places = find_places(code, len);
    bool whole = compiles(L, code, len, NULL, 0);
    size_t found = len;

    *is_call = whole;
    for (size_t i = places.n; i-- > 0 && found == len && !places.silent;) {
        const struct place *p = &places.place[i];
        bool prefix = compiles(L, code, p->at, NULL, 0);

        if (p->statement && prefix && whole)
            break;
        if (prefix && !p->statement && (!whole || p->call) &&
            compiles(L, code, p->at, code + p->at, len - p->at))
            found = p->at;
        else if (prefix && whole && p->call)
            break; /* an assignment begins here */
    }
    free(places.place);
    return found;
}

/* ---- assigned names ---- */

static void
add_name(char ***names, size_t *n, const char *p, size_t len)
{
    char **grown = mem_new((*n + 2) * sizeof(char *));
    char *name = mem_new(len + 1);

    memcpy(name, p, len);
    for (size_t i = 0; i < *n; i++)
        grown[i] = (*names)[i];
    grown[(*n)++] = name;
    free(*names);
    *names = grown;
}

static void
drop_names(char **names, size_t *n, size_t from)
{
    while (*n > from) {
        free(names[--*n]);
        names[*n] = NULL;
    }
}

/* May a list of assigned names begin at a name after this token? */
static bool
begins_list(const struct scanner *s, const struct token *before)
{
    static const char *const no[] = {".", ":", ",", "=", "local", NULL};

    return !token_in(s, before, no);
}

char **
expression_assigned(const char *code, size_t len)
{
    struct scanner s = {code, len, 0};
    struct token t, before = {TOKEN_SIGN, 0, 0, false};
    char **names = mem_new(sizeof(char *));
    size_t n = 0, sure = 0; /* names[sure..n) may yet turn out to be none */
    int depth = 0;

    while ((t = next_token(&s)).kind != TOKEN_END) {
        bool name = depth == 0 && t.kind == TOKEN_NAME;
        bool open = n > sure;

        if (open && token_is(&s, &t, "="))
            sure = n;
        else if (open && name && token_is(&s, &before, ","))
            add_name(&names, &n, s.p + t.at, t.len);
        else if (open && !token_is(&s, &t, ","))
            drop_names(names, &n, sure);
        if (n == sure && name && begins_list(&s, &before))
            add_name(&names, &n, s.p + t.at, t.len);
        depth += depth_of(&s, &t);
        before = t;
    }
    drop_names(names, &n, sure);
    return names;
}

static bool
declares_function(const char *code, size_t len, const char *name)
{
    struct scanner s = {code, len, 0};
    struct token t,
        before[2] = {{TOKEN_SIGN, 0, 0, false}, {TOKEN_SIGN, 0, 0, false}};
    int depth = 0;

    while ((t = next_token(&s)).kind != TOKEN_END) {
        if (depth == 1 && token_is(&s, &t, name) &&
            token_is(&s, &before[0], "function") &&
            !token_is(&s, &before[1], "local") && s.at < len &&
            code[s.at] == '(')
            return true;
        depth += depth_of(&s, &t);
        before[1] = before[0];
        before[0] = t;
    }
    return false;
}

bool
expression_sets(const char *code, size_t len, const char *name)
{
    char **names = expression_assigned(code, len);
    bool found = false;

    for (char **p = names; *p; p++) {
        found = found || strcmp(*p, name) == 0;
        free(*p);
    }
    free(names);
    return found || declares_function(code, len, name);
}

bool
expression_reads(const char *code, size_t len, const char *name)
{
    struct scanner s = {code, len, 0};
    struct token t, before = {TOKEN_SIGN, 0, 0, false};

    while ((t = next_token(&s)).kind != TOKEN_END) {
        struct scanner ahead = s;
        struct token next = next_token(&ahead), after = next_token(&ahead);

        /* "= name", but neither ".name" nor "name =". */
        if (t.kind == TOKEN_NAME && token_is(&s, &t, name) &&
            !token_is(&s, &before, ".") && !token_is(&s, &before, ":") &&
            (!token_is(&s, &next, "=") || token_is(&s, &after, "=")))
            return true;
        before = t;
    }
    return false;
}
