/* frame/jsonl_row.c -- rows of JSON text one after the other.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/jsonl_row.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
jsonl_rows_init(struct jsonl_rows *r, const char *p, const char *end, bool list,
                struct jsonl_tree *grow, const struct jsonl_tree *t)
{
    *r = (struct jsonl_rows){
        .p = p, .end = end, .list = list, .grow = grow, .t = t};
    buf_init(&r->scratch);
}

void
jsonl_rows_fini(struct jsonl_rows *r)
{
    jsonl_trail_fini(&r->trail);
    free(r->leaf);
    buf_fini(&r->scratch);
}

/* ---- names ---- */

/* One way for the walk to end early: with r->fault, or with err and no why. */
static const char *
fault(struct jsonl_rows *r, const char *at, const char *why)
{
    r->fault = (struct jsonl_fault){at, why};
    return NULL;
}

/* Looked up, and remembered as what comes after `last`. */
static bool
look_up(struct jsonl_rows *r, uint32_t parent, uint32_t last, struct str name,
        uint32_t *node, struct error *err)
{
    if (!r->grow)
        *node = jsonl_tree_find(r->t, parent, name);
    else if (!jsonl_tree_add(r->grow, parent, name, node, err))
        return false;
    if (!jsonl_trail_reserve(&r->trail, r->t, err))
        return false;
    *(last ? &r->trail.next[last] : &r->trail.first[parent]) = *node;
    return true;
}

/* The node of a name whose sibling before it was `last` (0: none). */
static bool
node_of(struct jsonl_rows *r, uint32_t parent, uint32_t last,
        const struct jsonl_value *v, uint32_t *node, struct error *err)
{
    struct str name = jsonl_text(v, &r->scratch);
    uint32_t guess = 0;

    if (!buf_check(&r->scratch, err))
        return false;
    if (last < r->trail.cap && parent < r->trail.cap)
        guess = last ? r->trail.next[last] : r->trail.first[parent];
    if (guess && str_eq(jsonl_tree_name(r->t, guess), name)) {
        *node = guess;
        return true;
    }
    return look_up(r, parent, last, name, node, err);
}

static bool
add_leaf(struct jsonl_rows *r, uint32_t node, const struct jsonl_value *v,
         struct error *err)
{
    struct jsonl_leaf *p = mem_try_grow(r->leaf, r->n, &r->cap, sizeof *p, err);

    if (!p)
        return false;
    r->leaf = p;
    r->leaf[r->n++] = (struct jsonl_leaf){node, *v};
    return true;
}

/* ---- one row ---- */

/* The name and the colon of a member; returns where its value begins. */
static const char *
walk_name(struct jsonl_rows *r, const char *p, struct jsonl_value *name)
{
    if (p == r->end || *p != '"')
        return fault(r, p, "expected a name in quotes");
    if (!(p = jsonl_scan_text(p, r->end, name, &r->fault)))
        return NULL;
    p = jsonl_skip_blank(p, r->end);
    if (p == r->end || *p != ':')
        return fault(r, p, "expected ':' after a name");
    return jsonl_skip_blank(p + 1, r->end);
}

/* The object whose brace is at p: objects within it are walked without
 * recursion, up[] leading back. */
static const char *
walk_object(struct jsonl_rows *r, const char *p, struct error *err)
{
    uint32_t up[JSONL_DEPTH] = {0}, parent = 0, last = 0;
    size_t depth = 0;
    bool more = false;

    p++;
    for (;;) {
        struct jsonl_value v;
        uint32_t node;

        p = jsonl_skip_blank(p, r->end);
        if (!more && p < r->end && *p == '}') {
            p++;
            if (depth == 0)
                return p;
            last = parent;
            parent = up[--depth];
        } else {
            if (!(p = walk_name(r, p, &v)) ||
                !node_of(r, parent, last, &v, &node, err))
                return NULL;
            if (p < r->end && *p == '{') {
                if (depth == JSONL_DEPTH)
                    return fault(r, p, "objects within objects too deep");
                up[depth++] = parent;
                parent = node;
                last = 0;
                more = false;
                p++;
                continue;
            }
            if (!(p = jsonl_scan_value(p, r->end, &v, &r->fault)) ||
                !add_leaf(r, node, &v, err))
                return NULL;
            last = node;
        }
        p = jsonl_skip_blank(p, r->end);
        more = p < r->end && *p == ',';
        if (!more && (p == r->end || *p != '}'))
            return fault(r, p, "expected ',' or '}' after a value");
        p += more;
    }
}

/* ---- rows ---- */

static const char *
line_end(const char *p, const char *end)
{
    const char *nl = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;

    return nl ? nl : end;
}

/* What follows an object: p itself when it may stand there, else NULL. */
static const char *
check_after(struct jsonl_rows *r, const char *p)
{
    p = jsonl_skip_blank(p, r->end);
    if (p == r->end)
        return p;
    if (!r->list)
        return fault(r, p, "something after the object");
    if (*p != ',' && *p != ']')
        return fault(r, p, "expected ',' or ']' after an object");
    return p;
}

static enum jsonl_found
bad(struct jsonl_rows *r, const char *end)
{
    r->n = 0;
    r->p = end;
    return JSONL_BAD;
}

/* A row on a line of its own is read as if the text ended with the line: what
 * is wrong with one cannot reach the next. */
enum jsonl_found
jsonl_next(struct jsonl_rows *r, struct error *err)
{
    const char *end = r->end, *p = jsonl_skip_blank(r->p, end), *stop;

    r->n = 0;
    if (r->list && p < end && *p == ',')
        p = jsonl_skip_blank(p + 1, end);
    r->begin = r->p = p;
    if (p == end)
        return JSONL_END;
    stop = r->list ? end : line_end(p, end);
    r->fault.why = NULL;
    if (r->list && *p == ']') {
        if (jsonl_skip_blank(p + 1, end) == end)
            return JSONL_END;
        fault(r, p, "something after the list");
        return bad(r, stop);
    }
    if (*p != '{') {
        fault(r, p, "expected an object: '{'");
        return bad(r, stop);
    }
    r->end = stop;
    p = walk_object(r, p, err);
    p = p ? check_after(r, p) : NULL;
    r->end = end;
    if (p) {
        r->p = p;
        return JSONL_ROW;
    }
    return r->fault.why ? bad(r, stop) : JSONL_FAILED;
}
