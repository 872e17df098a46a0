/* What trees are held to, as a user writes it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/trees/limits.h"
#include "tests/lib/close.h"

static const struct design_column COLUMN[] = {
    {"age", 0}, {"debt", 0}, {"town", 5}, {"net worth", 0}};
static const double X[4] = {1, 2, 3, 4};

static struct design *
make(void)
{
    struct error err;
    struct design *d = design_dense(X, 1, 4, COLUMN, &err);

    assert_ok(d, err);
    return d;
}

static void
test_signs_and_groups_are_read(void **state)
{
    struct design *d = make();
    struct limits l;
    struct error err;

    (void)state;
    assert_ok(
        limits_read(d, "age+, net worth -", "age,debt; debt,town ", &l, &err),
        err);
    assert_int_equal(l.trend[0], 1);
    assert_int_equal(l.trend[1], 0);
    assert_int_equal(l.trend[2], 0);
    assert_int_equal(l.trend[3], -1);
    assert_int_equal(l.n_groups, 2);
    assert_true(l.group[0] == 3 && l.group[1] == 6);
    limits_fini(&l);
    limits_fini(&l);
    assert_ok(limits_read(d, NULL, NULL, &l, &err), err);
    assert_true(!l.trend && !l.group && l.n_groups == 0);
    assert_ok(limits_read(d, " ", "", &l, &err), err);
    assert_true(!l.trend && !l.group && l.n_groups == 0);
    design_free(d);
}

static void
refuse(const struct design *d, const char *monotone, const char *interact,
       const char *says)
{
    struct limits l;
    struct error err;

    assert_false(limits_read(d, monotone, interact, &l, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_non_null(strstr(err.message, says));
    assert_true(!l.trend && !l.group);
}

static void
test_what_is_wrong_is_named(void **state)
{
    struct design *d = make();

    (void)state;
    refuse(d, "age", NULL, "'age' has no + or -");
    refuse(d, "age+,", NULL, "'' has no + or -");
    refuse(d, "height+", NULL, "monotone: 'height' is no column");
    refuse(d, "town+", NULL, "town holds categories");
    refuse(d, NULL, "age,debt;;town", "a group is empty");
    refuse(d, NULL, "age,height", "interact: 'height' is no column");
    refuse(d, "age+", "age,,debt", "interact: '' is no column");
    design_free(d);
}

static void
test_no_memory_is_an_error(void **state)
{
    struct design *d = make();
    bool done = false;

    (void)state;
    for (unsigned long n = 1; !done; n++) {
        struct limits l;
        struct error err;

        mem_fault_arm(n, true);
        done = limits_read(d, "age+", "age,debt", &l, &err);
        mem_fault_arm(0, false);
        if (!done)
            assert_int_equal(err.code, ERR_NOMEM);
        limits_fini(&l);
    }
    design_free(d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signs_and_groups_are_read),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_no_memory_is_an_error),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
