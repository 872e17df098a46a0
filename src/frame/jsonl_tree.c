/* frame/jsonl_tree.c -- the names within objects, as a tree.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/jsonl_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/csv.h"

enum { NAME_MAX = 4096, NODES_MAX = 1 + CSV_COLS_MAX, FIRST_NODES = 32 };

bool
jsonl_tree_init(struct jsonl_tree *t, struct error *err)
{
    *t = (struct jsonl_tree){.n = 1, .cap = FIRST_NODES};
    return (t->keys = dict_new(err)) &&
           (t->parent = mem_try_array(t->cap, sizeof *t->parent, err));
}

void
jsonl_tree_fini(struct jsonl_tree *t)
{
    dict_unref(t->keys);
    free(t->parent);
    *t = (struct jsonl_tree){0};
}

/* The key of a name below a parent, in room for both. */
static struct str
key_of(uint32_t parent, struct str name, char *room)
{
    memcpy(room, &parent, sizeof parent);
    if (name.n > 0)
        memcpy(room + sizeof parent, name.p, name.n);
    return (struct str){room, sizeof parent + name.n};
}

bool
jsonl_tree_add(struct jsonl_tree *t, uint32_t parent, struct str name,
               uint32_t *node, struct error *err)
{
    char room[sizeof parent + NAME_MAX];
    uint32_t code;

    if (name.n > NAME_MAX)
        return error_set(err, ERR_LIMIT, "a name of %zu bytes, the limit is %d",
                         name.n, NAME_MAX);
    if (t->n == t->cap) {
        uint32_t *p = mem_try_resize(t->parent, t->cap * 2, sizeof *p, err);

        if (!p)
            return false;
        t->parent = p;
        t->cap *= 2;
    }
    if (!dict_add(t->keys, key_of(parent, name, room), &code, err))
        return false;
    *node = code + 1;
    if (*node == NODES_MAX)
        return error_set(err, ERR_LIMIT, "more than %d different names",
                         CSV_COLS_MAX);
    if (*node == t->n)
        t->parent[t->n++] = parent;
    return true;
}

uint32_t
jsonl_tree_find(const struct jsonl_tree *t, uint32_t parent, struct str name)
{
    char room[sizeof parent + NAME_MAX];

    if (name.n > NAME_MAX)
        return 0;
    /* DICT_NONE + 1 is 0. */
    return dict_find(t->keys, key_of(parent, name, room)) + 1;
}

struct str
jsonl_tree_name(const struct jsonl_tree *t, uint32_t node)
{
    struct str s = dict_text(t->keys, node - 1);

    return (struct str){s.p + sizeof *t->parent, s.n - sizeof *t->parent};
}

void
jsonl_trail_fini(struct jsonl_trail *r)
{
    free(r->next);
    free(r->first);
    *r = (struct jsonl_trail){0};
}

static bool
widen(uint32_t **list, size_t n, size_t cap, struct error *err)
{
    uint32_t *p = mem_try_resize(*list, cap, sizeof *p, err);

    if (!p)
        return false;
    memset(p + n, 0, (cap - n) * sizeof *p);
    *list = p;
    return true;
}

bool
jsonl_trail_reserve(struct jsonl_trail *r, const struct jsonl_tree *t,
                    struct error *err)
{
    if (r->cap >= t->n)
        return true;
    if (!widen(&r->next, r->cap, t->cap, err) ||
        !widen(&r->first, r->cap, t->cap, err))
        return false;
    r->cap = t->cap;
    return true;
}
