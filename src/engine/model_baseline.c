/* engine/model_baseline.c -- how the inputs were spread in training.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/model_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"

enum { DECILES = 9 };

/* One input, measured on its own. */
struct measured {
    const struct input *input;
    const struct column *column;
    double cut[DECILES];
    size_t n_cuts;
    double *share; /* owned */
    size_t n_bins;
    double missing;
    bool ok;
    struct error err;
};

/* The deciles of sorted x, each once, without the least value: a bin that
 * training left empty would say nothing. */
static void
cut_deciles(struct measured *m, const double *x, size_t n)
{
    for (size_t q = 1; q <= DECILES && n > 0; q++) {
        double v = x[q * n / (DECILES + 1)];

        if (v > x[0] && (m->n_cuts == 0 || v > m->cut[m->n_cuts - 1]))
            m->cut[m->n_cuts++] = v;
    }
}

static bool
measure_number(struct measured *m)
{
    size_t n = column_rows(m->column), k = 0, bin = 0;
    double *x = mem_try_array(n, sizeof *x, &m->err);

    if (!x)
        return false;
    column_numbers(m->column, 0, n, x);
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]))
            x[k++] = x[i];
    if (!order_numbers(x, k, NULL, &m->err)) {
        free(x);
        return false;
    }
    cut_deciles(m, x, k);
    m->n_bins = m->n_cuts + 1;
    m->missing = n ? (double)(n - k) / (double)n : 0;
    m->share = mem_try_array(m->n_bins, sizeof *m->share, &m->err);
    for (size_t i = 0; i < k && m->share; i++) {
        while (bin < m->n_cuts && m->cut[bin] <= x[i])
            bin++;
        m->share[bin]++;
    }
    for (size_t b = 0; b < m->n_bins && m->share && k; b++)
        m->share[b] /= (double)k;
    free(x);
    return m->share != NULL;
}

/* The last bin is for levels that are not known. */
static bool
measure_text(struct measured *m)
{
    const struct dict *dict = column_dict(m->column);
    const uint32_t *codes = column_codes(m->column);
    const uint64_t *valid = column_validity(m->column);
    size_t n = column_rows(m->column), n_codes = dict_count(dict);
    size_t *bin = mem_try_array(n_codes, sizeof *bin, &m->err), k = 0;

    m->n_bins = m->input->n_levels + 1;
    m->share = mem_try_array(m->n_bins, sizeof *m->share, &m->err);
    if (!bin || !m->share) {
        free(bin);
        return false;
    }
    for (size_t c = 0; c < n_codes; c++)
        bin[c] = m->input->n_levels;
    for (size_t l = 0; l < m->input->n_levels; l++) {
        uint32_t c = dict_find(dict, str_of(m->input->levels[l]));

        if (c != DICT_NONE)
            bin[c] = l;
    }
    for (size_t i = 0; i < n; i++)
        if (column_bit(valid, i)) {
            m->share[bin[codes[i]]]++;
            k++;
        }
    for (size_t b = 0; b < m->n_bins && k; b++)
        m->share[b] /= (double)k;
    m->missing = n ? (double)(n - k) / (double)n : 0;
    free(bin);
    return true;
}

static void
measure_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct measured *m = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        m[i].ok = m[i].input->type == COL_TEXT ? measure_text(&m[i])
                                               : measure_number(&m[i]);
}

bool
model_baselines_init(struct model *m, size_t n_cuts, size_t n_shares,
                     struct error *err)
{
    size_t n;
    const struct input *in = prepare_inputs(m->prepare, &n);

    m->baseline = NULL;
    m->cuts = m->share = NULL;
    if (!(m->baseline = mem_try_array(n, sizeof *m->baseline, err)) ||
        !(m->cuts = mem_try_array(n_cuts, sizeof *m->cuts, err)) ||
        !(m->share = mem_try_array(n_shares, sizeof *m->share, err)))
        return false;
    m->n_cuts = n_cuts;
    m->n_shares = n_shares;
    for (size_t i = 0; i < n; i++) {
        m->baseline[i].name = in[i].name;
        m->baseline[i].category = in[i].type == COL_TEXT;
    }
    return true;
}

/* Lay what was measured end to end. */
static bool
baselines_gather(struct model *m, const struct measured *part, size_t n,
                 struct error *err)
{
    size_t n_cuts = 0, n_shares = 0;
    double *cuts, *share;

    for (size_t i = 0; i < n; i++) {
        if (!part[i].ok) {
            *err = part[i].err;
            return false;
        }
        n_cuts += part[i].n_cuts;
        n_shares += part[i].n_bins;
    }
    free(m->baseline); /* of the rows before stopping early */
    free(m->cuts);
    free(m->share);
    if (!model_baselines_init(m, n_cuts, n_shares, err))
        return false;
    cuts = m->cuts;
    share = m->share;
    for (size_t i = 0; i < n; i++) {
        struct baseline *b = &m->baseline[i];

        memcpy(cuts, part[i].cut, part[i].n_cuts * sizeof *cuts);
        memcpy(share, part[i].share, part[i].n_bins * sizeof *share);
        b->cuts = cuts;
        b->share = share;
        b->n_bins = part[i].n_bins;
        b->missing = part[i].missing;
        cuts += part[i].n_cuts;
        share += part[i].n_bins;
    }
    return true;
}

bool
model_baselines_fit(struct model *m, const struct frame *train,
                    struct pool *pool, struct error *err)
{
    size_t n, col;
    const struct input *in = prepare_inputs(m->prepare, &n);
    struct measured *part = mem_try_array(n, sizeof *part, err);
    bool ok = part != NULL;

    for (size_t i = 0; i < n && ok; i++) {
        part[i].input = &in[i];
        ok = frame_need(train, in[i].name, &col, err);
        if (ok)
            part[i].column = frame_column(train, col);
    }
    ok = ok && pool_try(pool, n, 1, measure_chunk, part, err) &&
         baselines_gather(m, part, n, err);
    for (size_t i = 0; i < n && part; i++)
        free(part[i].share);
    free(part);
    return ok;
}
