/* Functions with over (...): evaluated while the expression is bound, since
 * they look at all rows, and then read like a column.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "frame/expr_plan.h"
#include "frame/window.h"

/* The columns that steps give, as a frame of them; NULL for none. */
static bool
columns_of(struct plan *p, struct step **s, size_t n, struct frame **out)
{
    struct column **c = arena_try(&p->mem, n, sizeof *c, p->err);
    const char **names = arena_try(&p->mem, n, sizeof *names, p->err);
    size_t made = 0;

    *out = NULL;
    if (!c || !names)
        return false;
    for (; made < n; made++) {
        char *name = arena_try(&p->mem, STR_F64_MAX, 1, p->err);

        if (!name || !(c[made] = plan_values(p, s[made])))
            break;
        str_from_count(made + 1, name);
        names[made] = name;
    }
    if (made == n && n > 0)
        *out = frame_new(frame_rows(p->f), n, names, c, p->err);
    else
        while (made > 0)
            column_unref(c[--made]);
    return *out || (n == 0);
}

/* `-x` in an order is x downwards, whatever its type. */
static struct step *
bind_order(struct plan *p, const struct node *n, bool *descending)
{
    *descending = n->op == NODE_NEG;
    return bind_node(p, *descending ? n->kid : n);
}

struct window_args {
    struct step **arg, **key, **order;
    struct query_key *keys;
    size_t n_order;
};

static bool
bind_args(struct plan *p, const struct node *call, struct window_args *a)
{
    size_t n_order = call->n_kids - call->n_args - call->n_keys, i = 0;

    *a = (struct window_args){
        .arg = arena_try(&p->mem, call->n_args, sizeof *a->arg, p->err),
        .key = arena_try(&p->mem, call->n_keys, sizeof *a->key, p->err),
        .order = arena_try(&p->mem, n_order, sizeof *a->order, p->err),
        .keys = arena_try(&p->mem, n_order, sizeof *a->keys, p->err),
        .n_order = n_order};
    if (!a->arg || !a->key || !a->order || !a->keys)
        return false;
    for (const struct node *k = call->kid; k; k = k->next, i++) {
        size_t at = i - call->n_args;
        struct step *s;

        if (i >= call->n_args + call->n_keys) {
            at -= call->n_keys;
            a->keys[at].col = at;
            s = bind_order(p, k, &a->keys[at].descending);
            a->order[at] = s;
        } else {
            s = bind_node(p, k);
            (i < call->n_args ? &a->arg[i] : &a->key[at])[0] = s;
        }
        if (!s)
            return false;
    }
    return true;
}

/* Rows back (forth for lead) are written in the expression itself. */
static bool
read_shift(struct plan *p, const struct node *call, int64_t sign,
           int64_t *shift)
{
    const struct node *n = call->n_args > 1 ? call->kid->next : NULL;

    *shift = sign;
    if (!n)
        return true;
    if (n->op != NODE_INT || n->i < 0)
        return bind_fail(p, n, ERR_RANGE,
                         "%s wants a number of rows here, such as 1",
                         expr_fn_usage(call->fn));
    *shift = sign * n->i;
    return true;
}

static struct column *
compute(struct plan *p, const struct node *call, const struct window_args *a,
        int64_t shift)
{
    struct window_over over = {
        .n_rows = frame_rows(p->f), .keys = a->keys, .n_keys = a->n_order};
    struct frame *by = NULL, *order = NULL;
    struct column *values = NULL, *out = NULL;
    int kind = expr_fn_window(call->fn);

    if (columns_of(p, a->key, call->n_keys, &by) &&
        columns_of(p, a->order, a->n_order, &order) &&
        (call->n_args == 0 || (values = plan_values(p, a->arg[0])))) {
        over.by = by;
        over.order = order;
        if (expr_fn_aggregates(call->fn)) {
            const struct aggregate one = {(enum aggregate_kind)kind, values};

            out = window_aggregate(&over, &one, p->pool, p->err);
        } else {
            out = window_values(&over, (enum window_kind)kind, values, shift,
                                p->pool, p->err);
        }
    }
    frame_unref(by);
    frame_unref(order);
    column_unref(values);
    return out;
}

static bool
result_type(struct plan *p, const struct node *call, struct step **arg,
            enum col_type *type)
{
    int kind = expr_fn_window(call->fn);
    struct error why;

    *type = COL_INT64;
    if (call->n_args == 0)
        return true;
    if (arg[0]->untyped && !(arg[0] = step_widen(p, arg[0], COL_FLOAT64)))
        return false;
    if (expr_fn_aggregates(call->fn)
            ? aggregate_type((enum aggregate_kind)kind, arg[0]->type, type,
                             &why)
            : window_type((enum window_kind)kind, arg[0]->type, type, &why))
        return true;
    return bind_fail(p, arg[0]->node, why.code, "%s", why.message);
}

struct step *
expr_window_bind(struct plan *p, const struct node *call)
{
    struct window_args a;
    struct column *c = NULL;
    enum col_type type;
    int64_t shift;

    if (!bind_args(p, call, &a) || !result_type(p, call, a.arg, &type) ||
        !read_shift(p, call, expr_fn_shift(call->fn), &shift))
        return NULL;
    if (!p->check_only && !(c = compute(p, call, &a, shift)))
        return NULL;
    return step_column(p, call, type, c);
}
