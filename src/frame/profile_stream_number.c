/* Numbers of a stream.  While few values differ each is counted, and all that
 * is told comes from these counts in the end.  When there are too many the
 * counts go into the sketches, and what comes then follows in sorted blocks,
 * from whose runs each sketch takes what it needs.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "frame/order.h"
#include "frame/profile_stream_part.h"

enum { BATCH = 1024 };

/* ---- sorted runs into the sketches ---- */

/* Keys of -inf and 0; whole numbers have no infinite ones. */
static uint64_t
key_of_zero(const struct gather *g)
{
    return g->type == COL_FLOAT64 ? order_of_float(0) : order_of_int(0);
}

static bool
is_infinite(const struct gather *g, uint64_t key)
{
    return g->type == COL_FLOAT64 && isinf(order_to_float(key));
}

static void
count_kinds(struct gather *g, const struct sketch_point *p, size_t n)
{
    uint64_t zero = key_of_zero(g);
    struct many *m = g->many;

    for (size_t i = 0; i < n && p[i].key <= zero; i++) {
        m->n_negative += p[i].key < zero ? p[i].weight : 0;
        m->n_zero += p[i].key == zero ? p[i].weight : 0;
    }
    for (size_t i = 0; i < n && p[i].key < zero; i++) {
        if (!is_infinite(g, p[i].key))
            break;
        m->n_infinite += p[i].weight;
    }
    for (size_t i = n; i > 0 && p[i - 1].key > zero; i--) {
        if (!is_infinite(g, p[i - 1].key))
            break;
        m->n_infinite += p[i - 1].weight;
    }
}

/* One more value for a list of the smallest or, by the complement of their
 * keys, the largest; false when it and all behind it are too many. */
static bool
keep_extreme(struct sketch_point *list, size_t *n, uint64_t key,
             uint64_t weight)
{
    size_t at = *n;

    while (at > 0 && list[at - 1].key > key)
        at--;
    if (at > 0 && list[at - 1].key == key) {
        list[at - 1].weight += weight;
        return true;
    }
    if (at == PROFILE_TOP)
        return false;
    if (*n == PROFILE_TOP)
        --*n;
    memmove(&list[at + 1], &list[at], (*n - at) * sizeof *list);
    list[at] = (struct sketch_point){key, weight};
    ++*n;
    return true;
}

static void
keep_extremes(struct many *m, const struct sketch_point *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!keep_extreme(m->low, &m->n_low, p[i].key, p[i].weight))
            break;
    for (size_t i = n; i > 0; i--)
        if (!keep_extreme(m->high, &m->n_high, ~p[i - 1].key, p[i - 1].weight))
            break;
}

/* begin..end of p: the finite ones. */
static void
find_finite(const struct gather *g, const struct sketch_point *p, size_t n,
            size_t *begin, size_t *end)
{
    *begin = 0;
    *end = n;
    while (*begin < *end && is_infinite(g, p[*begin].key))
        ++*begin;
    while (*end > *begin && is_infinite(g, p[*end - 1].key))
        --*end;
}

static void
note_runs(struct gather *g, const struct sketch_point *p, size_t n)
{
    struct many *m = g->many;
    size_t begin, end;

    count_kinds(g, p, n);
    keep_extremes(m, p, n);
    find_finite(g, p, n, &begin, &end);
    if (begin == end)
        return;
    if (p[begin].key < m->min)
        m->min = p[begin].key;
    if (p[end - 1].key > m->max)
        m->max = p[end - 1].key;
}

/* ---- from few to many ---- */

static bool
add_counted(struct gather *g, const struct sketch_point *p, size_t n,
            struct error *err)
{
    double *x = mem_try_array(n, 2 * sizeof *x, err);
    uint64_t *weight = x ? mem_try_array(n, sizeof *weight, err) : NULL;
    size_t begin, end, k = 0;
    bool ok = weight;

    find_finite(g, p, n, &begin, &end);
    for (size_t i = begin; ok && i < end; i++, k++) {
        x[k] = profile_key_value(g->type, p[i].key);
        weight[k] = p[i].weight;
        sketch_histogram_add(&g->many->histogram, x[k], weight[k]);
        ok =
            sketch_quantile_add(&g->many->quantile, p[i].key, p[i].weight, err);
    }
    if (ok) {
        sketch_moments_add(&g->many->moments, x, weight, k);
        note_runs(g, p, n);
        for (size_t i = 0; i < n; i += SKETCH_BLOCK)
            sketch_heavy_add(&g->heavy, p + i, NULL,
                             n - i < SKETCH_BLOCK ? n - i : SKETCH_BLOCK,
                             &g->scratch->heavy);
    }
    free(x);
    free(weight);
    return ok;
}

static bool
many_init(struct gather *g, struct error *err)
{
    struct many *m = g->many = mem_try_array(1, sizeof *m, err);

    if (!m)
        return false;
    m->min = UINT64_MAX;
    return (m->block = mem_try_array(g->size.width, sizeof *m->block, err)) &&
           sketch_quantile_init(&m->quantile, g->size.width, g->seed, err) &&
           sketch_histogram_init(&m->histogram, g->size.fine, err) &&
           sketch_heavy_init(&g->heavy, g->size.heavy, err) &&
           gather_needs_scratch(g, err);
}

static bool
become_many(struct gather *g, struct error *err)
{
    struct sketch_point *p;
    bool ok;

    if (!many_init(g, err) || !(p = sketch_distinct_points(&g->distinct, err)))
        return false;
    ok = add_counted(g, p, g->distinct.n, err);
    free(p);
    g->is_many = ok;
    return ok;
}

/* ---- values ---- */

static size_t
find_runs(const uint64_t *key, size_t n, struct sketch_point *run)
{
    size_t n_runs = 0;

    for (size_t i = 0; i < n; i++) {
        bool same = n_runs && run[n_runs - 1].key == key[i];

        if (!same)
            run[n_runs++] = (struct sketch_point){key[i], 0};
        run[n_runs - 1].weight++;
    }
    return n_runs;
}

static bool
count_distinct(struct gather *g, const struct sketch_point *run, size_t n,
               struct error *err)
{
    for (size_t i = 0; i < n; i++)
        if (sketch_distinct_wants(&g->distinct, sketch_mix(run[i].key)) &&
            !sketch_distinct_add(&g->distinct, run[i].key, run[i].weight,
                                 (struct str){0}, err))
            return false;
    return true;
}

static bool
flush(struct gather *g, struct error *err)
{
    struct many *m = g->many;
    struct gather_scratch *s = g->scratch;
    const uint64_t *key = order_sort(m->block, s->sorted, m->n_block);
    size_t n_runs = find_runs(key, m->n_block, s->run), n = m->n_block;
    size_t begin = 0;

    m->n_block = 0;
    if (!count_distinct(g, s->run, n_runs, err))
        return false;
    sketch_heavy_add(&g->heavy, s->run, NULL, n_runs, &s->heavy);
    note_runs(g, s->run, n_runs);
    while (begin < n && is_infinite(g, key[begin]))
        begin++;
    while (n > begin && is_infinite(g, key[n - 1]))
        n--;
    n -= begin;
    for (size_t i = 0; i < n; i++)
        s->x[i] = profile_key_value(g->type, key[begin + i]);
    sketch_histogram_add_all(&m->histogram, s->x, n);
    sketch_moments_add(&m->moments, s->x, NULL, n);
    return sketch_quantile_add_sorted(&m->quantile, key + begin, n, err);
}

static bool
add_keys(struct gather *g, const uint64_t *key, size_t n, struct error *err)
{
    size_t done;

    if (!g->is_many) {
        if (!sketch_distinct_count(&g->distinct, key, n, &done, err))
            return false;
        key += done;
        n -= done;
        if (n > 0 && !become_many(g, err))
            return false;
    }
    if (n > 0 && !gather_needs_scratch(g, err))
        return false;
    while (n > 0) {
        struct many *m = g->many;
        size_t room = g->size.width - m->n_block, k = n < room ? n : room;

        memcpy(m->block + m->n_block, key, k * sizeof *key);
        m->n_block += k;
        key += k;
        n -= k;
        if (m->n_block == g->size.width && !flush(g, err))
            return false;
    }
    return true;
}

bool
gather_numbers(struct gather *g, const struct column *c, struct error *err)
{
    const uint64_t *valid = column_validity(c);
    size_t rows = column_rows(c), rise = 0, fall = 0;
    bool is_float = g->type == COL_FLOAT64;
    uint64_t all[BATCH], key[BATCH];

    for (size_t at = 0; at < rows; at += BATCH) {
        size_t m = rows - at < BATCH ? rows - at : BATCH, n = 0;
        uint64_t last = g->last;

        order_keys(c, at, at + m, NULL, all);
        for (size_t i = 0; i < m; i++) {
            bool here = column_bit(valid, at + i) &&
                        (!is_float || all[i] != UINT64_MAX);

            key[n] = all[i];
            n += here;
        }
        if (n > 0 && !g->has_last)
            last = key[0];
        for (size_t i = 0; i < n; i++) {
            rise += key[i] > last;
            fall += key[i] < last;
            last = key[i];
        }
        g->has_last |= n > 0;
        g->last = last;
        g->n_missing += m - n;
        if (!add_keys(g, key, n, err))
            return false;
    }
    g->n += rows;
    g->n_rise += rise;
    g->n_fall += fall;
    return true;
}

/* ---- in the end ---- */

/* Points in order with their ranks: values [rank[i], rank[i + 1]) are x[i]. */
struct spread {
    double *x;
    uint64_t *rank;
    size_t n;
};

static void
spread_fini(struct spread *s)
{
    free(s->x);
    free(s->rank);
}

static bool
spread_init(struct spread *s, enum col_type type, const struct sketch_point *p,
            size_t n, struct error *err)
{
    *s = (struct spread){.n = n};
    if (!(s->x = mem_try_array(n, sizeof *s->x, err)) ||
        !(s->rank = mem_try_array(n + 1, sizeof *s->rank, err))) {
        free(s->x);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        s->x[i] = profile_key_value(type, p[i].key);
        s->rank[i + 1] = s->rank[i] + p[i].weight;
    }
    return true;
}

static double
value_at(const struct spread *s, uint64_t rank)
{
    size_t low = 0, high = s->n;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (s->rank[mid] <= rank)
            low = mid;
        else
            high = mid;
    }
    return s->x[low];
}

/* Linear between the two neighbours, as of sorted values. */
static double
quantile(const struct spread *s, double q)
{
    uint64_t n = s->rank[s->n], i;
    double at = q * (double)(n - 1), t = at - floor(at), a, b;

    i = (uint64_t)floor(at);
    a = value_at(s, i);
    b = i + 1 < n ? value_at(s, i + 1) : a;
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

struct distance {
    double x;
    uint64_t weight;
};

static int
nearer(const void *x, const void *y)
{
    const struct distance *a = x, *b = y;

    return (a->x > b->x) - (a->x < b->x);
}

static bool
set_mad(const struct spread *s, struct profile_column *out, struct error *err)
{
    struct distance *d = mem_try_array(s->n, sizeof *d, err);
    struct spread away = {.n = s->n};
    uint64_t n = s->rank[s->n];
    bool ok = d && (away.x = mem_try_array(s->n, sizeof *away.x, err)) &&
              (away.rank = mem_try_array(s->n + 1, sizeof *away.rank, err));

    for (size_t i = 0; ok && i < s->n; i++)
        d[i] = (struct distance){fabs(s->x[i] - out->quantile[4]),
                                 s->rank[i + 1] - s->rank[i]};
    if (ok) {
        qsort(d, s->n, sizeof *d, nearer);
        for (size_t i = 0; i < s->n; i++) {
            away.x[i] = d[i].x;
            away.rank[i + 1] = away.rank[i] + d[i].weight;
        }
        out->mad = (value_at(&away, (n - 1) / 2) + value_at(&away, n / 2)) / 2;
    }
    free(d);
    spread_fini(&away);
    return ok;
}

static bool
set_order(struct profile_column *out, const struct sketch_point *p, size_t n,
          struct error *err)
{
    struct spread s;
    bool ok;

    if (n == 0)
        return true;
    if (!spread_init(&s, out->type, p, n, err))
        return false;
    for (size_t i = 0; i < PROFILE_QUANTILES; i++)
        out->quantile[i] = quantile(&s, profile_levels[i]);
    ok = set_mad(&s, out, err);
    spread_fini(&s);
    return ok;
}

static void
set_moments(struct profile_column *out, const struct sketch_moments *s)
{
    struct moments m = sketch_moments_get(s, &out->sum);

    if (s->n == 0) {
        out->sum = NAN;
        return;
    }
    out->mean = out->sum / m.n;
    if (m.n >= 2)
        out->sd = sqrt(m.m2 / (m.n - 1));
    profile_shape(out, m.n, m.m2, m.m3, m.m4);
}

static bool
add_extreme(struct profile_column *out, uint64_t key, uint64_t count,
            struct profile_top *list, size_t *n, struct error *err)
{
    char text[STR_F64_MAX + 8];
    char *copy =
        mem_try_text(text, profile_key_print(out->type, key, text), err);

    if (copy)
        list[(*n)++] = (struct profile_top){copy, (size_t)count};
    return copy;
}

/* ---- few values ---- */

static bool
few_counts(const struct sketch_point *p, size_t n, struct profile_column *out,
           struct error *err)
{
    char text[STR_F64_MAX + 8];

    for (size_t i = 0; i < n; i++) {
        double x = profile_key_value(out->type, p[i].key);

        profile_distinct_add(out, p[i].weight);
        out->n_zero += x == 0 ? p[i].weight : 0;
        out->n_negative += x < 0 ? p[i].weight : 0;
        out->n_infinite += isinf(x) ? p[i].weight : 0;
        if (profile_top_wants(out, p[i].weight) &&
            !profile_top_add(out, p[i].weight, text,
                             profile_key_print(out->type, p[i].key, text), err))
            return false;
        if (i < PROFILE_TOP && !add_extreme(out, p[i].key, p[i].weight,
                                            out->low, &out->n_low, err))
            return false;
    }
    for (size_t i = n; i > 0 && out->n_high < PROFILE_TOP; i--)
        if (!add_extreme(out, p[i - 1].key, p[i - 1].weight, out->high,
                         &out->n_high, err))
            return false;
    profile_distinct_end(out);
    return true;
}

static bool
all_whole(enum col_type type, const struct sketch_point *p, size_t n)
{
    for (size_t i = 0; i < n && type == COL_FLOAT64; i++) {
        double x = order_to_float(p[i].key);

        if (x != rint(x))
            return false;
    }
    return type != COL_TIMESTAMP;
}

static void
few_bins(struct profile_column *out, const struct sketch_point *p, size_t n)
{
    double range = out->max - out->min;

    if (n == 0)
        return;
    out->n_bins = PROFILE_BINS;
    if (range == 0)
        out->n_bins = 1;
    else if (range < PROFILE_BINS && all_whole(out->type, p, n))
        out->n_bins = (size_t)range + 1;
    for (size_t i = 0; i < n; i++)
        out->histogram[profile_bin(
            out, profile_key_value(out->type, p[i].key))] += p[i].weight;
}

static bool
few_moments(struct profile_column *out, const struct sketch_point *p, size_t n,
            struct error *err)
{
    struct sketch_moments s = {0};
    double *x = mem_try_array(n, sizeof *x, err);
    uint64_t *weight = x ? mem_try_array(n, sizeof *weight, err) : NULL;

    for (size_t i = 0; weight && i < n; i++) {
        x[i] = profile_key_value(out->type, p[i].key);
        weight[i] = p[i].weight;
    }
    if (weight) {
        sketch_moments_add(&s, x, weight, n);
        set_moments(out, &s);
    }
    free(x);
    free(weight);
    return weight;
}

static bool
end_few(struct gather *g, struct profile_column *out, struct error *err)
{
    struct sketch_point *p = sketch_distinct_points(&g->distinct, err);
    size_t n = g->distinct.n, begin, end;
    bool ok = p && few_counts(p, n, out, err);

    if (ok) {
        find_finite(g, p, n, &begin, &end);
        if (begin < end) {
            out->min = profile_key_value(out->type, p[begin].key);
            out->max = profile_key_value(out->type, p[end - 1].key);
        }
        few_bins(out, p + begin, end - begin);
        profile_uniform(out);
        ok = set_order(out, p + begin, end - begin, err) &&
             few_moments(out, p + begin, end - begin, err);
    }
    free(p);
    return ok;
}

/* ---- many values ---- */

static bool
many_top(struct gather *g, struct profile_column *out, struct error *err)
{
    size_t n;
    struct sketch_heavy_item *item = gather_top(g, out, &n, err);
    char text[STR_F64_MAX + 8];
    bool ok = item;

    for (size_t i = 0; ok && i < n; i++)
        if (profile_top_wants(out, item[i].count))
            ok = profile_top_add(out, item[i].count, text,
                                 profile_key_print(g->type, item[i].key, text),
                                 err);
    free(item);
    return ok;
}

static bool
many_extremes(const struct many *m, struct profile_column *out,
              struct error *err)
{
    for (size_t i = 0; i < m->n_low; i++)
        if (!add_extreme(out, m->low[i].key, m->low[i].weight, out->low,
                         &out->n_low, err))
            return false;
    for (size_t i = 0; i < m->n_high; i++)
        if (!add_extreme(out, ~m->high[i].key, m->high[i].weight, out->high,
                         &out->n_high, err))
            return false;
    return true;
}

static bool
many_quantiles(const struct many *m, struct profile_column *out,
               struct error *err)
{
    size_t n;
    struct sketch_point *p = sketch_quantile_points(&m->quantile, &n, err);
    bool ok = p && set_order(out, p, n, err);

    free(p);
    out->error.rank = sketch_quantile_error(&m->quantile);
    if (out->error.rank > 0)
        out->estimated |= ESTIMATE_QUANTILES;
    return ok;
}

static bool
end_many(struct gather *g, struct profile_column *out, struct error *err)
{
    struct many *m = g->many;

    if (!gather_needs_scratch(g, err) || !flush(g, err) ||
        !gather_estimate(g, out, err) || !many_top(g, out, err) ||
        !many_extremes(m, out, err) || !many_quantiles(m, out, err))
        return false;
    out->n_zero = m->n_zero;
    out->n_negative = m->n_negative;
    out->n_infinite = m->n_infinite;
    set_moments(out, &m->moments);
    if (m->min > m->max)
        return true;
    out->min = profile_key_value(g->type, m->min);
    out->max = profile_key_value(g->type, m->max);
    out->n_bins = out->max > out->min ? PROFILE_BINS : 1;
    out->error.bin = sketch_histogram_cut(&m->histogram, out->min, out->max,
                                          out->n_bins, out->histogram);
    if (out->error.bin > 0)
        out->estimated |= ESTIMATE_HISTOGRAM;
    profile_uniform(out);
    return true;
}

/* Where each value is above the one before all differ. */
static void
know_ordered(struct profile_column *out)
{
    size_t n = out->n - out->n_missing;

    if (n < 2 || (out->n_rise + 1 != n && out->n_fall + 1 != n))
        return;
    out->n_distinct = out->n_unique = n;
    out->entropy = fm_log((double)n) / fm_log(2);
    out->estimated &= ~(unsigned)(ESTIMATE_DISTINCT | ESTIMATE_TOP);
    out->error.distinct = 0;
    out->error.top = 0;
}

bool
gather_numbers_end(struct gather *g, struct profile_column *out,
                   struct error *err)
{
    out->numeric = true;
    out->n = g->n;
    out->n_missing = g->n_missing;
    out->n_rise = g->n_rise;
    out->n_fall = g->n_fall;
    out->bytes = g->bytes;
    if (!g->is_many)
        return end_few(g, out, err);
    if (!end_many(g, out, err))
        return false;
    know_ordered(out);
    return true;
}
