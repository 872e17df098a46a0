/* base/sort.c -- qsort() that can be stopped.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { RUN = 1 << 14, LOOK_EVERY = 1 << 16 }; /* items */

struct sorting {
    size_t n, size;
    int (*compare)(const void *, const void *);
    const struct progress *progress;
};

static bool
sort_runs(const struct sorting *s, char *item, struct error *err)
{
    for (size_t at = 0; at < s->n; at += RUN) {
        size_t n = s->n - at < RUN ? s->n - at : RUN;

        if (!progress_check(s->progress, err))
            return false;
        qsort(item + at * s->size, n, s->size, s->compare);
    }
    return true;
}

/* a to b and b to end, in order each, into one at `to`. */
static bool
merge(const struct sorting *s, const char *a, const char *b, const char *end,
      char *to, struct error *err)
{
    const char *end_a = b;

    for (size_t i = 1; a < end_a && b < end; i++) {
        const char **from = s->compare(a, b) <= 0 ? &a : &b;

        if (i % LOOK_EVERY == 0 && !progress_check(s->progress, err))
            return false;
        memcpy(to, *from, s->size);
        *from += s->size;
        to += s->size;
    }
    memcpy(to, a, (size_t)(end_a - a));
    memcpy(to + (end_a - a), b, (size_t)(end - b));
    return true;
}

static bool
merge_runs(const struct sorting *s, char *from, char *to, size_t run,
           struct error *err)
{
    for (size_t at = 0; at < s->n; at += 2 * run) {
        size_t left = s->n - at, n_a = left < run ? left : run;
        size_t n = left < 2 * run ? left : 2 * run;
        const char *a = from + at * s->size;

        if (!progress_check(s->progress, err) ||
            !merge(s, a, a + n_a * s->size, a + n * s->size, to + at * s->size,
                   err))
            return false;
    }
    return true;
}

bool
sort_items(void *item, size_t n, size_t size,
           int (*compare)(const void *, const void *),
           const struct progress *progress, struct error *err)
{
    const struct sorting s = {n, size, compare, progress};
    char *from = item, *scratch, *to;
    bool ok;

    if (n <= RUN)
        return sort_runs(&s, item, err);
    if (!(to = scratch = mem_try_array(n, size, err)))
        return false;
    ok = sort_runs(&s, item, err);
    for (size_t run = RUN; ok && run < n; run *= 2) {
        char *swap = from;

        ok = merge_runs(&s, from, to, run, err);
        from = to;
        to = swap;
    }
    if (ok && from == scratch)
        memcpy(item, scratch, n * size);
    free(scratch);
    return ok;
}

/* ---- numbers ---- */

int
sort_rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return isnan(x) || isnan(y) ? isnan(y) - isnan(x) : (x > y) - (x < y);
}

int
sort_falling(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return isnan(x) || isnan(y) ? isnan(y) - isnan(x) : (x < y) - (x > y);
}

double
sort_quantile(const double *x, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;

    return i + 1 < n ? x[i] + (at - (double)i) * (x[i + 1] - x[i]) : x[n - 1];
}

static size_t
count(const double *x, size_t n, double v, bool also)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (x[mid] < v || (also && x[mid] == v))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

size_t
sort_below(const double *x, size_t n, double v)
{
    return count(x, n, v, false);
}

size_t
sort_up_to(const double *x, size_t n, double v)
{
    return count(x, n, v, true);
}
