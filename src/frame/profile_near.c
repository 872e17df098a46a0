/* Rows that repeat an earlier one but for case, blanks at the ends of texts
 * and about the seventh digit of numbers.  Numbers are rounded, so that two on
 * both sides of a half stay apart however near they are.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "frame/order.h"
#include "frame/profile_part.h"

static size_t
count_repeats(uint64_t *key, uint64_t *scratch, size_t n)
{
    const uint64_t *sorted = order_sort(key, scratch, n);
    size_t repeats = 0;

    for (size_t i = 1; i < n; i++)
        repeats += sorted[i] == sorted[i - 1];
    return repeats;
}

/* Whole numbers and times that all differ differ still when rounded. */
static bool
has_exact_key(const struct profile *p)
{
    for (size_t i = 0; i < p->n_cols; i++) {
        const struct profile_column *c = &p->column[i];

        if (c->n_distinct == c->n && c->numeric &&
            !(c->estimated & ESTIMATE_DISTINCT) && c->type != COL_FLOAT64)
            return true;
    }
    return false;
}

bool
profile_near_count(struct profile *p, uint64_t *as_is, uint64_t *loose,
                   size_t n, struct error *err)
{
    uint64_t *scratch = mem_try_array(n, sizeof *scratch, err);
    size_t exact, near;

    if (!scratch)
        return false;
    p->n_near_rows = n;
    exact = count_repeats(as_is, scratch, n);
    near = count_repeats(loose, scratch, n);
    p->n_near = !has_exact_key(p) && near > exact ? near - exact : 0;
    free(scratch);
    return true;
}

bool
profile_near(struct profile *p, struct pool *pool, struct error *err)
{
    size_t n = frame_rows(p->frame);
    struct rowhash as_is = {.frame = p->frame, .n_cols = p->n_cols}, loose;
    bool ok;

    p->n_near_rows = n = n < PROFILE_NEAR ? n : PROFILE_NEAR;
    if (n == 0 || has_exact_key(p))
        return true;
    as_is.n = n;
    loose = as_is;
    loose.loose = true;
    ok = rowhash_fill(&as_is, pool, err) && rowhash_fill(&loose, pool, err) &&
         profile_near_count(p, as_is.hash, loose.hash, n, err);
    free(as_is.hash);
    free(loose.hash);
    return ok;
}
