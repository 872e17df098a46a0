/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "tests/lib/close.h"

static void
test_overflowing_sizes_are_refused(void **state)
{
    struct error err;
    size_t out;

    (void)state;
    assert_false(mem_mul(SIZE_MAX / 2, 3, &out));
    assert_null(mem_try_array(SIZE_MAX / 2, 3, &err));
    assert_int_equal(err.code, ERR_NOMEM);
    assert_null(mem_try_aligned(PTRDIFF_MAX, 1, &err));
}

static void
test_aligned_memory_is_zero_up_to_its_padding(void **state)
{
    struct error err;
    unsigned char *p = mem_try_aligned(65, 1, &err);

    (void)state;
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % MEM_ALIGN, 0);
    for (size_t i = 0; i < 128; i++)
        assert_int_equal(p[i], 0);
    free(p);
}

static void
test_a_list_doubles_when_it_is_full_and_stays_when_it_cannot(void **state)
{
    int *list = NULL, *more;
    size_t cap = 0, n_moves = 0;
    struct error err;

    (void)state;
    for (size_t n = 0; n < 1000; n++) {
        size_t before = cap;

        more = mem_try_grow(list, n, &cap, sizeof *list, &err);
        assert_non_null(more);
        n_moves += cap != before;
        list = more;
        list[n] = (int)n;
    }
    assert_int_equal(n_moves, 7); /* 16, 32, ... 1024 */
    for (int i = 0; i < 1000; i++)
        assert_int_equal(list[i], i);
    mem_fault_arm(1, false);
    assert_ptr_equal(mem_try_grow(list, 1023, &cap, sizeof *list, &err), list);
    assert_null(mem_try_grow(list, 1024, &cap, sizeof *list, &err));
    assert_int_equal(err.code, ERR_NOMEM);
    assert_int_equal(cap, 1024);
    cap = SIZE_MAX / 2 + 1;
    assert_null(mem_try_grow(list, cap, &cap, sizeof *list, &err));
    assert_int_equal(err.code, ERR_NOMEM);
    cap = 1024;
    list = mem_grow(list, 1024, &cap, sizeof *list);
    assert_int_equal(cap, 2048);
    assert_int_equal(list[999], 999);
    free(list);
}

static void
test_the_third_allocation_fails_when_armed_for_it(void **state)
{
    struct error err;
    void *a, *b;

    (void)state;
    mem_fault_arm(3, false);
    a = mem_try_array(1, 1, &err);
    b = mem_try_array(1, 1, &err);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(mem_try_array(1, 1, &err));
    free(a);
    a = mem_try_array(1, 1, &err);
    assert_non_null(a);
    free(a);
    free(b);
}

static void
test_a_buffer_that_ran_out_of_memory_says_so_once_at_the_end(void **state)
{
    struct buf b;
    struct error err;

    (void)state;
    buf_init(&b);
    assert_string_equal(b.data, "");
    buf_puts(&b, "kept");
    mem_fault_arm(1, true);
    buf_fill(&b, 'x', 1000);
    buf_puts(&b, "!");
    mem_fault_arm(0, false);
    assert_false(buf_check(&b, &err));
    assert_int_equal(err.code, ERR_NOMEM);
    assert_string_equal(b.data, "kept");
    buf_fini(&b);
}

static void
test_json_text_escapes_what_json_cannot_hold(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_json(&b, "a\"b\\\n\x01\xff\xc3\xbc", 9);
    assert_string_equal(b.data, "\"a\\\"b\\\\\\n\\u0001\xef\xbf\xbd\xc3\xbc\"");
    buf_fini(&b);
}

static void
test_an_arena_hands_out_aligned_zeroes_and_keeps_one_block(void **state)
{
    struct arena a;
    struct error err;

    (void)state;
    arena_init(&a);
    for (size_t i = 1; i < 2000; i++) {
        unsigned char *p = arena_try(&a, i, 1, &err);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t j = 0; j < i; j++)
            assert_int_equal(p[j], 0);
        memset(p, 0xff, i);
    }
    arena_reset(&a);
    assert_string_equal(arena_text(&a, "ab\0c", 2, &err), "ab");
    arena_fini(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overflowing_sizes_are_refused),
        cmocka_unit_test(test_aligned_memory_is_zero_up_to_its_padding),
        cmocka_unit_test(
            test_a_list_doubles_when_it_is_full_and_stays_when_it_cannot),
        cmocka_unit_test(test_the_third_allocation_fails_when_armed_for_it),
        cmocka_unit_test(
            test_a_buffer_that_ran_out_of_memory_says_so_once_at_the_end),
        cmocka_unit_test(test_json_text_escapes_what_json_cannot_hold),
        cmocka_unit_test(
            test_an_arena_hands_out_aligned_zeroes_and_keeps_one_block),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
