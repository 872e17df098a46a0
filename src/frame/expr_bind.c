/* Names and types: from the tree of an expression to the steps of a plan.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "frame/expr_plan.h"
#include "frame/synonym.h"

enum vec_kind
vec_kind_of(enum col_type t)
{
    switch (t) {
    case COL_BOOL:
        return VEC_BOOL;
    case COL_FLOAT64:
        return VEC_FLOAT;
    case COL_TEXT:
        return VEC_TEXT;
    case COL_INT64:
    case COL_DATE:
    case COL_TIMESTAMP:
        break;
    }
    return VEC_INT;
}

size_t
vec_width(enum vec_kind k)
{
    static const size_t width[] = {sizeof(uint8_t), sizeof(int64_t),
                                   sizeof(double), sizeof(struct str)};

    return width[k];
}

/* ---- messages -------------------------------------------------------- */

bool
bind_fail(struct plan *p, const struct node *at, enum error_code code,
          const char *fmt, ...)
{
    char message[ERROR_MESSAGE_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    return expr_fail(p->e->text, p->e->len, at->at, code, p->err, "%s",
                     message);
}

const char *
step_describe(struct plan *p, const struct step *s)
{
    enum { SHOWN = 40 };
    const struct node *n = s->node;
    struct str text = {p->e->text + n->begin, n->end - n->begin};
    struct str cut = {text.p, str_fit(text, SHOWN, NULL)};
    char *out = arena_try(&p->mem, cut.n + 32, 1, p->err);

    if (!out)
        return "a value";
    snprintf(out, cut.n + 32, "%.*s%s (%s)", (int)cut.n, cut.p,
             cut.n < text.n ? "..." : "",
             s->untyped ? "no type" : column_type_word(s->type));
    return out;
}

/* ---- making steps ---------------------------------------------------- */

static struct step *
step_new(struct plan *p, const struct node *n, enum step_op op,
         enum col_type type)
{
    struct step *s = arena_try(&p->mem, 1, sizeof *s, p->err);

    if (s) {
        s->op = op;
        s->type = type;
        s->node = n;
    }
    return s;
}

/* What a step with these arguments depends on. */
static void
set_reads(struct step *s)
{
    for (size_t i = 0; i < s->n_args; i++) {
        const struct step *a = s->arg[i];

        if (a->reads == READS_NOTHING)
            continue;
        if (a->reads == READS_MORE || s->reads == READS_MORE ||
            (s->reads == READS_ONE_TEXT && s->column != a->column)) {
            s->reads = READS_MORE;
            return;
        }
        s->reads = READS_ONE_TEXT;
        s->column = a->column;
    }
}

bool
plan_settle(struct plan *p, struct step *s)
{
    bool computed =
        s->op == STEP_CALL || s->op == STEP_FOLD || s->op == STEP_IN;
    size_t rows = frame_rows(p->f);

    if (!computed || s->reads == READS_MORE || p->check_only)
        return true;
    if (s->reads == READS_ONE_TEXT && dict_count(column_dict(s->column)) > rows)
        return true;
    return plan_tabulate(p, s);
}

struct step *
step_call(struct plan *p, const struct node *n, enum col_type type,
          kernel_fn *fn, struct step **arg, size_t n_args)
{
    struct step *s = step_new(p, n, STEP_CALL, type);

    if (!s || !(s->arg = arena_try(&p->mem, n_args, sizeof *arg, p->err)))
        return NULL;
    memcpy(s->arg, arg, n_args * sizeof *arg);
    s->n_args = n_args;
    s->fn = fn;
    set_reads(s);
    for (size_t i = 0; s->reads == READS_MORE && i < n_args; i++)
        if (!plan_settle(p, s->arg[i]))
            return NULL;
    return s;
}

static struct step *
step_load(struct plan *p, const struct node *n, const struct column *c)
{
    struct step *s = step_new(p, n, STEP_LOAD, column_type(c));

    if (s) {
        s->column = c;
        s->reads = s->type == COL_TEXT ? READS_ONE_TEXT : READS_MORE;
    }
    return s;
}

struct step *
step_column(struct plan *p, const struct node *n, enum col_type type,
            struct column *c)
{
    struct made *made = arena_try(&p->mem, 1, sizeof *made, p->err);
    struct step *s;

    if (!made) {
        column_unref(c);
        return NULL;
    }
    *made = (struct made){c, p->made};
    p->made = made;
    if (c)
        return step_load(p, n, c);
    if ((s = step_new(p, n, STEP_LOAD, type)))
        s->reads = READS_MORE;
    return s;
}

static struct step *
step_literal(struct plan *p, const struct node *n, enum col_type type,
             const void *value, size_t size, bool valid)
{
    struct step *s = step_new(p, n, STEP_CONST, type);
    char *bytes = arena_try(&p->mem, 1, sizeof(struct str), p->err);
    uint64_t *bits = arena_try(&p->mem, 1, sizeof *bits, p->err);

    if (!s || !bytes || !bits)
        return NULL;
    if (valid)
        memcpy(bytes, value, size);
    else if (type == COL_TEXT)
        *(struct str *)(void *)bytes = (struct str){"", 0};
    *bits = valid;
    s->table = bytes;
    s->table_valid = bits;
    s->n_table = 1;
    return s;
}

/* ---- types ----------------------------------------------------------- */

static bool
is_number(enum col_type t)
{
    return t == COL_BOOL || t == COL_INT64 || t == COL_FLOAT64;
}

static bool
is_day(enum col_type t)
{
    return t == COL_DATE || t == COL_TIMESTAMP;
}

/* A text literal where a date is wanted is read as one. */
static struct step *
text_to_day(struct plan *p, struct step *s, enum col_type to)
{
    int64_t us;
    int32_t days;
    bool is_date = str_to_date(s->node->text, &days);

    if (!is_date && !str_to_timestamp(s->node->text, &us)) {
        bind_fail(p, s->node, ERR_PARSE,
                  "'%.*s' is not a date (YYYY-MM-DD) or a timestamp",
                  (int)str_fit(s->node->text, 40, NULL), s->node->text.p);
        return NULL;
    }
    if (is_date)
        us = days;
    s = step_literal(p, s->node, is_date ? COL_DATE : COL_TIMESTAMP, &us,
                     sizeof us, true);
    return s && s->type != to ? step_widen(p, s, to) : s;
}

static bool
is_text_literal(const struct step *s)
{
    return s->op == STEP_CONST && s->node->op == NODE_TEXT &&
           s->type == COL_TEXT;
}

struct step *
step_widen(struct plan *p, struct step *s, enum col_type to)
{
    if (s->untyped)
        return step_literal(p, s->node, to, NULL, 0, false);
    if (s->type == to)
        return s;
    if (is_text_literal(s) && is_day(to))
        return text_to_day(p, s, to);
    return step_call(p, s->node, to, kernel_cast(s->type, to), &s, 1);
}

/* A date literal with a time of day makes a comparison one of timestamps. */
static enum col_type
day_of_literal(const struct step *s, enum col_type t)
{
    int32_t days;

    return str_to_date(s->node->text, &days) ? t : COL_TIMESTAMP;
}

/* The type that both fit; false when there is none. */
static bool
common_type(enum col_type a, enum col_type b, enum col_type *out)
{
    *out = a > b ? a : b; /* bool < int < float, date < timestamp */
    return a == b || (is_number(a) && is_number(b)) || (is_day(a) && is_day(b));
}

/* The type of all n; *first and *second are the two that do not agree. */
static bool
find_common(struct step **s, size_t n, enum col_type *type, size_t *first,
            size_t *second)
{
    bool any = false, day = false;

    *first = *second = 0;
    for (size_t i = 0; i < n; i++)
        day = day || (!s[i]->untyped && is_day(s[i]->type));
    for (size_t i = 0; i < n; i++) {
        if (s[i]->untyped || (day && is_text_literal(s[i])))
            continue;
        if (!any) {
            *type = s[i]->type;
            *first = i;
            any = true;
        } else if (!common_type(*type, s[i]->type, type)) {
            *second = i;
            return false;
        }
    }
    if (!any)
        *type = COL_FLOAT64;
    for (size_t i = 0; day && i < n; i++)
        if (!s[i]->untyped && is_text_literal(s[i]))
            *type = day_of_literal(s[i], *type);
    return true;
}

bool
steps_unify(struct plan *p, const struct node *where, struct step **s, size_t n)
{
    enum col_type type = COL_FLOAT64;
    size_t first, second;

    if (!find_common(s, n, &type, &first, &second))
        return bind_fail(p, where, ERR_TYPE, "%s and %s do not go together",
                         step_describe(p, s[first]),
                         step_describe(p, s[second]));
    for (size_t i = 0; i < n; i++)
        if (!(s[i] = step_widen(p, s[i], type)))
            return false;
    return true;
}

/* ---- leaves ---------------------------------------------------------- */

static struct step *
bind_column(struct plan *p, const struct node *n)
{
    char *name = arena_text(&p->mem, n->text.p, n->text.n, p->err);
    size_t col;

    if (!name)
        return NULL;
    if (!frame_need(p->f, name, &col, p->err)) {
        const char *form = synonym_form(str_of(name));
        char message[ERROR_MESSAGE_MAX];

        memcpy(message, p->err->message, sizeof message);
        if (form)
            bind_fail(p, n, p->err->code, "no column '%s'; write %s", name,
                      form);
        else if (frame_nearest(p->f, name))
            bind_fail(p, n, p->err->code, "%s", message);
        else
            bind_fail(p, n, p->err->code, "%s; a text stands in quotes: '%s'",
                      message, name);
        return NULL;
    }
    return step_load(p, n, frame_column(p->f, col));
}

static struct step *
bind_literal(struct plan *p, const struct node *n)
{
    uint8_t truth = n->i != 0;
    struct step *s;

    switch (n->op) {
    case NODE_BOOL:
        return step_literal(p, n, COL_BOOL, &truth, sizeof truth, true);
    case NODE_INT:
        return step_literal(p, n, COL_INT64, &n->i, sizeof n->i, true);
    case NODE_FLOAT:
        return step_literal(p, n, COL_FLOAT64, &n->f, sizeof n->f, true);
    case NODE_TEXT:
        return step_literal(p, n, COL_TEXT, &n->text, sizeof n->text, true);
    default:
        break;
    }
    s = step_literal(p, n, COL_FLOAT64, NULL, 0, false);
    if (s)
        s->untyped = true;
    return s;
}

/* ---- operators ------------------------------------------------------- */

/* The children as an array; NULL when one does not bind. */
static struct step **
bind_kids(struct plan *p, const struct node *n)
{
    struct step **s = arena_try(&p->mem, n->n_kids, sizeof *s, p->err);
    size_t i = 0;

    if (!s)
        return NULL;
    for (const struct node *k = n->kid; k; k = k->next)
        if (!(s[i++] = bind_node(p, k)))
            return NULL;
    return s;
}

static bool
want_bool(struct plan *p, struct step **s, const char *who)
{
    if ((*s)->untyped)
        return (*s = step_widen(p, *s, COL_BOOL));
    if ((*s)->type == COL_BOOL)
        return true;
    return bind_fail(p, (*s)->node, ERR_TYPE,
                     "'%s' wants true or false, not %s", who,
                     step_describe(p, *s));
}

static struct step *
bind_logic(struct plan *p, const struct node *n)
{
    const char *who = n->op == NODE_AND  ? "and"
                      : n->op == NODE_OR ? "or"
                                         : "not";
    struct step **kid = bind_kids(p, n), *s;

    if (!kid)
        return NULL;
    for (size_t i = 0; i < n->n_kids; i++)
        if (!want_bool(p, &kid[i], who))
            return NULL;
    s = step_call(p, n, COL_BOOL,
                  n->op == NODE_AND  ? k_and
                  : n->op == NODE_OR ? k_or
                                     : k_not,
                  kid, n->n_kids);
    if (s && n->op != NODE_NOT)
        s->op = STEP_FOLD;
    return s;
}

/* bools compare as 0 and 1. */
static bool
unify_to_compare(struct plan *p, const struct node *n, struct step **s,
                 size_t count)
{
    if (!steps_unify(p, n, s, count))
        return false;
    for (size_t i = 0; i < count && s[i]->type == COL_BOOL; i++)
        if (!(s[i] = step_widen(p, s[i], COL_INT64)))
            return false;
    return true;
}

static struct step *
bind_compare(struct plan *p, const struct node *n)
{
    struct step **kid = bind_kids(p, n), *s;

    if (!kid || !unify_to_compare(p, n, kid, n->n_kids))
        return NULL;

    enum vec_kind kind = vec_kind_of(kid[0]->type);

    if (n->op == NODE_BETWEEN) {
        s = step_call(p, n, COL_BOOL, k_between, kid, 3);
        if (s)
            s->option = kind;
    } else if (n->op == NODE_IN) {
        s = step_call(p, n, COL_BOOL, kernel_binary(NODE_EQ, kind), kid,
                      n->n_kids);
        if (s)
            s->op = STEP_IN;
    } else {
        s = step_call(p, n, COL_BOOL, kernel_binary(n->op, kind), kid, 2);
    }
    return s;
}

static struct step *
bind_is_null(struct plan *p, const struct node *n)
{
    struct step *s = bind_node(p, n->kid);

    return s ? step_call(p, n, COL_BOOL, k_is_null, &s, 1) : NULL;
}

static struct step *
bind_matches(struct plan *p, const struct node *n)
{
    struct step *s = bind_node(p, n->kid), *out;

    if (s && s->untyped)
        s = step_widen(p, s, COL_TEXT);
    if (!s)
        return NULL;
    if (s->type != COL_TEXT) {
        bind_fail(p, s->node, ERR_TYPE, "'matches' wants a text, not %s",
                  step_describe(p, s));
        return NULL;
    }
    if ((out = step_call(p, n, COL_BOOL, k_matches, &s, 1)))
        out->regex = n->kid->next->regex;
    return out;
}

/* Numbers of a date sum: days beside a date, microseconds beside a
 * timestamp, where what was written is seconds. */
static struct step *
as_duration(struct plan *p, struct step *s, enum col_type beside)
{
    static const int64_t second = 1000000;
    struct step *pair[2] = {s, NULL};

    if (s->untyped)
        return step_widen(p, s, COL_INT64);
    if (beside == COL_DATE)
        return step_widen(p, s, COL_INT64);
    /* A cast of a float to a timestamp is its seconds in microseconds. */
    if (s->type == COL_FLOAT64) {
        s = step_widen(p, s, COL_TIMESTAMP);
        return s;
    }
    if (!(pair[0] = step_widen(p, s, COL_INT64)) ||
        !(pair[1] = step_literal(p, s->node, COL_INT64, &second, sizeof second,
                                 true)))
        return NULL;
    return step_call(p, s->node, COL_INT64, kernel_binary(NODE_MUL, VEC_INT),
                     pair, 2);
}

/* date - date, timestamp - timestamp. */
static struct step *
bind_day_difference(struct plan *p, const struct node *n, struct step **kid)
{
    static const double second = 1e6;
    struct step *pair[2];

    if (!steps_unify(p, n, kid, 2))
        return NULL;
    pair[0] =
        step_call(p, n, COL_INT64, kernel_binary(NODE_SUB, VEC_INT), kid, 2);
    if (!pair[0] || kid[0]->type == COL_DATE)
        return pair[0];
    pair[0] = step_widen(p, pair[0], COL_FLOAT64);
    pair[1] = step_literal(p, n, COL_FLOAT64, &second, sizeof second, true);
    if (!pair[0] || !pair[1])
        return NULL;
    return step_call(p, n, COL_FLOAT64, kernel_binary(NODE_DIV, VEC_FLOAT),
                     pair, 2);
}

static struct step *
bind_day_sum(struct plan *p, const struct node *n, struct step **kid)
{
    bool left = !kid[0]->untyped && is_day(kid[0]->type);
    bool right = !kid[1]->untyped && is_day(kid[1]->type);
    enum col_type day = kid[left ? 0 : 1]->type;
    struct step *other = kid[left ? 1 : 0];
    bool duration = other->untyped || other->type == COL_INT64 ||
                    (other->type == COL_FLOAT64 && day == COL_TIMESTAMP);

    if (n->op == NODE_SUB && left && (right || is_text_literal(kid[1])))
        return bind_day_difference(p, n, kid);
    if (n->op == NODE_SUB && right && is_text_literal(kid[0]))
        return bind_day_difference(p, n, kid);
    if ((left && right) || !duration || (n->op == NODE_SUB && right)) {
        bind_fail(p, n, ERR_TYPE, "%s and %s do not %s",
                  step_describe(p, kid[0]), step_describe(p, kid[1]),
                  n->op == NODE_SUB ? "subtract" : "add");
        return NULL;
    }
    if (!(kid[left ? 1 : 0] = as_duration(p, other, day)))
        return NULL;
    return step_call(p, n, day, kernel_binary(n->op, VEC_INT), kid, 2);
}

/* Steps as numbers: int unless one is float or `floats` asks for it. */
static bool
unify_numbers(struct plan *p, const struct node *n, struct step **s,
              size_t count, bool floats)
{
    enum col_type type = floats ? COL_FLOAT64 : COL_INT64;

    for (size_t i = 0; i < count; i++) {
        if (s[i]->untyped)
            continue;
        if (!is_number(s[i]->type))
            return bind_fail(p, n, ERR_TYPE,
                             "arithmetic wants numbers, not %s%s",
                             step_describe(p, s[i]),
                             s[i]->type == COL_TEXT
                                 ? "; float() reads it as one, concat() joins "
                                   "texts"
                                 : "");
        if (s[i]->type == COL_FLOAT64)
            type = COL_FLOAT64;
    }
    for (size_t i = 0; i < count; i++)
        if (!(s[i] = step_widen(p, s[i], type)))
            return false;
    return true;
}

static struct step *
bind_arithmetic(struct plan *p, const struct node *n)
{
    struct step **kid = bind_kids(p, n);
    bool floats = n->op == NODE_DIV || n->op == NODE_POW;

    if (!kid)
        return NULL;
    if ((n->op == NODE_ADD || n->op == NODE_SUB) &&
        ((!kid[0]->untyped && is_day(kid[0]->type)) ||
         (!kid[1]->untyped && is_day(kid[1]->type))))
        return bind_day_sum(p, n, kid);
    if (!unify_numbers(p, n, kid, n->n_kids, floats))
        return NULL;

    enum col_type type = kid[0]->type;
    kernel_fn *fn = n->op == NODE_NEG
                        ? type == COL_INT64 ? k_neg_int : k_neg_float
                        : kernel_binary(n->op, vec_kind_of(type));

    return step_call(p, n, type, fn, kid, n->n_kids);
}

struct step *
bind_node(struct plan *p, const struct node *n)
{
    switch (n->op) {
    case NODE_COLUMN:
        return bind_column(p, n);
    case NODE_NULL:
    case NODE_BOOL:
    case NODE_INT:
    case NODE_FLOAT:
    case NODE_TEXT:
        return bind_literal(p, n);
    case NODE_OR:
    case NODE_AND:
    case NODE_NOT:
        return bind_logic(p, n);
    case NODE_EQ:
    case NODE_NE:
    case NODE_LT:
    case NODE_LE:
    case NODE_GT:
    case NODE_GE:
    case NODE_IN:
    case NODE_BETWEEN:
        return bind_compare(p, n);
    case NODE_IS_NULL:
        return bind_is_null(p, n);
    case NODE_MATCHES:
        return bind_matches(p, n);
    case NODE_ADD:
    case NODE_SUB:
    case NODE_MUL:
    case NODE_DIV:
    case NODE_FLOORDIV:
    case NODE_MOD:
    case NODE_NEG:
    case NODE_POW:
        return bind_arithmetic(p, n);
    case NODE_CALL:
        break;
    }
    return expr_fn_bind(p, n);
}

bool
plan_bind(struct plan *p, const struct expr *e, const struct frame *f,
          struct error *err)
{
    arena_init(&p->mem);
    p->e = e;
    p->f = f;
    p->err = err;
    return (p->root = bind_node(p, e->root)) && plan_settle(p, p->root);
}

void
plan_fini(struct plan *p)
{
    for (struct made *m = p->made; m; m = m->next)
        column_unref(m->column);
    arena_fini(&p->mem);
}
