/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/predict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/csv.h"

/* ---- MLflow's JSON forms ---- */

static bool
is_complete(const struct rows *r)
{
    size_t n, i = 0;

    rows_inputs(r, &n);
    while (i < n && rows_has(r, i))
        i++;
    return i == n;
}

static bool
put_record(struct rows *r, const struct json *row, struct error *err)
{
    const char *extra = NULL;

    if (json_type(row) != JSON_OBJECT)
        return error_set(err, ERR_TYPE, "row %zu is %s, expected an object",
                         rows_number(r), json_type_word(row));
    for (const struct json *v = json_first(row); v; v = json_next(v)) {
        long i = rows_find(r, json_key(v));

        if (i < 0)
            extra = extra ? extra : json_key(v);
        else if (!rows_put_json(r, (size_t)i, v, err))
            return false;
    }
    if (extra && !rows_check_extra(r, extra, is_complete(r), err))
        return error_prefix(err, "row %zu: ", rows_number(r));
    return rows_end(r, err);
}

/* place[k]: the input of the row's k-th value, or -1. */
static bool
put_array(struct rows *r, const struct json *row, const long *place, size_t n,
          struct error *err)
{
    const struct json *v = json_first(row);

    if (json_type(row) != JSON_ARRAY)
        return error_set(err, ERR_TYPE, "row %zu is %s, expected an array",
                         rows_number(r), json_type_word(row));
    if (json_len(row) != n)
        return error_set(err, ERR_RANGE, "row %zu: %zu values, expected %zu",
                         rows_number(r), json_len(row), n);
    for (size_t k = 0; k < n; k++, v = json_next(v))
        if (place[k] >= 0 && !rows_put_json(r, (size_t)place[k], v, err))
            return false;
    return rows_end(r, err);
}

/* The input of each column, or -1; *given: which inputs have one. */
static bool
place_columns(struct rows *r, const struct json *columns, long *place,
              bool *given, struct error *err)
{
    const struct json *v = json_first(columns);
    const char *extra = NULL;
    bool complete = true;
    size_t n;
    const struct input *in = rows_inputs(r, &n);

    for (size_t k = 0; v; k++, v = json_next(v)) {
        if (json_type(v) != JSON_STRING)
            return error_set(err, ERR_TYPE,
                             "dataframe_split: columns: item %zu is %s, "
                             "expected a text",
                             k + 1, json_type_word(v));
        place[k] = rows_find(r, json_string(v));
        if (place[k] < 0 && !extra)
            extra = json_string(v);
        if (place[k] >= 0 && given[place[k]])
            return error_set(err, ERR_EXISTS,
                             "dataframe_split: column '%s' is there twice",
                             json_string(v));
        if (place[k] >= 0)
            given[place[k]] = true;
    }
    for (size_t i = 0; i < n; i++) {
        complete = complete && given[i];
        if (!given[i] && !rows_allows_missing(r))
            return error_set(err, ERR_NOTFOUND,
                             "dataframe_split: no column '%s'", in[i].name);
    }
    return !extra || rows_check_extra(r, extra, complete, err) ||
           error_prefix(err, "dataframe_split: ");
}

static bool
put_split(struct rows *r, const struct json *v, struct error *err)
{
    const struct json *columns, *data;
    size_t n, n_inputs;
    long *place = NULL;
    bool *given = NULL, ok;

    if (json_type(v) != JSON_OBJECT)
        return error_set(err, ERR_TYPE,
                         "dataframe_split is %s, expected an object",
                         json_type_word(v));
    if (!json_get_array(v, "columns", &columns, err) ||
        !json_get_array(v, "data", &data, err))
        return error_prefix(err, "dataframe_split: ");
    n = json_len(columns);
    rows_inputs(r, &n_inputs);
    ok = (place = mem_try_array(n, sizeof *place, err)) &&
         (given = mem_try_array(n_inputs, sizeof *given, err)) &&
         place_columns(r, columns, place, given, err) &&
         rows_reserve(r, json_len(data), err);
    for (v = json_first(data); ok && v; v = json_next(v))
        ok = put_array(r, v, place, n, err);
    free(place);
    free(given);
    return ok;
}

static bool
put_records(struct rows *r, const struct json *v, struct error *err)
{
    if (json_type(v) != JSON_ARRAY)
        return error_set(err, ERR_TYPE,
                         "dataframe_records is %s, expected an array",
                         json_type_word(v));
    if (!rows_reserve(r, json_len(v), err))
        return false;
    for (v = json_first(v); v; v = json_next(v))
        if (!put_record(r, v, err))
            return false;
    return true;
}

/* A list of rows; with one input, plain values will do. */
static bool
put_instances(struct rows *r, const struct json *v, struct error *err)
{
    size_t n;
    long *place;
    bool ok;

    if (json_type(v) != JSON_ARRAY)
        return error_set(err, ERR_TYPE, "instances is %s, expected an array",
                         json_type_word(v));
    rows_inputs(r, &n);
    if (!(place = mem_try_array(n, sizeof *place, err)))
        return false;
    for (size_t i = 0; i < n; i++)
        place[i] = (long)i;
    ok = rows_reserve(r, json_len(v), err);
    for (v = json_first(v); ok && v; v = json_next(v)) {
        enum json_type t = json_type(v);

        if (t == JSON_OBJECT)
            ok = put_record(r, v, err);
        else if (t == JSON_ARRAY || n != 1)
            ok = put_array(r, v, place, n, err);
        else
            ok = rows_put_json(r, 0, v, err) && rows_end(r, err);
    }
    free(place);
    return ok;
}

/* The first value of each input's array; checks that they are equally
 * long. */
static bool
open_columns(struct rows *r, const struct json *v, const struct json **next,
             bool *given, size_t *n_rows, struct error *err)
{
    size_t n;
    const struct input *in = rows_inputs(r, &n);
    bool any = false, complete = true;
    const char *extra = NULL;

    for (v = json_first(v); v; v = json_next(v)) {
        long i = rows_find(r, json_key(v));

        if (i < 0) {
            extra = extra ? extra : json_key(v);
            continue;
        }
        if (json_type(v) != JSON_ARRAY)
            return error_set(err, ERR_TYPE,
                             "inputs: field '%s' is %s, expected an array",
                             json_key(v), json_type_word(v));
        if (any && json_len(v) != *n_rows)
            return error_set(err, ERR_RANGE,
                             "inputs: field '%s' has %zu values, others have "
                             "%zu",
                             json_key(v), json_len(v), *n_rows);
        any = given[i] = true;
        *n_rows = json_len(v);
        next[i] = json_first(v);
    }
    for (size_t i = 0; i < n; i++) {
        complete = complete && given[i];
        if (!given[i] && !rows_allows_missing(r))
            return error_set(err, ERR_NOTFOUND, "inputs: no field '%s'",
                             in[i].name);
    }
    return !extra || rows_check_extra(r, extra, complete, err) ||
           error_prefix(err, "inputs: ");
}

static bool
put_column_row(struct rows *r, const struct json **next, size_t n,
               struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct json *v = next[i];

        if (!v)
            continue;
        /* [[1], [2]] is how a column of shape (n, 1) looks */
        if (json_type(v) == JSON_ARRAY && json_len(v) == 1)
            v = json_first(v);
        if (!rows_put_json(r, i, v, err))
            return false;
        next[i] = json_next(next[i]);
    }
    return rows_end(r, err);
}

static bool
put_columns(struct rows *r, const struct json *v, struct error *err)
{
    const struct json **next = NULL;
    size_t n, n_rows = 0;
    bool *given, ok;

    rows_inputs(r, &n);
    ok = (given = mem_try_array(n, sizeof *given, err)) &&
         (next = mem_try_array(n, sizeof(void *), err)) &&
         open_columns(r, v, next, given, &n_rows, err) &&
         rows_reserve(r, n_rows, err);
    for (size_t row = 0; ok && row < n_rows; row++)
        ok = put_column_row(r, next, n, err);
    free(next);
    free(given);
    return ok;
}

static bool
put_inputs(struct rows *r, const struct json *v, struct error *err)
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
    bool (*put)(struct rows *r, const struct json *v, struct error *err);
} forms[] = {{"dataframe_split", put_split},
             {"dataframe_records", put_records},
             {"instances", put_instances},
             {"inputs", put_inputs}};
enum { N_FORMS = sizeof forms / sizeof forms[0] };

static bool
is_asked(const struct json *params, const char *name)
{
    const struct json *v = json_find(params, name);

    return v && json_is_true(v);
}

static bool
put_body(struct rows *r, const struct json *root, struct error *err)
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
    if (params && json_type(params) == JSON_OBJECT) {
        rows_allow_missing(r, is_asked(params, "allow_missing"));
        rows_allow_extra(r, is_asked(params, "allow_extra"));
    }
    return form->put(r, value, err);
}

struct frame *
predict_parse_json(const struct rows_form *form, struct str body,
                   struct error *err)
{
    struct json *root = json_parse(body, err);
    struct rows *r;
    struct frame *f = NULL;

    if (!root) {
        error_prefix(err, "the body: ");
        return NULL;
    }
    if ((r = rows_new(form, err))) {
        if (put_body(r, root, err))
            f = rows_finish(r, err);
        else
            rows_free(r);
    }
    json_free(root);
    return f;
}

/* ---- CSV ---- */

/* Every input is read as text and converted here, so that a bad value is
 * told with its row and field, whatever form it came in. */
static bool
read_as_text(const struct rows *r, struct str body, struct csv_table *t,
             struct error *err)
{
    size_t n;
    const struct input *in = rows_inputs(r, &n);
    struct buf names;
    const char **types = mem_try_array(n + 1, sizeof *types, err);
    size_t *at = mem_try_array(n, sizeof *at, err);
    struct csv_options o = {.delimiter = ',', .header = 1, .types = types};
    bool ok = types && at;

    buf_init(&names);
    for (size_t i = 0; ok && i < n; i++) {
        at[i] = names.len;
        buf_printf(&names, "%s=text", in[i].name);
        buf_putc(&names, '\0');
    }
    ok = ok && buf_check(&names, err);
    for (size_t i = 0; ok && i < n; i++)
        types[i] = names.data + at[i];
    ok = ok && csv_parse(body, "the body", &o, NULL, NULL, t, err);
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
put_table(struct rows *r, const struct frame *f, struct error *err)
{
    size_t n;
    const struct input *in = rows_inputs(r, &n);

    for (size_t i = 0; i < n; i++)
        if (frame_find(f, in[i].name) < 0)
            return error_set(err, ERR_NOTFOUND, "the body: no column '%s'",
                             in[i].name);
    if (!rows_reserve(r, frame_rows(f), err))
        return false;
    for (size_t row = 0; row < frame_rows(f); row++) {
        for (size_t i = 0; i < n; i++) {
            size_t col = (size_t)frame_find(f, in[i].name);
            const struct column *c = frame_column(f, col);
            struct cell v = {.kind = CELL_MISSING};

            if (column_is_valid(c, row)) {
                v.kind = CELL_TEXT;
                v.text = column_text(c, row);
            }
            if (!rows_put(r, i, &v, err))
                return false;
        }
        if (!rows_end(r, err))
            return false;
    }
    return true;
}

struct frame *
predict_parse_csv(const struct rows_form *form, struct str body,
                  struct error *err)
{
    struct rows *r = rows_new(form, err);
    struct csv_table t = {0};
    struct frame *f = NULL;

    if (!r || !read_as_text(r, body, &t, err))
        goto out;
    if (check_rejects(&t, err) && put_table(r, t.frame, err)) {
        f = rows_finish(r, err);
        r = NULL;
    }
    csv_table_fini(&t);
out:
    rows_free(r);
    return f;
}

/* ---- answers ---- */

bool
predict_sets(const struct model *m)
{
    return model_finish(m) && model_finish(m)->ranged &&
           problem_has_classes(model_problem(m));
}

/* Each answer of a model without a target by its name. */
static void
put_answers(const struct model *m, const double *value, size_t k,
            struct buf *out)
{
    struct answer a;

    for (size_t c = 0; c < k && model_answer(m, c, &a); c++) {
        buf_puts(out, c ? ", " : "{");
        buf_json(out, a.name, strlen(a.name));
        buf_puts(out, ": ");
        buf_json_double(out, value[c]);
    }
    buf_putc(out, '}');
}

/* The probability of each class by its name. */
static void
put_classes(const struct model *m, const double *value, struct buf *out)
{
    const char *const *names;
    size_t n = model_classes(m, &names);

    for (size_t c = 0; c < n; c++) {
        buf_puts(out, c ? ", " : "{");
        buf_json(out, names[c], strlen(names[c]));
        buf_puts(out, ": ");
        buf_json_double(out, value[c]);
    }
    buf_putc(out, '}');
}

/* {"prediction": 3, "low": 1, "high": 5} */
static void
put_more(const struct model *m, const struct prediction *p, size_t row,
         struct buf *out)
{
    char name[32];

    buf_puts(out, "{\"prediction\": ");
    buf_json_double(out, p->value[row]);
    for (size_t c = 0; c < p->n_more; c++) {
        model_more_name(m, c, name);
        buf_puts(out, ", ");
        buf_json(out, name, strlen(name));
        buf_puts(out, ": ");
        buf_json_double(out, p->more[row * p->n_more + c]);
    }
    buf_putc(out, '}');
}

/* The likeliest class is in the probabilities, another is not. */
static bool
says_class(const struct model *m)
{
    return model_finish(m) && model_finish(m)->decided;
}

/* , "set": ["No", "Yes"] */
static void
put_set(const struct model *m, const double *value, struct buf *out)
{
    const char *const *names, *comma = "";
    size_t n = model_classes(m, &names);

    buf_puts(out, ", \"set\": [");
    for (size_t c = 0; c < n; c++)
        if (model_in_set(m, value, c)) {
            buf_puts(out, comma);
            buf_json(out, names[c], strlen(names[c]));
            comma = ", ";
        }
    buf_putc(out, ']');
}

/* {"probability": 0.6, "prediction": "Yes", "set": ["No", "Yes"]} */
static void
put_said(const struct model *m, const struct prediction *p, size_t row,
         struct buf *out)
{
    const double *value = p->value + row * p->k;
    const char *said = predict_class(m, p, row);

    buf_puts(out, "{\"probability\": ");
    if (p->k > 1)
        put_classes(m, value, out);
    else
        buf_json_double(out, value[0]);
    buf_puts(out, ", \"prediction\": ");
    buf_json(out, said, strlen(said));
    if (predict_sets(m))
        put_set(m, value, out);
    buf_putc(out, '}');
}

void
predict_answer_json(const struct model *m, const struct prediction *p,
                    struct buf *out)
{
    bool said = predict_sets(m) || says_class(m);

    buf_puts(out, "{\"predictions\": [");
    for (size_t i = 0; i < p->n; i++) {
        const double *value = p->value + i * p->k;

        if (i)
            buf_puts(out, ", ");
        if (model_problem(m) == PROBLEM_NONE)
            put_answers(m, value, p->k, out);
        else if (said)
            put_said(m, p, i, out);
        else if (p->n_more)
            put_more(m, p, i, out);
        else if (p->k > 1)
            put_classes(m, value, out);
        else
            buf_json_double(out, value[0]);
    }
    buf_puts(out, "]}");
}

static void
put_numbers(const double *value, size_t n, struct buf *out)
{
    for (size_t c = 0; c < n; c++) {
        if (c)
            buf_putc(out, ',');
        if (isfinite(value[c]))
            buf_double(out, value[c]);
    }
}

void
predict_answer_csv(const struct model *m, const struct prediction *p,
                   struct buf *out)
{
    bool sets = predict_sets(m), said = says_class(m);
    struct buf names;

    buf_init(&names);
    for (size_t i = 0; i < p->n; i++) {
        put_numbers(p->value + i * p->k, p->k, out);
        if (p->n_more) {
            buf_putc(out, ',');
            put_numbers(p->more + i * p->n_more, p->n_more, out);
        }
        if (said) {
            const char *class = predict_class(m, p, i);

            buf_putc(out, ',');
            csv_put_text(str_of(class), ',', out);
        }
        if (sets) {
            buf_clear(&names);
            model_set_text(m, p->value + i * p->k, &names);
            buf_putc(out, ',');
            csv_put_text((struct str){names.data, names.len}, ',', out);
        }
        buf_putc(out, '\n');
    }
    out->failed = out->failed || names.failed;
    buf_fini(&names);
}

const char *
predict_class(const struct model *m, const struct prediction *p, size_t row)
{
    const char *const *names;

    return model_classes(m, &names) == 0
               ? ""
               : names[model_decide(m, p->value + row * p->k)];
}
