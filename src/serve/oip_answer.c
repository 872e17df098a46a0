/* serve/oip_answer.c -- predictions and a model's description as tensors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "serve/oip_output.h"
#include "serve/predict.h"

/* ---- what a model says ---- */

size_t
oip_outputs(const struct model *m)
{
    if (problem_has_classes(model_problem(m)))
        return predict_sets(m) ? 3 : 2;
    return 1 + model_more(m);
}

void
oip_output(const struct model *m, size_t i, struct oip_output *out)
{
    static const struct oip_output of_classes[] = {
        {"probability", OIP_PROBABILITY, 0, "FP64", 1},
        {"prediction", OIP_PREDICTION, 0, "BYTES", 1},
        {"set", OIP_SET, 0, "BYTES", 1}};
    static const struct oip_output of_number = {"prediction", OIP_PREDICTION, 0,
                                                "FP64", 1};

    if (problem_has_classes(model_problem(m))) {
        *out = of_classes[i];
        if (i == 0)
            out->width = model_width(m);
        return;
    }
    *out = of_number;
    if (i == 0) {
        out->width = model_width(m);
        return;
    }
    out->kind = OIP_MORE;
    out->more = i - 1;
    model_more_name(m, i - 1, out->name);
}

/* ---- the answer ---- */

static void
add_raw_double(struct buf *out, double x)
{
    uint64_t u;
    char byte[8];

    memcpy(&u, &x, sizeof u);
    for (int i = 0; i < 8; i++)
        byte[i] = (char)(u >> (8 * i) & 255);
    buf_add(out, byte, sizeof byte);
}

static void
add_raw_text(struct buf *out, struct str s)
{
    char byte[4];

    for (int i = 0; i < 4; i++)
        byte[i] = (char)(s.n >> (8 * i) & 255);
    buf_add(out, byte, sizeof byte);
    buf_add(out, s.p, s.n);
}

/* The text that an output says of a row. */
static void
text_of(const struct model *m, const struct prediction *p, enum oip_kind kind,
        size_t row, struct buf *out)
{
    buf_clear(out);
    if (kind == OIP_SET)
        model_set_text(m, p->value + row * p->k, out);
    else
        buf_puts(out, predict_class(m, p, row));
}

/* Values of an output: into raw when that is given, else as JSON items. */
static void
put_texts(const struct model *m, const struct prediction *p, enum oip_kind kind,
          struct json_writer *w, struct buf *raw)
{
    struct buf text;

    buf_init(&text);
    for (size_t i = 0; i < p->n; i++) {
        text_of(m, p, kind, i, &text);
        if (raw)
            add_raw_text(raw, (struct str){text.data, text.len});
        else
            json_put_str(w, (struct str){text.data, text.len});
    }
    if (raw)
        raw->failed = raw->failed || text.failed;
    buf_fini(&text);
}

/* Every step-th. */
static void
put_numbers(const double *value, size_t n, size_t step, struct json_writer *w,
            struct buf *raw)
{
    for (size_t i = 0; i < n; i++) {
        if (raw)
            add_raw_double(raw, value[i * step]);
        else
            json_put_double(w, value[i * step]);
    }
}

static void
put_values(const struct model *m, const struct prediction *p,
           const struct oip_output *o, struct json_writer *w, struct buf *raw)
{
    if (o->type[0] == 'B')
        put_texts(m, p, o->kind, w, raw);
    else if (o->kind == OIP_MORE && p->n)
        put_numbers(p->more + o->more, p->n, p->n_more, w, raw);
    else
        put_numbers(p->value, p->n * p->k, 1, w, raw);
}

static void
put_output(const struct model *m, const struct prediction *p,
           const struct oip_output *o, struct json_writer *w, struct buf *raw)
{
    size_t from = raw ? raw->len : 0;

    json_open(w, '{');
    json_name(w, "name");
    json_put_string(w, o->name);
    json_name(w, "shape");
    json_open(w, '[');
    json_put_i64(w, (int64_t)p->n);
    if (o->width > 1)
        json_put_i64(w, (int64_t)o->width);
    json_close(w, ']');
    json_name(w, "datatype");
    json_put_string(w, o->type);
    if (raw) {
        put_values(m, p, o, w, raw);
        json_name(w, "parameters");
        json_open(w, '{');
        json_name(w, "binary_data_size");
        json_put_i64(w, (int64_t)(raw->len - from));
        json_close(w, '}');
    } else {
        json_name(w, "data");
        json_open(w, '[');
        put_values(m, p, o, w, NULL);
        json_close(w, ']');
    }
    json_close(w, '}');
}

void
oip_answer(const struct model *m, const char *name, const char *version,
           const struct oip_request *q, const struct prediction *p,
           struct buf *out, size_t *json_len)
{
    struct json_writer w;
    struct buf raw;
    size_t from = out->len;
    bool binary = false;
    struct oip_output o;

    buf_init(&raw);
    json_writer_init(&w, out);
    json_open(&w, '{');
    json_name(&w, "model_name");
    json_put_string(&w, name);
    json_name(&w, "model_version");
    json_put_string(&w, version);
    if (q->id) {
        json_name(&w, "id");
        json_put_string(&w, q->id);
    }
    json_name(&w, "outputs");
    json_open(&w, '[');
    for (size_t i = 0; i < q->n_outputs; i++) {
        oip_output(m, q->output[i].which, &o);
        put_output(m, p, &o, &w, q->output[i].binary ? &raw : NULL);
        binary = binary || q->output[i].binary;
    }
    json_close(&w, ']');
    json_close(&w, '}');
    *json_len = binary ? out->len - from : 0;
    buf_add(out, raw.data, raw.len);
    out->failed = out->failed || raw.failed;
    buf_fini(&raw);
}

static const char *
input_datatype(enum col_type t)
{
    if (t == COL_BOOL)
        return "BOOL";
    return t == COL_INT64 || t == COL_FLOAT64 ? "FP64" : "BYTES";
}

static void
put_tensor_type(struct json_writer *w, const char *name, const char *type,
                size_t width)
{
    json_open(w, '{');
    json_name(w, "name");
    json_put_string(w, name);
    json_name(w, "datatype");
    json_put_string(w, type);
    json_name(w, "shape");
    json_open(w, '[');
    json_put_i64(w, -1);
    if (width > 1)
        json_put_i64(w, (int64_t)width);
    json_close(w, ']');
    json_close(w, '}');
}

void
oip_metadata(const struct model *m, const char *name, const char *version,
             struct buf *out)
{
    size_t n;
    const struct input *in = model_inputs(m, &n);
    struct json_writer w;
    struct oip_output o;

    json_writer_init(&w, out);
    json_open(&w, '{');
    json_name(&w, "name");
    json_put_string(&w, name);
    json_name(&w, "versions");
    json_open(&w, '[');
    json_put_string(&w, version);
    json_close(&w, ']');
    json_name(&w, "platform");
    json_put_string(&w, "lathe");
    json_name(&w, "inputs");
    json_open(&w, '[');
    for (size_t i = 0; i < n; i++)
        put_tensor_type(&w, in[i].name, input_datatype(in[i].type), 1);
    if (model_offset(m))
        put_tensor_type(&w, model_offset(m), "FP64", 1);
    json_close(&w, ']');
    json_name(&w, "outputs");
    json_open(&w, '[');
    for (size_t i = 0; i < oip_outputs(m); i++) {
        oip_output(m, i, &o);
        put_tensor_type(&w, o.name, o.type, o.width);
    }
    json_close(&w, ']');
    json_close(&w, '}');
}
