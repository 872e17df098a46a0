/* tests/unit/test_long.c -- columns of more than 255 levels or bins, and many
 * columns that share memory.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/trees/binned.h"
#include "engine/trees/gbdt.h"
#include "tests/lib/lesson.h"

enum { LEVELS = 5000 };

static const char *const usual[] = {"row_share=1", "col_share=1", NULL};

static double
effect(double level)
{
    return rng_normal(11, 1, (uint64_t)level);
}

/* Levels drawn at random, 20 rows of each; what they do is a number, and noise
 * is as large.  Further columns are numbers that say nothing. */
static struct lesson
shops(size_t levels, size_t p, const char *const *set)
{
    size_t n = levels * 20;
    struct lesson l = lesson_new(&gbdt_family, PROBLEM_REGRESSION, n, p);

    l.set = set;
    l.column[0].n_levels = (unsigned)levels;
    for (size_t i = 0; i < n; i++) {
        l.x[i] = (double)rng_below(1, 2, i, levels);
        l.y[i] = effect(l.x[i]) + rng_normal(1, 3, i);
        for (size_t j = 1; j < p; j++)
            l.x[j * n + i] = rng_normal(1, 3 + j, i);
    }
    return l;
}

/* How far answers are from what is true, noise left out. */
static double
distance(const struct lesson *l, const double *answer)
{
    double sum = 0;

    for (size_t i = 0; i < l->n; i++)
        sum += (answer[i] - effect(l->x[i])) * (answer[i] - effect(l->x[i]));
    return sqrt(sum / (double)l->n);
}

/* What a column for each of the 254 most frequent levels could tell at best:
 * the means of those, and one of all others. */
static void
best_of_columns(const struct lesson *l, double *answer)
{
    static double sum[LEVELS], rows[LEVELS];
    double rest = 0, rest_rows = 0, least = 0;
    size_t over;

    memset(sum, 0, sizeof sum);
    memset(rows, 0, sizeof rows);
    for (size_t i = 0; i < l->n; i++) {
        sum[(size_t)l->x[i]] += l->y[i];
        rows[(size_t)l->x[i]]++;
    }
    do {
        over = 0;
        least++;
        for (size_t k = 0; k < LEVELS; k++)
            over += rows[k] >= least;
    } while (over > 254);
    for (size_t k = 0; k < LEVELS; k++)
        if (rows[k] < least) {
            rest += sum[k];
            rest_rows += rows[k];
        }
    for (size_t i = 0; i < l->n; i++) {
        size_t k = (size_t)l->x[i];

        answer[i] = rows[k] < least ? rest / rest_rows : sum[k] / rows[k];
    }
}

static void
test_five_thousand_levels_are_told_apart(void **state)
{
    struct lesson l = shops(LEVELS, 1, usual);
    void *learner = lesson_must_learn(&l);
    double *got = lesson_answers(&l, learner);
    double *columns = calloc(l.n, sizeof *columns);
    double d = distance(&l, got), without;

    (void)state;
    assert_non_null(columns);
    best_of_columns(&l, columns);
    without = distance(&l, columns);
    /* The mean of 20 rows, drawn to 0 as it should be, is 1 / sqrt(21) off. */
    if (!(d < 0.35 && without > 0.9))
        fail_msg("off by %g, by columns %g", d, without);
    free(columns);
    free(got);
    gbdt_family.free(learner);
    lesson_free(&l);
}

/* How far off answers are where a number says all, with and without a column of
 * levels beside it. */
static double
with_levels(size_t levels, size_t n, double **answer)
{
    struct lesson l =
        lesson_new(&gbdt_family, PROBLEM_REGRESSION, n, levels ? 2 : 1);
    double *got, sum = 0;
    void *learner;

    l.set = usual;
    for (size_t i = 0; i < n; i++) {
        l.x[i] = rng_normal(5, 1, i);
        l.y[i] = l.x[i] + rng_normal(5, 2, i);
        if (levels)
            l.x[n + i] = (double)(levels == n ? i : rng_below(5, 3, i, levels));
    }
    l.column[1].n_levels = (unsigned)levels;
    learner = lesson_must_learn(&l);
    got = lesson_answers(&l, learner);
    for (size_t i = 0; i < n; i++)
        sum += (got[i] - l.x[i]) * (got[i] - l.x[i]);
    gbdt_family.free(learner);
    lesson_free(&l);
    *answer = got;
    return sqrt(sum / (double)n);
}

static void
test_a_level_for_each_row_changes_nothing(void **state)
{
    enum { N = 20000 };
    double *with, *without;

    (void)state;
    (void)with_levels(N, N, &with);
    (void)with_levels(0, N, &without);
    assert_memory_equal(with, without, N * sizeof *with);
    free(with);
    free(without);
}

/* By the gain alone they would be four times as far off. */
static void
test_levels_that_say_nothing_do_no_harm(void **state)
{
    enum { N = 20000 };
    double *with, *without;
    double a = with_levels(1000, N, &with), b = with_levels(0, N, &without);

    (void)state;
    if (!(a < 1.3 * b))
        fail_msg("off by %g with them, by %g without", a, b);
    free(with);
    free(without);
}

/* Level 65,534 has the last code; one that no row had goes where the missing
 * do. */
static void
test_most_levels_there_can_be(void **state)
{
    enum { N = 65600, MOST = 65536 };
    static const char *const set[] = {
        "trees=30",   "level_rows=1", "level_noise=0", "level_smooth=0",
        "leaves=4",   "l2=0",         "level_l2=0",    "learning_rate=0.5",
        "min_rows=1", "row_share=1",  "col_share=1",   NULL};
    struct lesson l = lesson_new(&gbdt_family, PROBLEM_REGRESSION, N, 1);
    double *got;
    void *learner;

    (void)state;
    l.set = set;
    l.column[0].n_levels = MOST;
    for (size_t i = 0; i < N; i++) {
        l.x[i] = i < MOST - 1 ? (double)i : NAN;
        l.y[i] = i < MOST - 1 ? (double)(i * 2654435761u >> 7 & 1) : 5;
    }
    learner = lesson_must_learn(&l);
    got = lesson_answers(&l, learner);
    for (size_t i = 0; i < N; i++)
        assert_true(fabs(got[i] - l.y[i]) < 0.01);
    l.x[0] = MOST - 1; /* had no row */
    free(got);
    got = lesson_answers(&l, learner);
    assert_true(got[0] == got[N - 1]);
    free(got);
    gbdt_family.free(learner);
    lesson_free(&l);
}

/* Ten rows of twenty thousand stand out, by a number of as many values: bins of
 * 8 bits have some eighty rows. */
static double
worst_of_steps(const char *const *set)
{
    struct lesson l = lesson_new(&gbdt_family, PROBLEM_REGRESSION, 20000, 1);
    double *got, worst = 0;
    void *learner;

    l.set = set;
    for (size_t i = 0; i < l.n; i++) {
        l.x[i] = sqrt((double)i);
        l.y[i] = i >= 7003 && i < 7013 ? 10 : i == 15000 ? -10 : 0;
    }
    learner = lesson_must_learn(&l);
    got = lesson_answers(&l, learner);
    for (size_t i = 0; i < l.n; i++)
        worst = fmax(worst, fabs(got[i] - l.y[i]));
    free(got);
    gbdt_family.free(learner);
    lesson_free(&l);
    return worst;
}

static void
test_more_bins_cut_between_all_values(void **state)
{
    static const char *const few[] = {
        "trees=60",    "min_rows=1",        "l2=0", "row_share=1",
        "max_delta=0", "learning_rate=0.3", NULL};
    static const char *const many[] = {
        "trees=60",    "min_rows=1",        "l2=0",       "row_share=1",
        "max_delta=0", "learning_rate=0.3", "bins=65535", NULL};

    (void)state;
    assert_true(worst_of_steps(few) > 5);
    assert_true(worst_of_steps(many) < 1e-3);
}

/* A cut lies in the middle of the values it parts, however many bins there are
 * between them that no row of the leaf has. */
static void
test_long_cuts_lie_in_the_middle(void **state)
{
    static const char *const set[] = {
        "trees=1",         "leaves=4",  "min_rows=1",
        "learning_rate=1", "l2=0",      "row_share=1",
        "col_share=1",     "bins=4000", NULL};
    enum { N = 3000 };
    struct lesson l = lesson_new(&gbdt_family, PROBLEM_REGRESSION, N, 2);
    double *got;
    void *learner;

    (void)state;
    l.set = set;
    /* Where b is 1, a is below 500 or from 2,500 on; elsewhere between. */
    for (size_t i = 0; i < N; i++) {
        bool outer = i < 500 || i >= 2500;

        l.x[i] = (double)i;
        l.x[N + i] = outer;
        l.y[i] = !outer ? 1000 : i < 500 ? 100 : 120;
    }
    learner = lesson_must_learn(&l);
    for (size_t i = 0; i < N; i++)
        l.x[N + i] = 1;
    got = lesson_answers(&l, learner);
    assert_true(fabs(got[1480] - 100) < 1 && fabs(got[1520] - 120) < 1);
    free(got);
    gbdt_family.free(learner);
    lesson_free(&l);
}

static void
expect_same_file(const struct lesson *l, const char *const *a,
                 const char *const *b)
{
    struct lesson m = *l;
    struct buf x, y;
    void *one, *other;

    m.set = a;
    one = lesson_must_learn(&m);
    m.set = b;
    other = lesson_must_learn(&m);
    lesson_save(&m, one, &x);
    lesson_save(&m, other, &y);
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len);
    buf_fini(&x);
    buf_fini(&y);
    gbdt_family.free(one);
    gbdt_family.free(other);
}

static void
test_columns_of_few_values_do_not_mind_more_bins(void **state)
{
    static const char *const few[] = {"trees=20", NULL};
    static const char *const many[] = {"trees=20", "bins=65535", NULL};
    struct lesson l = lesson_new(&gbdt_family, PROBLEM_REGRESSION, 3000, 3);

    (void)state;
    for (size_t i = 0; i < l.n; i++)
        for (size_t j = 0; j < 3; j++) {
            l.x[j * l.n + i] = (double)rng_below(2, j, i, 250);
            l.y[i] += l.x[j * l.n + i] * (double)(j + 1);
        }
    expect_same_file(&l, few, many);
    lesson_free(&l);
}

/* ---- columns that share memory ---- */

/* Three texts of 40, 90 and 7 levels as one-hot columns, which are never on
 * together; counts that are 0 nearly always; numbers. */
static struct lesson
one_hot(size_t n, const char *const *set)
{
    static const size_t levels[] = {40, 90, 7};
    struct lesson l = lesson_new(&gbdt_family, PROBLEM_BINARY, n, 150);

    l.set = set;
    for (size_t i = 0; i < n; i++) {
        double s = rng_normal(4, 1, i);

        for (size_t k = 0, first = 0; k < 3; first += levels[k++]) {
            size_t at = rng_below(4, 2 + k, i, levels[k]);

            l.x[(first + at) * n + i] = 1;
            s += at % 3 == 0 ? 1 : -0.5;
        }
        if (rng_below(4, 6, i, 50) == 0)
            l.x[137 * n + i] = (double)(1 + rng_below(4, 7, i, 9));
        if (rng_below(4, 8, i, 90) == 0)
            l.x[138 * n + i] = -(double)rng_below(4, 9, i, 3);
        s += l.x[137 * n + i] / 3;
        for (size_t c = 139; c < 150; c++)
            l.x[c * n + i] = rng_normal(4, c, i);
        if (i % 11 == 0)
            l.x[140 * n + i] = NAN;
        l.y[i] = s + l.x[145 * n + i] > 0;
    }
    return l;
}

/* A text of 20 levels, and a number: few columns, since a fit is tried for each
 * allocation that it makes. */
static struct lesson
small_one_hot(const char *const *set)
{
    enum { ROWS = 300, LEVELS_OF = 20 };
    struct lesson l =
        lesson_new(&gbdt_family, PROBLEM_BINARY, ROWS, LEVELS_OF + 1);

    l.set = set;
    for (size_t i = 0; i < ROWS; i++) {
        size_t at = rng_below(4, 1, i, LEVELS_OF);

        l.x[at * ROWS + i] = 1;
        l.x[LEVELS_OF * ROWS + i] = rng_normal(4, 2, i);
        l.y[i] = (at % 3 == 0) + l.x[LEVELS_OF * ROWS + i] > 0.5;
    }
    return l;
}

static size_t
places_of(const struct lesson *l, bool bundle)
{
    const struct binned_rule rule = {255, 255, 0, 1, bundle};
    struct error err;
    struct binned *b = binned_fit(l->d, &rule, NULL, NULL, &err);
    size_t n;

    assert_non_null(b);
    n = b->n_places;
    for (size_t s = 0; s < b->n_slots; s++)
        for (size_t i = 0; i < l->n; i += 3) {
            uint8_t code;

            binner_apply(b->binner[b->slot[s].col],
                         &l->x[b->slot[s].col * l->n + i], 1, &code);
            assert_int_equal(binned_code(b, s, i), code);
            assert_int_equal(b->col[b->slot[s].place * l->n + i],
                             binned_row(b, i)[b->slot[s].place]);
        }
    binned_free(b);
    return n;
}

static void
test_columns_never_on_together_share_a_place(void **state)
{
    struct lesson l = one_hot(4000, NULL);

    (void)state;
    assert_int_equal(places_of(&l, false), 150);
    /* 11 numbers, and the texts: two of 2 codes, that occur in a quarter of the
     * rows, may share with none. */
    assert_in_range(places_of(&l, true), 14, 24);
    lesson_free(&l);
}

static void
test_sharing_changes_no_byte(void **state)
{
    static const char *const with[][6] = {
        {"trees=40", "bundle=true", NULL},
        {"trees=40", "bundle=true", "row_share=0.6", "drop_rate=0.3", NULL},
        {"trees=6", "bundle=true", "leaves=60", "min_rows=1",
         "node_col_share=0.4", NULL}};
    static const char *const without[][6] = {
        {"trees=40", "bundle=false", NULL},
        {"trees=40", "bundle=false", "row_share=0.6", "drop_rate=0.3", NULL},
        {"trees=6", "bundle=false", "leaves=60", "min_rows=1",
         "node_col_share=0.4", NULL}};
    static const char *const brief[] = {"trees=1", NULL};
    struct lesson small = one_hot(4000, NULL), large = one_hot(66000, NULL);
    struct lesson least = small_one_hot(brief);

    (void)state;
    assert_true(places_of(&least, true) < places_of(&least, false));
    for (size_t i = 0; i < 3; i++)
        expect_same_file(&small, with[i], without[i]);
    expect_same_file(&large, with[2], without[2]); /* wide histograms */
    small.set = with[1];
    lesson_same_for_any_threads(&small);
    lesson_no_memory_is_an_error(&least);
    lesson_free(&small);
    lesson_free(&large);
    lesson_free(&least);
}

/* Rows to stop by that are on in two columns of a bundle, or miss one. */
static void
test_other_rows_may_clash(void **state)
{
    const struct binned_rule rule = {255, 255, 0, 1, true};
    struct lesson l = one_hot(4000, NULL);
    struct binned *b, *same, *apart;
    struct error err;

    (void)state;
    b = binned_fit(l.d, &rule, NULL, NULL, &err);
    assert_non_null(b);
    same = binned_apply(b, l.d, NULL, NULL, &err);
    l.x[7] = 1;
    l.x[8] = NAN;
    for (size_t c = 0; c < 40; c++)
        l.x[c * l.n + 9] = 1;
    apart = binned_apply(b, l.d, NULL, NULL, &err);
    assert_true(same && apart);
    assert_int_equal(same->n_places, b->n_places);
    assert_int_equal(apart->n_places, 150);
    for (size_t s = 0; s < b->n_slots; s++) {
        uint8_t code;

        binner_apply(b->binner[b->slot[s].col], &l.x[b->slot[s].col * l.n + 9],
                     1, &code);
        assert_int_equal(binned_code(apart, s, 9), code);
        assert_int_equal(binned_code(same, s, 11), binned_code(b, s, 11));
    }
    binned_free(same);
    binned_free(apart);
    binned_free(b);
    lesson_free(&l);
}

static void
test_it_keeps_what_every_family_promises(void **state)
{
    static const char *const set[] = {"trees=12",
                                      "bins=2000",
                                      "row_share=0.8",
                                      "level_rows=3",
                                      "drop_rate=0.3",
                                      "min_rows=3",
                                      NULL};
    static const char *const brief[] = {"trees=2",
                                        "bins=400",
                                        "row_share=0.8",
                                        "level_rows=3",
                                        "drop_rate=0.3",
                                        "min_rows=3",
                                        NULL};
    struct lesson l = shops(300, 3, set), least = shops(300, 2, brief);

    (void)state;
    for (size_t i = 0; i < l.n; i += 9)
        l.x[(i % 3) * l.n + i] = NAN;
    lesson_same_for_any_threads(&l);
    lesson_same_from_file(&l);
    lesson_cancelled_is_an_error(&l);
    lesson_damage_is_harmless(&l);
    lesson_no_memory_is_an_error(&least); /* learns for each allocation */
    lesson_free(&l);
    lesson_free(&least);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_five_thousand_levels_are_told_apart),
        cmocka_unit_test(test_a_level_for_each_row_changes_nothing),
        cmocka_unit_test(test_levels_that_say_nothing_do_no_harm),
        cmocka_unit_test(test_most_levels_there_can_be),
        cmocka_unit_test(test_more_bins_cut_between_all_values),
        cmocka_unit_test(test_long_cuts_lie_in_the_middle),
        cmocka_unit_test(test_columns_of_few_values_do_not_mind_more_bins),
        cmocka_unit_test(test_columns_never_on_together_share_a_place),
        cmocka_unit_test(test_sharing_changes_no_byte),
        cmocka_unit_test(test_other_rows_may_clash),
        cmocka_unit_test(test_it_keeps_what_every_family_promises),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
