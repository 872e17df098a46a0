/* tests/fuzz/fuzz_port_read.c -- foreign bytes as a model of another program.
 *
 * What is read must also answer rows, rank its inputs, print itself, be saved
 * and written in every format that can hold it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/port/c_source.h"
#include "engine/port/lightgbm.h"
#include "engine/port/onnx.h"
#include "engine/port/pmml.h"
#include "engine/port/port.h"
#include "engine/port/portable.h"
#include "engine/port/xgboost.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ROWS = 4, MAX_INPUTS = 200, MAX_WIDTHS = 1 << 14 };

static void
answer(const struct portable *p)
{
    static const double values[ROWS] = {(double)NAN, 0, 1, -1e300};
    size_t n = p->graph->n_cols, width = portable_width(p);
    struct design_column column[MAX_INPUTS] = {{0}};
    struct error err;
    double *x = mem_try_array(n, ROWS * sizeof *x, &err);
    double *out = mem_try_array(width, ROWS * sizeof *out, &err);
    struct design *d = NULL;

    for (size_t i = 0; x && i < n * ROWS; i++)
        x[i] = values[i % ROWS];
    if (x && out && (d = design_dense(x, ROWS, n, column, &err)) &&
        !graph_score(p->graph, d, NULL, out, &err))
        abort();
    design_free(d);
    free(x);
    free(out);
}

static void
write_again(const struct portable *p)
{
    struct error err;
    struct buf b;

    buf_init(&b);
    if (!lightgbm_write(p, &b, &err))
        buf_clear(&b);
    if (!onnx_write(p, 3, &b, &err) || !onnx_write(p, 5, &b, &err))
        buf_clear(&b);
    if (!c_source_write(p, "model", &b, &err))
        buf_clear(&b);
    if (!pmml_write(p, &b, &err) || !xgboost_write(p, &b, &err))
        buf_clear(&b);
    buf_fini(&b);
}

static void
look(const struct model *m)
{
    struct error err;
    struct portable *p = portable_of(m, true, NULL, &err);
    struct json_writer w;
    struct buf b;

    buf_init(&b);
    model_print(m, &b);
    json_writer_init(&w, &b);
    model_card_json(m, &w);
    buf_clear(&b);
    if (!model_save(m, &b, &err))
        buf_clear(&b);
    buf_fini(&b);
    if (p && p->graph->n_cols <= MAX_INPUTS && p->graph->widths <= MAX_WIDTHS) {
        answer(p);
        write_again(p);
    }
    portable_free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct error err;
    struct model *m =
        port_read((struct str){(const char *)data, len}, NULL, &err);

    if (m)
        look(m);
    model_unref(m);
    return 0;
}
