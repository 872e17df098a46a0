/* frame/profile_estimate.c -- what reports say of numbers that are not exact.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/profile_part.h"

/* The largest of each error over the columns. */
static unsigned
worst(const struct profile *p, struct profile_errors *out)
{
    unsigned any = 0;

    *out = (struct profile_errors){0};
    for (size_t i = 0; i < p->n_cols; i++) {
        const struct profile_column *c = &p->column[i];

        any |= c->estimated;
        if (c->error.distinct > out->distinct)
            out->distinct = c->error.distinct;
        if (c->error.rank > out->rank)
            out->rank = c->error.rank;
        if (c->error.top > out->top)
            out->top = c->error.top;
        if (c->error.bin > out->bin)
            out->bin = c->error.bin;
    }
    return any;
}

void
profile_errors_text(const struct profile *p, struct buf *out)
{
    struct profile_errors e;
    unsigned any = worst(p, &e);
    const char *gap = "";
    char text[STR_F64_MAX];

    if (any & ESTIMATE_DISTINCT) {
        buf_printf(out, "distinct values within %.1f %%", 100 * e.distinct);
        gap = ", ";
    }
    if (any & ESTIMATE_QUANTILES) {
        buf_printf(out, "%squantiles within %.2f %% of the rows", gap,
                   100 * e.rank);
        gap = ", ";
    }
    if (e.top > 0) {
        text[str_from_count(e.top, text)] = 0;
        buf_printf(out, "%scounts of values at most %s too high", gap, text);
        gap = ", ";
    }
    if (any & ESTIMATE_HISTOGRAM) {
        text[str_from_count(e.bin, text)] = 0;
        buf_printf(out, "%sbars of shapes within %s rows", gap, text);
    }
}

void
profile_looked_text(const struct profile *p, struct buf *out)
{
    const struct profile_against *a = p->against;
    char text[2][STR_F64_MAX];

    if (!a || (a->n_looked[0] == p->n_rows && a->n_looked[1] == a->n_rows))
        return;
    for (size_t i = 0; i < 2; i++)
        text[i][str_from_count(a->n_looked[i], text[i])] = 0;
    if (a->n_looked[0] == a->n_looked[1])
        buf_printf(out, "; drift is estimated on %s rows of each", text[0]);
    else
        buf_printf(out, "; drift is estimated on %s rows here, %s there",
                   text[0], text[1]);
}
