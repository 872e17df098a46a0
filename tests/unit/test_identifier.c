/* tests/unit/test_identifier.c -- columns that name rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "frame/builder.h"
#include "frame/identifier.h"

enum { ROWS = 300 };

/* A column of that name, its values made by at(i). */
static bool
is_one(const char *name, int64_t (*at)(size_t i))
{
    static const enum col_type type = COL_INT64;
    struct error err;
    struct builder *b = builder_new(1, &name, &type, &err);
    struct frame *f;
    bool is;

    assert_non_null(b);
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(builder_i64(b, 0, at(i), &err));
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    is = identifier_numbers(f, 0);
    frame_unref(f);
    return is;
}

static int64_t
counted(size_t i)
{
    return (int64_t)i;
}

/* Each differs from the next by one, which doubles cannot tell. */
static int64_t
large(size_t i)
{
    return INT64_C(1700000000000000000) + (int64_t)i;
}

static int64_t
drawn(size_t i)
{
    return (int64_t)(rng_at(1, 0, i) >> 1);
}

static int64_t
few(size_t i)
{
    return (int64_t)(rng_at(1, 0, i) % 20);
}

static void
test_numbers_of_rows_are_names(void **state)
{
    (void)state;
    assert_true(is_one("n", counted));
    assert_true(is_one("n", large));
}

static void
test_numbers_at_random_are_names_by_their_name_alone(void **state)
{
    (void)state;
    assert_true(is_one("user_id", drawn));
    assert_false(is_one("amount", drawn));
}

static void
test_numbers_that_come_again_are_none(void **state)
{
    (void)state;
    assert_false(is_one("id", few));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_of_rows_are_names),
        cmocka_unit_test(test_numbers_at_random_are_names_by_their_name_alone),
        cmocka_unit_test(test_numbers_that_come_again_are_none),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
