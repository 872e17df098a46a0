/* Names and values as an expression writes them, and new names for columns.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "frame/expr_ast.h"

/* Words that are no name where one may stand, or may be none one day. */
static const char *const reserved[] = {
    "or",      "and",  "not",   "in",   "between", "is", "null",
    "matches", "true", "false", "over", "order",   "by", NULL};

static bool
is_plain(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];

        if (!isalpha(c) && c != '_' && c < 0x80 && (!i || !isdigit(c)))
            return false;
    }
    for (const char *const *word = reserved; *word; word++)
        if (str_eq_nocase(name, str_of(*word)))
            return false;
    return name.n > 0;
}

static void
put_quoted(struct str s, char quote, struct buf *out)
{
    buf_putc(out, quote);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == quote)
            buf_putc(out, quote);
        buf_putc(out, s.p[i]);
    }
    buf_putc(out, quote);
}

/* No expression holds a zero byte. */
static void
put_text(struct str s, struct buf *out)
{
    if (!memchr(s.p, '\0', s.n)) {
        put_quoted(s, '\'', out);
        return;
    }
    buf_puts(out, "e'");
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\0')
            buf_puts(out, "\\x00");
        else if (s.p[i] == '\\' || s.p[i] == '\'')
            buf_printf(out, "%c%c", s.p[i], s.p[i]);
        else
            buf_putc(out, s.p[i]);
    }
    buf_putc(out, '\'');
}

void
expr_put_name(const char *name, struct buf *out)
{
    if (is_plain(str_of(name)))
        buf_puts(out, name);
    else
        put_quoted(str_of(name), '`', out);
}

void
expr_put_value(const struct column *c, size_t row, struct buf *out)
{
    struct buf text;

    if (!column_is_valid(c, row)) {
        buf_puts(out, "null");
        return;
    }
    if (column_type(c) == COL_FLOAT64 && !isfinite(column_float64s(c)[row])) {
        buf_puts(out, "float('"); /* there is no literal */
        column_print(c, row, out);
        buf_puts(out, "')");
        return;
    }
    if (column_type(c) == COL_BOOL || column_type(c) == COL_INT64 ||
        column_type(c) == COL_FLOAT64) {
        column_print(c, row, out);
        return;
    }
    buf_init(&text);
    column_print(c, row, &text);
    put_text((struct str){text.data, text.len}, out);
    out->failed |= text.failed;
    buf_fini(&text);
}

struct renaming {
    const struct expr *e;
    const char *from, *to;
    size_t at; /* bytes of the text that are written */
    struct buf *out;
};

static void
rename_in(struct renaming *r, const struct node *n)
{
    if (n->op == NODE_COLUMN && str_is(n->text, r->from) && n->begin >= r->at) {
        buf_add(r->out, r->e->text + r->at, n->begin - r->at);
        expr_put_name(r->to, r->out);
        r->at = n->end;
    }
    for (const struct node *kid = n->kid; kid; kid = kid->next)
        rename_in(r, kid);
}

void
expr_rename(const struct expr *e, const char *from, const char *to,
            struct buf *out)
{
    struct renaming r = {e, from, to, 0, out};

    rename_in(&r, e->root);
    buf_add(out, e->text + r.at, e->len - r.at);
}
