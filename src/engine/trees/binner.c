/* engine/trees/binner.c -- cuts at distinct values or quantiles.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/binner.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"

struct binner {
    unsigned n_bins;
    unsigned n_levels; /* 0: a number */
    unsigned half;     /* a power of two: there are 2 * half - 1 cuts */
    double *cut;       /* n_bins - 1 ascending, then +inf; owned */
    uint16_t *code;    /* n_levels; owned */
};

enum { FEW_KEYS = 4096 /* fewer than pay for digits of 11 bits, not 8 */ };

/* Doubles as integers in the same order; -0 becomes 0. */
static uint64_t
key_of(double x)
{
    uint64_t u;

    x += 0.0;
    memcpy(&u, &x, sizeof u);
    return u ^ ((uint64_t)((int64_t)u >> 63) | UINT64_C(1) << 63);
}

static double
value_of(uint64_t key)
{
    uint64_t u = key ^ ((key >> 63) ? UINT64_C(1) << 63 : ~UINT64_C(0));
    double x;

    memcpy(&x, &u, sizeof x);
    return x;
}

static unsigned
digit(uint64_t key, unsigned d, unsigned bits)
{
    return (unsigned)(key >> (d * bits)) & ((1u << bits) - 1);
}

/* Sort n keys; tmp has room for n, count for what digits_of() says.  Returns
 * where the sorted ones are. */
static INLINE_ALWAYS uint64_t *
sort_by(uint64_t *key, uint64_t *tmp, size_t n, size_t *count, unsigned bits)
{
    unsigned digits = (64 + bits - 1) / bits, size = 1u << bits;

    for (size_t i = 0; i < n; i++)
        for (unsigned d = 0; d < digits; d++)
            count[d * size + digit(key[i], d, bits)]++;
    for (unsigned d = 0; d < digits; d++) {
        size_t *at = count + d * size, sum = 0;

        if (n == 0 || at[digit(key[0], d, bits)] == n)
            continue; /* one digit for all: nothing moves */
        for (size_t v = 0; v < size; v++) {
            size_t c = at[v];

            at[v] = sum;
            sum += c;
        }
        for (size_t i = 0; i < n; i++)
            tmp[at[digit(key[i], d, bits)]++] = key[i];

        uint64_t *t = key;
        key = tmp;
        tmp = t;
    }
    return key;
}

/* count: zeros, as many as there are digits of so many keys. */
static size_t
digits_of(size_t n)
{
    return n < FEW_KEYS ? 8 << 8 : 6 << 11;
}

static uint64_t *
radix_sort(uint64_t *key, uint64_t *tmp, size_t n, size_t *count)
{
    return n < FEW_KEYS ? sort_by(key, tmp, n, count, 8)
                        : sort_by(key, tmp, n, count, 11);
}

/* A value above a and not above b, in the middle where there is room. */
static double
between(double a, double b)
{
    double mid = a / 2 + b / 2;

    return mid > a && mid <= b ? mid : b;
}

/* Distinct sorted values and how often each occurs. */
struct distinct {
    double *value;
    size_t *count;
    size_t n, rows;
};

static void
cut_between_distinct(struct binner *b, const struct distinct *v)
{
    b->n_bins = (unsigned)v->n;
    for (size_t i = 0; i + 1 < v->n; i++)
        b->cut[i] = between(v->value[i], v->value[i + 1]);
}

/* Fill bins from the left, each aiming at an equal share of the rows that are
 * left.  A heavy value lowers the share of those after it, so it cannot starve
 * them, and starts a bin of its own when that misses the aim by less. */
static void
cut_at_quantiles(struct binner *b, const struct distinct *v, unsigned max_bins)
{
    size_t left = v->rows, held = 0;
    unsigned bins = max_bins;
    double aim = (double)left / bins;

    b->n_bins = 1;
    for (size_t i = 0; i < v->n && bins > 1; i++) {
        double with = (double)(held + v->count[i]);

        if (i > 0 && with - aim > aim - (double)held) {
            b->cut[b->n_bins++ - 1] = between(v->value[i - 1], v->value[i]);
            left -= held;
            held = 0;
            bins--;
            aim = (double)left / bins;
        }
        held += v->count[i];
    }
}

static bool
count_distinct(struct distinct *v, const uint64_t *sorted, size_t n,
               struct error *err)
{
    size_t k = 0;

    for (size_t i = 0; i < n; i++)
        k += i == 0 || sorted[i] != sorted[i - 1];
    v->value = mem_try_array(k, sizeof *v->value, err);
    v->count = mem_try_array(k, sizeof *v->count, err);
    if (!v->value || !v->count)
        return false;
    v->rows = n;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || sorted[i] != sorted[i - 1])
            v->value[v->n++] = value_of(sorted[i]);
        v->count[v->n - 1]++;
    }
    return true;
}

static bool
check_bins(unsigned max_bins, struct error *err)
{
    if (max_bins >= 2 && max_bins <= BINNER_MAX_BINS)
        return true;
    return error_set(err, ERR_RANGE, "max_bins is %u, expected 2..%d", max_bins,
                     BINNER_MAX_BINS);
}

/* Room for the cuts of up to n bins. */
static bool
make_cuts(struct binner *b, size_t n, struct error *err)
{
    size_t size;

    for (b->half = 1; 2 * (size_t)b->half < n; b->half *= 2)
        ;
    size = 2 * (size_t)b->half - 1;
    if (!(b->cut = mem_try_array(size, sizeof *b->cut, err)))
        return false;
    for (size_t i = 0; i < size; i++)
        b->cut[i] = INFINITY;
    return true;
}

struct binner *
binner_fit(const double *x, size_t n, unsigned max_bins, struct error *err)
{
    struct binner *b = NULL;
    uint64_t *key = NULL, *tmp = NULL;
    size_t *count = NULL, m = 0;
    struct distinct v = {NULL, NULL, 0, 0};
    bool ok = false;

    if (!check_bins(max_bins, err) || !(b = mem_try_array(1, sizeof *b, err)) ||
        !(key = mem_try_array(n, sizeof *key, err)) ||
        !(tmp = mem_try_array(n, sizeof *tmp, err)) ||
        !(count = mem_try_array(digits_of(n), sizeof *count, err)))
        goto out;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]))
            key[m++] = key_of(x[i]);
    if (!count_distinct(&v, radix_sort(key, tmp, m, count), m, err) ||
        !make_cuts(b, v.n < max_bins ? v.n : max_bins, err))
        goto out;

    /* Few values: a bin each, so that rare large ones keep their own. */
    if (v.n <= max_bins)
        cut_between_distinct(b, &v);
    else
        cut_at_quantiles(b, &v, max_bins);
    ok = true;
out:
    if (!ok) {
        binner_free(b);
        b = NULL;
    }
    free(v.value);
    free(v.count);
    free(count);
    free(tmp);
    free(key);
    return b;
}

struct level {
    size_t rows;
    unsigned id;
};

static int
by_rows_then_id(const void *pa, const void *pb)
{
    const struct level *a = pa, *b = pb;

    if (a->rows != b->rows)
        return a->rows < b->rows ? 1 : -1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static int
by_id(const void *pa, const void *pb)
{
    const struct level *a = pa, *b = pb;

    return a->id < b->id ? -1 : a->id > b->id;
}

struct binner *
binner_fit_levels(const double *x, size_t n, unsigned n_levels,
                  unsigned max_bins, size_t min_rows, struct error *err)
{
    struct binner *b = NULL;
    struct level *level = NULL;
    size_t used = 0;

    if (!check_bins(max_bins, err) || !(b = mem_try_array(1, sizeof *b, err)))
        return NULL;
    b->code = mem_try_array(n_levels, sizeof *b->code, err);
    level = mem_try_array(n_levels, sizeof *level, err);
    if (!b->code || !level) {
        binner_free(b);
        free(level);
        return NULL;
    }
    b->n_levels = n_levels;
    for (unsigned i = 0; i < n_levels; i++)
        level[i].id = i;
    for (size_t i = 0; i < n; i++)
        if (x[i] >= 0 && x[i] < n_levels)
            level[(size_t)x[i]].rows++;
    qsort(level, n_levels, sizeof *level, by_rows_then_id);
    while (used < n_levels && used < max_bins && level[used].rows > 0)
        used++;
    while (used > BINNER_NARROW && level[used - 1].rows < min_rows)
        used--;
    qsort(level, used, sizeof *level, by_id);
    for (size_t k = 0; k < used; k++)
        b->code[level[k].id] = (uint16_t)(k + 1);
    b->n_bins = (unsigned)used;
    free(level);
    return b;
}

struct binner *
binner_of_codes(const uint16_t *code, unsigned n_levels, struct error *err)
{
    struct binner *b = mem_try_array(1, sizeof *b, err);

    if (!b || !(b->code = mem_try_array(n_levels, sizeof *b->code, err))) {
        binner_free(b);
        return NULL;
    }
    memcpy(b->code, code, n_levels * sizeof *code);
    b->n_levels = n_levels;
    for (unsigned i = 0; i < n_levels; i++)
        b->n_bins = code[i] > b->n_bins ? code[i] : b->n_bins;
    return b;
}

void
binner_free(struct binner *b)
{
    if (!b)
        return;
    free(b->cut);
    free(b->code);
    free(b);
}

/* How many cuts (padded with +inf) are <= x, for x < +inf. */
static unsigned
cuts_below(const struct binner *b, double x)
{
    unsigned at = 0;

    for (unsigned step = b->half; step > 0; step /= 2)
        at += b->cut[at + step - 1] <= x ? step : 0;
    return at;
}

static unsigned
code_of(const struct binner *b, double x)
{
    if (isnan(x) || b->n_bins == 0)
        return 0;
    if (x == INFINITY)
        return b->n_bins;
    return cuts_below(b, x) + 1;
}

static unsigned
level_of(const struct binner *b, double x)
{
    return x >= 0 && x < b->n_levels ? b->code[(size_t)x] : 0;
}

void
binner_apply(const struct binner *b, const double *x, size_t n, uint8_t *out)
{
    assert(b->n_bins <= BINNER_NARROW);
    if (b->n_levels > 0)
        for (size_t i = 0; i < n; i++)
            out[i] = (uint8_t)level_of(b, x[i]);
    else
        for (size_t i = 0; i < n; i++)
            out[i] = (uint8_t)code_of(b, x[i]);
}

void
binner_apply_long(const struct binner *b, const double *x, size_t n,
                  uint16_t *out)
{
    if (b->n_levels > 0)
        for (size_t i = 0; i < n; i++)
            out[i] = (uint16_t)level_of(b, x[i]);
    else
        for (size_t i = 0; i < n; i++)
            out[i] = (uint16_t)code_of(b, x[i]);
}

unsigned
binner_bins(const struct binner *b)
{
    return b->n_bins;
}

double
binner_cut(const struct binner *b, unsigned k)
{
    return b->cut[k - 1];
}

const uint16_t *
binner_codes(const struct binner *b, unsigned *n_levels)
{
    *n_levels = b->n_levels;
    return b->n_levels > 0 ? b->code : NULL;
}
