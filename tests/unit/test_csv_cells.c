/* Runs of fields to values: the two twins against each other and against the
 * exact readers of one value, which know every form.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"
#include "base/rng.h"
#include "base/str.h"
#include "frame/csv_cells.h"

enum { FIELDS = 400, ROOM = 40 };

/* Fields with commas between them. */
struct fields {
    char text[FIELDS * ROOM];
    uint32_t from[FIELDS], to[FIELDS];
    size_t n;
};

static void
add(struct fields *f, const char *s, size_t len)
{
    size_t at = f->n ? f->to[f->n - 1] + 1 : 0;

    memcpy(f->text + at, s, len);
    f->text[at + len] = ',';
    f->from[f->n] = (uint32_t)at;
    f->to[f->n++] = (uint32_t)(at + len);
}

static struct csv_cells
cells(const struct fields *f)
{
    return (struct csv_cells){f->text, f->text, f->from, f->to};
}

static struct str
field(const struct fields *f, size_t i)
{
    return (struct str){f->text + f->from[i], f->to[i] - f->from[i]};
}

/* Numbers, and what nearly is one. */
static void
fill(struct fields *f, uint64_t seed)
{
    static const char likely[] = "0123456789012345678901234567890123456789..-";
    static const char odd[] = "0123456789.-+eE x\"/:\xff";

    f->n = 0;
    for (uint64_t i = 0; f->n < FIELDS; i++) {
        size_t len = (size_t)rng_below(seed, i, 0, 20);
        bool exponent = rng_below(seed, i, 1, 4) == 0;
        char s[ROOM];

        for (size_t k = 0; k < len; k++)
            s[k] = rng_below(seed, i, 2, 8) == 0
                       ? odd[rng_below(seed, i, 3 + k, sizeof odd - 1)]
                       : likely[rng_below(seed, i, 3 + k, sizeof likely - 1)];
        if (exponent)
            len += (size_t)snprintf(s + len, ROOM - len, "e%c%02u",
                                    rng_below(seed, i, 30, 2) ? '-' : '+',
                                    (unsigned)rng_below(seed, i, 31, 40));
        add(f, s, len);
    }
}

/* Each field that a run stops at is gone over. */
static void
assert_same_floats(const struct fields *f)
{
    static double a[FIELDS], b[FIELDS], w[FIELDS];
    struct csv_cells c = cells(f);

    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    memset(w, 0, sizeof w);
    for (size_t i = 0; i < f->n; i++) {
        size_t from = i, stop = csv_cells_plain.floats(&c, i, f->n, a);

        if (cpu_has_avx2())
            assert_int_equal(csv_cells_avx2.floats(&c, i, f->n, b), stop);
        else
            memcpy(b, a, sizeof a);
        if (cpu_has_avx512())
            assert_int_equal(csv_cells_avx512.floats(&c, from, f->n, w), stop);
        else
            memcpy(w, a, sizeof a);
        for (i = from; i < stop; i++) {
            double x;

            assert_true(str_to_f64(field(f, i), &x));
            assert_memory_equal(&a[i], &x, sizeof x);
            assert_memory_equal(&b[i], &x, sizeof x);
            assert_memory_equal(&w[i], &x, sizeof x);
        }
    }
}

static void
assert_same_ints(const struct fields *f)
{
    static int64_t a[FIELDS], b[FIELDS], w[FIELDS];
    struct csv_cells c = cells(f);

    for (size_t i = 0; i < f->n; i++) {
        size_t from = i, stop = csv_cells_plain.ints(&c, i, f->n, a);

        if (cpu_has_avx2())
            assert_int_equal(csv_cells_avx2.ints(&c, i, f->n, b), stop);
        else
            memcpy(b, a, sizeof a);
        if (cpu_has_avx512())
            assert_int_equal(csv_cells_avx512.ints(&c, from, f->n, w), stop);
        else
            memcpy(w, a, sizeof a);
        for (i = from; i < stop; i++) {
            int64_t v;

            assert_true(str_to_i64(field(f, i), &v));
            assert_int_equal(a[i], v);
            assert_int_equal(b[i], v);
            assert_int_equal(w[i], v);
        }
    }
}

static void
the_twins_read_random_numbers_as_one_by_one(void **state)
{
    static struct fields f;

    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        fill(&f, seed);
        assert_same_floats(&f);
        assert_same_ints(&f);
    }
}

/* Runs of what is common, so that the twins take many at a time. */
static void
the_twins_read_printed_numbers_as_one_by_one(void **state)
{
    static struct fields f, g;

    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        f.n = g.n = 0;
        add(&f, "a text before them", 18);
        add(&g, "a text before them", 18);
        for (uint64_t i = 0; f.n < FIELDS; i++) {
            unsigned digits = (unsigned)rng_below(seed, i, 0, 12);
            double x = (double)rng_below(seed, i, 1, UINT64_C(1) << digits * 3);
            int places = (int)rng_below(seed, i, 2, 9);
            char s[ROOM];

            if (rng_below(seed, i, 3, 2))
                x = -x;
            add(&g, s, (size_t)snprintf(s, sizeof s, "%.0f", x));
            add(&f, s, (size_t)snprintf(s, sizeof s, "%.*f", places, x / 1024));
        }
        assert_same_floats(&f);
        assert_same_floats(&g);
        assert_same_ints(&g);
    }
}

static void
numbers_of_the_common_forms_are_all_taken(void **state)
{
    static const char *const forms[] = {"0123456789012345",
                                        "-0",
                                        "0.0",
                                        "-1.5",
                                        "1.086",
                                        "12345678.87654321",
                                        "9007199254740993",
                                        "3.141593e-05",
                                        "-6.02214e+23",
                                        "0e0",
                                        ".5",
                                        "5.",
                                        "1234567890123456789"};
    static struct fields f;

    (void)state;
    f.n = 0;
    add(&f, "a text before them", 18);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        add(&f, forms[i], strlen(forms[i]));
    for (size_t t = 0; t <= (size_t)cpu_has_avx2() + cpu_has_avx512(); t++) {
        const struct csv_cell_kernels *const twin[] = {
            &csv_cells_plain, &csv_cells_avx2, &csv_cells_avx512};
        struct csv_cells c = cells(&f);
        double out[16], want;

        assert_int_equal(twin[t]->floats(&c, 1, f.n, out), f.n);
        for (size_t i = 1; i < f.n; i++) {
            assert_true(str_to_f64(field(&f, i), &want));
            assert_memory_equal(&out[i], &want, sizeof want);
        }
    }
}

static void
dates_are_taken_as_the_exact_reader_does(void **state)
{
    static const char bytes[] = "0123456789-: T/";
    static struct fields f;
    struct csv_cells c;

    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        int32_t days[FIELDS];
        int64_t us[FIELDS];
        size_t taken = 0;

        f.n = 0;
        for (uint64_t i = 0; f.n < FIELDS; i++) {
            char s[ROOM];
            size_t len =
                (size_t)snprintf(s, sizeof s, "%04u-%02u-%02u",
                                 (unsigned)rng_below(seed, i, 0, 10000),
                                 (unsigned)rng_below(seed, i, 1, 14),
                                 (unsigned)rng_below(seed, i, 2, 33));

            if (seed % 2)
                len += (size_t)snprintf(s + len, ROOM - len, " %02u:%02u:%02u",
                                        (unsigned)rng_below(seed, i, 3, 25),
                                        (unsigned)rng_below(seed, i, 4, 61),
                                        (unsigned)rng_below(seed, i, 5, 61));
            if (i % 3 == 0) /* one byte is another */
                s[rng_below(seed, i, 6, len)] =
                    bytes[rng_below(seed, i, 7, sizeof bytes - 1)];
            add(&f, s, len);
        }
        c = cells(&f);
        for (size_t i = 0; i < f.n; i++) {
            int32_t day;
            int64_t t;

            if (csv_cells_dates(&c, i, i + 1, days) > i) {
                assert_true(str_to_date(field(&f, i), &day));
                assert_int_equal(days[i], day);
                taken++;
            }
            if (csv_cells_timestamps(&c, i, i + 1, us) > i) {
                assert_true(str_to_timestamp(field(&f, i), &t));
                assert_int_equal(us[i], t);
                taken++;
            }
        }
        assert_true(taken > FIELDS / 3);
    }
}

static void
only_true_and_false_are_bools(void **state)
{
    static struct fields f;
    struct csv_cells c;
    uint8_t out[4];

    (void)state;
    f.n = 0;
    add(&f, "true", 4);
    add(&f, "false", 5);
    add(&f, "True", 4);
    c = cells(&f);
    assert_int_equal(csv_cells_bools(&c, 0, 3, out), 2);
    assert_int_equal(out[0], 1);
    assert_int_equal(out[1], 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_twins_read_random_numbers_as_one_by_one),
        cmocka_unit_test(the_twins_read_printed_numbers_as_one_by_one),
        cmocka_unit_test(numbers_of_the_common_forms_are_all_taken),
        cmocka_unit_test(dates_are_taken_as_the_exact_reader_does),
        cmocka_unit_test(only_true_and_false_are_bools),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
