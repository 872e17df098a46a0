/* engine/port/port.c -- the table of formats: write and compare, read.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/port.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/port/c_source.h"
#include "engine/port/lightgbm.h"
#include "engine/port/onnx.h"
#include "engine/port/pmml.h"
#include "engine/port/probe.h"
#include "engine/port/tensors.h"
#include "engine/port/xgboost.h"

/* ---- writing ---- */

struct job {
    const struct portable *p;
    const struct port_export *o;
    struct probe probe;
    struct pool *pool;
    double *want; /* answers of the model to the probe */
    struct port_report *r;
    struct error *err;
};

static const char *
prefix_of(const struct job *j)
{
    return j->o->name ? j->o->name : "model";
}

static bool
write_c(const struct job *j, struct buf *out)
{
    return c_source_write(j->p, prefix_of(j), out, j->err);
}

static bool
write_lightgbm(const struct job *j, struct buf *out)
{
    return lightgbm_write(j->p, out, j->err);
}

static bool
write_onnx(const struct job *j, struct buf *out)
{
    return onnx_write(j->p, j->o->onnx_ml == 5 ? 5 : 3, out, j->err);
}

static bool
write_pmml(const struct job *j, struct buf *out)
{
    return pmml_write(j->p, out, j->err);
}

static bool
write_xgboost(const struct job *j, struct buf *out)
{
    return xgboost_write(j->p, out, j->err);
}

static const struct format {
    const char *name, *title;
    bool floats; /* inputs are 32-bit floats */
    bool exprs;  /* it can compute derived columns */
    double tolerance;
    bool (*write)(const struct job *j, struct buf *out);
    struct portable *(*read)(struct str bytes, const struct progress *stop,
                             struct error *err);
} formats[PORT_N_FORMATS] = {
    [PORT_C] = {"c", "C", false, true, 1e-9, write_c, NULL},
    [PORT_LIGHTGBM] = {"lightgbm", "LightGBM text", false, false, 1e-9,
                       write_lightgbm, lightgbm_read},
    [PORT_ONNX] = {"onnx", "ONNX", true, true, 1e-6, write_onnx, onnx_read},
    [PORT_PMML] = {"pmml", "PMML 4.4", false, false, 1e-9, write_pmml,
                   pmml_read},
    [PORT_XGBOOST] = {"xgboost", "XGBoost JSON", true, false, 1e-6,
                      write_xgboost, xgboost_read},
};

const char *
port_format_name(enum port_format f)
{
    return formats[f].name;
}

const char *
port_format_title(enum port_format f)
{
    return formats[f].title;
}

/* What 32-bit sums may differ by. */
static double
tolerance(const struct job *j, double usual)
{
    if (j->p->slack > usual && (j->p->single || formats[j->o->format].floats))
        return j->p->slack;
    return j->p->single && usual < 1e-5 ? 1e-5 : usual;
}

/* Of what is decided there by numbers of 32 bits, few rows fall on the other
 * side. */
static struct probe_judge
judge(const struct job *j, double usual)
{
    bool floats = formats[j->o->format].floats;

    return (struct probe_judge){.p = j->p,
                                .tolerance = tolerance(j, usual),
                                .spare = floats ? j->probe.n / 500 : 0};
}

/* Fewer where an answer takes long. */
static size_t
probe_rows(const struct portable *p)
{
    uint64_t rows = (UINT64_C(1) << 30) / (graph_work(p->graph) + 1);

    return rows > PROBE_ROWS ? PROBE_ROWS : rows < 16 ? 16 : (size_t)rows;
}

/* Whole numbers where the model has dates. */
static bool *
whole_columns(const struct portable *p, struct error *err)
{
    bool *whole = mem_try_array(p->graph->n_cols, sizeof *whole, err);

    for (size_t i = 0; whole && i < p->graph->n_cols; i++) {
        enum col_type type = portable_type(&p->input[i]);

        whole[i] = type == COL_DATE || type == COL_TIMESTAMP;
    }
    return whole;
}

static bool
grams_check(const struct job *j)
{
    const struct portable_grams *g = j->p->grams;

    return !g || j->o->format == PORT_C ||
           error_set(j->err, ERR_TYPE,
                     "the step '%.64s' has no form in %s: write this model as "
                     "--c",
                     g->written, formats[j->o->format].title);
}

/* The rows to compare on, and what the model says to them. */
static bool
job_begin(struct job *j, const struct model *m)
{
    const struct format *f = &formats[j->o->format];
    double *said = NULL, same = model_finish(m) ? 1e-9 : 1e-12;
    bool *whole = whole_columns(j->p, j->err), asked;
    struct probe_kind kind = {probe_rows(j->p), f->floats, whole};
    bool ok = whole && probe_make(j->p, &kind, j->pool, &j->probe, j->err) &&
              probe_score(j->p, j->p, &j->probe, j->pool, &j->want, j->err) &&
              probe_ask(m, j->p, &j->probe, j->pool, &said, &asked, j->err);

    /* The graph says what the model says, up to the order of sums; of what was
     * calibrated, up to what a probability keeps of its sum. */
    ok = ok &&
         (!said ||
          probe_compare(&j->probe, said, j->want,
                        &(struct probe_judge){.p = j->p,
                                              .tolerance = tolerance(j, same),
                                              .shares = j->p->slope != 0},
                        &j->r->worst, j->err));
    free(whole);
    free(said);
    return ok;
}

/* Where the format has numbers of 32 bits, constants are rounded, which a
 * model may be sensitive to. */
static bool
agrees(struct job *j, const double *got)
{
    const struct format *f = &formats[j->o->format];
    struct probe_judge how = judge(j, f->tolerance);
    double worst = j->r->worst, *doubt;
    struct error first;
    bool ok;

    if (probe_compare(&j->probe, j->want, got, &how, &j->r->worst, &first))
        return true;
    if (!f->floats) {
        *j->err = first;
        return false;
    }
    j->r->worst = worst;
    ok = probe_doubt(j->p, &j->probe, j->pool, j->want, &doubt, j->err);
    how.doubt = doubt;
    ok = ok &&
         probe_compare(&j->probe, j->want, got, &how, &j->r->worst, j->err);
    free(doubt);
    return ok;
}

/* The level that is an empty text, other than the one for all that are none; or
 * n_levels. */
static size_t
empty_level(const struct portable_input *in)
{
    size_t k = 0;

    while (k < in->n_levels && (k + 1 == in->rest || *in->levels[k]))
        k++;
    return k;
}

/* In ONNX an empty text is a missing one: where the model answers these
 * otherwise, that is what is wrong. */
static void
blame_empty(struct job *j)
{
    struct probe_judge how = judge(j, formats[j->o->format].tolerance);
    bool alike = true;

    for (size_t c = 0; c < j->probe.n_cols && alike; c++) {
        const struct portable_input *in = &j->p->input[c];
        double *x = j->probe.x + c * j->probe.n, *got = NULL, worst;
        size_t k = empty_level(in);
        struct error why;

        if (k == in->n_levels)
            continue;
        for (size_t i = 0; i < j->probe.n; i++)
            if (x[i] == (double)k)
                x[i] = NAN;
        alike = !probe_score(j->p, j->p, &j->probe, j->pool, &got, &why) ||
                probe_compare(&j->probe, j->want, got, &how, &worst, &why);
        free(got);
        if (!alike)
            error_set(j->err, ERR_TYPE,
                      "ONNX does not tell the missing texts of '%s' from empty "
                      "ones: write this model as --c",
                      in->name);
    }
}

static bool
read_again(struct job *j, struct str bytes)
{
    const struct format *f = &formats[j->o->format];
    struct portable *back = f->read(bytes, pool_stop(j->pool), j->err);
    double *got = NULL;
    bool ok = false;

    if (!back)
        return error_prefix(j->err, "what was written is not read again: ");
    if (back->problem != j->p->problem ||
        portable_width(back) != portable_width(j->p))
        error_set(j->err, ERR_STATE, "a %s model came back as a %s one",
                  problem_word(j->p->problem), problem_word(back->problem));
    else
        ok = probe_score(back, j->p, &j->probe, j->pool, &got, j->err) &&
             agrees(j, got);
    if (got && !ok && j->o->format == PORT_ONNX)
        blame_empty(j);
    j->r->n_rows = j->probe.n;
    j->r->check = "read again";
    free(got);
    portable_free(back);
    return ok;
}

/* The file is a program: it answers the rows itself. */
static bool
run_again(struct job *j, struct str bytes)
{
    const struct probe_judge how = judge(j, formats[j->o->format].tolerance);
    double *got = NULL;
    bool ok = c_source_run(&(struct c_source_trial){.of = j->p,
                                                    .prefix = prefix_of(j),
                                                    .source = bytes,
                                                    .probe = &j->probe,
                                                    .stop = pool_stop(j->pool)},
                           &got, j->err);

    j->r->check = got ? "compiled" : "no C compiler to try it";
    if (ok && got) {
        j->r->n_rows = j->probe.n;
        ok = probe_compare(&j->probe, j->want, got, &how, &j->r->worst, j->err);
    }
    free(got);
    return ok;
}

static bool
check_bytes(struct job *j, struct str bytes)
{
    return formats[j->o->format].read ? read_again(j, bytes)
                                      : run_again(j, bytes);
}

/* What a format has no place for may be the calibration alone. */
static bool
write_bytes(struct job *j, struct buf *out)
{
    if (!formats[j->o->format].write(j, out))
        return j->p->curves && j->err->code == ERR_TYPE
                   ? error_prefix(j->err, "this model is calibrated by %s; ",
                                  j->p->curves)
                   : false;
    return buf_check(out, j->err);
}

/* *computed: derived columns are nodes of it. */
static bool
write_once(const struct model *m, bool exprs, struct job *j, struct buf *out,
           bool *computed)
{
    const struct format *f = &formats[j->o->format];
    struct portable *p = portable_of(m, exprs, pool_stop(j->pool), j->err);
    struct port_report *r = j->r;
    size_t from = out->len;
    bool ok;

    memset(r, 0, sizeof *r);
    buf_init(&r->notes);
    j->p = p;
    *computed = p && p->wide;
    ok = p && grams_check(j) && job_begin(j, m) && write_bytes(j, out) &&
         check_bytes(j, (struct str){out->data + from, out->len - from});
    if (ok && f->floats && (!portable_wide(p) || portable_rounds(p)))
        buf_printf(&r->notes,
                   "%s 32-bit floats there: a number that is nearer than 1e-7 "
                   "to a threshold may\nfall on its other side\n",
                   portable_rounds(p) ? "trees look at" : "inputs are");
    if (p)
        buf_add(&r->notes, p->notes.data, p->notes.len);
    ok = ok && buf_check(&r->notes, j->err);
    free(j->want);
    probe_fini(&j->probe);
    portable_free(p);
    return ok;
}

/* Derived columns are inputs where what computes them disagrees, as in 32 bits
 * on a threshold, or does not fit. */
bool
port_write(const struct model *m, const struct port_export *o,
           struct pool *pool, struct buf *out, struct port_report *r,
           struct error *err)
{
    size_t from = out->len;
    struct error first;
    struct job j = {.o = o, .pool = pool, .r = r, .err = &first};
    struct job again = {.o = o, .pool = pool, .r = r, .err = err};
    bool computed;

    if (write_once(m, formats[o->format].exprs, &j, out, &computed))
        return true;
    if (!computed || pool_stopped(pool)) {
        *err = first;
        return false;
    }
    port_report_fini(r);
    out->len = from;
    if (!write_once(m, false, &again, out, &computed))
        return false;
    buf_printf(&r->notes, "derived columns are not computed there: %s\n",
               first.message);
    return buf_check(&r->notes, err);
}

bool
port_save(const struct model *m, const struct port_export *o, const char *path,
          struct pool *pool, size_t *len, struct port_report *r,
          struct error *err)
{
    struct buf file;
    bool ok;

    buf_init(&file);
    ok = port_write(m, o, pool, &file, r, err) &&
         file_replace(path, file.data, file.len, 0644, err);
    *len = file.len;
    buf_fini(&file);
    return ok;
}

void
port_report_fini(struct port_report *r)
{
    buf_fini(&r->notes);
}

/* ---- reading ---- */

static size_t
list_len(const char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

/* Names of one's own are fine, the file's in another order are not. */
static bool
places_check(const struct portable *p, const char *const *name,
             struct error *err)
{
    for (size_t i = 0; p->named && i < p->n_classes; i++)
        for (size_t k = 0; k < p->n_classes; k++)
            if (i != k && strcmp(name[i], p->classes[k]) == 0)
                return error_set(err, ERR_RANGE,
                                 "class '%s' is the file's number %zu, not %zu",
                                 name[i], k + 1, i + 1);
    return true;
}

static bool
apply_options(struct portable *p, const struct port_import *o,
              struct error *err)
{
    size_t n = list_len(o->columns), k = list_len(o->classes);

    if (o->target &&
        !(p->target = arena_text(&p->arena, o->target, strlen(o->target), err)))
        return false;
    if (n && n != p->graph->n_cols)
        return error_set(err, ERR_RANGE,
                         "%zu names for columns, the model has %zu inputs", n,
                         p->graph->n_cols);
    for (size_t i = 0; i < n; i++)
        if (!portable_name(p, i, str_of(o->columns[i]), err))
            return false;
    /* One share of two classes, which the file does not name. */
    if (k == 2 && p->problem == PROBLEM_REGRESSION &&
        p->graph->node[p->graph->n - 1].op == GRAPH_SIGMOID)
        return portable_classes(p, o->classes, k, err);
    if (k && k != p->n_classes)
        return error_set(err, ERR_RANGE,
                         "%zu names for classes, the model has %zu", k,
                         p->n_classes);
    return !k || (places_check(p, o->classes, err) &&
                  portable_classes(p, o->classes, k, err));
}

static bool
is_pickle(struct str bytes)
{
    return bytes.n > 2 && bytes.p[0] == '\x80' && bytes.p[1] >= 2 &&
           bytes.p[1] <= 5;
}

/* What a file is that no reader takes, and how its model gets here. */
static const char *
told_by_bytes(struct str bytes)
{
    if (is_pickle(bytes))
        return "this is a pickle of Python: save the model itself, by "
               "save_model(\"m.json\") of XGBoost, save_model(\"m.txt\") of "
               "LightGBM, or as ONNX (skl2onnx)";
    if (str_starts(bytes, "PK\x03\x04"))
        return "this is a zip archive, as PyTorch and Keras write: export the "
               "net as ONNX (torch.onnx.export, tf2onnx)";
    if (str_starts(bytes, "\x89HDF"))
        return "this is HDF5, as Keras writes: export the net as ONNX "
               "(tf2onnx)";
    if (str_starts(bytes, "binf"))
        return "this is XGBoost's old binary format: load it with XGBoost "
               "before 3.1 and save it as m.json";
    if (str_starts(bytes, "CBM1"))
        return "this is CatBoost's own format: write it by "
               "save_model(\"m.onnx\", format=\"onnx\")";
    return "not a model that is known: LightGBM, ONNX, XGBoost, PMML, "
           "safetensors";
}

static struct portable *
read_any(struct str bytes, const struct port_import *o, struct error *err)
{
    if (lightgbm_is(bytes))
        return lightgbm_read(bytes, o->stop, err);
    if (tensors_is(bytes))
        return tensors_read(bytes, o->activation, list_len(o->classes) == 2,
                            o->stop, err);
    if (pmml_is(bytes))
        return pmml_read(bytes, o->stop, err);
    if (onnx_is(bytes))
        return onnx_read(bytes, o->stop, err);
    if (xgboost_is(bytes))
        return xgboost_read(bytes, o->stop, err);
    error_set(err, ERR_PARSE, "%s", told_by_bytes(bytes));
    return NULL;
}

struct model *
port_read(struct str bytes, const struct port_import *o, struct error *err)
{
    static const struct port_import usual;
    struct portable *p = read_any(bytes, o ? o : &usual, err);
    struct model *m = NULL;

    if (p && apply_options(p, o ? o : &usual, err) && portable_check(p, err))
        m = portable_model(p, err);
    portable_free(p);
    return m;
}
