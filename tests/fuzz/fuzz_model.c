/* tests/fuzz/fuzz_model.c -- foreign bytes as a model file.
 *
 * What opens must also answer: predict rows that are empty, usual and huge,
 * rank its inputs, print itself and save.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/explain.h"
#include "engine/family.h"
#include "frame/builder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ROWS = 3, MAX_INPUTS = 100 };

static bool
cell(struct builder *b, size_t col, const struct input *in, unsigned row,
     struct error *err)
{
    if (row == 0)
        return true; /* missing */
    if (in->type == COL_TEXT)
        return builder_text(b, col,
                            row == 1 && in->n_levels ? str_of(in->levels[0])
                                                     : STR("none of these"),
                            err);
    if (in->type == COL_FLOAT64)
        return builder_f64(b, col, row == 1 ? 1 : -1e300, err);
    if (in->type == COL_BOOL)
        return builder_i64(b, col, row == 1, err);
    return builder_i64(b, col, row == 1 ? 1 : 100000, err);
}

static struct frame *
rows_for(const struct model *m, struct error *err)
{
    const char *names[MAX_INPUTS];
    enum col_type types[MAX_INPUTS];
    struct builder *b;
    size_t n;
    const struct input *in = model_inputs(m, &n);
    bool ok;

    if (n > MAX_INPUTS)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        names[i] = in[i].name;
        types[i] = in[i].type;
    }
    ok = (b = builder_new(n, names, types, err)) != NULL;
    for (unsigned row = 0; row < ROWS && ok; row++) {
        for (size_t i = 0; i < n && ok; i++)
            ok = cell(b, i, &in[i], row, err);
        ok = ok && builder_end_row(b, err);
    }
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}

/* Why it answers so, in the ways that do not take long. */
static void
ask_why(const struct model *m, const struct frame *f)
{
    static const struct explain_options ways[] = {
        {.way = EXPLAIN_PATH},
        {.way = EXPLAIN_BACKGROUND},
        {.way = EXPLAIN_BACKGROUND, .pairs = true},
    };
    const struct train ctx = {.seed = 1};
    struct error err;
    struct shares s;

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (explain_shares(m, f, &ways[i], &ctx, &s, &err)) {
            frame_unref(shares_frame(&s, -1, &err));
            shares_fini(&s);
        }
}

static void
ask(const struct model *m)
{
    struct error err;
    struct frame *f = rows_for(m, &err), *out;
    struct json_writer w;
    struct buf b;

    out = f ? model_predict_frame(m, f, NULL, &err) : NULL;
    frame_unref(out);
    if (f)
        ask_why(m, f);
    frame_unref(f);
    buf_init(&b);
    model_print(m, &b);
    json_writer_init(&w, &b);
    model_card_json(m, &w);
    buf_clear(&b);
    if (!model_save(m, &b, &err))
        buf_clear(&b);
    buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct error err;
    /* Mapped files lie on pages; an odd address would hide the readers. */
    char *p = mem_try_aligned(len, 1, &err);
    struct model *m;

    if (!p)
        return 0;
    memcpy(p, data, len);
    m = model_parse((struct str){p, len}, family_find, &err);
    if (m)
        ask(m);
    model_unref(m);
    free(p);
    return 0;
}
