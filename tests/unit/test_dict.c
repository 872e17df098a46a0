/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "frame/dict.h"

static void
codes_count_up_in_order_of_first_appearance(void **state)
{
    static const char *const words[] = {"b", "a", "b", "", "a", "c"};
    static const uint32_t want[] = {0, 1, 0, 2, 1, 3};
    struct error err;
    struct dict *d = dict_new(&err);

    (void)state;
    assert_non_null(d);
    for (size_t i = 0; i < 6; i++) {
        uint32_t code;

        assert_true(dict_add(d, str_of(words[i]), &code, &err));
        assert_int_equal(code, want[i]);
    }
    assert_int_equal(dict_count(d), 4);
    assert_true(str_is(dict_text(d, 2), ""));
    assert_int_equal(dict_find(d, STR("c")), 3);
    assert_int_equal(dict_find(d, STR("d")), DICT_NONE);
    dict_unref(d);
}

static void
a_hundred_thousand_texts_are_all_found_again(void **state)
{
    struct error err;
    struct dict *d = dict_new(&err);
    char text[32];

    (void)state;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < 100000; i++) {
            int n = snprintf(text, sizeof text, "customer %u", i);
            uint32_t code;

            assert_true(
                dict_add(d, (struct str){text, (size_t)n}, &code, &err));
            assert_int_equal(code, i);
        }
    assert_int_equal(dict_count(d), 100000);
    assert_true(str_is(dict_text(d, 99999), "customer 99999"));
    dict_unref(d);
}

static void
texts_with_zero_bytes_and_common_prefixes_stay_apart(void **state)
{
    struct error err;
    struct dict *d = dict_new(&err);
    uint32_t a, b, c;

    (void)state;
    assert_true(dict_add(d, (struct str){"x\0", 1}, &a, &err));
    assert_true(dict_add(d, (struct str){"x\0", 2}, &b, &err));
    assert_true(dict_add(d, (struct str){"x\0\0\0\0\0\0\0\0", 9}, &c, &err));
    assert_true(a != b && b != c && a != c);
    dict_unref(d);
}

static void
ranks_follow_the_bytes(void **state)
{
    static const char *const words[] = {"pear", "Apple", "fig", ""};
    static const uint32_t want[] = {3, 1, 2, 0};
    struct error err;
    struct dict *d = dict_new(&err);
    uint32_t rank[4], code;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_true(dict_add(d, str_of(words[i]), &code, &err));
    assert_true(dict_ranks(d, rank, NULL, &err));
    assert_memory_equal(rank, want, sizeof want);
    dict_unref(d);
}

static void
an_allocation_that_fails_leaves_the_dict_usable(void **state)
{
    struct error err;
    struct dict *d = NULL;
    char text[16];
    unsigned long n;

    (void)state;
    for (n = 1; !d; n++) {
        mem_fault_arm(n, false);
        d = dict_new(&err);
    }
    for (uint32_t i = 0; i < 300; i++) {
        int len = snprintf(text, sizeof text, "%u", i);
        struct str s = {text, (size_t)len};
        uint32_t code = DICT_NONE;

        mem_fault_arm(1, false);
        if (!dict_add(d, s, &code, &err)) {
            assert_int_equal(err.code, ERR_NOMEM);
            mem_fault_arm(0, false);
            assert_int_equal(dict_find(d, s), DICT_NONE);
            assert_true(dict_add(d, s, &code, &err));
        }
        mem_fault_arm(0, false);
        assert_int_equal(code, i);
    }
    dict_unref(d);
}

enum { MANY = 5000 };

/* A file of MANY texts "0", "1", ... after their MANY + 1 offsets. */
static struct dict *
borrow_many(void)
{
    char path[] = "/tmp/lathe-test.XXXXXX", text[16];
    static size_t offset[MANY + 1];
    int fd = mkstemp(path);
    struct error err;
    struct file_map m;
    struct buf b;
    const char *data;

    buf_init(&b);
    for (size_t i = 0; i < MANY; i++) {
        buf_add(&b, text, (size_t)snprintf(text, sizeof text, "%zu", i));
        offset[i + 1] = b.len;
    }
    assert_true(write(fd, offset, sizeof offset) == (ssize_t)sizeof offset);
    assert_true(write(fd, b.data, b.len) == (ssize_t)b.len);
    close(fd);
    buf_fini(&b);
    assert_true(file_map_open(&m, path, NULL, &err));
    unlink(path);
    data = m.data;
    return dict_borrow(data + sizeof offset, (const size_t *)(const void *)data,
                       MANY, file_hold_new(&m, &err), &err);
}

static void
find_one(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct dict *d = ctx;
    char text[16];

    (void)begin;
    (void)end;
    snprintf(text, sizeof text, "%zu", chunk);
    assert_int_equal(dict_find(d, str_of(text)),
                     chunk < MANY ? (uint32_t)chunk : DICT_NONE);
}

static void
texts_of_a_mapping_are_found_by_many_threads_at_once(void **state)
{
    struct pool *pool = pool_new(4);
    struct dict *d = borrow_many();
    struct str s = dict_text(d, 4321);

    (void)state;
    assert_int_equal(dict_count(d), MANY);
    assert_true(str_is(s, "4321") && str_is(dict_text(d, 0), "0"));
    pool_for(pool, MANY + 500, 1, find_one, d);
    dict_unref(d);
    pool_free(pool);
}

static void
texts_of_a_mapping_are_found_without_memory_for_a_table(void **state)
{
    struct dict *d = borrow_many();

    (void)state;
    mem_fault_arm(1, true);
    assert_int_equal(dict_find(d, STR("777")), 777);
    assert_int_equal(dict_find(d, STR("x")), DICT_NONE);
    mem_fault_arm(0, false);
    assert_int_equal(dict_find(d, STR("778")), 778);
    dict_unref(d);
}

/* Texts that share long beginnings, end within them, or have zero bytes, by
 * way of the ranks and of qsort. */
static int
by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void
ranks_of_many_texts_agree_with_qsort(void **state)
{
    enum { N = 20000, LEN = 90 };
    static char text[N][LEN];
    static struct str sorted[N];
    static uint32_t rank[N];
    struct error err = {0};
    struct dict *d = dict_new(&err);
    size_t n = 0;
    uint32_t code;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        size_t len = rng_below(1, 0, i, LEN + 1);
        size_t alike = rng_below(1, 1, i, 4) * 22;

        for (size_t k = 0; k < len; k++)
            text[i][k] =
                k < alike ? 'a' : (char)rng_below(2, i, k, k % 3 ? 2 : 200);
        assert_true(dict_add(d, (struct str){text[i], len}, &code, &err));
        if (code == n)
            sorted[n++] = (struct str){text[i], len};
    }
    qsort(sorted, n, sizeof *sorted, by_bytes);
    assert_int_equal(dict_count(d), n);
    assert_true(dict_ranks(d, rank, NULL, &err));
    for (size_t i = 0; i < n; i++)
        assert_int_equal(rank[dict_find(d, sorted[i])], i);
    dict_unref(d);
}

/* n texts of which about one in `kinds` is new, each behind its length. */
static char *
make_block(size_t n, size_t kinds, uint32_t *place, size_t *len)
{
    enum { MOST = 40 };
    struct error err;
    char *block = mem_try_unset(4 + n * MOST, 1, &err);

    assert_non_null(block);
    *len = 4;
    for (size_t i = 0; i < n; i++) {
        size_t kind = rng_below(3, kinds, i, kinds);
        char text[MOST];
        uint32_t l =
            (uint32_t)snprintf(text, sizeof text, "%.*s%zu", (int)(kind % 19),
                               "common to all texts", kind);

        l = kind ? l : 0;
        memcpy(block + *len, &l, sizeof l);
        memcpy(block + *len + sizeof l, text, l);
        place[i] = (uint32_t)(*len + sizeof l);
        *len += sizeof l + l;
    }
    return block;
}

static void
texts_of_a_block_have_the_codes_of_texts_added_one_by_one(void **state)
{
    enum { N = 30000 };
    static const size_t kinds[] = {1, 7, 500, N, 100 * N};
    static uint32_t place[N], code[N];
    struct error err;

    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t len;
        char *block = make_block(N, kinds[k], place, &len);
        struct dict *d = dict_over_block(block, len, N, &err);
        struct dict *plain = dict_new(&err);
        struct str all;
        const size_t *end;

        assert_true(d && plain);
        dict_add_placed(d, place, 1000, code);
        dict_add_placed(d, place + 1000, N - 1000, code + 1000);
        dict_trim(d);
        for (size_t i = 0; i < N; i++) {
            uint32_t n, want;

            memcpy(&n, block + place[i] - 4, sizeof n);
            assert_true(dict_add(plain, (struct str){block + place[i], n},
                                 &want, &err));
            assert_int_equal(code[i], want);
            assert_true(str_eq(dict_text(d, want), dict_text(plain, want)));
            assert_int_equal(dict_find(d, dict_text(plain, want)), want);
        }
        assert_int_equal(dict_count(d), dict_count(plain));
        assert_int_equal(dict_len(d), dict_len(plain));
        assert_int_equal(dict_find(d, STR("no such text")), DICT_NONE);
        assert_false(dict_block(d, &all, &end));
        dict_unref(d);
        dict_unref(plain);
    }
}

static void
a_dict_over_a_block_survives_every_failing_allocation(void **state)
{
    static uint32_t place[100], code[100];
    struct dict *d = NULL;
    struct error err;

    (void)state;
    for (unsigned long n = 1; !d; n++) {
        size_t len;
        char *block = make_block(100, 50, place, &len);

        mem_fault_arm(n, false);
        d = dict_over_block(block, len, 100, &err);
        mem_fault_arm(0, false);
        assert_true(d || err.code == ERR_NOMEM);
    }
    /* From here on nothing is allocated but a table that fits. */
    mem_fault_arm(1, true);
    dict_add_placed(d, place, 100, code);
    dict_trim(d);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(dict_find(d, dict_text(d, code[i])), code[i]);
    mem_fault_arm(0, false);
    dict_unref(d);
}

static void
a_dict_without_any_text_of_its_block_finds_none(void **state)
{
    struct error err;
    char *block = mem_try_array(4, 1, &err);
    struct dict *d = dict_over_block(block, 4, 1000, &err);

    (void)state;
    assert_non_null(d);
    dict_trim(d);
    assert_int_equal(dict_find(d, STR("")), DICT_NONE);
    assert_int_equal(dict_count(d), 0);
    dict_unref(d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_count_up_in_order_of_first_appearance),
        cmocka_unit_test(a_hundred_thousand_texts_are_all_found_again),
        cmocka_unit_test(texts_with_zero_bytes_and_common_prefixes_stay_apart),
        cmocka_unit_test(ranks_follow_the_bytes),
        cmocka_unit_test(ranks_of_many_texts_agree_with_qsort),
        cmocka_unit_test(an_allocation_that_fails_leaves_the_dict_usable),
        cmocka_unit_test(texts_of_a_mapping_are_found_by_many_threads_at_once),
        cmocka_unit_test(
            texts_of_a_mapping_are_found_without_memory_for_a_table),
        cmocka_unit_test(
            texts_of_a_block_have_the_codes_of_texts_added_one_by_one),
        cmocka_unit_test(a_dict_over_a_block_survives_every_failing_allocation),
        cmocka_unit_test(a_dict_without_any_text_of_its_block_finds_none),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
