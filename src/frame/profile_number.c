/* Statistics of a numeric column, all taken from its sorted values: sums run
 * from the smallest to the largest, whatever the order of the rows was.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "frame/distance.h"
#include "frame/order.h"
#include "frame/profile_part.h"
#include "frame/sketch.h"

const double profile_levels[PROFILE_QUANTILES] = {0.01, 0.05, 0.1,  0.25, 0.5,
                                                  0.75, 0.9,  0.95, 0.99};

enum { CHUNK = 1 << 18, BATCH = 1024, LANES = 8 };

struct sorted {
    const uint64_t *key; /* ascending, no missing, no NaN */
    size_t n;
    size_t begin, end; /* the finite ones */
    enum col_type type;
    struct profile_column *out;
    const struct progress *progress;
};

/* Asked in long loops over i: is it time to look, and were we stopped? */
static bool
stopped(const struct sorted *s, size_t i)
{
    return i % CHUNK == 0 && progress_stopped(s->progress);
}

double
profile_key_value(enum col_type type, uint64_t key)
{
    switch (type) {
    case COL_FLOAT64:
        return order_to_float(key);
    case COL_TIMESTAMP:
        return (double)order_to_int(key) / 1e6;
    default:
        return (double)order_to_int(key);
    }
}

static double
value(const struct sorted *s, size_t i)
{
    return profile_key_value(s->type, s->key[i]);
}

/* Present values as keys; NaN counts as missing. */
static size_t
gather(const struct column *c, uint64_t *key, struct profile_column *out,
       const struct progress *progress)
{
    const uint64_t *valid = column_validity(c);
    size_t rows = column_rows(c), n = 0;
    uint64_t batch[BATCH];

    for (size_t at = 0; at < rows; at += BATCH) {
        if (progress_stopped(progress))
            break;

        size_t m = rows - at < BATCH ? rows - at : BATCH;

        order_keys(c, at, at + m, NULL, batch);
        for (size_t i = 0; i < m; i++) {
            bool here =
                column_bit(valid, at + i) &&
                (column_type(c) != COL_FLOAT64 || batch[i] != UINT64_MAX);
            uint64_t last = n ? key[n - 1] : batch[i];

            out->n_rise += here & (batch[i] > last);
            out->n_fall += here & (batch[i] < last);
            key[n] = batch[i];
            n += here;
        }
    }
    return n;
}

/* ---- moments --------------------------------------------------------- */

/* Sample skewness and excess kurtosis without bias (Joanes & Gill 1998, G1
 * and G2), 0 for a constant, as in pandas. */
void
profile_shape(struct profile_column *out, double n, double m2, double m3,
              double m4)
{
    bool flat = m2 < 1e-14;

    if (n >= 3)
        out->skew = flat ? 0 : n * sqrt(n - 1) / (n - 2) * m3 / (m2 * sqrt(m2));
    if (n >= 4)
        out->kurtosis =
            flat ? 0
                 : n * (n + 1) * (n - 1) * m4 / ((n - 2) * (n - 3) * m2 * m2) -
                       3 * (n - 1) * (n - 1) / ((n - 2) * (n - 3));
}

/* Sums over a chunk of the finite values: of them, then of the powers of their
 * distance from the mean. */
struct sums {
    struct sketch_sum value, square, cube, fourth;
};

struct moments {
    const struct sorted *s;
    double mean;
    bool about_mean;
    struct sums *part; /* one a chunk */
};

/* n values from position i on. */
static void
values(const struct sorted *s, size_t i, size_t n, double *out)
{
    const uint64_t *key = s->key + i;

    switch (s->type) {
    case COL_FLOAT64:
        for (size_t k = 0; k < n; k++)
            out[k] = order_to_float(key[k]);
        break;
    case COL_TIMESTAMP:
        for (size_t k = 0; k < n; k++)
            out[k] = (double)order_to_int(key[k]) / 1e6;
        break;
    default:
        for (size_t k = 0; k < n; k++)
            out[k] = (double)order_to_int(key[k]);
    }
}

/* Sums in LANES, which run side by side; a batch at a time they go into the
 * compensated ones. */
static void
add_values(const double *x, size_t n, struct sums *part)
{
    double lane[LANES] = {0};

    for (size_t i = 0; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lane[k] += x[i + k];
    for (size_t i = n / LANES * LANES; i < n; i++)
        lane[0] += x[i];
    for (size_t k = 0; k < LANES; k++)
        sketch_sum_add(&part->value, lane[k]);
}

static void
add_powers(const double *x, size_t n, double mean, struct sums *part)
{
    double two[LANES] = {0}, three[LANES] = {0}, four[LANES] = {0};

    for (size_t i = 0; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            double d = x[i + k] - mean, square = d * d;

            two[k] += square;
            three[k] += square * d;
            four[k] += square * square;
        }
    for (size_t i = n / LANES * LANES; i < n; i++) {
        double d = x[i] - mean, square = d * d;

        two[0] += square;
        three[0] += square * d;
        four[0] += square * square;
    }
    for (size_t k = 0; k < LANES; k++) {
        sketch_sum_add(&part->square, two[k]);
        sketch_sum_add(&part->cube, three[k]);
        sketch_sum_add(&part->fourth, four[k]);
    }
}

static void
add_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct moments *m = ctx;
    struct sums *part = &m->part[chunk];
    double x[BATCH];

    *part = (struct sums){0};
    for (size_t i = begin; i < end; i += BATCH) {
        size_t n = end - i < BATCH ? end - i : BATCH;

        values(m->s, m->s->begin + i, n, x);
        if (m->about_mean)
            add_powers(x, n, m->mean, part);
        else
            add_values(x, n, part);
    }
}

/* Chunks in their order. */
static void
add_up(const struct moments *m, size_t n, struct sums *out)
{
    *out = (struct sums){0};
    for (size_t i = 0; i < n; i++) {
        sketch_sum_add(&out->value, sketch_sum_get(&m->part[i].value));
        sketch_sum_add(&out->square, sketch_sum_get(&m->part[i].square));
        sketch_sum_add(&out->cube, sketch_sum_get(&m->part[i].cube));
        sketch_sum_add(&out->fourth, sketch_sum_get(&m->part[i].fourth));
    }
}

static bool
set_moments(const struct sorted *s, struct pool *pool, struct error *err)
{
    struct profile_column *out = s->out;
    size_t n = s->end - s->begin, chunks = pool_chunks(n, CHUNK);
    struct moments m = {.s = s};
    struct sums all;

    if (n == 0)
        return true;
    if (!(m.part = mem_try_array(chunks, sizeof *m.part, err)))
        return false;
    pool_for(pool, n, CHUNK, add_chunk, &m);
    add_up(&m, chunks, &all);
    out->sum = sketch_sum_get(&all.value);
    out->mean = m.mean = out->sum / (double)n;
    m.about_mean = true;
    pool_for(pool, n, CHUNK, add_chunk, &m);
    add_up(&m, chunks, &all);
    if (n >= 2)
        out->sd = sqrt(sketch_sum_get(&all.square) / (double)(n - 1));
    profile_shape(out, (double)n, sketch_sum_get(&all.square),
                  sketch_sum_get(&all.cube), sketch_sum_get(&all.fourth));
    free(m.part);
    return true;
}

/* ---- order ----------------------------------------------------------- */

/* Linear between the two neighbours, numpy's default. */
static double
quantile(const struct sorted *s, double q)
{
    size_t n = s->end - s->begin;
    double at = q * (double)(n - 1), below = floor(at);
    size_t i = s->begin + (size_t)below;
    double a = value(s, i), b = i + 1 < s->end ? value(s, i + 1) : a;
    double t = at - below;

    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

static void
set_quantiles(const struct sorted *s)
{
    struct profile_column *out = s->out;

    if (s->begin == s->end)
        return;
    out->min = value(s, s->begin);
    out->max = value(s, s->end - 1);
    for (size_t i = 0; i < PROFILE_QUANTILES; i++)
        out->quantile[i] = quantile(s, profile_levels[i]);
}

/* Distance from the median of the i-th of the finite values below position
 * split, from there down, and of those above, up. */
static double
below(const struct sorted *s, size_t split, size_t i)
{
    return s->out->quantile[4] - value(s, split - 1 - i);
}

static double
above(const struct sorted *s, size_t split, size_t i)
{
    return value(s, split + i) - s->out->quantile[4];
}

/* The k-th smallest distance (from 0): both sides are in order, so that the
 * number taken from below is found by halving. */
static double
distance_at(const struct sorted *s, size_t split, size_t k)
{
    size_t n_below = split - s->begin, n_above = s->end - split;
    size_t low = k + 1 > n_above ? k + 1 - n_above : 0;
    size_t high = k + 1 < n_below ? k + 1 : n_below;
    double a, b;

    while (low < high) {
        size_t i = low + (high - low) / 2;

        if (below(s, split, i) < above(s, split, k - i))
            low = i + 1;
        else
            high = i;
    }
    a = low > 0 ? below(s, split, low - 1) : 0;
    b = k + 1 > low ? above(s, split, k - low) : 0;
    return a > b ? a : b;
}

/* Median of |x - median|. */
static void
set_mad(const struct sorted *s)
{
    size_t n = s->end - s->begin, split = s->begin + n / 2;

    if (n == 0)
        return;
    s->out->mad =
        (distance_at(s, split, (n - 1) / 2) + distance_at(s, split, n / 2)) / 2;
}

static bool
all_whole(const struct sorted *s)
{
    if (s->type == COL_TIMESTAMP)
        return false;
    if (s->type != COL_FLOAT64)
        return true;
    for (size_t i = s->begin; i < s->end; i++)
        if (value(s, i) != rint(value(s, i)))
            return false;
    return true;
}

/* Where bin i begins; quarters keep max - min from overflowing. */
static double
edge(const struct profile_column *c, size_t i)
{
    double share = (double)i / (double)c->n_bins;

    if (c->max / 4 - c->min / 4 > DBL_MAX / 8)
        return c->min * (1 - share) + c->max * share;
    return c->min + (double)i * ((c->max - c->min) / (double)c->n_bins);
}

/* A division may round a value over an edge: the edges decide. */
size_t
profile_bin(const struct profile_column *c, double x)
{
    double share = (x / 4 - c->min / 4) / (c->max / 4 - c->min / 4);
    size_t bin = c->max > c->min ? (size_t)(share * (double)c->n_bins) : 0;

    if (bin >= c->n_bins)
        bin = c->n_bins - 1;
    if (bin > 0 && x < edge(c, bin))
        bin--;
    else if (bin + 1 < c->n_bins && x >= edge(c, bin + 1))
        bin++;
    return bin;
}

/* Few whole numbers get a bin each, else PROFILE_BINS equal ones. */
static void
set_histogram(const struct sorted *s)
{
    struct profile_column *out = s->out;
    double range = out->max - out->min;

    if (s->begin == s->end)
        return;
    out->n_bins = PROFILE_BINS;
    if (range == 0)
        out->n_bins = 1;
    else if (range < PROFILE_BINS && all_whole(s))
        out->n_bins = (size_t)range + 1;
    for (size_t i = s->begin; i < s->end && !stopped(s, i); i++)
        out->histogram[profile_bin(out, value(s, i))]++;
}

/* Of a number with many values its histogram says whether they are spread
 * evenly, not their counts. */
void
profile_uniform(struct profile_column *out)
{
    double sum = 0, n = 0, k = (double)out->n_bins;

    if (out->n_distinct < PROFILE_FEW)
        return;
    for (size_t i = 0; i < out->n_bins; i++) {
        sum += (double)out->histogram[i] * (double)out->histogram[i];
        n += (double)out->histogram[i];
    }
    out->uniform = distance_chi2_tail(sum * k / n - n, k - 1);
}

/* ---- values ---------------------------------------------------------- */

size_t
profile_key_print(enum col_type type, uint64_t key, char out[STR_F64_MAX + 8])
{
    switch (type) {
    case COL_FLOAT64:
        return str_from_f64(order_to_float(key), out);
    case COL_DATE:
        return str_from_date((int32_t)order_to_int(key), out);
    case COL_TIMESTAMP:
        return str_from_timestamp(order_to_int(key), out);
    default:
        return (size_t)snprintf(out, STR_F64_MAX, "%lld",
                                (long long)order_to_int(key));
    }
}

static size_t
print_value(const struct sorted *s, size_t i, char out[STR_F64_MAX + 8])
{
    return profile_key_print(s->type, s->key[i], out);
}

static void
count_kinds(const struct sorted *s, size_t i, size_t count)
{
    double x = value(s, i);

    s->out->n_zero += x == 0 ? count : 0;
    s->out->n_negative += x < 0 ? count : 0;
    s->out->n_infinite += isinf(x) ? count : 0;
}

/* Runs of equal values, in order. */
static bool
set_values(struct sorted *s, struct error *err)
{
    char text[STR_F64_MAX + 8];

    for (size_t i = 0, j; i < s->n && !stopped(s, i); i = j) {
        for (j = i + 1; j < s->n && s->key[j] == s->key[i]; j++)
            ;
        profile_distinct_add(s->out, j - i);
        count_kinds(s, i, j - i);
        if (profile_top_wants(s->out, j - i) &&
            !profile_top_add(s->out, j - i, text, print_value(s, i, text), err))
            return false;
    }
    profile_distinct_end(s->out);
    s->begin = 0;
    s->end = s->n;
    while (s->begin < s->end && isinf(value(s, s->begin)))
        s->begin++;
    while (s->end > s->begin && isinf(value(s, s->end - 1)))
        s->end--;
    return true;
}

static bool
add_extreme(const struct sorted *s, size_t i, size_t count,
            struct profile_top *list, size_t *n, struct error *err)
{
    char text[STR_F64_MAX + 8];
    char *copy = mem_try_text(text, print_value(s, i, text), err);

    if (copy)
        list[(*n)++] = (struct profile_top){copy, count};
    return copy;
}

/* The smallest and the largest values. */
static bool
set_extremes(const struct sorted *s, struct error *err)
{
    struct profile_column *out = s->out;

    for (size_t i = 0, j; i < s->n && out->n_low < PROFILE_TOP; i = j) {
        for (j = i + 1; j < s->n && s->key[j] == s->key[i]; j++)
            ;
        if (!add_extreme(s, i, j - i, out->low, &out->n_low, err))
            return false;
    }
    for (size_t i = s->n, j; i > 0 && out->n_high < PROFILE_TOP; i = j) {
        for (j = i - 1; j > 0 && s->key[j - 1] == s->key[i - 1]; j--)
            ;
        if (!add_extreme(s, j, i - j, out->high, &out->n_high, err))
            return false;
    }
    return true;
}

bool
profile_number(const struct column *c, struct profile_column *out,
               struct pool *pool, const struct progress *progress,
               struct error *err)
{
    struct sorted s = {
        .type = column_type(c), .out = out, .progress = progress};
    uint64_t *key = mem_try_array(column_rows(c), sizeof *key, err);
    uint64_t *scratch =
        key ? mem_try_array(column_rows(c), sizeof *scratch, err) : NULL;
    bool ok = false;

    if (!scratch)
        goto out;
    out->numeric = true;
    s.n = gather(c, key, out, progress);
    out->n_missing = out->n - s.n;
    s.key = order_sort_wide(key, scratch, s.n, pool, progress);
    if (!progress_check(progress, err) || !set_values(&s, err) ||
        !set_extremes(&s, err))
        goto out;
    set_quantiles(&s);
    set_mad(&s);
    set_histogram(&s);
    profile_uniform(out);
    ok = set_moments(&s, pool, err) && progress_check(progress, err);
out:
    free(key);
    free(scratch);
    return ok;
}
