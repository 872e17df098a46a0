/* Arrays in memory, or on a file where memory is short.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/room.h"

static void
memory_is_handed_out_until_none_is_left(void **state)
{
    struct room a, b, c;
    struct error err;
    size_t left = 10000;

    (void)state;
    assert_non_null(room_init(&a, 1000, 8, &left, &err));
    assert_false(a.filed);
    assert_int_equal(left, 2000);
    assert_non_null(room_init(&b, 1000, 8, &left, &err));
    assert_true(b.filed);
    assert_int_equal(left, 2000);
    assert_non_null(room_init(&c, 1000, 8, NULL, &err));
    assert_false(c.filed);
    room_fini(&a);
    room_fini(&b);
    room_fini(&c);
}

static void
both_kinds_are_zeroed_aligned_and_hold_what_is_written(void **state)
{
    enum { N = 300000 };
    struct error err;

    (void)state;
    for (int filed = 0; filed < 2; filed++) {
        struct room r;
        size_t left = filed ? 0 : (size_t)1 << 30;
        uint64_t *p = room_init(&r, N, sizeof *p, &left, &err);

        assert_non_null(p);
        assert_int_equal(r.filed, filed);
        assert_int_equal((uintptr_t)p % MEM_ALIGN, 0);
        for (size_t i = 0; i < N; i++) {
            assert_true(p[i] == 0);
            p[i] = i * i;
        }
        for (size_t i = 0; i < N; i++)
            assert_true(p[i] == i * i);
        room_fini(&r);
        room_fini(&r);
    }
}

static void
what_cannot_be_had_is_an_error(void **state)
{
    struct room r;
    struct error err;
    size_t left = 0;

    (void)state;
    assert_null(room_init(&r, SIZE_MAX, 16, &left, &err));
    assert_int_equal(err.code, ERR_NOMEM);
    room_fini(&r);
    setenv("LATHE_SPILL", "/nowhere", 1);
    assert_null(room_init(&r, 1000, 8, &left, &err));
    assert_int_equal(err.code, ERR_IO);
    room_fini(&r);
    unsetenv("LATHE_SPILL");
    /* More than any disk has. */
    assert_null(room_init(&r, (size_t)1 << 55, 1, &left, &err));
    assert_non_null(strstr(err.message, "LATHE_SPILL"));
    room_fini(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_handed_out_until_none_is_left),
        cmocka_unit_test(
            both_kinds_are_zeroed_aligned_and_hold_what_is_written),
        cmocka_unit_test(what_cannot_be_had_is_an_error),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
