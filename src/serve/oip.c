/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/oip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/oip_output.h"

enum { MAX_DIMS = 8 };

enum number_kind { KIND_BOOL, KIND_UINT, KIND_INT, KIND_FLOAT, KIND_BYTES };

static const struct datatype {
    const char *name;
    enum number_kind kind;
    size_t size; /* bytes; 0: they vary */
} datatypes[] = {{"FP64", KIND_FLOAT, 8},  {"FP32", KIND_FLOAT, 4},
                 {"FP16", KIND_FLOAT, 2},  {"INT64", KIND_INT, 8},
                 {"INT32", KIND_INT, 4},   {"INT16", KIND_INT, 2},
                 {"INT8", KIND_INT, 1},    {"UINT64", KIND_UINT, 8},
                 {"UINT32", KIND_UINT, 4}, {"UINT16", KIND_UINT, 2},
                 {"UINT8", KIND_UINT, 1},  {"BOOL", KIND_BOOL, 1},
                 {"BYTES", KIND_BYTES, 0}};
enum { N_DATATYPES = sizeof datatypes / sizeof datatypes[0] };

struct tensor {
    const char *name;
    const struct datatype *type;
    size_t n_rows, n_cols;    /* shape, as rows of the model */
    size_t first;             /* its first input; the others follow */
    const struct json **leaf; /* n_rows * n_cols values, or... */
    struct str raw;           /* ...bytes not read yet */
};

struct reader {
    const struct model *model;
    const struct input *input;
    size_t n_inputs;
    struct tensor *tensor;
    size_t n_tensors;
    struct str raw; /* binary tensors not yet given out */
    struct rows *rows;
    bool binary_output, allow_missing;
};

/* ---- tensors ---- */

static const struct datatype *
find_datatype(const char *name)
{
    for (size_t i = 0; i < N_DATATYPES; i++)
        if (!strcmp(datatypes[i].name, name))
            return &datatypes[i];
    return NULL;
}

static bool
is_numeric(enum col_type t)
{
    return t == COL_BOOL || t == COL_INT64 || t == COL_FLOAT64;
}

static bool
read_shape(const struct json *v, struct tensor *t, struct error *err)
{
    size_t dim[MAX_DIMS], n = 0;

    for (v = json_first(v); v; v = json_next(v)) {
        double x = json_type(v) == JSON_NUMBER ? json_number(v) : -1;

        if (n == MAX_DIMS || x < 0 || x > 0x1p53 || x != floor(x))
            return error_set(err, ERR_RANGE,
                             "input '%s': shape must be whole numbers from 0 "
                             "on, at most %d of them",
                             t->name, MAX_DIMS);
        dim[n++] = (size_t)x;
    }
    if (!n)
        return error_set(err, ERR_RANGE,
                         "input '%s': shape is [], expected [rows]", t->name);
    t->n_rows = dim[0];
    t->n_cols = 1;
    for (size_t i = 1; i < n; i++)
        if (!mem_mul(t->n_cols, dim[i], &t->n_cols))
            return error_set(err, ERR_RANGE, "input '%s': shape overflows",
                             t->name);
    return true;
}

/* Which input, or run of inputs, a tensor fills. */
static bool
place_tensor(struct reader *r, struct tensor *t, size_t n_tensors,
             struct error *err)
{
    long i = rows_find(r->rows, t->name);
    size_t numeric = 0;

    for (size_t k = 0; k < r->n_inputs; k++)
        numeric += is_numeric(r->input[k].type);
    if (i < 0 && (n_tensors > 1 || numeric < r->n_inputs))
        return error_set(err, ERR_NOTFOUND, "the model has no input '%s'",
                         t->name);
    t->first = i < 0 ? 0 : (size_t)i;
    if (t->n_cols != (i < 0 ? r->n_inputs : 1))
        return error_set(err, ERR_RANGE,
                         "input '%s': %zu values a row, expected %zu", t->name,
                         t->n_cols, i < 0 ? r->n_inputs : (size_t)1);
    if (t->type->kind != KIND_BYTES && !is_numeric(r->input[t->first].type))
        return error_set(err, ERR_TYPE,
                         "input '%s': datatype is %s, expected BYTES", t->name,
                         t->type->name);
    for (const struct tensor *u = r->tensor; u < t; u++)
        if (u->first == t->first)
            return error_set(err, ERR_EXISTS, "input '%s' is there twice",
                             t->name);
    return true;
}

static size_t
count_leaves(const struct json *v)
{
    size_t n = 0;

    for (v = json_first(v); v; v = json_next(v))
        n += json_type(v) == JSON_ARRAY ? count_leaves(v) : 1;
    return n;
}

/* Depth is bounded by the parser. */
static const struct json **
list_leaves(const struct json *v, const struct json **out)
{
    for (v = json_first(v); v; v = json_next(v)) {
        if (json_type(v) == JSON_ARRAY)
            out = list_leaves(v, out);
        else
            *out++ = v;
    }
    return out;
}

static bool
read_data(struct tensor *t, const struct json *v, struct error *err)
{
    size_t n = count_leaves(v), want;

    if (!mem_mul(t->n_rows, t->n_cols, &want) || n != want)
        return error_set(err, ERR_RANGE,
                         "input '%s': data has %zu values, its shape says %zu "
                         "x %zu",
                         t->name, n, t->n_rows, t->n_cols);
    if (!(t->leaf = mem_try_array(n, sizeof(void *), err)))
        return false;
    list_leaves(v, t->leaf);
    return true;
}

static bool
read_raw(struct reader *r, struct tensor *t, double size, struct error *err)
{
    size_t n, bytes;

    if (size < 0 || size != floor(size) || size > (double)r->raw.n)
        return error_set(err, ERR_RANGE,
                         "input '%s': binary_data_size is %.17g, %zu bytes "
                         "follow the JSON",
                         t->name, size, r->raw.n);
    t->raw = (struct str){r->raw.p, (size_t)size};
    r->raw.p += t->raw.n;
    r->raw.n -= t->raw.n;
    /* A text takes four bytes at least, for its length. */
    if (!mem_mul(t->n_rows, t->n_cols, &n) ||
        !mem_mul(n, t->type->size ? t->type->size : 4, &bytes) ||
        bytes > t->raw.n || (t->type->size && bytes < t->raw.n))
        return error_set(err, ERR_RANGE,
                         "input '%s': %zu bytes of %s, its shape says %zu x "
                         "%zu",
                         t->name, t->raw.n, t->type->name, t->n_rows,
                         t->n_cols);
    return true;
}

static bool
read_tensor(struct reader *r, const struct json *v, struct tensor *t,
            size_t n_tensors, struct error *err)
{
    const struct json *shape, *size = json_find(v, "parameters");
    const struct json *data = json_find(v, "data");
    const char *type;

    if (!json_get_string(v, "name", &t->name, err))
        return error_prefix(err, "inputs: ");
    if (!json_get_string(v, "datatype", &type, err) ||
        !json_get_array(v, "shape", &shape, err))
        return error_prefix(err, "input '%s': ", t->name);
    if (!(t->type = find_datatype(type)))
        return error_set(err, ERR_TYPE, "input '%s': no datatype '%s'", t->name,
                         type);
    if (!read_shape(shape, t, err) || !place_tensor(r, t, n_tensors, err))
        return false;
    if (size && json_type(size) == JSON_OBJECT)
        size = json_find(size, "binary_data_size");
    else
        size = NULL;
    if (size && json_type(size) == JSON_NUMBER && !data)
        return read_raw(r, t, json_number(size), err);
    if (data && json_type(data) == JSON_ARRAY)
        return read_data(t, data, err);
    return error_set(err, ERR_PARSE, "input '%s': no array 'data'", t->name);
}

static bool
read_tensors(struct reader *r, const struct json *list, struct error *err)
{
    size_t n = json_len(list);

    if (!n)
        return error_set(err, ERR_RANGE, "'inputs' is empty");
    if (n > r->n_inputs)
        return error_set(err, ERR_RANGE, "%zu inputs, the model has %zu", n,
                         r->n_inputs);
    if (!(r->tensor = mem_try_array(n, sizeof *r->tensor, err)))
        return false;
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        struct tensor *t = &r->tensor[r->n_tensors++];

        if (json_type(v) != JSON_OBJECT)
            return error_set(err, ERR_TYPE,
                             "inputs: item %zu is %s, expected an object",
                             r->n_tensors, json_type_word(v));
        if (!read_tensor(r, v, t, n, err))
            return false;
        if (t->n_rows != r->tensor[0].n_rows)
            return error_set(err, ERR_RANGE,
                             "input '%s' has %zu rows, '%s' has %zu", t->name,
                             t->n_rows, r->tensor[0].name, r->tensor[0].n_rows);
    }
    if (r->raw.n)
        return error_set(err, ERR_RANGE,
                         "%zu bytes after the last binary tensor", r->raw.n);
    return true;
}

static bool
check_all_there(const struct reader *r, struct error *err)
{
    for (size_t i = 0; i < r->n_inputs && !r->allow_missing; i++) {
        bool found = false;

        for (size_t k = 0; k < r->n_tensors; k++)
            found = found || (i >= r->tensor[k].first &&
                              i < r->tensor[k].first + r->tensor[k].n_cols);
        if (!found)
            return error_set(err, ERR_NOTFOUND, "no input '%s'",
                             r->input[i].name);
    }
    return true;
}

/* ---- values ---- */

static bool
bad_value(const struct tensor *t, size_t row, struct error *err)
{
    return error_set(err, ERR_TYPE, "input '%s': row %zu: not of datatype %s",
                     t->name, row + 1, t->type->name);
}

/* Does x fit an integer of `size` bytes? */
static bool
fits(double x, const struct datatype *d)
{
    int bits = (int)d->size * 8;
    double low = d->kind == KIND_INT ? -ldexp(1, bits - 1) : 0;
    double high = d->kind == KIND_INT ? ldexp(1, bits - 1) : ldexp(1, bits);

    return x == floor(x) && x >= low && x < high;
}

static bool
json_cell(const struct tensor *t, size_t at, struct cell *c, struct error *err)
{
    const struct json *v = t->leaf[at];
    enum json_type type = json_type(v);
    enum number_kind kind = t->type->kind;

    if (type == JSON_NULL)
        return true;
    if (type == JSON_STRING && kind == KIND_BYTES) {
        c->kind = CELL_TEXT;
        c->text = str_of(json_string(v));
        return true;
    }
    if (type == JSON_BOOL && kind == KIND_BOOL) {
        c->kind = CELL_TRUTH;
        c->number = json_is_true(v);
        return true;
    }
    if (type != JSON_NUMBER || kind == KIND_BYTES || kind == KIND_BOOL ||
        !isfinite(json_number(v)) ||
        (kind != KIND_FLOAT && !fits(json_number(v), t->type)))
        return bad_value(t, at / t->n_cols, err);
    c->kind = CELL_NUMBER;
    c->number = json_number(v);
    return true;
}

static uint64_t
little_endian(const char *p, size_t n)
{
    uint64_t x = 0;

    for (size_t i = 0; i < n; i++)
        x |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return x;
}

static double
half_to_double(uint64_t h)
{
    int exponent = (int)(h >> 10 & 31);
    double fraction = (double)(h & 1023), x;

    if (exponent == 31)
        x = fraction > 0 ? NAN : INFINITY;
    else if (exponent == 0)
        x = ldexp(fraction, -24);
    else
        x = ldexp(fraction + 1024, exponent - 25);
    return h >> 15 ? -x : x;
}

static double
raw_number(const struct datatype *d, const char *p)
{
    uint64_t u = little_endian(p, d->size);
    uint32_t low = (uint32_t)u;
    double x;
    float f;

    if (d->kind == KIND_UINT)
        return (double)u;
    if (d->kind == KIND_INT) {
        unsigned shift = 64 - 8 * (unsigned)d->size;

        return (double)((int64_t)(u << shift) >> shift);
    }
    if (d->size == 2)
        return half_to_double(u);
    if (d->size == 4) {
        memcpy(&f, &low, sizeof f);
        return f;
    }
    memcpy(&x, &u, sizeof x);
    return x;
}

/* Values are taken in order: t->raw moves on. */
static bool
raw_cell(struct tensor *t, size_t at, struct cell *c, struct error *err)
{
    size_t n = t->type->size;

    if (t->type->kind == KIND_BYTES) {
        if (t->raw.n < 4 || little_endian(t->raw.p, 4) > t->raw.n - 4)
            return error_set(err, ERR_RANGE,
                             "input '%s': row %zu: its bytes end too early",
                             t->name, at / t->n_cols + 1);
        n = (size_t)little_endian(t->raw.p, 4);
        c->kind = CELL_TEXT;
        c->text = (struct str){t->raw.p + 4, n};
        if (!str_utf8_valid(c->text))
            return error_set(err, ERR_TYPE,
                             "input '%s': row %zu: not valid UTF-8", t->name,
                             at / t->n_cols + 1);
        n += 4;
    } else if (t->type->kind == KIND_BOOL) {
        c->kind = CELL_TRUTH;
        c->number = t->raw.p[0] != 0;
    } else {
        c->number = raw_number(t->type, t->raw.p);
        c->kind = isnan(c->number) ? CELL_MISSING : CELL_NUMBER;
        if (isinf(c->number))
            return bad_value(t, at / t->n_cols, err);
    }
    t->raw.p += n;
    t->raw.n -= n;
    return true;
}

static bool
put_tensor_row(struct reader *r, struct tensor *t, size_t row,
               struct error *err)
{
    for (size_t k = 0; k < t->n_cols; k++) {
        struct cell c = {.kind = CELL_MISSING};
        size_t at = row * t->n_cols + k;

        if (!(t->leaf ? json_cell(t, at, &c, err) : raw_cell(t, at, &c, err)) ||
            !rows_put(r->rows, t->first + k, &c, err))
            return false;
    }
    return true;
}

static bool
put_rows(struct reader *r, struct error *err)
{
    if (!rows_reserve(r->rows, r->tensor[0].n_rows, err))
        return false;
    for (size_t row = 0; row < r->tensor[0].n_rows; row++) {
        for (size_t k = 0; k < r->n_tensors; k++)
            if (!put_tensor_row(r, &r->tensor[k], row, err))
                return false;
        if (!rows_end(r->rows, err))
            return false;
    }
    for (size_t k = 0; k < r->n_tensors; k++)
        if (!r->tensor[k].leaf && r->tensor[k].raw.n)
            return error_set(err, ERR_RANGE,
                             "input '%s': %zu bytes after its last value",
                             r->tensor[k].name, r->tensor[k].raw.n);
    return true;
}

/* ---- the request ---- */

static bool
read_flag(const struct json *object, const char *key, bool fallback)
{
    const struct json *v = json_find(object, "parameters");

    if (v && json_type(v) == JSON_OBJECT && (v = json_find(v, key)) &&
        json_type(v) == JSON_BOOL)
        return json_is_true(v);
    return fallback;
}

static bool
read_output(const struct reader *r, const struct json *v, struct oip_request *q,
            struct error *err)
{
    size_t n = oip_outputs(r->model), which = 0;
    const char *name;
    struct oip_output o;

    if (json_type(v) != JSON_OBJECT || !json_get_string(v, "name", &name, err))
        return error_set(err, ERR_TYPE,
                         "outputs: expected objects with a name");
    for (; which < n; which++) {
        oip_output(r->model, which, &o);
        if (!strcmp(name, o.name))
            break;
    }
    if (which == n)
        return error_set(err, ERR_NOTFOUND, "the model has no output '%s'",
                         name);
    for (size_t i = 0; i < q->n_outputs; i++)
        if (q->output[i].which == which)
            return error_set(err, ERR_EXISTS, "output '%s' is there twice",
                             name);
    q->output[q->n_outputs].which = which;
    q->output[q->n_outputs++].binary =
        read_flag(v, "binary_data", r->binary_output);
    return true;
}

static bool
read_outputs(const struct reader *r, const struct json *list,
             struct oip_request *q, struct error *err)
{
    if (!list) {
        q->n_outputs = oip_outputs(r->model);
        for (size_t i = 0; i < q->n_outputs; i++) {
            q->output[i].which = i;
            q->output[i].binary = r->binary_output;
        }
        return true;
    }
    if (json_type(list) != JSON_ARRAY)
        return error_set(err, ERR_TYPE, "'outputs' is %s, expected an array",
                         json_type_word(list));
    for (const struct json *v = json_first(list); v; v = json_next(v))
        if (!read_output(r, v, q, err))
            return false;
    return true;
}

static bool
read_request(struct reader *r, const struct json *root, struct oip_request *q,
             struct error *err)
{
    const struct json *inputs, *id;

    if (!json_get_array(root, "inputs", &inputs, err))
        return error_prefix(err, "the body: ");
    r->binary_output = read_flag(root, "binary_data_output", false);
    r->allow_missing = read_flag(root, "allow_missing", false);
    rows_allow_missing(r->rows, r->allow_missing);
    id = json_find(root, "id");
    if (id && json_type(id) != JSON_STRING)
        return error_set(err, ERR_TYPE, "'id' is %s, expected a text",
                         json_type_word(id));
    if (id &&
        !(q->id = mem_try_text(json_string(id), strlen(json_string(id)), err)))
        return false;
    return read_outputs(r, json_find(root, "outputs"), q, err) &&
           read_tensors(r, inputs, err) && check_all_there(r, err) &&
           put_rows(r, err);
}

/* The whole body is the one value of the only input. */
static bool
read_bare(struct reader *r, struct str body, struct oip_request *q,
          struct error *err)
{
    struct cell c = {.kind = CELL_TEXT, .text = body};

    if (r->n_inputs != 1)
        return error_set(err, ERR_RANGE,
                         "a body without JSON is for models with one input, "
                         "this one has %zu",
                         r->n_inputs);
    if (is_numeric(r->input[0].type)) {
        if (body.n != 8)
            return error_set(err, ERR_RANGE,
                             "input '%s': %zu bytes, expected 8 (FP64)",
                             r->input[0].name, body.n);
        c.number = raw_number(&datatypes[0], body.p);
        c.kind = isnan(c.number) ? CELL_MISSING : CELL_NUMBER;
    } else if (!str_utf8_valid(body)) {
        return error_set(err, ERR_TYPE, "input '%s': not valid UTF-8",
                         r->input[0].name);
    }
    r->binary_output = true;
    return read_outputs(r, NULL, q, err) && rows_reserve(r->rows, 1, err) &&
           rows_put(r->rows, 0, &c, err) && rows_end(r->rows, err);
}

static bool
read_body(struct reader *r, struct str body, const char *header,
          struct oip_request *q, struct error *err)
{
    struct json *root;
    int64_t n = 0;
    bool ok;

    if (header) {
        if (!str_to_i64(str_of(header), &n) || n < 0 || (uint64_t)n > body.n)
            return error_set(err, ERR_RANGE,
                             "Inference-Header-Content-Length is '%s', the "
                             "body has %zu bytes",
                             header, body.n);
        if (n == 0)
            return read_bare(r, body, q, err);
        r->raw = (struct str){body.p + n, body.n - (size_t)n};
        body.n = (size_t)n;
    }
    if (!(root = json_parse(body, err)))
        return error_prefix(err, "the body: ");
    ok = read_request(r, root, q, err);
    json_free(root);
    return ok;
}

bool
oip_parse(const struct rows_form *form, struct str body, const char *header,
          struct oip_request *out, struct error *err)
{
    struct reader r = {.model = rows_form_model(form)};
    bool ok;

    memset(out, 0, sizeof *out);
    if (!(r.rows = rows_new(form, err)))
        return false;
    r.input = rows_inputs(r.rows, &r.n_inputs);
    ok = read_body(&r, body, header, out, err);
    if (ok) {
        out->rows = rows_finish(r.rows, err);
        r.rows = NULL;
        ok = out->rows != NULL;
    }
    for (size_t i = 0; i < r.n_tensors; i++)
        free(r.tensor[i].leaf);
    free(r.tensor);
    rows_free(r.rows);
    if (!ok)
        oip_request_fini(out);
    return ok;
}

void
oip_request_fini(struct oip_request *q)
{
    frame_unref(q->rows);
    free(q->id);
    memset(q, 0, sizeof *q);
}
