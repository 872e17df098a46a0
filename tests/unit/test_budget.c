/* Sizes as people write them, and a budget that follows them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/budget.h"

static void
sizes_are_powers_of_1024(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},
                {"1500", 1500},
                {"64k", 65536},
                {"512M", 536870912},
                {"512 MB", 536870912},
                {"2GiB", 2147483648},
                {"1.5 gb", 1610612736},
                {"3T", 3298534883328},
                {"10b", 10}};
    uint64_t n;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(budget_parse(str_of(good[i].text), &n));
        assert_int_equal(n, good[i].bytes);
    }
}

static void
what_is_no_size_is_refused(void **state)
{
    static const char *const bad[] = {"",    "b",    "M",     "-1",   "1iB",
                                      "nan", "1e30", "12 34", "5 kk", "inf"};
    uint64_t n;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (budget_parse(str_of(bad[i]), &n))
            fail_msg("'%s' was read as %llu", bad[i], (unsigned long long)n);
}

static void
the_budget_is_what_the_user_says(void **state)
{
    (void)state;
    setenv("LATHE_MEMORY", "512M", 1);
    assert_int_equal(budget_bytes(), 536870912);
    setenv("LATHE_MEMORY", "1", 1); /* less than anything works with */
    assert_int_equal(budget_bytes(), BUDGET_MIN);
}

static void
without_a_word_it_is_less_than_the_machine_has(void **state)
{
    uint64_t n;

    (void)state;
    unsetenv("LATHE_MEMORY");
    n = budget_bytes();
    assert_true(n >= BUDGET_MIN);
    assert_true(n < UINT64_C(1) << 50);
    setenv("LATHE_MEMORY", "much", 1);
    assert_true(budget_bytes() < UINT64_C(1) << 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_powers_of_1024),
        cmocka_unit_test(what_is_no_size_is_refused),
        cmocka_unit_test(the_budget_is_what_the_user_says),
        cmocka_unit_test(without_a_word_it_is_less_than_the_machine_has),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
