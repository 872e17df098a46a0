/* Sketches beside exact answers from all values, on values of several shapes
 * and orders.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/sketch_distinct.h"
#include "frame/sketch_heavy.h"
#include "frame/sketch_histogram.h"
#include "frame/sketch_moments.h"
#include "frame/sketch_quantile.h"

enum { N = 200000 };

/* ---- values ---- */

enum shape {
    UNIFORM,  /* over 64 bits */
    ZIPF,     /* value k about n / k times */
    SORTED,   /* 0, 1, 2, ... */
    REVERSED, /* ..., 2, 1, 0 */
    ZIGZAG,   /* from both ends inwards */
    TEETH,    /* long ramps, again and again */
    FEW,      /* 100 values */
    LATE,     /* one value, then others */
    SHAPES
};

static uint64_t *
make(enum shape shape)
{
    uint64_t *x = malloc(N * sizeof *x);

    for (size_t i = 0; i < N; i++) {
        uint64_t r = rng_at(1, shape, i);

        x[i] = shape == UNIFORM    ? r
               : shape == ZIPF     ? N / (1 + r % N)
               : shape == SORTED   ? i
               : shape == REVERSED ? N - 1 - i
               : shape == ZIGZAG   ? (i % 2 ? N - i : i)
               : shape == TEETH    ? i % 4099
               : shape == FEW      ? r % 100
               : i < N / 2         ? 7
                                   : 100 + r % 50000;
    }
    return x;
}

static int
ascending(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

    return (a > b) - (a < b);
}

/* The values in order, and their counts. */
struct truth {
    uint64_t *sorted;
    struct sketch_point *run;
    size_t n_runs, n_unique;
};

static struct truth
truth_of(const uint64_t *x)
{
    struct truth t = {malloc(N * sizeof *x), malloc(N * sizeof *t.run), 0, 0};

    memcpy(t.sorted, x, N * sizeof *x);
    qsort(t.sorted, N, sizeof *x, ascending);
    for (size_t i = 0, j; i < N; i = j) {
        for (j = i + 1; j < N && t.sorted[j] == t.sorted[i]; j++)
            ;
        t.run[t.n_runs++] = (struct sketch_point){t.sorted[i], j - i};
        t.n_unique += j - i == 1;
    }
    return t;
}

static void
truth_fini(struct truth *t)
{
    free(t->sorted);
    free(t->run);
}

static uint64_t
true_count(const struct truth *t, uint64_t key)
{
    for (size_t low = 0, high = t->n_runs; low < high;) {
        size_t mid = low + (high - low) / 2;

        if (t->run[mid].key == key)
            return t->run[mid].weight;
        if (t->run[mid].key < key)
            low = mid + 1;
        else
            high = mid;
    }
    return 0;
}

/* ---- distinct ---- */

static void
add_distinct(struct sketch_distinct *d, const uint64_t *x, size_t n)
{
    struct error err;

    for (size_t i = 0; i < n; i++)
        if (sketch_distinct_wants(d, sketch_mix(x[i])))
            assert_true(sketch_distinct_add(d, x[i], 1, (struct str){0}, &err));
}

static void
expect_distinct(const struct sketch_distinct *d, const struct truth *t)
{
    double got = sketch_distinct_estimate(d), want = (double)t->n_runs;
    double within = sketch_distinct_error(d) * want, once = 0;
    struct error err;
    struct sketch_point *p = sketch_distinct_points(d, &err);

    if (!(fabs(got - want) <= within))
        fail_msg("got %g, want %g within %g", got, want, within);
    assert_true(d->level > 0 || within == 0);
    for (size_t i = 0; i < d->n; i++) {
        once += p[i].weight == 1;
        /* Counts of what is held are exact. */
        assert_int_equal(p[i].weight, true_count(t, p[i].key));
    }
    once = ldexp(once, (int)d->level);
    if (!(fabs(once - (double)t->n_unique) <= within))
        fail_msg("once: got %g, want %zu", once, t->n_unique);
    free(p);
}

static void
distinct_values_are_told_within_the_error_stated(void **state)
{
    struct error err;

    (void)state;
    for (enum shape s = 0; s < SHAPES; s++) {
        uint64_t *x = make(s);
        struct truth t = truth_of(x);
        struct sketch_distinct whole;

        assert_true(sketch_distinct_init(&whole, 4096, false, &err));
        add_distinct(&whole, x, N);
        expect_distinct(&whole, &t);
        sketch_distinct_fini(&whole);
        truth_fini(&t);
        free(x);
    }
}

static void
up_to_the_most_distinct_values_are_counted_exactly(void **state)
{
    struct sketch_distinct d;
    struct error err;
    uint64_t key[1000], more = 5000;
    size_t done;

    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        key[i] = i;
    assert_true(sketch_distinct_init(&d, 1000, false, &err));
    for (int i = 0; i < 3; i++) {
        assert_true(sketch_distinct_count(&d, key, 1000, &done, &err));
        assert_int_equal(done, 1000);
    }
    assert_int_equal(d.level, 0);
    assert_int_equal(d.n, 1000);
    assert_int_equal(sketch_distinct_find(&d, 77)->weight, 3);
    assert_null(sketch_distinct_find(&d, more));
    /* The one too many is left to the caller. */
    assert_true(sketch_distinct_count(&d, &more, 1, &done, &err));
    assert_int_equal(done, 0);
    sketch_distinct_fini(&d);
}

static void
texts_stay_with_their_keys_and_in_bounds(void **state)
{
    struct sketch_distinct d;
    struct error err;
    char text[2000];

    (void)state;
    assert_true(sketch_distinct_init(&d, 1024, true, &err));
    for (unsigned i = 0; i < 20000; i++) {
        struct str s = {text, 900 + i % 300};
        uint64_t key;

        memset(text, 'a' + (int)(i % 26), sizeof text);
        memcpy(text, &i, sizeof i);
        key = sketch_hash_text(s);
        if (sketch_distinct_wants(&d, sketch_mix(key)))
            assert_true(sketch_distinct_add(&d, key, 1, s, &err));
    }
    assert_true(d.n <= 1024 && d.n > 128);
    assert_true(d.cap_bytes <= 3 * SKETCH_TEXTS);
    for (size_t i = 0; i < d.n_slots; i++) {
        struct str s;
        unsigned number;

        if (!d.slot[i].weight)
            continue;
        s = sketch_distinct_text(&d, &d.slot[i]);
        memcpy(&number, s.p, sizeof number);
        assert_int_equal(s.n, 900 + number % 300 < SKETCH_TEXT
                                  ? 900 + number % 300
                                  : SKETCH_TEXT);
        assert_int_equal(s.p[s.n - 1], 'a' + (int)(number % 26));
    }
    sketch_distinct_fini(&d);
}

/* ---- heavy ---- */

static void
add_heavy(struct sketch_heavy *h, const uint64_t *x, size_t n,
          struct sketch_heavy_scratch *scratch)
{
    for (size_t i = 0; i < n; i += 1000) {
        size_t m = n - i < 1000 ? n - i : 1000, k = 0;
        struct sketch_point run[1000];
        uint64_t block[1000];

        memcpy(block, x + i, m * sizeof *block);
        qsort(block, m, sizeof *block, ascending);
        for (size_t j = 0; j < m; j++) {
            if (!k || run[k - 1].key != block[j])
                run[k++] = (struct sketch_point){block[j], 0};
            run[k - 1].weight++;
        }
        sketch_heavy_add(h, run, NULL, k, scratch);
    }
}

static void
expect_heavy(const struct sketch_heavy *h, const struct truth *t, size_t parts)
{
    if (h->lost > parts * N / (h->most + 1))
        fail_msg("%zu are lost", (size_t)h->lost);
    for (size_t i = 0; i < t->n_runs; i++) {
        const struct sketch_heavy_item *item =
            sketch_heavy_find(h, t->run[i].key);
        uint64_t want = t->run[i].weight;

        if (!item && want > h->lost)
            fail_msg("a key that is there %zu times is not held", (size_t)want);
        if (item && (item->count < want || item->count - item->slack > want))
            fail_msg("got %zu, %zu too many at most, want %zu",
                     (size_t)item->count, (size_t)item->slack, (size_t)want);
    }
}

static void
frequent_values_are_told_within_the_error_stated(void **state)
{
    struct sketch_heavy_scratch *scratch = malloc(sizeof *scratch);
    struct error err;

    (void)state;
    for (enum shape s = 0; s < SHAPES; s++) {
        uint64_t *x = make(s);
        struct truth t = truth_of(x);
        struct sketch_heavy whole;

        assert_true(sketch_heavy_init(&whole, 100, &err));
        add_heavy(&whole, x, N, scratch);
        expect_heavy(&whole, &t, 1);
        if (s == FEW)
            assert_int_equal(whole.lost, 0);
        sketch_heavy_fini(&whole);
        truth_fini(&t);
        free(x);
    }
    free(scratch);
}

/* ---- quantiles ---- */

static void
add_quantiles(struct sketch_quantile *q, const uint64_t *x, size_t n)
{
    struct error err;
    uint64_t block[256];

    for (size_t i = 0; i < n; i += 256) {
        size_t m = n - i < 256 ? n - i : 256;

        memcpy(block, x + i, m * sizeof *block);
        qsort(block, m, sizeof *block, ascending);
        assert_true(sketch_quantile_add_sorted(q, block, m, &err));
    }
}

/* Values below key. */
static uint64_t
true_rank(const struct truth *t, uint64_t key)
{
    size_t low = 0, high = N;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (t->sorted[mid] < key)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void
expect_ranks(const struct sketch_quantile *q, const struct truth *t)
{
    struct error err;
    size_t n;
    struct sketch_point *p = sketch_quantile_points(q, &n, &err);
    double within = sketch_quantile_error(q) * N, sum = 0;
    uint64_t rank = 0;

    assert_int_equal(q->n, N);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || p[i].key != p[i - 1].key) {
            double off = (double)rank - (double)true_rank(t, p[i].key);

            if (fabs(off) > within)
                fail_msg("rank is off by %g, not %g", off, within);
            sum += fabs(off);
        }
        rank += p[i].weight;
    }
    assert_int_equal(rank, N);
    /* The header promises a bound of log2(n / width) / width ... */
    assert_true(within <= N * log2((double)N / 256) / 256 * 1.2);
    /* ... and that ranks are much better than it. */
    assert_true(sum / (double)n <= within / 4);
    free(p);
}

static void
ranks_are_told_within_the_error_stated(void **state)
{
    struct error err;

    (void)state;
    for (enum shape s = 0; s < SHAPES; s++) {
        uint64_t *x = make(s);
        struct truth t = truth_of(x);
        struct sketch_quantile whole;

        assert_true(sketch_quantile_init(&whole, 256, 1, &err));
        add_quantiles(&whole, x, N);
        expect_ranks(&whole, &t);
        sketch_quantile_fini(&whole);
        truth_fini(&t);
        free(x);
    }
}

static void
weights_stand_for_that_many_values(void **state)
{
    struct sketch_quantile q;
    struct error err;
    struct truth t;
    uint64_t *x = make(ZIPF);

    (void)state;
    t = truth_of(x);
    assert_true(sketch_quantile_init(&q, 256, 1, &err));
    for (size_t i = 0; i < t.n_runs; i++)
        assert_true(
            sketch_quantile_add(&q, t.run[i].key, t.run[i].weight, &err));
    expect_ranks(&q, &t);
    sketch_quantile_fini(&q);
    truth_fini(&t);
    free(x);
}

/* ---- histogram ---- */

static double
real_value(enum shape s, uint64_t x)
{
    return s == UNIFORM ? (double)(x >> 11) * 0x1p-53 * 200 - 100
                        : (double)x * 0.37 - 5000;
}

static void
expect_bins(const struct sketch_histogram *h, const double *x, size_t n)
{
    enum { BINS = 50 };
    size_t got[BINS], want[BINS] = {0}, sum = 0;
    double min = x[0], max = x[0];
    uint64_t within;

    for (size_t i = 0; i < n; i++) {
        min = fmin(min, x[i]);
        max = fmax(max, x[i]);
    }
    for (size_t i = 0; i < n; i++) {
        size_t b = (size_t)((x[i] - min) / (max - min) * BINS);

        want[b < BINS ? b : BINS - 1]++;
    }
    within = sketch_histogram_cut(h, min, max, BINS, got);
    for (size_t i = 0; i < BINS; i++) {
        sum += got[i];
        if (fabs((double)got[i] - (double)want[i]) > (double)within + 1)
            fail_msg("bin %zu: got %zu, want %zu within %zu", i, got[i],
                     want[i], (size_t)within);
    }
    assert_int_equal(sum, n);
}

static void
bins_are_told_within_the_error_stated(void **state)
{
    struct error err;

    (void)state;
    for (enum shape s = 0; s < SHAPES; s++) {
        uint64_t *key = make(s);
        double *x = malloc(N * sizeof *x);
        struct sketch_histogram one;

        assert_true(sketch_histogram_init(&one, 1024, &err));
        for (size_t i = 0; i < N; i++)
            x[i] = real_value(s, key[i]);
        sketch_histogram_add_all(&one, x, N);
        expect_bins(&one, x, N);
        sketch_histogram_fini(&one);
        free(x);
        free(key);
    }
}

static void
a_histogram_takes_any_numbers(void **state)
{
    static const double x[] = {0,      DBL_MAX, -DBL_MAX,      DBL_TRUE_MIN, -1,
                               1e-300, 1e300,   123456789.125, -1e-310};
    struct sketch_histogram h;
    struct error err;
    size_t count[4];

    (void)state;
    assert_true(sketch_histogram_init(&h, 64, &err));
    sketch_histogram_add_all(&h, x, sizeof x / sizeof *x);
    sketch_histogram_cut(&h, -DBL_MAX, DBL_MAX, 4, count);
    assert_int_equal(count[0], 1);
    assert_int_equal(count[3], 1);
    assert_int_equal(count[1] + count[2], 7);
    sketch_histogram_fini(&h);
}

/* ---- moments ---- */

/* In long double, in two passes. */
static void
moments_agree_with_two_passes_over_all_values(void **state)
{
    (void)state;
    for (enum shape s = 0; s < SHAPES; s++) {
        uint64_t *key = make(s);
        double *x = malloc(N * sizeof *x), sum;
        struct sketch_moments all = {0};
        long double mean = 0, m2 = 0, m3 = 0, m4 = 0;
        struct moments m;

        for (size_t i = 0; i < N; i++) {
            x[i] = 1e6 + real_value(s, key[i]);
            mean += x[i];
        }
        mean /= N;
        for (size_t i = 0; i < N; i++) {
            long double d = x[i] - mean;

            m2 += d * d;
            m3 += d * d * d;
            m4 += d * d * d * d;
        }
        for (size_t i = 0; i < N; i += 1000)
            sketch_moments_add(&all, x + i, NULL, 1000);
        m = sketch_moments_get(&all, &sum);
        assert_true(m.n == N);
        assert_true(fabs(sum / N - (double)mean) <= 1e-14 * 1e6);
        assert_true(fabs(m.m2 - (double)m2) <= 1e-12 * (double)m2);
        assert_true(fabs(m.m4 - (double)m4) <= 1e-11 * (double)m4);
        assert_true(fabs(m.m3 - (double)m3) <=
                    1e-11 * pow((double)m4, 0.75) * pow(N, 0.25));
        free(x);
        free(key);
    }
}

/* ---- no memory ---- */

static bool
fill_all(struct error *err)
{
    struct sketch_distinct d = {0};
    struct sketch_heavy h = {0};
    struct sketch_quantile q = {0};
    struct sketch_histogram g = {0};
    uint64_t block[64];
    bool ok = sketch_distinct_init(&d, 300, true, err) &&
              sketch_heavy_init(&h, 10, err) &&
              sketch_quantile_init(&q, 64, 1, err) &&
              sketch_histogram_init(&g, 64, err);

    for (uint64_t i = 0; ok && i < 1000; i++)
        ok = (!sketch_distinct_wants(&d, sketch_mix(i)) ||
              sketch_distinct_add(&d, i, 1, STR("text"), err)) &&
             sketch_quantile_add(&q, i, 3, err);
    for (uint64_t i = 0; i < 64; i++)
        block[i] = i;
    for (int i = 0; ok && i < 9; i++)
        ok = sketch_quantile_add_sorted(&q, block, 64, err);
    sketch_distinct_fini(&d);
    sketch_heavy_fini(&h);
    sketch_quantile_fini(&q);
    sketch_histogram_fini(&g);
    return ok;
}

static void
without_memory_they_fail_and_leak_nothing(void **state)
{
    struct error err;
    unsigned long n = 0;

    (void)state;
    do {
        err = (struct error){0};
        mem_fault_arm(++n, false);
    } while (!fill_all(&err) && err.code == ERR_NOMEM && n < 1000);
    mem_fault_arm(0, false);
    assert_int_equal(err.code, ERR_NONE);
    assert_true(n > 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distinct_values_are_told_within_the_error_stated),
        cmocka_unit_test(up_to_the_most_distinct_values_are_counted_exactly),
        cmocka_unit_test(texts_stay_with_their_keys_and_in_bounds),
        cmocka_unit_test(frequent_values_are_told_within_the_error_stated),
        cmocka_unit_test(ranks_are_told_within_the_error_stated),
        cmocka_unit_test(weights_stand_for_that_many_values),
        cmocka_unit_test(bins_are_told_within_the_error_stated),
        cmocka_unit_test(a_histogram_takes_any_numbers),
        cmocka_unit_test(moments_agree_with_two_passes_over_all_values),
        cmocka_unit_test(without_memory_they_fail_and_leak_nothing),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
