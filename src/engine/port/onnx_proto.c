/* engine/port/onnx_proto.c -- parse the messages of an ONNX file.
 *
 * Each message is gone through twice: once to count what is repeated, once to
 * take it, so that lists are as long as they must be and memory stays within a
 * constant times the size of the file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/onnx_proto.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/wire.h"

struct parser {
    struct arena *arena;
    struct error *err;
};

/* Fields of a message by number, below this. */
enum { MAX_FIELD = 32 };

static bool
count_fields(struct parser *p, struct str m, size_t count[MAX_FIELD])
{
    struct wire_field f;
    bool more;

    memset(count, 0, MAX_FIELD * sizeof *count);
    while (wire_next(&m, &f, &more, p->err)) {
        if (!more)
            return true;
        if (f.number < MAX_FIELD)
            count[f.number]++;
    }
    return false;
}

static void *
room(struct parser *p, size_t n, size_t size)
{
    return arena_try(p->arena, n, size, p->err);
}

static bool
bad(struct parser *p, const char *what)
{
    return error_set(p->err, ERR_PARSE, "%s", what);
}

/* ---- numbers, packed or one by one ---- */

static size_t
type_width(enum onnx_type type)
{
    switch (type) {
    case ONNX_FLOAT:
    case ONNX_INT32:
        return 4;
    case ONNX_INT64:
    case ONNX_DOUBLE:
        return 8;
    case ONNX_UINT8:
    case ONNX_INT8:
    case ONNX_BOOL:
        return 1;
    default:
        return 0;
    }
}

static double
as_number(enum onnx_type type, uint64_t u)
{
    switch (type) {
    case ONNX_FLOAT:
        return (double)wire_float(u);
    case ONNX_DOUBLE:
        return wire_double(u);
    case ONNX_INT32:
        return (int32_t)(uint32_t)u;
    case ONNX_INT8:
        return (int8_t)(uint8_t)u;
    case ONNX_INT64:
        return (double)(int64_t)u;
    default:
        return (double)u;
    }
}

/* A growing list of doubles, whose room was found by counting bytes. */
struct list {
    double *x;
    size_t n, cap;
};

static bool
list_push(struct parser *p, struct list *l, double v)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 16;
        double *more = room(p, cap, sizeof *more);

        if (!more)
            return false;
        if (l->n)
            memcpy(more, l->x, l->n * sizeof *more);
        l->x = more;
        l->cap = cap;
    }
    l->x[l->n++] = v;
    return true;
}

/* A field of numbers of fixed width (FLOAT, DOUBLE) or varints (others). */
static bool
take_numbers(struct parser *p, const struct wire_field *f, enum onnx_type type,
             struct list *l)
{
    bool fixed = type == ONNX_FLOAT || type == ONNX_DOUBLE;
    size_t width = type_width(type);
    struct str rest = f->bytes;
    uint64_t u;

    if (f->type != WIRE_BYTES)
        return list_push(p, l, as_number(type, f->u));
    if (fixed && rest.n % width != 0)
        return bad(p, "numbers are cut off");
    while (rest.n) {
        u = 0;
        if (!fixed && !wire_varint(&rest, &u, p->err))
            return false;
        for (size_t i = 0; fixed && i < width; i++)
            u |= (uint64_t)(unsigned char)rest.p[i] << 8 * i;
        if (fixed)
            rest = (struct str){rest.p + width, rest.n - width};
        if (!list_push(p, l, as_number(type, u)))
            return false;
    }
    return true;
}

/* ---- tensors ---- */

static bool
take_raw(struct parser *p, struct str raw, struct onnx_tensor *t)
{
    size_t width = type_width(t->type);

    if (width == 0 || raw.n / width != t->n || raw.n % width != 0)
        return error_set(
            p->err, ERR_PARSE, "tensor '%.*s': %zu bytes for %zu numbers",
            (int)(t->name.n < 64 ? t->name.n : 64), t->name.p, raw.n, t->n);
    if (!(t->x = room(p, t->n, sizeof *t->x)))
        return false;
    for (size_t i = 0; i < t->n; i++) {
        uint64_t u = 0;

        for (size_t k = 0; k < width; k++)
            u |= (uint64_t)(unsigned char)raw.p[i * width + k] << 8 * k;
        t->x[i] = as_number(t->type, u);
    }
    return true;
}

static bool
take_dims(struct parser *p, const struct list *dims, struct onnx_tensor *t)
{
    t->n = 1;
    if (dims->n > ONNX_MAX_DIMS)
        return bad(p, "a tensor of too many dimensions");
    for (size_t i = 0; i < dims->n; i++) {
        double d = dims->x[i];

        if (!(d >= 0 && d < 4294967296.0) || !mem_mul(t->n, (size_t)d, &t->n))
            return bad(p, "a tensor of a bad size");
        t->dim[t->n_dims++] = (size_t)d;
    }
    return true;
}

/* Where numbers of a type stand when they are not raw. */
static enum onnx_type
kind_of_field(uint32_t number)
{
    switch (number) {
    case 4:
        return ONNX_FLOAT;
    case 10:
        return ONNX_DOUBLE;
    default:
        return ONNX_INT64;
    }
}

static bool
parse_tensor(struct parser *p, struct str m, struct onnx_tensor *t)
{
    struct list dims = {0}, x = {0};
    size_t count[MAX_FIELD], n_texts = 0;
    struct str rest = m, raw = {0};
    struct wire_field f;
    bool more = true;

    memset(t, 0, sizeof *t);
    if (!count_fields(p, m, count) ||
        !(t->text = room(p, count[6], sizeof *t->text)))
        return false;
    while (more) {
        bool ok = wire_next(&rest, &f, &more, p->err);

        if (ok && f.number == 1)
            ok = take_numbers(p, &f, ONNX_INT64, &dims);
        else if (ok && f.number == 2)
            t->type = (enum onnx_type)f.u;
        else if (ok && (f.number == 4 || f.number == 5 || f.number == 7 ||
                        f.number == 10 || f.number == 11))
            ok = take_numbers(p, &f, kind_of_field(f.number), &x);
        else if (ok && f.number == 6)
            t->text[n_texts++] = f.bytes;
        else if (ok && f.number == 8)
            t->name = f.bytes;
        else if (ok && f.number == 9)
            raw = f.bytes;
        else if (ok && f.number == 14 && f.u != 0)
            ok = bad(p, "a tensor in another file is not read");
        if (!ok)
            return false;
    }
    if (!take_dims(p, &dims, t))
        return false;
    if (raw.n || (t->n == 0 && t->type != ONNX_STRING))
        return take_raw(p, raw, t);
    if (t->type == ONNX_STRING ? n_texts != t->n : x.n != t->n)
        return bad(p, "a tensor whose values do not fit its size");
    t->x = t->type == ONNX_STRING ? NULL : x.x;
    return true;
}

/* ---- attributes and nodes ---- */

static bool
parse_attribute(struct parser *p, struct str m, struct onnx_attribute *a)
{
    struct list x = {0};
    size_t count[MAX_FIELD];
    struct str rest = m;
    struct wire_field f;
    bool more = true;

    memset(a, 0, sizeof *a);
    if (!count_fields(p, m, count) ||
        !(a->text = room(p, count[9], sizeof *a->text)))
        return false;
    while (more) {
        bool ok = wire_next(&rest, &f, &more, p->err);

        if (ok && f.number == 1)
            a->name = f.bytes;
        else if (ok && f.number == 2)
            a->f = (double)wire_float(f.u);
        else if (ok && f.number == 3)
            a->i = (double)(int64_t)f.u;
        else if (ok && f.number == 4)
            a->s = f.bytes;
        else if (ok && f.number == 5 && !a->t)
            ok = (a->t = room(p, 1, sizeof *a->t)) &&
                 parse_tensor(p, f.bytes, a->t);
        else if (ok && f.number == 7)
            ok = take_numbers(p, &f, ONNX_FLOAT, &x);
        else if (ok && f.number == 8)
            ok = take_numbers(p, &f, ONNX_INT64, &x);
        else if (ok && f.number == 9)
            a->text[a->n_texts++] = f.bytes;
        if (!ok)
            return false;
    }
    a->x = x.x;
    a->n = x.n;
    return true;
}

static bool
parse_node(struct parser *p, struct str m, struct onnx_node *n)
{
    size_t count[MAX_FIELD];
    struct str rest = m;
    struct wire_field f;
    bool more = true;

    memset(n, 0, sizeof *n);
    if (!count_fields(p, m, count) ||
        !(n->in = room(p, count[1], sizeof *n->in)) ||
        !(n->out = room(p, count[2], sizeof *n->out)) ||
        !(n->attribute = room(p, count[5], sizeof *n->attribute)))
        return false;
    while (more) {
        bool ok = wire_next(&rest, &f, &more, p->err);

        if (ok && f.number == 1)
            n->in[n->n_in++] = f.bytes;
        else if (ok && f.number == 2)
            n->out[n->n_out++] = f.bytes;
        else if (ok && f.number == 4)
            n->op = f.bytes;
        else if (ok && f.number == 5)
            ok = parse_attribute(p, f.bytes, &n->attribute[n->n_attributes++]);
        else if (ok && f.number == 7)
            n->domain = f.bytes;
        if (!ok)
            return false;
    }
    return true;
}

/* ---- inputs, outputs ---- */

/* The first field of that number of a message; empty when it is not there. */
static bool
inner(struct parser *p, struct str m, uint32_t number, struct wire_field *out)
{
    struct wire_field f;
    bool more = true;

    *out = (struct wire_field){0};
    while (more) {
        if (!wire_next(&m, &f, &more, p->err))
            return false;
        if (f.number == number) {
            *out = f;
            return true;
        }
    }
    return true;
}

static bool
parse_shape(struct parser *p, struct str m, struct onnx_input *in)
{
    struct wire_field f, value;
    bool more = true;

    while (more) {
        if (!wire_next(&m, &f, &more, p->err))
            return false;
        if (f.number != 1)
            continue;
        if (in->n_dims == ONNX_MAX_DIMS)
            return bad(p, "an input of too many dimensions");
        if (!inner(p, f.bytes, 1, &value))
            return false;
        in->dim[in->n_dims++] = value.u < UINT32_MAX ? (size_t)value.u : 0;
    }
    return true;
}

static bool
parse_input(struct parser *p, struct str m, struct onnx_input *in)
{
    struct wire_field name, type, tensor, element, shape;

    memset(in, 0, sizeof *in);
    if (!inner(p, m, 1, &name) || !inner(p, m, 2, &type) ||
        !inner(p, type.bytes, 1, &tensor) ||
        !inner(p, tensor.bytes, 1, &element) ||
        !inner(p, tensor.bytes, 2, &shape))
        return false;
    in->name = name.bytes;
    in->type = (enum onnx_type)element.u;
    return parse_shape(p, shape.bytes, in);
}

static bool
parse_graph(struct parser *p, struct str m, struct onnx_model *out)
{
    size_t count[MAX_FIELD];
    struct wire_field f, name;
    bool more = true;

    if (!count_fields(p, m, count) ||
        !(out->node = room(p, count[1], sizeof *out->node)) ||
        !(out->tensor = room(p, count[5], sizeof *out->tensor)) ||
        !(out->input = room(p, count[11], sizeof *out->input)) ||
        !(out->output = room(p, count[12], sizeof *out->output)))
        return false;
    while (more) {
        bool ok = wire_next(&m, &f, &more, p->err);

        if (ok && f.number == 1)
            ok = parse_node(p, f.bytes, &out->node[out->n_nodes++]);
        else if (ok && f.number == 5)
            ok = parse_tensor(p, f.bytes, &out->tensor[out->n_tensors++]);
        else if (ok && f.number == 11)
            ok = parse_input(p, f.bytes, &out->input[out->n_inputs++]);
        else if (ok && f.number == 12) {
            if ((ok = inner(p, f.bytes, 1, &name)))
                out->output[out->n_outputs++] = name.bytes;
        }
        if (!ok)
            return false;
    }
    return true;
}

static bool
parse_metadata(struct parser *p, struct str m, struct onnx_model *out)
{
    struct wire_field key, value;

    if (!inner(p, m, 1, &key) || !inner(p, m, 2, &value))
        return false;
    if (str_is(key.bytes, "lathe"))
        out->schema = value.bytes;
    return true;
}

bool
onnx_parse(struct str bytes, struct arena *arena, struct onnx_model *out,
           struct error *err)
{
    struct parser p = {arena, err};
    struct wire_field f;
    bool more = true, graph = false;

    memset(out, 0, sizeof *out);
    while (more) {
        bool ok = wire_next(&bytes, &f, &more, err);

        if (ok && f.number == 2)
            out->producer = f.bytes;
        else if (ok && f.number == 3)
            out->producer_version = f.bytes;
        else if (ok && f.number == 7) {
            if (graph)
                return bad(&p, "two graphs in one model");
            graph = true;
            ok = parse_graph(&p, f.bytes, out);
        } else if (ok && f.number == 14)
            ok = parse_metadata(&p, f.bytes, out);
        if (!ok)
            return false;
    }
    return graph || bad(&p, "no graph: not an ONNX model");
}

/* ---- attributes ---- */

const struct onnx_attribute *
onnx_attribute(const struct onnx_node *n, const char *name)
{
    for (size_t i = 0; i < n->n_attributes; i++)
        if (str_is(n->attribute[i].name, name))
            return &n->attribute[i];
    return NULL;
}

double
onnx_int(const struct onnx_node *n, const char *name, double fallback)
{
    const struct onnx_attribute *a = onnx_attribute(n, name);

    return a ? a->i : fallback;
}

double
onnx_float(const struct onnx_node *n, const char *name, double fallback)
{
    const struct onnx_attribute *a = onnx_attribute(n, name);

    return a ? a->f : fallback;
}

struct str
onnx_text(const struct onnx_node *n, const char *name)
{
    const struct onnx_attribute *a = onnx_attribute(n, name);

    return a ? a->s : (struct str){"", 0};
}

const double *
onnx_numbers(const struct onnx_node *n, const char *name, size_t *count)
{
    const struct onnx_attribute *a = onnx_attribute(n, name);
    char tensor[80];

    if (!a || (!a->n && !a->t)) {
        snprintf(tensor, sizeof tensor, "%s_as_tensor", name);
        a = onnx_attribute(n, tensor);
    }
    *count = 0;
    if (!a)
        return NULL;
    *count = a->t ? (a->t->x ? a->t->n : 0) : a->n;
    return a->t ? a->t->x : a->x;
}

const struct str *
onnx_texts(const struct onnx_node *n, const char *name, size_t *count)
{
    const struct onnx_attribute *a = onnx_attribute(n, name);

    *count = 0;
    if (!a)
        return NULL;
    if (a->t && !a->t->x) {
        *count = a->t->n;
        return a->t->text;
    }
    *count = a->n_texts;
    return a->text;
}
