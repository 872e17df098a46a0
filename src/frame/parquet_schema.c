/* frame/parquet_schema.c -- from the tree of a Parquet schema to columns.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/parquet_schema.h"

#include <stdlib.h>

#include "frame/names.h"

enum { MAX_WIDTH = 1 << 20, MAX_DECIMAL = 32 };

/* ---- what a leaf becomes ---- */

static enum pq_kind
kind_of_int32(const struct pq_element *e)
{
    switch (e->converted) {
    case PQ_CONV_DATE:
        return PQ_KIND_DATE;
    case PQ_CONV_TIME_MILLIS:
        return PQ_KIND_TIME32;
    case PQ_CONV_DECIMAL:
        return PQ_KIND_DECIMAL32;
    case PQ_CONV_UINT_8:
    case PQ_CONV_UINT_16:
    case PQ_CONV_UINT_32:
        return PQ_KIND_U32;
    default:
        return PQ_KIND_I32;
    }
}

static enum pq_kind
kind_of_int64(const struct pq_element *e)
{
    switch (e->converted) {
    case PQ_CONV_TIME_MICROS:
        return PQ_KIND_TIME64;
    case PQ_CONV_TIMESTAMP_MILLIS:
        return PQ_KIND_STAMP_MILLIS;
    case PQ_CONV_TIMESTAMP_MICROS:
        return PQ_KIND_STAMP_MICROS;
    case PQ_CONV_DECIMAL:
        return PQ_KIND_DECIMAL64;
    case PQ_CONV_UINT_64:
        return PQ_KIND_U64;
    default:
        return PQ_KIND_I64;
    }
}

static enum pq_kind
kind_of_bytes(const struct pq_element *e)
{
    if (e->logical == PQ_LOGICAL_DECIMAL || e->converted == PQ_CONV_DECIMAL)
        return PQ_KIND_DECIMAL_BYTES;
    if (e->logical == PQ_LOGICAL_BSON || e->converted == PQ_CONV_BSON ||
        e->logical == PQ_LOGICAL_GEOMETRY ||
        e->logical == PQ_LOGICAL_GEOGRAPHY || e->logical == PQ_LOGICAL_VARIANT)
        return PQ_KIND_HEX;
    return PQ_KIND_TEXT;
}

static enum pq_kind
kind_of_fixed(const struct pq_element *e)
{
    if (e->logical == PQ_LOGICAL_DECIMAL || e->converted == PQ_CONV_DECIMAL)
        return PQ_KIND_DECIMAL_BYTES;
    if (e->logical == PQ_LOGICAL_UUID && e->type_length == 16)
        return PQ_KIND_UUID;
    if (e->logical == PQ_LOGICAL_FLOAT16 && e->type_length == 2)
        return PQ_KIND_F16;
    if (e->converted == PQ_CONV_INTERVAL && e->type_length == 12)
        return PQ_KIND_INTERVAL;
    return PQ_KIND_HEX;
}

/* The newer form tells more than the older one. */
static enum pq_kind
kind_of(const struct pq_element *e)
{
    static const enum pq_kind stamps[] = {[PQ_MILLIS] = PQ_KIND_STAMP_MILLIS,
                                          [PQ_MICROS] = PQ_KIND_STAMP_MICROS,
                                          [PQ_NANOS] = PQ_KIND_STAMP_NANOS};

    switch (e->type) {
    case PQ_BOOLEAN:
        return PQ_KIND_BOOL;
    case PQ_INT32:
        if (e->logical == PQ_LOGICAL_DATE)
            return PQ_KIND_DATE;
        if (e->logical == PQ_LOGICAL_TIME)
            return PQ_KIND_TIME32;
        if (e->logical == PQ_LOGICAL_DECIMAL)
            return PQ_KIND_DECIMAL32;
        if (e->logical == PQ_LOGICAL_INTEGER)
            return e->is_signed ? PQ_KIND_I32 : PQ_KIND_U32;
        return kind_of_int32(e);
    case PQ_INT64:
        if (e->logical == PQ_LOGICAL_TIME)
            return PQ_KIND_TIME64;
        if (e->logical == PQ_LOGICAL_TIMESTAMP)
            return stamps[e->unit ? e->unit : PQ_MICROS];
        if (e->logical == PQ_LOGICAL_DECIMAL)
            return PQ_KIND_DECIMAL64;
        if (e->logical == PQ_LOGICAL_INTEGER)
            return e->is_signed ? PQ_KIND_I64 : PQ_KIND_U64;
        return kind_of_int64(e);
    case PQ_INT96:
        return PQ_KIND_INT96;
    case PQ_FLOAT:
        return PQ_KIND_F32;
    case PQ_DOUBLE:
        return PQ_KIND_F64;
    case PQ_FIXED:
        return kind_of_fixed(e);
    default:
        return kind_of_bytes(e);
    }
}

static enum col_type
type_of(enum pq_kind kind)
{
    switch (kind) {
    case PQ_KIND_BOOL:
        return COL_BOOL;
    case PQ_KIND_I32:
    case PQ_KIND_U32:
    case PQ_KIND_I64:
    case PQ_KIND_U64:
        return COL_INT64;
    case PQ_KIND_DATE:
        return COL_DATE;
    case PQ_KIND_STAMP_MILLIS:
    case PQ_KIND_STAMP_MICROS:
    case PQ_KIND_STAMP_NANOS:
    case PQ_KIND_INT96:
        return COL_TIMESTAMP;
    case PQ_KIND_TIME32:
    case PQ_KIND_TIME64:
    case PQ_KIND_TEXT:
    case PQ_KIND_HEX:
    case PQ_KIND_UUID:
    case PQ_KIND_INTERVAL:
        return COL_TEXT;
    default:
        return COL_FLOAT64;
    }
}

static void
classify(struct pq_leaf *l)
{
    static const size_t widths[] = {0, 4, 8, 12, 4, 8, 0, 0};
    const struct pq_element *e = l->element;

    l->kind = kind_of(e);
    l->type = type_of(l->kind);
    l->width = e->type == PQ_FIXED && e->type_length > 0
                   ? (size_t)e->type_length
                   : widths[e->type];
    if (e->type == PQ_FIXED && e->type_length <= 0)
        l->skipped = "values of a fixed length that is not told";
    else if (l->width > MAX_WIDTH)
        l->skipped = "values of more than 1 MiB each";
    else if (l->kind == PQ_KIND_DECIMAL_BYTES && l->width > MAX_DECIMAL)
        l->skipped = "a decimal of more than 256 bits";
    else if (l->max_rep > PQ_MAX_REP || l->max_def > PQ_MAX_LEVEL)
        l->skipped = "lists nested too deeply";
}

enum col_type
pq_leaf_type(const struct pq_leaf *l)
{
    return l->max_rep > 0 ? COL_TEXT : l->type;
}

void
pq_leaf_describe(const struct pq_leaf *l, struct buf *out)
{
    static const char *const physical[] = {"boolean",    "int32", "int64",
                                           "int96",      "float", "double",
                                           "byte array", "fixed"};
    static const char *const kinds[] = {
        [PQ_KIND_U32] = "unsigned",
        [PQ_KIND_U64] = "unsigned",
        [PQ_KIND_F16] = "float16",
        [PQ_KIND_DATE] = "date",
        [PQ_KIND_STAMP_MILLIS] = "timestamp in milliseconds",
        [PQ_KIND_STAMP_MICROS] = "timestamp in microseconds",
        [PQ_KIND_STAMP_NANOS] = "timestamp in nanoseconds",
        [PQ_KIND_INT96] = "timestamp",
        [PQ_KIND_DECIMAL32] = "decimal",
        [PQ_KIND_DECIMAL64] = "decimal",
        [PQ_KIND_DECIMAL_BYTES] = "decimal",
        [PQ_KIND_TIME32] = "time",
        [PQ_KIND_TIME64] = "time",
        [PQ_KIND_TEXT] = "text",
        [PQ_KIND_UUID] = "uuid",
        [PQ_KIND_INTERVAL] = "interval"};
    const char *kind =
        l->kind < sizeof kinds / sizeof *kinds ? kinds[l->kind] : NULL;

    for (unsigned r = 0; r < l->max_rep; r++)
        buf_puts(out, "list of ");
    buf_puts(out, physical[l->element->type]);
    if (l->element->type == PQ_FIXED)
        buf_printf(out, "(%d)", (int)l->element->type_length);
    if (kind)
        buf_printf(out, " %s", kind);
}

/* ---- the tree ---- */

struct walk {
    const struct pq_meta *m;
    struct arena *arena;
    struct pq_schema *out;
    struct dict *taken; /* names */
    struct error *err;
    size_t at; /* the next element */
    struct str path[PQ_MAX_DEPTH];
    size_t n_path;
    unsigned def, rep;
    unsigned list_def[PQ_MAX_REP + 1];
};

static bool
damaged(struct walk *w)
{
    return error_set(w->err, ERR_PARSE,
                     "the schema of the Parquet file is damaged");
}

static bool
add_leaf(struct walk *w, const struct pq_element *e)
{
    struct pq_leaf *l = &w->out->leaf[w->out->n_leaves];
    struct buf b;
    char *name;

    *l = (struct pq_leaf){.element = e,
                          .index = w->out->n_leaves,
                          .max_def = w->def,
                          .max_rep = w->rep};
    for (unsigned r = 0; r <= PQ_MAX_REP; r++)
        l->list_def[r] = w->list_def[r];
    classify(l);
    buf_init(&b);
    for (size_t i = 0; i < w->n_path; i++) {
        if (i > 0)
            buf_putc(&b, '.');
        buf_add(&b, w->path[i].p, w->path[i].n);
    }
    name = buf_check(&b, w->err)
               ? names_unique((struct str){b.data ? b.data : "", b.len},
                              l->index, w->taken, w->err)
               : NULL;
    buf_fini(&b);
    if (!name)
        return false;
    l->name = arena_text(w->arena, name, str_of(name).n, w->err);
    free(name);
    w->out->n_leaves++;
    return l->name != NULL;
}

/* Is the one child of e the repeated node of a list, rather than data?  And
 * if it is a group, is that a wrapper around the items or an item itself? */
static bool
is_list(const struct pq_element *e)
{
    return e->logical == PQ_LOGICAL_LIST || e->converted == PQ_CONV_LIST;
}

static bool
is_map(const struct pq_element *e)
{
    return e->logical == PQ_LOGICAL_MAP || e->converted == PQ_CONV_MAP ||
           e->converted == PQ_CONV_MAP_KEY_VALUE;
}

static bool
wraps_item(const struct pq_element *list, const struct pq_element *repeated)
{
    static const char tuple[] = "_tuple";
    enum { TUPLE = sizeof tuple - 1 };
    struct str name = repeated->name;

    if (repeated->n_children != 1 || str_is(name, "array"))
        return false;
    return !(name.n == list->name.n + TUPLE &&
             str_eq((struct str){name.p, list->name.n}, list->name) &&
             str_is((struct str){name.p + list->name.n, TUPLE}, tuple));
}

static bool walk_node(struct walk *w, size_t depth, bool named);

static bool
walk_children(struct walk *w, const struct pq_element *e, size_t depth)
{
    const struct pq_element *child = e + 1;
    bool list = is_list(e) && e->n_children == 1 && w->at < w->m->n_elements &&
                child->repetition == PQ_REPEATED;
    bool map = is_map(e) && e->n_children == 1 && w->at < w->m->n_elements &&
               child->repetition == PQ_REPEATED;

    if (list && child->type == PQ_GROUP && wraps_item(e, child)) {
        /* Neither "list" nor "element" says anything. */
        unsigned def = w->def, rep = w->rep;
        bool ok;

        w->at++;
        w->def++;
        if (++w->rep <= PQ_MAX_REP)
            w->list_def[w->rep] = w->def;
        ok = walk_node(w, depth + 1, false);
        w->def = def;
        w->rep = rep;
        return ok;
    }
    if (list || map)
        return walk_node(w, depth + 1, false);
    for (int32_t i = 0; i < e->n_children; i++)
        if (!walk_node(w, depth + 1, true))
            return false;
    return true;
}

static bool
walk_node(struct walk *w, size_t depth, bool named)
{
    unsigned def = w->def, rep = w->rep;
    size_t n_path = w->n_path;
    const struct pq_element *e;
    bool ok;

    if (w->at >= w->m->n_elements || depth >= PQ_MAX_DEPTH)
        return damaged(w);
    e = &w->m->element[w->at++];
    if (named)
        w->path[w->n_path++] = e->name;
    if (e->repetition != PQ_REQUIRED)
        w->def++;
    if (e->repetition == PQ_REPEATED && ++w->rep <= PQ_MAX_REP)
        w->list_def[w->rep] = w->def;
    if (e->type == PQ_GROUP && e->n_children < 0)
        ok = damaged(w);
    else
        ok = e->type == PQ_GROUP ? walk_children(w, e, depth) : add_leaf(w, e);
    w->def = def;
    w->rep = rep;
    w->n_path = n_path;
    return ok;
}

bool
pq_schema_read(const struct pq_meta *m, struct arena *a, struct pq_schema *out,
               struct error *err)
{
    struct walk w = {.m = m, .arena = a, .out = out, .err = err, .at = 1};
    const struct pq_element *root = &m->element[0];
    bool ok = false;

    *out = (struct pq_schema){0};
    if (!(out->leaf = arena_try(a, m->n_elements, sizeof *out->leaf, err)) ||
        !(w.taken = dict_new(err)))
        return false;
    if (root->type != PQ_GROUP || root->n_children < 0) {
        damaged(&w);
        goto out;
    }
    for (int32_t i = 0; i < root->n_children; i++)
        if (!walk_node(&w, 0, true))
            goto out;
    ok = w.at == m->n_elements || damaged(&w);
out:
    dict_unref(w.taken);
    return ok;
}
