/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/coefficients.h"

#include "engine/classic/linear_fit.h"
#include "frame/builder.h"

const struct family_table coefficient_tables[] = {COEFFICIENTS_TABLE,
                                                  {NULL, NULL}};

static bool
put_row(struct builder *b, const struct linear *l, size_t output,
        const char *name, double x, struct error *err)
{
    size_t at = l->k > 1;

    return (l->k == 1 || builder_i64(b, 0, (int64_t)output + 1, err)) &&
           builder_text(b, at, str_of(name), err) &&
           builder_f64(b, at + 1, x, err) && builder_end_row(b, err);
}

/* A column's value was v / scale + shift: w v = w scale (value - shift). */
static bool
put_output(struct builder *b, const struct linear *l, size_t output,
           const struct prepare *prepare, struct error *err)
{
    const double *w = l->weight + output * l->p;
    double intercept = l->bias[output];
    struct prepared c;

    for (size_t j = 0; j < l->p; j++) {
        prepare_column(prepare, j, &c);
        intercept -= w[j] * c.scale * c.shift;
    }
    if (!put_row(b, l, output, "(intercept)", intercept, err))
        return false;
    for (size_t j = 0; j < l->p; j++) {
        prepare_column(prepare, j, &c);
        if (!put_row(b, l, output, c.name, w[j] * c.scale, err))
            return false;
    }
    return true;
}

struct frame *
coefficients_table(const void *learner, size_t which,
                   const struct prepare *prepare, struct error *err)
{
    static const char *const names[] = {"class", "column", "coefficient"};
    static const enum col_type types[] = {COL_INT64, COL_TEXT, COL_FLOAT64};
    const struct linear *l = learner;
    size_t first = l->k > 1 ? 0 : 1;
    struct builder *b =
        builder_new(3 - first, names + first, types + first, err);
    bool ok = b != NULL;

    (void)which;
    for (size_t k = 0; k < l->k && ok; k++)
        ok = put_output(b, l, k, prepare, err);
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}
