/* Calls of functions of other rows, taken apart into texts.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/expr_plan.h"
#include "frame/window.h"

static bool
looks_around(const struct node *n)
{
    enum expr_over over;

    if (n->op != NODE_CALL)
        return false;
    over = expr_fn_over(n->fn);
    return n->over || over == OVER_MAY || over == OVER_MUST;
}

/* Children first, so that what is found has none inside. */
static const struct node *
innermost(const struct node *n)
{
    for (const struct node *k = n->kid; k; k = k->next) {
        const struct node *found = innermost(k);

        if (found)
            return found;
    }
    return looks_around(n) ? n : NULL;
}

/* The text of a node begins with its first leaf: parentheses before that are
 * those that are closed and never opened. */
static char *
text_of(const struct expr *e, const struct node *n, struct error *err)
{
    size_t len = n->end - n->begin, open = 0, missing = 0;
    const char *s = e->text + n->begin;
    char quote = '\0', *out;

    for (size_t i = 0; i < len; i++) {
        if (quote) {
            quote = s[i] == quote ? '\0' : quote;
        } else if (s[i] == '\'' || s[i] == '"' || s[i] == '`') {
            quote = s[i];
        } else if (s[i] == '(') {
            open++;
        } else if (s[i] == ')') {
            missing += open == 0;
            open -= open > 0;
        }
    }
    if (!(out = mem_try_array(missing + len + 1, 1, err)))
        return NULL;
    memset(out, '(', missing);
    memcpy(out + missing, s, len);
    return out;
}

static bool
take_apart(const struct expr *e, const struct node *call,
           struct expr_around *out, struct error *err)
{
    size_t n_args = call->n_args, i = 0, n = 0;

    out->n_values = n_args > 0;
    out->n_keys = call->n_keys;
    out->n_order = call->n_kids - n_args - call->n_keys;
    if (!(out->text =
              mem_try_array(call->n_kids + 1, sizeof *out->text, err)) ||
        !(out->descending = mem_try_array(out->n_order + 1, 1, err)))
        return false;
    for (const struct node *k = call->kid; k; k = k->next, i++) {
        const struct node *part = k;

        if (i > 0 && i < n_args)
            continue; /* how far: a literal */
        if (i >= n_args + call->n_keys && k->op == NODE_NEG) {
            out->descending[i - n_args - call->n_keys] = true;
            part = k->kid;
        }
        if (!(out->text[n++] = text_of(e, part, err)))
            return false;
    }
    return true;
}

bool
expr_around_find(const struct expr *e, struct expr_around *out, bool *found,
                 struct error *err)
{
    const struct node *call = e->looks_around ? innermost(e->root) : NULL;

    *out = (struct expr_around){0};
    *found = call;
    if (!call)
        return true;
    out->begin = call->begin;
    out->end = call->end;
    out->aggregates = expr_fn_aggregates(call->fn);
    out->kind = expr_fn_window(call->fn);
    out->shift = expr_fn_shift(call->fn);
    if (call->n_args > 1 && call->kid->next->op == NODE_INT)
        out->shift *= call->kid->next->i;
    return take_apart(e, call, out, err);
}

void
expr_around_fini(struct expr_around *a)
{
    for (size_t i = 0; a->text && a->text[i]; i++)
        free(a->text[i]);
    free(a->text);
    free(a->descending);
    *a = (struct expr_around){0};
}
