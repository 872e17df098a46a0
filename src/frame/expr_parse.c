/* Reading an expression: one token of look-ahead, one C function a level of
 * precedence.
 *
 * Chains of `and`, `or` become one node with many children, so that a filter
 * built by a program from hundreds of terms is not a deep tree.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/expr_ast.h"
#include "frame/expr_lex.h"
#include "frame/expr_plan.h"
#include "frame/synonym.h"

struct parser {
    struct lexer in;
    struct expr *e;
    struct error *err;
    unsigned depth;
    unsigned n_nodes;
};

/* ---- errors ---------------------------------------------------------- */

static struct node *
syntax(struct parser *p, size_t at, const char *message)
{
    expr_fail(p->e->text, p->e->len, at, ERR_PARSE, p->err, "%s", message);
    return NULL;
}

/* "expected X, found Y" at the token at hand. */
static struct node *
expected(struct parser *p, const char *what)
{
    const struct token *t = &p->in.now;
    struct str word = {p->e->text + t->begin, t->end - t->begin};
    const char *form = synonym_form(word);

    if (t->type == TOKEN_END)
        expr_fail(p->e->text, p->e->len, t->begin, ERR_PARSE, p->err,
                  "expected %s, found the end", what);
    else
        expr_fail(p->e->text, p->e->len, t->begin, ERR_PARSE, p->err,
                  "expected %s, found %.*s%s%s", what,
                  (int)(word.n > 40 ? 40 : word.n), word.p,
                  form ? "; write " : "", form ? form : "");
    return NULL;
}

static bool
is_reserved(struct str word)
{
    static const char *const reserved[] = {
        "and", "between", "false", "in",      "is",
        "not", "null",    "or",    "matches", "true",
    };

    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (str_eq_nocase(word, str_of(reserved[i])))
            return true;
    return false;
}

/* ---- nodes ----------------------------------------------------------- */

static struct node *
node_new(struct parser *p, enum node_op op, size_t at)
{
    struct node *n;

    if (++p->n_nodes > EXPR_MAX_NODES) {
        expr_fail(p->e->text, p->e->len, at, ERR_LIMIT, p->err,
                  "an expression of more than %d parts", EXPR_MAX_NODES);
        return NULL;
    }
    if ((n = arena_try(&p->e->mem, 1, sizeof *n, p->err))) {
        n->op = op;
        n->at = n->begin = at;
        n->end = p->in.now.end;
        n->depth = 1;
    }
    return n;
}

/* Append a child; false when the tree becomes too deep. */
static bool
node_add(struct parser *p, struct node *n, struct node *kid)
{
    *(n->kid ? &n->last->next : &n->kid) = kid;
    n->last = kid;
    n->n_kids++;
    if (kid->depth + 1 > n->depth)
        n->depth = kid->depth + 1;
    if (kid->begin < n->begin)
        n->begin = kid->begin;
    n->end = p->in.prev_end;
    if (n->depth <= EXPR_MAX_DEPTH)
        return true;
    return expr_fail(p->e->text, p->e->len, n->at, ERR_LIMIT, p->err,
                     "nested deeper than %d levels", EXPR_MAX_DEPTH);
}

static struct node *
node_of(struct parser *p, enum node_op op, size_t at, struct node *a,
        struct node *b)
{
    struct node *n = node_new(p, op, at);

    if (!n || !node_add(p, n, a) || (b && !node_add(p, n, b)))
        return NULL;
    return n;
}

static bool
enter(struct parser *p)
{
    if (++p->depth <= EXPR_MAX_DEPTH)
        return true;
    return expr_fail(p->e->text, p->e->len, p->in.now.begin, ERR_LIMIT, p->err,
                     "nested deeper than %d levels", EXPR_MAX_DEPTH);
}

static struct node *parse_or(struct parser *p);
static struct node *parse_sum(struct parser *p);
static struct node *parse_unary(struct parser *p);

/* Compile the pattern a literal holds; it stays with the literal's node. */
static bool
own_regex(struct parser *p, struct node *literal, const char *who)
{
    if (literal->op != NODE_TEXT)
        return expr_fail(p->e->text, p->e->len, literal->at, ERR_TYPE, p->err,
                         "%s wants a pattern in quotes", who);
    if (literal->regex)
        return true;
    if (!(literal->regex = regex_new(literal->text, false, p->err))) {
        char message[ERROR_MESSAGE_MAX];

        memcpy(message, p->err->message, sizeof message);
        return expr_fail(p->e->text, p->e->len, literal->at, p->err->code,
                         p->err, "%s", message);
    }
    literal->next_regex = p->e->regexes;
    p->e->regexes = literal;
    return true;
}

static struct node *
parse_number(struct parser *p)
{
    struct node *n = node_new(p, NODE_INT, p->in.now.begin);

    if (!n)
        return NULL;
    if (!str_to_i64(p->in.now.text, &n->i)) {
        struct str digits = p->in.now.text;

        /* "5." is 5 in most languages. */
        digits.n -= digits.p[digits.n - 1] == '.';
        n->op = NODE_FLOAT;
        if (!str_to_f64(digits, &n->f))
            return syntax(p, p->in.now.begin, "not a number");
    }
    return lex_next(&p->in) ? n : NULL;
}

static struct node *
parse_literal(struct parser *p, enum node_op op)
{
    struct node *n = node_new(p, op, p->in.now.begin);

    if (!n)
        return NULL;
    n->text = p->in.now.text;
    n->i = op == NODE_BOOL && lex_is_word(&p->in, "true");
    return lex_next(&p->in) ? n : NULL;
}

/* The arguments after the opening parenthesis at hand, up to the closing one. */
static bool
parse_list(struct parser *p, struct node *n)
{
    if (!lex_next(&p->in))
        return false;
    if (lex_is_sign(&p->in, ")"))
        goto end;
    for (;;) {
        struct node *kid = parse_or(p);

        if (!kid || !node_add(p, n, kid))
            return false;
        if (lex_is_sign(&p->in, ")"))
            break;
        if (!lex_is_sign(&p->in, ","))
            return expected(p, "',' or ')'");
        if (!lex_next(&p->in))
            return false;
    }
end:
    n->end = p->in.now.end;
    return lex_next(&p->in);
}

/* One key, or one that orders, after what stands before it. */
static bool
parse_keys(struct parser *p, struct node *n, struct node *first)
{
    struct node *kid = first;

    for (;;) {
        if ((!kid && !(kid = parse_or(p))) || !node_add(p, n, kid))
            return false;
        if (!lex_is_sign(&p->in, ","))
            return true;
        if (!lex_next(&p->in))
            return false;
        kid = NULL;
    }
}

/* "order by" after the word order, which may be a column too. */
static bool
parse_order(struct parser *p, struct node *n, size_t at)
{
    if (!expr_fn_orders(n->fn))
        return syntax(
            p, at,
            expr_fn_aggregates(n->fn)
                ? "an aggregate does not depend on the order of rows; "
                  "cumsum() and its like run along it"
                : "ranks go by their value: leave out 'order by'");
    if (!lex_is_word(&p->in, "by"))
        return expected(p, "'by' after 'order'");
    return lex_next(&p->in) && parse_keys(p, n, NULL);
}

/* over (key, ... order by x, -y), from the word over on. */
static bool
parse_over(struct parser *p, struct node *n)
{
    size_t before = n->n_kids, at;
    struct node *first = NULL;

    if (expr_fn_over(n->fn) == OVER_NEVER) {
        expr_fail(p->e->text, p->e->len, p->in.now.begin, ERR_TYPE, p->err,
                  "%s takes no over (...)", expr_fn_usage(n->fn));
        return false;
    }
    n->over = true;
    if (!lex_next(&p->in))
        return false;
    if (!lex_is_sign(&p->in, "("))
        return expected(p, "'(' after 'over'");
    if (!lex_next(&p->in))
        return false;
    at = p->in.now.begin;
    if (!lex_is_sign(&p->in, ")")) {
        if (!(first = parse_or(p)))
            return false;
        if (first->op == NODE_COLUMN &&
            str_eq_nocase(first->text, STR("order")) &&
            lex_is_word(&p->in, "by")) {
            if (!parse_order(p, n, at))
                return false;
        } else if (!parse_keys(p, n, first)) {
            return false;
        } else {
            n->n_keys = n->n_kids - (unsigned)before;
            at = p->in.now.begin;
            if (lex_is_word(&p->in, "order") &&
                (!lex_next(&p->in) || !parse_order(p, n, at)))
                return false;
        }
    }
    if (!lex_is_sign(&p->in, ")"))
        return expected(p, "',', 'order by' or ')'");
    n->end = p->in.now.end;
    return lex_next(&p->in);
}

/* What follows the arguments of a call: over (...) where there may be one. */
static bool
parse_after_call(struct parser *p, struct node *n, size_t at)
{
    enum expr_over over = expr_fn_over(n->fn);

    n->n_args = n->n_kids;
    if (lex_is_word(&p->in, "over") && !parse_over(p, n))
        return false;
    if (over == OVER_MUST && !n->over)
        return expr_fail(p->e->text, p->e->len, at, ERR_TYPE, p->err,
                         "%s wants the groups: over (column, ...), or over () "
                         "for all rows%s",
                         expr_fn_usage(n->fn),
                         strncmp(expr_fn_usage(n->fn), "missing(", 8) == 0
                             ? "; of one value write x is null"
                             : "");
    if (over == OVER_TURNS && n->over && n->n_args != 1)
        return expr_fail(p->e->text, p->e->len, at, ERR_TYPE, p->err,
                         "with over (...) it takes one value, not %u",
                         n->n_args);
    p->e->looks_around =
        p->e->looks_around || n->over || over == OVER_MAY || over == OVER_MUST;
    return true;
}

static struct node *
parse_call(struct parser *p, struct token name)
{
    const struct expr_fn *fn = expr_fn_find(name.text);
    struct node *n;

    if (!fn) {
        const char *form = synonym_form(name.text);
        const char *near = form ? form : expr_fn_nearest(name.text);

        expr_fail(p->e->text, p->e->len, name.begin, ERR_NOTFOUND, p->err,
                  form   ? "no function '%.*s'; write %s"
                  : near ? "no function '%.*s' (did you mean '%s'?)"
                         : "no function '%.*s'",
                  (int)(name.text.n > 60 ? 60 : name.text.n), name.text.p,
                  near);
        return NULL;
    }
    if (!(n = node_new(p, NODE_CALL, name.begin)) || !parse_list(p, n))
        return NULL;
    n->fn = fn;
    if (!expr_fn_arity(fn, n->n_kids)) {
        expr_fail(p->e->text, p->e->len, name.begin, ERR_TYPE, p->err,
                  "%s was given %u argument%s", expr_fn_usage(fn), n->n_kids,
                  n->n_kids == 1 ? "" : "s");
        return NULL;
    }
    if (expr_fn_wants_pattern(fn) &&
        !own_regex(p, n->kid->next, expr_fn_usage(fn)))
        return NULL;
    return parse_after_call(p, n, name.begin) ? n : NULL;
}

static struct node *
parse_word(struct parser *p)
{
    struct token word = p->in.now;

    if (lex_is_word(&p->in, "null"))
        return parse_literal(p, NODE_NULL);
    if (lex_is_word(&p->in, "true") || lex_is_word(&p->in, "false"))
        return parse_literal(p, NODE_BOOL);
    if (is_reserved(word.text))
        return expected(p, "a value");
    if (!lex_next(&p->in))
        return NULL;
    if (lex_is_sign(&p->in, "("))
        return parse_call(p, word);

    struct node *n = node_new(p, NODE_COLUMN, word.begin);

    if (n) {
        n->text = word.text;
        n->end = word.end;
    }
    return n;
}

static struct node *
parse_primary(struct parser *p)
{
    struct node *n;

    switch (p->in.now.type) {
    case TOKEN_NUMBER:
        return parse_number(p);
    case TOKEN_TEXT:
        return parse_literal(p, NODE_TEXT);
    case TOKEN_NAME:
        return parse_literal(p, NODE_COLUMN);
    case TOKEN_WORD:
        return parse_word(p);
    case TOKEN_SIGN:
    case TOKEN_END:
        break;
    }
    if (!lex_is_sign(&p->in, "("))
        return expected(p, "a value");
    if (!lex_next(&p->in) || !(n = parse_or(p)))
        return NULL;
    if (!lex_is_sign(&p->in, ")"))
        return expected(p, "')'");
    return lex_next(&p->in) ? n : NULL;
}

/* a ^ b, right to left; the exponent may carry a sign: 2 ^ -1. */
static struct node *
parse_power(struct parser *p)
{
    struct node *left = parse_primary(p), *right;
    size_t at = p->in.now.begin;

    if (!left || !lex_is_sign(&p->in, "^"))
        return left;
    if (!lex_next(&p->in) || !enter(p) || !(right = parse_unary(p)))
        return NULL;
    p->depth--;
    return node_of(p, NODE_POW, at, left, right);
}

static struct node *
parse_unary(struct parser *p)
{
    size_t at = p->in.now.begin;
    bool minus = lex_is_sign(&p->in, "-");
    struct node *n;

    if (!minus && !lex_is_sign(&p->in, "+"))
        return parse_power(p);
    if (!lex_next(&p->in) || !enter(p) || !(n = parse_unary(p)))
        return NULL;
    p->depth--;
    return minus ? node_of(p, NODE_NEG, at, n, NULL) : n;
}

struct level {
    const char *sign;
    enum node_op op;
};

/* Left to right: one of `levels` between operands that `next` reads. */
static struct node *
parse_binary(struct parser *p, const struct level *levels,
             struct node *(*next)(struct parser *))
{
    struct node *left = next(p);

    for (const struct level *l = levels; left && l->sign;) {
        size_t at = p->in.now.begin;
        struct node *right;

        if (!lex_is_sign(&p->in, l->sign)) {
            l++;
            continue;
        }
        if (!lex_next(&p->in) || !(right = next(p)))
            return NULL;
        left = node_of(p, l->op, at, left, right);
        l = levels;
    }
    return left;
}

static struct node *
parse_product(struct parser *p)
{
    static const struct level levels[] = {
        {"*", NODE_MUL}, {"/", NODE_DIV}, {"//", NODE_FLOORDIV},
        {"%", NODE_MOD}, {NULL, 0},
    };

    return parse_binary(p, levels, parse_unary);
}

static struct node *
parse_sum(struct parser *p)
{
    static const struct level levels[] = {
        {"+", NODE_ADD}, {"-", NODE_SUB}, {NULL, 0}};

    return parse_binary(p, levels, parse_product);
}

static struct node *
parse_in(struct parser *p, struct node *left, size_t at)
{
    struct node *n = node_new(p, NODE_IN, at);

    if (!n || !node_add(p, n, left) || !lex_next(&p->in))
        return NULL;
    if (!lex_is_sign(&p->in, "("))
        return expected(p, "'(' and the values, as in  x in ('a', 'b')");
    if (!parse_list(p, n))
        return NULL;
    if (n->n_kids < 2)
        return syntax(p, at, "the list after 'in' is empty");
    return n;
}

static struct node *
parse_between(struct parser *p, struct node *left, size_t at)
{
    struct node *n = node_new(p, NODE_BETWEEN, at), *low, *high;

    if (!n || !lex_next(&p->in) || !(low = parse_sum(p)))
        return NULL;
    if (!lex_is_word(&p->in, "and"))
        return expected(p, "'and', as in  x between 1 and 5");
    if (!lex_next(&p->in) || !(high = parse_sum(p)))
        return NULL;
    if (!node_add(p, n, left) || !node_add(p, n, low) || !node_add(p, n, high))
        return NULL;
    return n;
}

static struct node *
parse_matches(struct parser *p, struct node *left, size_t at)
{
    struct node *pattern;

    if (!lex_next(&p->in) || !(pattern = parse_sum(p)) ||
        !own_regex(p, pattern, "matches"))
        return NULL;
    return node_of(p, NODE_MATCHES, at, left, pattern);
}

static struct node *
parse_is(struct parser *p, struct node *left, size_t at)
{
    bool negated;
    struct node *n;

    if (!lex_next(&p->in))
        return NULL;
    if ((negated = lex_is_word(&p->in, "not")) && !lex_next(&p->in))
        return NULL;
    if (!lex_is_word(&p->in, "null"))
        return expected(p, "'null', as in  x is not null");
    if (!lex_next(&p->in) || !(n = node_of(p, NODE_IS_NULL, at, left, NULL)))
        return NULL;
    return negated ? node_of(p, NODE_NOT, at, n, NULL) : n;
}

/* in, between, matches, with or without `not` before; *done is false when the
 * token at hand is none of them. */
static struct node *
parse_word_test(struct parser *p, struct node *left, bool *done)
{
    size_t at = p->in.now.begin;
    bool negated = lex_is_word(&p->in, "not");
    struct node *n;

    *done = true;
    if (lex_is_word(&p->in, "is"))
        return parse_is(p, left, at);
    if (negated && !lex_next(&p->in))
        return NULL;
    if (lex_is_word(&p->in, "in"))
        n = parse_in(p, left, at);
    else if (lex_is_word(&p->in, "between"))
        n = parse_between(p, left, at);
    else if (lex_is_word(&p->in, "matches"))
        n = parse_matches(p, left, at);
    else if (negated)
        return expected(p, "'in', 'between' or 'matches' after 'not'");
    else {
        *done = false;
        return left;
    }
    return n && negated ? node_of(p, NODE_NOT, at, n, NULL) : n;
}

static bool
compare_op(const struct parser *p, enum node_op *op)
{
    static const struct level signs[] = {
        {"=", NODE_EQ}, {"==", NODE_EQ}, {"!=", NODE_NE}, {"<>", NODE_NE},
        {"<", NODE_LT}, {"<=", NODE_LE}, {">", NODE_GT},  {">=", NODE_GE},
    };

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (lex_is_sign(&p->in, signs[i].sign)) {
            *op = signs[i].op;
            return true;
        }
    return false;
}

static struct node *
parse_compare(struct parser *p)
{
    struct node *left = parse_sum(p), *right;
    size_t at = p->in.now.begin;
    enum node_op op;
    bool done;

    if (!left)
        return NULL;
    if (compare_op(p, &op)) {
        if (!lex_next(&p->in) || !(right = parse_sum(p)))
            return NULL;
        if (left->op == NODE_NULL || right->op == NODE_NULL)
            return syntax(p, at,
                          "beside null no comparison is true: write "
                          "x is null, or x is not null");
        left = node_of(p, op, at, left, right);
    } else {
        left = parse_word_test(p, left, &done);
        if (!done)
            return left;
    }
    if (left && compare_op(p, &op))
        return syntax(p, p->in.now.begin,
                      "comparisons do not chain: join them with 'and'");
    return left;
}

static struct node *
parse_not(struct parser *p)
{
    size_t at = p->in.now.begin;
    struct node *n;

    if (!lex_is_word(&p->in, "not"))
        return parse_compare(p);
    if (!lex_next(&p->in) || !enter(p) || !(n = parse_not(p)))
        return NULL;
    p->depth--;
    return node_of(p, NODE_NOT, at, n, NULL);
}

/* next (word next)*, as one node. */
static struct node *
parse_chain(struct parser *p, const char *word, enum node_op op,
            struct node *(*next)(struct parser *))
{
    struct node *first = next(p), *n, *kid;

    if (!first || !lex_is_word(&p->in, word))
        return first;
    if (!(n = node_of(p, op, p->in.now.begin, first, NULL)))
        return NULL;
    while (lex_is_word(&p->in, word))
        if (!lex_next(&p->in) || !(kid = next(p)) || !node_add(p, n, kid))
            return NULL;
    return n;
}

static struct node *
parse_and(struct parser *p)
{
    return parse_chain(p, "and", NODE_AND, parse_not);
}

static struct node *
parse_or(struct parser *p)
{
    struct node *n;

    if (!enter(p))
        return NULL;
    n = parse_chain(p, "or", NODE_OR, parse_and);
    p->depth--;
    return n;
}

/* ---- the expression -------------------------------------------------- */

static bool
knows_column(const struct expr *e, struct str name)
{
    for (size_t i = 0; i < e->n_columns; i++)
        if (str_is(name, e->column[i]))
            return true;
    return false;
}

static size_t
count_columns(const struct node *n)
{
    size_t total = n->op == NODE_COLUMN;

    for (const struct node *k = n->kid; k; k = k->next)
        total += count_columns(k);
    return total;
}

static bool
collect_columns(struct expr *e, const struct node *n, struct error *err)
{
    if (n->op == NODE_COLUMN && !knows_column(e, n->text)) {
        char *name = arena_text(&e->mem, n->text.p, n->text.n, err);

        if (!name)
            return false;
        e->column[e->n_columns++] = name;
    }
    for (const struct node *k = n->kid; k; k = k->next)
        if (!collect_columns(e, k, err))
            return false;
    return true;
}

static bool
parse_whole(struct parser *p)
{
    struct expr *e = p->e;

    if (!lex_next(&p->in))
        return false;
    if (p->in.now.type == TOKEN_END)
        return syntax(p, 0, "the expression is empty");
    if (!(e->root = parse_or(p)))
        return false;
    if (p->in.now.type != TOKEN_END)
        return expected(p, "an operator or the end");
    e->column =
        arena_try(&e->mem, count_columns(e->root), sizeof *e->column, p->err);
    return e->column && collect_columns(e, e->root, p->err);
}

struct expr *
expr_parse(struct str text, struct error *err)
{
    struct expr *e;
    struct parser p = {.err = err};

    if (text.n > EXPR_MAX_TEXT) {
        error_set(err, ERR_LIMIT, "an expression of %zu bytes, at most %d",
                  text.n, EXPR_MAX_TEXT);
        return NULL;
    }
    if (!(e = mem_try_array(1, sizeof *e, err)))
        return NULL;
    arena_init(&e->mem);
    p.e = p.in.e = e;
    p.in.err = err;
    e->len = text.n;
    if (!(e->text = arena_text(&e->mem, text.p, text.n, err)) ||
        !parse_whole(&p)) {
        expr_free(e);
        return NULL;
    }
    return e;
}

void
expr_free(struct expr *e)
{
    if (!e)
        return;
    for (struct node *n = e->regexes; n; n = n->next_regex)
        regex_free(n->regex);
    arena_fini(&e->mem);
    free(e);
}

const char *
expr_text(const struct expr *e)
{
    return e->text;
}

bool
expr_is_rowwise(const struct expr *e)
{
    return !e->looks_around;
}

size_t
expr_columns(const struct expr *e, const char **names, size_t max)
{
    for (size_t i = 0; i < e->n_columns && i < max; i++)
        names[i] = e->column[i];
    return e->n_columns;
}
