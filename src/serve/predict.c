/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/predict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/builder.h"
#include "frame/csv.h"

enum { SHOWN = 40 }; /* bytes of a bad value in a message */

struct predict_rows {
    const struct input *input;
    size_t n_inputs;
    size_t row;  /* at hand, from 0 */
    size_t next; /* the input asked for next, if they come in order */
    bool *seen;  /* inputs of the row at hand */
    bool allow_missing;
    struct builder *builder;
};

/* The type a column is built with: every number that is not a truth value is
 * read as a double, for a client may send 3.0 where the training table had
 * whole numbers. */
static enum col_type
built_type(enum col_type t)
{
    return t == COL_INT64 ? COL_FLOAT64 : t;
}

static struct builder *
new_builder(const struct input *in, size_t n, struct error *err)
{
    const char **names = mem_try_array(n, sizeof *names, err);
    enum col_type *types = mem_try_array(n, sizeof *types, err);
    struct builder *b = NULL;

    if (names && types) {
        for (size_t i = 0; i < n; i++) {
            names[i] = in[i].name;
            types[i] = built_type(in[i].type);
        }
        b = builder_new(n, names, types, err);
    }
    free(names);
    free(types);
    return b;
}

struct predict_rows *
predict_rows_new(const struct model *m, struct error *err)
{
    struct predict_rows *r = mem_try_array(1, sizeof *r, err);

    if (!r)
        return NULL;
    r->input = model_inputs(m, &r->n_inputs);
    if ((r->seen = mem_try_array(r->n_inputs, sizeof *r->seen, err)) &&
        (r->builder = new_builder(r->input, r->n_inputs, err)))
        return r;
    predict_rows_free(r);
    return NULL;
}

void
predict_rows_free(struct predict_rows *r)
{
    if (!r)
        return;
    builder_free(r->builder);
    free(r->seen);
    free(r);
}

void
predict_rows_allow_missing(struct predict_rows *r, bool allow)
{
    r->allow_missing = allow;
}

long
predict_rows_find(struct predict_rows *r, const char *name)
{
    for (size_t k = 0; k < r->n_inputs; k++) {
        size_t i = (r->next + k) % r->n_inputs;

        if (!strcmp(r->input[i].name, name)) {
            r->next = i + 1;
            return (long)i;
        }
    }
    return -1;
}

static const char *
expected(enum col_type t)
{
    switch (t) {
    case COL_BOOL:
        return "true or false";
    case COL_INT64:
    case COL_FLOAT64:
        return "a number";
    case COL_TEXT:
        return "a text";
    case COL_DATE:
        return "a date as \"2026-01-31\"";
    case COL_TIMESTAMP:
        break;
    }
    return "a time as \"2026-01-31 12:00:00\"";
}

static bool
refuse(const struct predict_rows *r, size_t i, const struct cell *c,
       struct error *err)
{
    char number[STR_F64_MAX];
    struct str s = c->text;
    const char *quote = c->kind == CELL_TEXT ? "'" : "", *more = "";

    if (c->kind == CELL_TRUTH) {
        s = str_of(c->number != 0 ? "true" : "false");
    } else if (c->kind == CELL_NUMBER) {
        s.n = str_from_f64(c->number, number);
        s.p = number;
    } else if (s.n > SHOWN) {
        more = "...";
        for (s.n = SHOWN; s.n && ((unsigned char)s.p[s.n] & 0xc0) == 0x80;)
            s.n--;
    }
    return error_set(
        err, ERR_TYPE, "row %zu: field '%s' is %s%.*s%s%s, expected %s%s",
        r->row + 1, r->input[i].name, quote, (int)s.n, s.p, more, quote,
        expected(r->input[i].type),
        c->kind == CELL_TEXT && !c->text.n ? " (null where it is missing)"
                                           : "");
}

static bool
put_number(struct predict_rows *r, size_t i, const struct cell *c,
           struct error *err)
{
    double x = c->number;

    if (c->kind == CELL_TEXT && !str_to_f64(str_trim(c->text), &x))
        return refuse(r, i, c, err);
    if (isnan(x)) /* "nan" is how some clients write a missing number */
        return true;
    return builder_f64(r->builder, i, x, err);
}

static bool
put_bool(struct predict_rows *r, size_t i, const struct cell *c,
         struct error *err)
{
    double x = c->number;

    if (c->kind == CELL_TEXT) {
        if (str_eq_nocase(c->text, STR("true")) || str_is(c->text, "1"))
            x = 1;
        else if (str_eq_nocase(c->text, STR("false")) || str_is(c->text, "0"))
            x = 0;
        else
            return refuse(r, i, c, err);
    }
    if (x != 0 && x != 1)
        return refuse(r, i, c, err);
    return builder_i64(r->builder, i, x != 0, err);
}

static bool
put_time(struct predict_rows *r, size_t i, const struct cell *c,
         struct error *err)
{
    const int64_t day_us = INT64_C(86400000000);
    bool date = r->input[i].type == COL_DATE;
    int64_t us;
    int32_t days;

    if (c->kind != CELL_TEXT)
        return refuse(r, i, c, err);
    if (str_to_date(c->text, &days))
        return builder_i64(r->builder, i, date ? days : days * day_us, err);
    if (date || !str_to_timestamp(c->text, &us))
        return refuse(r, i, c, err);
    return builder_i64(r->builder, i, us, err);
}

bool
predict_rows_put(struct predict_rows *r, size_t i, const struct cell *c,
                 struct error *err)
{
    r->seen[i] = true;
    if (c->kind == CELL_MISSING)
        return true;
    switch (r->input[i].type) {
    case COL_BOOL:
        return put_bool(r, i, c, err);
    case COL_INT64:
    case COL_FLOAT64:
        return put_number(r, i, c, err);
    case COL_TEXT:
        if (c->kind != CELL_TEXT)
            return refuse(r, i, c, err);
        return builder_text(r->builder, i, c->text, err);
    case COL_DATE:
    case COL_TIMESTAMP:
        break;
    }
    return put_time(r, i, c, err);
}

bool
predict_rows_put_json(struct predict_rows *r, size_t i, const struct json *v,
                      struct error *err)
{
    struct cell c = {.kind = CELL_MISSING};

    switch (json_type(v)) {
    case JSON_NULL:
        break;
    case JSON_BOOL:
        c.kind = CELL_TRUTH;
        c.number = json_is_true(v);
        break;
    case JSON_NUMBER:
        c.kind = CELL_NUMBER;
        c.number = json_number(v);
        if (!isfinite(c.number))
            return error_set(err, ERR_RANGE,
                             "row %zu: field '%s': the number is too large",
                             r->row + 1, r->input[i].name);
        break;
    case JSON_STRING:
        c.kind = CELL_TEXT;
        c.text = str_of(json_string(v));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        return error_set(
            err, ERR_TYPE, "row %zu: field '%s' is %s, expected %s", r->row + 1,
            r->input[i].name, json_type_word(v), expected(r->input[i].type));
    }
    return predict_rows_put(r, i, &c, err);
}

bool
predict_rows_end(struct predict_rows *r, struct error *err)
{
    for (size_t i = 0; i < r->n_inputs && !r->allow_missing; i++)
        if (!r->seen[i])
            return error_set(err, ERR_NOTFOUND,
                             "row %zu: no field '%s' (null where it is "
                             "missing)",
                             r->row + 1, r->input[i].name);
    memset(r->seen, 0, r->n_inputs * sizeof *r->seen);
    r->row++;
    r->next = 0;
    return builder_end_row(r->builder, err);
}

struct frame *
predict_rows_finish(struct predict_rows *r, struct error *err)
{
    struct frame *f = builder_finish(r->builder, err);

    r->builder = NULL;
    predict_rows_free(r);
    return f;
}

/* ---- MLflow's JSON forms ---- */

/* A field that no input has, but nearly: where inputs may be left out, a
 * misspelt one would pass for missing. */
static bool
check_spelling(const struct predict_rows *r, const struct json *row,
               struct error *err)
{
    const char **absent = mem_try_array(r->n_inputs, sizeof *absent, err);
    const char *near = NULL;
    size_t n = 0;

    if (!absent)
        return false;
    for (size_t i = 0; i < r->n_inputs; i++)
        if (!r->seen[i])
            absent[n++] = r->input[i].name;
    for (const struct json *v = json_first(row); v && !near; v = json_next(v)) {
        near = str_nearest(str_of(json_key(v)), absent, n);
        if (near)
            error_set(err, ERR_NOTFOUND,
                      "row %zu: no input '%s' (did you mean '%s'?)", r->row + 1,
                      json_key(v), near);
    }
    free(absent);
    return !near;
}

static bool
put_record(struct predict_rows *r, const struct json *row, struct error *err)
{
    if (json_type(row) != JSON_OBJECT)
        return error_set(err, ERR_TYPE, "row %zu is %s, expected an object",
                         r->row + 1, json_type_word(row));
    for (const struct json *v = json_first(row); v; v = json_next(v)) {
        long i = predict_rows_find(r, json_key(v));

        if (i >= 0 && !predict_rows_put_json(r, (size_t)i, v, err))
            return false;
    }
    if (r->allow_missing && !check_spelling(r, row, err))
        return false;
    return predict_rows_end(r, err);
}

/* place[k]: the input of the row's k-th value, or -1. */
static bool
put_array(struct predict_rows *r, const struct json *row, const long *place,
          size_t n, struct error *err)
{
    const struct json *v = json_first(row);

    if (json_type(row) != JSON_ARRAY)
        return error_set(err, ERR_TYPE, "row %zu is %s, expected an array",
                         r->row + 1, json_type_word(row));
    if (json_len(row) != n)
        return error_set(err, ERR_RANGE, "row %zu: %zu values, expected %zu",
                         r->row + 1, json_len(row), n);
    for (size_t k = 0; k < n; k++, v = json_next(v))
        if (place[k] >= 0 &&
            !predict_rows_put_json(r, (size_t)place[k], v, err))
            return false;
    return predict_rows_end(r, err);
}

/* All inputs, in their order. */
static long *
places_in_order(const struct predict_rows *r, struct error *err)
{
    long *place = mem_try_array(r->n_inputs, sizeof *place, err);

    for (size_t i = 0; place && i < r->n_inputs; i++)
        place[i] = (long)i;
    return place;
}

static bool
place_columns(struct predict_rows *r, const struct json *columns, long *place,
              struct error *err)
{
    const struct json *v = json_first(columns);

    for (size_t k = 0; v; k++, v = json_next(v)) {
        if (json_type(v) != JSON_STRING)
            return error_set(err, ERR_TYPE,
                             "dataframe_split: columns: item %zu is %s, "
                             "expected a text",
                             k + 1, json_type_word(v));
        place[k] = predict_rows_find(r, json_string(v));
        if (place[k] >= 0 && r->seen[place[k]])
            return error_set(err, ERR_EXISTS,
                             "dataframe_split: column '%s' is there twice",
                             json_string(v));
        if (place[k] >= 0)
            r->seen[place[k]] = true;
    }
    for (size_t i = 0; i < r->n_inputs && !r->allow_missing; i++)
        if (!r->seen[i])
            return error_set(err, ERR_NOTFOUND,
                             "dataframe_split: no column '%s'",
                             r->input[i].name);
    memset(r->seen, 0, r->n_inputs * sizeof *r->seen);
    return true;
}

static bool
put_split(struct predict_rows *r, const struct json *v, struct error *err)
{
    const struct json *columns, *data;
    size_t n;
    long *place;
    bool ok;

    if (json_type(v) != JSON_OBJECT)
        return error_set(err, ERR_TYPE,
                         "dataframe_split is %s, expected an object",
                         json_type_word(v));
    if (!json_get_array(v, "columns", &columns, err) ||
        !json_get_array(v, "data", &data, err))
        return error_prefix(err, "dataframe_split: ");
    n = json_len(columns);
    if (!(place = mem_try_array(n, sizeof *place, err)))
        return false;
    ok = place_columns(r, columns, place, err);
    for (v = json_first(data); ok && v; v = json_next(v))
        ok = put_array(r, v, place, n, err);
    free(place);
    return ok;
}

static bool
put_records(struct predict_rows *r, const struct json *v, struct error *err)
{
    if (json_type(v) != JSON_ARRAY)
        return error_set(err, ERR_TYPE,
                         "dataframe_records is %s, expected an array",
                         json_type_word(v));
    for (v = json_first(v); v; v = json_next(v))
        if (!put_record(r, v, err))
            return false;
    return true;
}

/* A list of rows; with one input, plain values will do. */
static bool
put_instances(struct predict_rows *r, const struct json *v, struct error *err)
{
    long *place;
    bool ok = true;

    if (json_type(v) != JSON_ARRAY)
        return error_set(err, ERR_TYPE, "instances is %s, expected an array",
                         json_type_word(v));
    if (!(place = places_in_order(r, err)))
        return false;
    for (v = json_first(v); ok && v; v = json_next(v)) {
        enum json_type t = json_type(v);

        if (t == JSON_OBJECT)
            ok = put_record(r, v, err);
        else if (t == JSON_ARRAY || r->n_inputs != 1)
            ok = put_array(r, v, place, r->n_inputs, err);
        else
            ok =
                predict_rows_put_json(r, 0, v, err) && predict_rows_end(r, err);
    }
    free(place);
    return ok;
}

/* The next value of each input's array; checks that they are equally long. */
static bool
open_columns(struct predict_rows *r, const struct json *v,
             const struct json **next, size_t *n_rows, struct error *err)
{
    bool any = false;

    for (v = json_first(v); v; v = json_next(v)) {
        long i = predict_rows_find(r, json_key(v));

        if (i < 0)
            continue;
        if (json_type(v) != JSON_ARRAY)
            return error_set(err, ERR_TYPE,
                             "inputs: field '%s' is %s, expected an array",
                             json_key(v), json_type_word(v));
        if (any && json_len(v) != *n_rows)
            return error_set(err, ERR_RANGE,
                             "inputs: field '%s' has %zu values, others have "
                             "%zu",
                             json_key(v), json_len(v), *n_rows);
        any = true;
        *n_rows = json_len(v);
        r->seen[i] = true;
        next[i] = json_first(v);
    }
    for (size_t i = 0; i < r->n_inputs && !r->allow_missing; i++)
        if (!r->seen[i])
            return error_set(err, ERR_NOTFOUND, "inputs: no field '%s'",
                             r->input[i].name);
    return true;
}

static bool
put_columns(struct predict_rows *r, const struct json *v, struct error *err)
{
    const struct json **next = mem_try_array(r->n_inputs, sizeof *next, err);
    size_t n_rows = 0;
    bool ok = next && open_columns(r, v, next, &n_rows, err);

    for (size_t row = 0; ok && row < n_rows; row++) {
        for (size_t i = 0; ok && i < r->n_inputs; i++) {
            if (!next[i])
                continue;
            /* [[1], [2]] is how a column of shape (n, 1) looks */
            v = next[i];
            if (json_type(v) == JSON_ARRAY && json_len(v) == 1)
                v = json_first(v);
            ok = predict_rows_put_json(r, i, v, err);
            next[i] = json_next(next[i]);
        }
        ok = ok && predict_rows_end(r, err);
    }
    free(next);
    return ok;
}

static bool
put_inputs(struct predict_rows *r, const struct json *v, struct error *err)
{
    if (json_type(v) == JSON_OBJECT)
        return put_columns(r, v, err);
    if (json_type(v) == JSON_ARRAY)
        return put_instances(r, v, err);
    return error_set(err, ERR_TYPE,
                     "inputs is %s, expected an object of arrays",
                     json_type_word(v));
}

static const struct form {
    const char *key;
    bool (*put)(struct predict_rows *r, const struct json *v,
                struct error *err);
} forms[] = {{"dataframe_split", put_split},
             {"dataframe_records", put_records},
             {"instances", put_instances},
             {"inputs", put_inputs}};
enum { N_FORMS = sizeof forms / sizeof forms[0] };

static bool
put_body(struct predict_rows *r, const struct json *root, struct error *err)
{
    const struct form *form = NULL;
    const struct json *value = NULL, *params;
    size_t n = 0;

    if (json_type(root) != JSON_OBJECT)
        return error_set(err, ERR_TYPE,
                         "the body is %s, expected an object with one of "
                         "dataframe_split, dataframe_records, instances, "
                         "inputs",
                         json_type_word(root));
    for (size_t i = 0; i < N_FORMS; i++) {
        const struct json *v = json_find(root, forms[i].key);

        if (v) {
            n++;
            value = v;
            form = &forms[i];
        }
    }
    if (n != 1)
        return error_set(err, ERR_PARSE,
                         "the body has %s of dataframe_split, "
                         "dataframe_records, instances, inputs, expected "
                         "exactly one",
                         n ? "more than one" : "none");
    params = json_find(root, "params");
    if (params && json_type(params) == JSON_OBJECT &&
        json_find(params, "allow_missing"))
        r->allow_missing = json_is_true(json_find(params, "allow_missing"));
    return form->put(r, value, err);
}

struct frame *
predict_parse_json(const struct model *m, struct str body, struct error *err)
{
    struct json *root = json_parse(body, err);
    struct predict_rows *r;
    struct frame *f = NULL;

    if (!root) {
        error_prefix(err, "the body: ");
        return NULL;
    }
    if ((r = predict_rows_new(m, err))) {
        if (put_body(r, root, err))
            f = predict_rows_finish(r, err);
        else
            predict_rows_free(r);
    }
    json_free(root);
    return f;
}

/* ---- CSV ---- */

/* Every input is read as text and converted here, so that a bad value is
 * told with its row and field, whatever form it came in. */
static bool
read_as_text(const struct predict_rows *r, struct str body, struct csv_table *t,
             struct error *err)
{
    struct buf names;
    const char **types = mem_try_array(r->n_inputs + 1, sizeof *types, err);
    size_t *at = mem_try_array(r->n_inputs, sizeof *at, err);
    struct csv_options o = {.delimiter = ',', .header = 1};
    bool ok = types && at;

    buf_init(&names);
    for (size_t i = 0; ok && i < r->n_inputs; i++) {
        at[i] = names.len;
        buf_printf(&names, "%s=text", r->input[i].name);
        buf_putc(&names, '\0');
    }
    ok = ok && buf_check(&names, err);
    if (ok) {
        for (size_t i = 0; i < r->n_inputs; i++)
            types[i] = names.data + at[i];
        o.types = types;
        ok = csv_parse(body, "the body", &o, NULL, NULL, t, err);
    }
    buf_fini(&names);
    free(types);
    free(at);
    return ok;
}

static bool
check_rejects(const struct csv_table *t, struct error *err)
{
    const struct frame *f = t->rejects;
    struct str why;

    if (!t->n_rejected)
        return true;
    why = column_text(frame_column(f, (size_t)frame_find(f, "reason")), 0);
    return error_set(
        err, ERR_PARSE, "the body: line %.0f: %.*s",
        column_number(frame_column(f, (size_t)frame_find(f, "line")), 0),
        (int)why.n, why.p);
}

static bool
put_table(struct predict_rows *r, const struct frame *f, struct error *err)
{
    for (size_t i = 0; i < r->n_inputs; i++)
        if (frame_find(f, r->input[i].name) < 0)
            return error_set(err, ERR_NOTFOUND, "the body: no column '%s'",
                             r->input[i].name);
    for (size_t row = 0; row < frame_rows(f); row++) {
        for (size_t i = 0; i < r->n_inputs; i++) {
            size_t col = (size_t)frame_find(f, r->input[i].name);
            const struct column *c = frame_column(f, col);
            struct cell v = {.kind = CELL_MISSING};

            if (column_is_valid(c, row)) {
                v.kind = CELL_TEXT;
                v.text = column_text(c, row);
            }
            if (!predict_rows_put(r, i, &v, err))
                return false;
        }
        if (!predict_rows_end(r, err))
            return false;
    }
    return true;
}

struct frame *
predict_parse_csv(const struct model *m, struct str body, struct error *err)
{
    struct predict_rows *r = predict_rows_new(m, err);
    struct csv_table t = {0};
    struct frame *f = NULL;

    if (!r || !read_as_text(r, body, &t, err))
        goto out;
    if (check_rejects(&t, err) && put_table(r, t.frame, err)) {
        f = predict_rows_finish(r, err);
        r = NULL;
    }
    csv_table_fini(&t);
out:
    predict_rows_free(r);
    return f;
}

/* ---- answers ---- */

void
predict_answer_json(const struct model *m, const struct prediction *p,
                    struct buf *out)
{
    const char *const *names;
    size_t n_classes = model_classes(m, &names);

    buf_puts(out, "{\"predictions\": [");
    for (size_t i = 0; i < p->n; i++) {
        if (i)
            buf_puts(out, ", ");
        if (p->k == 1) {
            buf_json_double(out, p->value[i]);
            continue;
        }
        for (size_t c = 0; c < p->k && c < n_classes; c++) {
            buf_puts(out, c ? ", " : "{");
            buf_json(out, names[c], strlen(names[c]));
            buf_puts(out, ": ");
            buf_json_double(out, p->value[i * p->k + c]);
        }
        buf_putc(out, '}');
    }
    buf_puts(out, "]}");
}

void
predict_answer_csv(const struct model *m, const struct prediction *p,
                   struct buf *out)
{
    (void)m;
    for (size_t i = 0; i < p->n; i++)
        for (size_t c = 0; c < p->k; c++) {
            double x = p->value[i * p->k + c];

            if (isfinite(x))
                buf_double(out, x);
            buf_putc(out, c + 1 < p->k ? ',' : '\n');
        }
}

const char *
predict_class(const struct model *m, const struct prediction *p, size_t row)
{
    const char *const *names;
    size_t n = model_classes(m, &names), best = 0;
    const double *x = p->value + row * p->k;

    if (p->k == 1)
        return n == 2 ? names[x[0] >= 0.5] : "";
    for (size_t c = 1; c < p->k; c++)
        if (x[c] > x[best])
            best = c;
    return names[best];
}
