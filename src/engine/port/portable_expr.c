/* engine/port/portable_expr.c -- derived columns as a graph.
 *
 * Of texts columns are compared with what stands in the expression, of dates and
 * times columns with both.  What has no counterpart, as functions of these, is
 * said by no node: the column is an input.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/portable_expr.h"

enum { SMALL = 16 }; /* whole exponents that are products */

/* ---- the tree ---- */

static bool
is_whole(const struct node *n, int64_t *out)
{
    struct expr_part p;
    bool sign;

    expr_part_get(n, &p);
    sign = p.kind == EXPR_APPLY && p.n == 1 && strcmp(p.word, "-") == 0;
    if (sign)
        expr_part_get(expr_first(n), &p);
    *out = sign ? -p.whole : p.whole;
    return p.kind == EXPR_WHOLE && (!sign || p.whole > 0);
}

static uint32_t say(struct saying *w, const struct node *n);

/* The column that a name stands for: a derived one before it, or an input;
 * n_inputs + n_derived where there is none. */
size_t
portable_source_of(const struct prepare *from, const char *name, size_t before)
{
    size_t i = prepare_derived_find(from, name, before);

    if (i < before)
        return from->n_inputs + i;
    i = prepare_input_find(from, name);
    return i < from->n_inputs ? i : from->n_inputs + from->n_derived;
}

/* What a node can stand beside.  The order is relied on: moments are last, and
 * of two of them the larger is what both are said as. */
enum sort {
    SORT_NONE,
    SORT_LITERAL,
    SORT_NUMBER,
    SORT_TEXT,
    SORT_DAY,
    SORT_TIME
};

static enum sort
sort_of_column(struct saying *w, const char *name)
{
    const struct prepare *from = w->from;
    size_t source = portable_source_of(from, name, w->which);

    if (source >= from->n_inputs + from->n_derived)
        return SORT_NONE;
    if (source >= from->n_inputs)
        return w->s || w->said[source - from->n_inputs] ? SORT_NUMBER
                                                        : SORT_NONE;
    switch (from->input[source].type) {
    case COL_TEXT:
        return steps_is_open(from, name) ? SORT_NONE : SORT_TEXT;
    case COL_DATE:
        return SORT_DAY;
    case COL_TIMESTAMP:
        return SORT_TIME;
    default:
        return SORT_NUMBER;
    }
}

static enum sort
sort_of(struct saying *w, const struct node *n)
{
    enum sort sort = SORT_NUMBER;
    struct expr_part p;
    char *name;

    expr_part_get(n, &p);
    if (p.kind == EXPR_TEXT)
        return SORT_LITERAL;
    if (p.kind != EXPR_COLUMN)
        return SORT_NUMBER;
    name = mem_try_text(p.text.p, p.text.n, w->err);
    w->ok = w->ok && name;
    if (name)
        sort = sort_of_column(w, name);
    free(name);
    return sort;
}

/* A column whose sort is known: a text is the number of its level. */
static uint32_t
say_known(struct saying *w, struct str name)
{
    struct known *k = NULL;
    char *text;
    uint32_t id = 0;

    if (!w->s || !w->ok)
        return 0;
    text = mem_try_text(name.p, name.n, w->err);
    w->ok = text && (k = steps_find(w->s, text)) && steps_node(w->s, k, &id);
    if (text && !k)
        error_set(w->err, ERR_STATE, "column '%s' is not known", text);
    free(text);
    return id;
}

static uint32_t
say_column(struct saying *w, const struct node *n)
{
    struct expr_part p;

    expr_part_get(n, &p);
    w->can = w->can && sort_of(w, n) == SORT_NUMBER;
    return say_known(w, p.text);
}

/* Is it missing?  Of a column of any sort. */
static uint32_t
say_is_missing(struct saying *w, const struct node *n)
{
    struct expr_part p;
    enum sort sort = sort_of(w, n);

    expr_part_get(n, &p);
    if (sort == SORT_TEXT || sort == SORT_DAY || sort == SORT_TIME)
        return say_missing(w, say_known(w, p.text));
    return say_missing(w, say(w, n));
}

/* ---- texts, dates ---- */

/* Is a column that text? */
static uint32_t
say_is_text(struct saying *w, const struct node *column,
            const struct node *literal)
{
    const double yes[2] = {1, 0};
    struct expr_part c, l;
    struct known *k = NULL;
    char *name, *text;
    uint32_t id = 0;

    expr_part_get(column, &c);
    expr_part_get(literal, &l);
    w->can = w->can && w->n++ < SAYING_MAX_NODES &&
             !memchr(l.text.p, '\0', l.text.n);
    if (!w->s || !w->ok)
        return 0;
    name = mem_try_text(c.text.p, c.text.n, w->err);
    text = mem_try_text(l.text.p, l.text.n, w->err);
    w->ok = name && text && steps_need(w->s, name, true, &k) &&
            steps_map(w->s, k, (const char *const *)&text, 1, yes, (double)NAN,
                      &id);
    free(name);
    free(text);
    return id;
}

static enum sort
sort_of_literal(const struct node *n, double *v)
{
    struct expr_part p;
    int32_t days;
    int64_t us;

    expr_part_get(n, &p);
    if (str_to_date(p.text, &days)) {
        *v = days;
        return SORT_DAY;
    }
    if (!str_to_timestamp(p.text, &us))
        return SORT_NONE;
    *v = (double)us / 1e6;
    return SORT_TIME;
}

/* Days, or where `as` is a time seconds. */
static uint32_t
say_moment(struct saying *w, const struct node *n, enum sort as)
{
    struct expr_part p;
    double v = 0, times = 1;
    enum sort sort;

    expr_part_get(n, &p);
    sort = p.kind == EXPR_TEXT ? sort_of_literal(n, &v) : sort_of(w, n);
    if (sort == SORT_DAY && as == SORT_TIME)
        times = 86400;
    if (p.kind == EXPR_TEXT)
        return say_number(w, v * times);
    return times > 1 ? say_scaled(w, say_known(w, p.text), 0, times)
                     : say_known(w, p.text);
}

/* Two of which one is no number. */
static uint32_t
say_mixed(struct saying *w, pair_fn *fn, const struct node *x,
          const struct node *y)
{
    const struct node *pair[2] = {x, y};
    enum sort sort[2], most = SORT_NONE;
    double ignored;

    for (size_t i = 0; i < 2; i++) {
        sort[i] = sort_of(w, pair[i]);
        most = sort[i] > most ? sort[i] : most;
    }
    if (most == SORT_TEXT && (fn == say_eq || fn == say_ne) &&
        (sort[0] == SORT_LITERAL || sort[1] == SORT_LITERAL)) {
        uint32_t same =
            sort[0] == SORT_TEXT ? say_is_text(w, x, y) : say_is_text(w, y, x);

        return fn == say_eq ? same : say_not(w, same);
    }
    for (size_t i = 0; i < 2; i++) {
        if (sort[i] == SORT_LITERAL)
            sort[i] = sort_of_literal(pair[i], &ignored);
        w->can = w->can && most >= SORT_DAY && sort[i] >= SORT_DAY;
    }
    most = sort[0] > sort[1] ? sort[0] : sort[1];
    return w->can ? fn(w, say_moment(w, x, most), say_moment(w, y, most)) : 0;
}

static bool
is_compared(pair_fn *fn)
{
    return fn == say_eq || fn == say_ne || fn == say_lt || fn == say_le ||
           fn == say_gt || fn == say_ge || fn == say_sub;
}

static uint32_t
say_pair(struct saying *w, pair_fn *fn, const struct node *x,
         const struct node *y)
{
    uint32_t first;

    if (is_compared(fn) &&
        (sort_of(w, x) != SORT_NUMBER || sort_of(w, y) != SORT_NUMBER))
        return say_mixed(w, fn, x, y);
    first = say(w, x);
    return fn(w, first, say(w, y));
}

static uint32_t
say_one(struct saying *w, const char *word, uint32_t x)
{
    one_fn *fn = say_one_of(word);

    w->can = w->can && fn;
    return fn ? fn(w, x) : 0;
}

static uint32_t
say_pairs(struct saying *w, const char *word, const struct node *kid)
{
    const struct node *second = expr_next(kid);
    pair_fn *fn = say_pair_of(word);
    uint32_t x;

    w->can = w->can && fn;
    if (!w->can)
        return 0;
    x = say_pair(w, fn, kid, second);
    for (kid = expr_next(second); kid && w->can && w->ok; kid = expr_next(kid))
        x = fn(w, x, say(w, kid));
    return x;
}

static uint32_t
say_in(struct saying *w, const struct node *kid)
{
    const struct node *x = kid;
    uint32_t any;

    kid = expr_next(kid);
    any = say_pair(w, say_eq, x, kid);
    for (kid = expr_next(kid); kid && w->can && w->ok; kid = expr_next(kid))
        any = say_or(w, any, say_pair(w, say_eq, x, kid));
    return any;
}

static uint32_t
say_three(struct saying *w, const char *word, const struct node *kid)
{
    const struct node *second = expr_next(kid), *third = expr_next(second);
    uint32_t x, y;

    if (strcmp(word, "if") != 0) {
        x = say_pair(w, say_ge, kid, second);
        return say_and(w, x, say_pair(w, say_le, kid, third));
    }
    x = say(w, kid);
    y = say(w, second);
    return say_where(w, say_filled(w, x, 0), y, say(w, third));
}

static uint32_t
say_applied(struct saying *w, const struct expr_part *p, const struct node *kid)
{
    const struct node *second = kid ? expr_next(kid) : NULL;
    int64_t whole = 0;

    if (!kid || strcmp(p->word, "matches") == 0) {
        w->can = false;
        return 0;
    }
    if (strcmp(p->word, "round") == 0 && p->n <= 2) {
        w->can = w->can && (!second || is_whole(second, &whole));
        return say_round(w, say(w, kid), whole);
    }
    if (strcmp(p->word, "^") == 0 && is_whole(second, &whole) &&
        whole >= -SMALL && whole <= SMALL)
        return say_power(w, say(w, kid), whole);
    if (strcmp(p->word, "in") == 0)
        return say_in(w, kid);
    if (strcmp(p->word, "is null") == 0 || strcmp(p->word, "is_missing") == 0)
        return say_is_missing(w, kid);
    if (p->n == 3 &&
        (strcmp(p->word, "if") == 0 || strcmp(p->word, "between") == 0))
        return say_three(w, p->word, kid);
    return p->n == 1 ? say_one(w, p->word, say(w, kid))
                     : say_pairs(w, p->word, kid);
}

static uint32_t
say(struct saying *w, const struct node *n)
{
    struct expr_part p;

    if (!w->can || !w->ok)
        return 0;
    expr_part_get(n, &p);
    switch (p.kind) {
    case EXPR_COLUMN:
        return say_column(w, n);
    case EXPR_NULL:
        return say_nothing(w);
    case EXPR_BOOL:
    case EXPR_WHOLE:
        return say_number(w, (double)p.whole);
    case EXPR_REAL:
        return say_number(w, p.real);
    case EXPR_TEXT:
        w->can = false;
        return 0;
    case EXPR_APPLY:
        break;
    }
    return say_applied(w, &p, expr_first(n));
}

bool
steps_take_derived(struct stepping *s, size_t i)
{
    const struct derived *d = &s->from->derived[i];
    struct saying w = {.s = s,
                       .from = s->from,
                       .which = i,
                       .none = UINT32_MAX,
                       .can = true,
                       .ok = true,
                       .err = s->err};
    const char *name;
    uint32_t id;

    (void)expr_columns(d->expr, &name, 1);
    w.flag = say_missing(&w, say_known(&w, str_of(name)));
    id = say(&w, expr_root(d->expr));
    s->p->wide = true;
    return w.ok && steps_put_number(s, d->name, id, 0);
}

bool
portable_can_say(const struct prepare *from, const bool *said, size_t i,
                 bool *can, struct error *err)
{
    const struct expr *e = from->derived[i].expr;
    struct saying w = {.from = from,
                       .said = said,
                       .which = i,
                       .none = UINT32_MAX,
                       .can = expr_columns(e, NULL, 0) > 0,
                       .ok = true,
                       .err = err};

    (void)say(&w, expr_root(e));
    *can = w.can && w.ok;
    return w.ok;
}

/* ---- what an expression looks at ---- */

static bool
is_column(const struct node *n, const char *name)
{
    struct expr_part p;

    expr_part_get(n, &p);
    return p.kind == EXPR_COLUMN && str_is(p.text, name);
}

static bool
reads(const struct node *n, const char *name)
{
    bool any = is_column(n, name);

    for (const struct node *kid = expr_first(n); kid && !any;
         kid = expr_next(kid))
        any = reads(kid, name);
    return any;
}

bool
steps_reads(const struct expr *e, const char *name)
{
    return reads(expr_root(e), name);
}

/* The texts beside it among what an operator is applied to. */
static bool
add_beside(const struct node *n, const char *name, struct dict *all,
           struct error *err)
{
    bool beside = false;
    struct expr_part p;
    uint32_t code;

    for (const struct node *kid = expr_first(n); kid; kid = expr_next(kid))
        beside = beside || is_column(kid, name);
    for (const struct node *kid = expr_first(n); kid; kid = expr_next(kid)) {
        expr_part_get(kid, &p);
        if (p.kind == EXPR_APPLY && !add_beside(kid, name, all, err))
            return false;
        if (beside && p.kind == EXPR_TEXT &&
            !memchr(p.text.p, '\0', p.text.n) &&
            !dict_add(all, p.text, &code, err))
            return false;
    }
    return true;
}

bool
steps_add_literals(const struct expr *e, const char *name, struct dict *all,
                   struct error *err)
{
    return add_beside(expr_root(e), name, all, err);
}
