/* session/gate.c -- "auc >= 0.83" over the metrics of a model.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "frame/builder.h"
#include "frame/expr.h"

enum { NAMES_MAX = 256 };

static const struct json *
number_of(const struct json *v)
{
    if (json_type(v) == JSON_OBJECT)
        v = json_find(v, "value");
    return v && json_type(v) == JSON_NUMBER ? v : NULL;
}

/* The metrics as a table of one row. */
static struct frame *
metrics_frame(const struct json *root, struct error *err)
{
    const struct json *inner = json_find(root, "metrics");
    const char *names[NAMES_MAX];
    enum col_type types[NAMES_MAX];
    double values[NAMES_MAX];
    struct builder *b;
    size_t n = 0;
    bool ok = true;

    if (inner && json_type(inner) == JSON_OBJECT)
        root = inner;
    for (const struct json *v = json_first(root); v && n < NAMES_MAX;
         v = json_next(v))
        if (number_of(v)) {
            names[n] = json_key(v);
            types[n] = COL_FLOAT64;
            values[n++] = json_number(number_of(v));
        }
    if (!(b = builder_new(n, names, types, err)))
        return NULL;
    for (size_t i = 0; i < n && ok; i++)
        ok = builder_f64(b, i, values[i], err);
    if (!ok || !builder_end_row(b, err)) {
        builder_free(b);
        return NULL;
    }
    return builder_finish(b, err);
}

/* "auc is 0.812, logloss is 0.43" */
static void
put_values(const struct expr *e, const struct frame *f, struct buf *out)
{
    const char *names[16];
    size_t n = expr_columns(e, names, 16);

    for (size_t i = 0; i < n && i < 16; i++) {
        long col = frame_find(f, names[i]);

        buf_printf(out, "%s%s is ", i ? ", " : "", names[i]);
        if (col >= 0)
            buf_number(out, column_number(frame_column(f, (size_t)col), 0), 6);
    }
}

/* A run has its metrics of a test as "test.auc", a version as "auc". */
static bool
check_names(const struct expr *e, const struct frame *f, const char *gate,
            struct error *err)
{
    static const char prefix[] = "test.";
    const char *names[16];
    size_t n = expr_columns(e, names, 16), len = strlen(prefix);

    for (size_t i = 0; i < n && i < 16; i++)
        if (frame_find(f, names[i]) < 0 &&
            strncmp(names[i], prefix, len) == 0 &&
            frame_find(f, names[i] + len) >= 0)
            return error_set(err, ERR_USAGE,
                             "gate '%s': no metric '%s': in a run it is called "
                             "so, here '%s'",
                             gate, names[i], names[i] + len);
    return true;
}

static bool
decide(const struct expr *e, const struct frame *f, const char *gate,
       struct error *err)
{
    struct column *c;
    enum col_type type;
    struct buf values;
    bool met;

    if (!check_names(e, f, gate, err))
        return false;
    if (!expr_check(e, f, &type, err)) {
        err->code = ERR_USAGE;
        return error_prefix(err, "gate '%s': ", gate);
    }
    if (type != COL_BOOL)
        return error_set(err, ERR_USAGE,
                         "gate '%s' is no condition: it gives "
                         "a %s",
                         gate, column_type_word(type));
    if (!(c = expr_eval(e, f, NULL, err)))
        return error_prefix(err, "gate '%s': ", gate);
    met = column_is_valid(c, 0) && column_bools(c)[0];
    column_unref(c);
    if (met)
        return true;
    buf_init(&values);
    put_values(e, f, &values);
    error_set(err, ERR_GATE, "gate '%s' is not met: %s", gate, values.data);
    buf_fini(&values);
    return false;
}

bool
gate_check(const char *metrics, const char *gate, struct error *err)
{
    struct json *root = NULL;
    struct frame *f = NULL;
    struct expr *e = NULL;
    bool ok = false;

    if (!metrics || !*metrics)
        return error_set(err, ERR_GATE,
                         "gate '%s' is not met: there are no metrics", gate);
    root = json_parse(str_of(metrics), err);
    if (root && json_type(root) != JSON_OBJECT)
        error_set(err, ERR_TYPE, "metrics are %s, expected an object",
                  json_type_word(root));
    else if (root && (f = metrics_frame(root, err))) {
        e = expr_parse(str_of(gate), err);
        if (!e) {
            err->code = ERR_USAGE;
            error_prefix(err, "gate '%s': ", gate);
        } else {
            ok = decide(e, f, gate, err);
        }
    }
    expr_free(e);
    frame_unref(f);
    json_free(root);
    return ok;
}
