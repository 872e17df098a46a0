/* A column whose unit changes: from some row on its values are those of
 * before, times 1000 (kg to g), 60 (hours to minutes), 2.54 (inches to cm).
 *
 * Looked for in the logarithms, where another unit is a shift.  The place is
 * where the sum of the distances from their mean is farthest from zero; then
 * the medians of the two parts must differ by the ratio of two units, and the
 * parts must look alike once that is taken away.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "frame/distance.h"
#include "frame/order.h"
#include "frame/profile_part.h"

enum { LEAST = 100 }; /* rows of each part */
/* Kolmogorov-Smirnov distances: apart as they are, alike when shifted. */
static const double APART = 0.7, ALIKE = 0.1;
static const double TOLERANCE = 0.04; /* of the ratio */

static const double ratios[] = {
    10,     100,     1000,  1e4,     1e5,     1e6,     1e9, /* SI prefixes */
    60,     3600,    86400, 24,      7,       12,           /* time; dozens */
    1024,   1048576, 2.54,  25.4,    30.48,   3.28084,      /* bytes; length */
    1.6093, 2.2046,  453.6, 28.3495, 3.78541, 4.184,        /* mass; energy */
};

struct part {
    uint64_t *key, *scratch; /* sorted logarithms */
    size_t n;
};

static double
at(const struct part *p, size_t i)
{
    return order_to_float(p->key[i]);
}

static double
median(const struct part *p)
{
    return (at(p, (p->n - 1) / 2) + at(p, p->n / 2)) / 2;
}

/* Greatest distance between the two distribution functions, with b moved down
 * by shift. */
static double
distance(const struct part *a, const struct part *b, double shift)
{
    size_t i = 0, j = 0;
    double most = 0;

    while (i < a->n && j < b->n) {
        double x = at(a, i), y = at(b, j) - shift, low = x < y ? x : y, d;

        /* Rounding may part what the shift makes equal. */
        low += 1e-9 * (1 + fabs(low));
        while (i < a->n && at(a, i) <= low)
            i++;
        while (j < b->n && at(b, j) - shift <= low)
            j++;
        d = fabs((double)i / (double)a->n - (double)j / (double)b->n);
        most = d > most ? d : most;
    }
    return most;
}

/* Logarithms of the values that have one, in row order, and their rows. */
static size_t
logarithms(const struct feature *x, double *value, size_t *row)
{
    size_t n = 0;

    for (size_t i = 0; i < x->n; i++)
        if (isfinite(x->x[i]) && x->x[i] != 0) {
            value[n] = fm_log(fabs(x->x[i]));
            row[n++] = i;
        }
    return n;
}

static size_t
turning_point(const double *value, size_t n)
{
    double mean = 0, sum = 0, most = -1;
    size_t best = 0;

    for (size_t i = 0; i < n; i++)
        mean += (value[i] - mean) / (double)(i + 1);
    for (size_t i = 0; i < n; i++) {
        if (i >= LEAST && i + LEAST <= n && fabs(sum) > most) {
            most = fabs(sum);
            best = i;
        }
        sum += value[i] - mean;
    }
    return best;
}

static void
sort_part(struct part *p, const double *value, size_t n)
{
    uint64_t *sorted;

    for (size_t i = 0; i < n; i++)
        p->key[i] = order_of_float(value[i]);
    p->n = n;
    sorted = order_sort(p->key, p->scratch, n);
    if (sorted != p->key) {
        p->scratch = p->key;
        p->key = sorted;
    }
}

static double
known_ratio(double ratio)
{
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++)
        if (fabs(ratio / ratios[i] - 1) <= TOLERANCE)
            return ratios[i];
    return 0;
}

static bool
is_change(const struct part *a, const struct part *b, double *factor)
{
    double shift = median(b) - median(a);
    double known = known_ratio(fm_exp(fabs(shift)));

    if (known == 0 || distance(a, b, 0) < APART ||
        distance(a, b, shift) > ALIKE)
        return false;
    *factor = shift > 0 ? known : 1 / known;
    return true;
}

bool
profile_unit(const struct profile *p, const struct feature *x, double *factor,
             size_t *row, struct error *err)
{
    double *value = mem_try_array(x->n, sizeof *value, err);
    size_t *rows = NULL, n, cut;
    struct part a = {0}, b = {0};
    bool ok = false;

    *factor = 0;
    if (!value || !(rows = mem_try_array(x->n, sizeof *rows, err)))
        goto out;
    n = logarithms(x, value, rows);
    cut = turning_point(value, n);
    ok = true;
    if (n < 2 * LEAST || cut == 0)
        goto out;
    ok = (a.key = mem_try_array(cut, sizeof *a.key, err)) &&
         (a.scratch = mem_try_array(cut, sizeof *a.key, err)) &&
         (b.key = mem_try_array(n - cut, sizeof *b.key, err)) &&
         (b.scratch = mem_try_array(n - cut, sizeof *b.key, err));
    if (!ok)
        goto out;
    sort_part(&a, value, cut);
    sort_part(&b, value + cut, n - cut);
    if (is_change(&a, &b, factor))
        *row = profile_sample_row(p->frame, rows[cut], x->n);
out:
    free(value);
    free(rows);
    free(a.key);
    free(a.scratch);
    free(b.key);
    free(b.scratch);
    return ok;
}

/* ---- the target in two halves ---------------------------------------- */

/* Jensen-Shannon distance of two lists of counts; 0 where chance would do. */
static bool
shift_of(const size_t *a, const size_t *b, size_t k, double *out,
         struct error *err)
{
    double na = 0, nb = 0, *share = mem_try_array(k, 2 * sizeof *share, err);
    size_t kinds;

    if (!share)
        return false;
    for (size_t i = 1; i < k; i++) {
        na += (double)a[i];
        nb += (double)b[i];
    }
    for (size_t i = 1; i < k; i++) {
        share[i] = (double)a[i] / na;
        share[k + i] = (double)b[i] / nb;
    }
    if (na >= LEAST && nb >= LEAST) {
        double chi2 = distance_chi2(a + 1, b + 1, k - 1, &kinds);

        *out = kinds < 2 || distance_chi2_tail(chi2, (double)kinds - 1) > 0.001
                   ? 0
                   : distance_js(share + 1, share + k + 1, k - 1);
    }
    free(share);
    return true;
}

bool
profile_target_shift(const struct feature *y, double *shift, struct error *err)
{
    uint32_t *code = mem_try_array(y->n, sizeof *code, err);
    size_t *count = NULL, k;
    bool ok = false;

    *shift = NAN;
    if (!code)
        return false;
    k = feature_tenths(y, code);
    if ((count = mem_try_array(k, 2 * sizeof *count, err))) {
        for (size_t i = 0; i < y->n; i++)
            count[(i >= y->n / 2) * k + code[i]]++;
        ok = shift_of(count, count + k, k, shift, err);
    }
    free(code);
    free(count);
    return ok;
}
