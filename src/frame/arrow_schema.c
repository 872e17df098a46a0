/* frame/arrow_schema.c -- the fields of an Arrow table.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "frame/arrow_part.h"

enum { MAX_DEPTH = 32 };

/* Fields of the format's tables. */
enum { SCHEMA_ENDIANNESS, SCHEMA_FIELDS };
enum {
    FIELD_NAME,
    FIELD_NULLABLE,
    FIELD_TYPE_KIND,
    FIELD_TYPE,
    FIELD_DICTIONARY,
    FIELD_CHILDREN
};
enum { DICTIONARY_ID, DICTIONARY_INDEX };
enum { INT_WIDTH, INT_SIGNED };
enum { DECIMAL_SCALE = 1, DECIMAL_WIDTH };
enum { FIRST, SECOND }; /* of a type with one or two */

struct parse {
    struct arrow_file *a;
    struct flat *f;
    size_t n_left; /* fields that may still come */
    struct error *err;
};

const char *
arrow_kind_word(enum arrow_kind k)
{
    static const char *const words[] = {
        "nothing",
        "null",
        "int",
        "float",
        "binary",
        "utf8",
        "bool",
        "decimal",
        "date",
        "time",
        "timestamp",
        "interval",
        "list",
        "struct",
        "union",
        "fixed-size binary",
        "fixed list",
        "map",
        "duration",
        "large binary",
        "large utf8",
        "large list",
        "run-end encoded",
        "binary view",
        "utf8 view",
        "list view",
        "large list view",
    };

    return (size_t)k < sizeof words / sizeof *words ? words[k] : "unknown";
}

size_t
arrow_offset_width(const struct arrow_field *f)
{
    switch (f->kind) {
    case ARROW_LARGE_BINARY:
    case ARROW_LARGE_UTF8:
    case ARROW_LARGE_LIST:
    case ARROW_LARGE_LIST_VIEW:
        return 8;
    default:
        return 4;
    }
}

/* ---- types ---- */

static bool
refuse(const struct parse *p, const struct arrow_field *f, int64_t what)
{
    return error_set(p->err, ERR_PARSE, "column '%.*s': %s of %lld",
                     (int)f->name.n, f->name.p, arrow_kind_word(f->kind),
                     (long long)what);
}

static bool
read_int(const struct parse *p, size_t type, struct arrow_field *f)
{
    int64_t bits = flat_int(p->f, type, INT_WIDTH, 4, 0);

    f->is_signed = flat_int(p->f, type, INT_SIGNED, 1, 0) != 0;
    if (bits != 8 && bits != 16 && bits != 32 && bits != 64)
        return refuse(p, f, bits);
    f->bits = (size_t)bits;
    return true;
}

static bool
read_decimal(const struct parse *p, size_t type, struct arrow_field *f)
{
    int64_t bits = flat_int(p->f, type, DECIMAL_WIDTH, 4, 128);
    int64_t scale = flat_int(p->f, type, DECIMAL_SCALE, 4, 0);

    if (bits != 32 && bits != 64 && bits != 128 && bits != 256)
        return refuse(p, f, bits);
    if (scale < -1000 || scale > 1000)
        return refuse(p, f, scale);
    f->bits = (size_t)bits;
    f->scale = (int)scale;
    return true;
}

/* A unit, the first field of the type, and what follows from it. */
static bool
read_unit(const struct parse *p, size_t type, struct arrow_field *f)
{
    static const size_t interval_bits[] = {32, 64, 128};
    int64_t absent = f->kind == ARROW_TIMESTAMP || f->kind == ARROW_INTERVAL
                         ? ARROW_SECOND
                         : ARROW_MILLI;
    int64_t unit = flat_int(p->f, type, FIRST, 2, absent);
    int64_t max = f->kind == ARROW_DATE       ? 1
                  : f->kind == ARROW_INTERVAL ? ARROW_MONTH_DAY_NANO
                                              : ARROW_NANO;

    if (unit < 0 || unit > max)
        return refuse(p, f, unit);
    f->unit = (int)unit;
    if (f->kind == ARROW_INTERVAL)
        f->bits = interval_bits[unit];
    else if (f->kind == ARROW_DATE)
        f->bits = unit == 0 ? 32 : 64;
    else if (f->kind == ARROW_TIME)
        f->bits = unit <= ARROW_MILLI ? 32 : 64;
    else
        f->bits = 64;
    return true;
}

static bool
read_type(const struct parse *p, size_t type, struct arrow_field *f)
{
    int64_t x;

    switch (f->kind) {
    case ARROW_INT:
        return read_int(p, type, f);
    case ARROW_FLOAT:
        x = flat_int(p->f, type, FIRST, 2, 0);
        f->bits = (size_t)16 << (x & 3);
        return (x >= 0 && x <= 2) || refuse(p, f, x);
    case ARROW_DECIMAL:
        return read_decimal(p, type, f);
    case ARROW_DATE:
    case ARROW_TIME:
    case ARROW_TIMESTAMP:
    case ARROW_INTERVAL:
    case ARROW_DURATION:
        return read_unit(p, type, f);
    case ARROW_FIXED_BINARY:
        x = flat_int(p->f, type, FIRST, 4, 0);
        f->bits = (size_t)x * 8;
        return x >= 0 || refuse(p, f, x);
    case ARROW_FIXED_LIST:
        x = flat_int(p->f, type, FIRST, 4, 0);
        f->list_size = (size_t)x;
        return x >= 0 || refuse(p, f, x);
    default:
        return true;
    }
}

static bool
has_one_child(enum arrow_kind k)
{
    return k == ARROW_LIST || k == ARROW_LARGE_LIST || k == ARROW_FIXED_LIST ||
           k == ARROW_MAP || k == ARROW_LIST_VIEW || k == ARROW_LARGE_LIST_VIEW;
}

static bool
check_shape(const struct parse *p, const struct arrow_field *f)
{
    size_t want = has_one_child(f->kind) ? 1 : 0;

    if (f->kind < ARROW_NULL || f->kind > ARROW_LARGE_LIST_VIEW ||
        f->kind == ARROW_UNION || f->kind == ARROW_RUN_END)
        return error_set(p->err, ERR_PARSE,
                         "column '%.*s' is of type %s, which is not read",
                         (int)f->name.n, f->name.p, arrow_kind_word(f->kind));
    if ((f->kind != ARROW_STRUCT && f->n_children != want) ||
        (f->kind == ARROW_MAP &&
         (f->child[0].kind != ARROW_STRUCT || f->child[0].n_children != 2)))
        return error_set(p->err, ERR_PARSE, "column '%.*s': %s of %zu fields",
                         (int)f->name.n, f->name.p, arrow_kind_word(f->kind),
                         f->n_children);
    return true;
}

/* ---- fields ---- */

static bool
read_index(const struct parse *p, size_t dictionary, struct arrow_field *f)
{
    struct arrow_field *x = arena_try(&p->a->arena, 1, sizeof *x, p->err);
    size_t type;

    if (!x)
        return false;
    *x = (struct arrow_field){
        .name = f->name, .kind = ARROW_INT, .bits = 32, .is_signed = true};
    f->index = x;
    type = flat_table(p->f, dictionary, DICTIONARY_INDEX);
    return type == 0 || read_int(p, type, x);
}

static bool
holds_dictionary(const struct arrow_field *f)
{
    for (size_t i = 0; i < f->n_children; i++)
        if (f->child[i].dict || holds_dictionary(&f->child[i]))
            return true;
    return false;
}

/* Two fields may share one dictionary: then they are of one type. */
static bool
join_dictionary(const struct parse *p, size_t dictionary, struct arrow_field *f)
{
    struct arrow_schema *s = &p->a->schema;
    int64_t id = flat_int(p->f, dictionary, DICTIONARY_ID, 8, 0);
    size_t i = 0;

    if (holds_dictionary(f))
        return error_set(p->err, ERR_PARSE,
                         "column '%.*s': a dictionary within a dictionary",
                         (int)f->name.n, f->name.p);
    while (i < s->n_dicts && s->dict[i].id != id)
        i++;
    if (i == s->n_dicts)
        s->dict[s->n_dicts++] =
            (struct arrow_dictionary){.id = id, .field = *f};
    else if (s->dict[i].field.kind != f->kind ||
             s->dict[i].field.bits != f->bits)
        return error_set(p->err, ERR_PARSE,
                         "column '%.*s': dictionary %lld has another type",
                         (int)f->name.n, f->name.p, (long long)id);
    f->dict = &s->dict[i];
    return read_index(p, dictionary, f);
}

static bool read_field(struct parse *p, size_t table, struct arrow_field *f,
                       unsigned depth);

static bool
read_fields(struct parse *p, size_t at, size_t n, struct arrow_field **out,
            unsigned depth)
{
    if (n > p->n_left || depth > MAX_DEPTH)
        return error_set(p->err, ERR_PARSE, "the schema has %s",
                         depth > MAX_DEPTH ? "too deep a nesting"
                                           : "more fields than bytes");
    p->n_left -= n;
    if (!(*out = arena_try(&p->a->arena, n, sizeof **out, p->err)))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!read_field(p, flat_element(p->f, at, i), *out + i, depth))
            return false;
    return true;
}

/* The name is copied: the bytes of the schema need not outlive the reading. */
static bool
read_field(struct parse *p, size_t table, struct arrow_field *f, unsigned depth)
{
    struct str name = flat_text(p->f, table, FIELD_NAME);
    char *copy = arena_text(&p->a->arena, name.p, name.n, p->err);
    size_t n, at, type, dictionary;

    if (!copy)
        return false;
    *f = (struct arrow_field){.name = {copy, name.n}};
    f->kind =
        (enum arrow_kind)(uint8_t)flat_int(p->f, table, FIELD_TYPE_KIND, 1, 0);
    type = flat_table(p->f, table, FIELD_TYPE);
    at = flat_vector(p->f, table, FIELD_CHILDREN, 4, &n);
    f->n_children = n;
    if (!read_fields(p, at, n, &f->child, depth + 1))
        return false;
    if (p->f->bad)
        return error_set(p->err, ERR_PARSE, "the schema is damaged");
    if (!check_shape(p, f) || !read_type(p, type, f))
        return false;
    dictionary = flat_table(p->f, table, FIELD_DICTIONARY);
    return dictionary == 0 || join_dictionary(p, dictionary, f);
}

bool
arrow_schema_read(struct arrow_file *a, struct flat *f, size_t schema,
                  struct error *err)
{
    struct parse p = {a, f, f->s.n / 8, err};
    struct arrow_schema *s = &a->schema;
    size_t n, at;

    /* No more dictionaries than fields, and those are moved nowhere: fields
     * point to them. */
    if (!(s->dict = arena_try(&a->arena, p.n_left, sizeof *s->dict, err)))
        return false;
    s->big_endian = flat_int(f, schema, SCHEMA_ENDIANNESS, 2, 0) != 0;
    at = flat_vector(f, schema, SCHEMA_FIELDS, 4, &n);
    s->n_fields = n;
    return read_fields(&p, at, n, &s->field, 0) &&
           (!f->bad || error_set(err, ERR_PARSE, "the schema is damaged"));
}
