/* Which rows of a leaf go left, and the lists of them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/rng.h"
#include "engine/trees/part.h"
#include "tests/lib/close.h"

enum { CODES = 5000, MOST = 3000, GUARD = 0x5ca1ab1e };

struct fixture {
    uint8_t code[CODES + PART_SLACK];
    uint32_t rows[MOST], left[MOST + 1], right[MOST + 1];
    uint64_t set[PART_SET_WORDS], bits[MOST / 64 + 2];
};

/* n rows of a list, or neighbours, parted by a set that `share` of 256 codes
 * are in. */
static void
check(const struct part_kernels *k, struct fixture *f, size_t n, bool range,
      unsigned share)
{
    size_t count, l = 0, r = 0;

    memset(f->set, 0, sizeof f->set);
    for (unsigned c = 0; c < 256; c++)
        if (rng_below(3, share, c, 256) < share)
            f->set[c / 64] |= UINT64_C(1) << (c % 64);
    memset(f->bits, 0xff, sizeof f->bits);
    for (size_t i = 0; i <= MOST; i++)
        f->left[i] = f->right[i] = GUARD;
    for (size_t i = 0; i < n; i++)
        f->rows[i] = (uint32_t)(range ? 7 + i : CODES - 1 - i - i / 3);
    count = range ? k->mark_range(f->code + 7, n, f->set, f->bits)
                  : k->mark(f->code, f->rows, n, f->set, f->bits);
    k->move(f->rows, n, f->bits, f->left, f->right);
    for (size_t i = 0; i < n; i++) {
        uint8_t c = f->code[f->rows[i]];

        if (f->set[c / 64] >> (c % 64) & 1)
            assert_int_equal(f->left[l++], f->rows[i]);
        else
            assert_int_equal(f->right[r++], f->rows[i]);
    }
    assert_int_equal(l, count);
    assert_true(l == MOST + 1 || f->left[l] == GUARD);
    assert_true(r == MOST + 1 || f->right[r] == GUARD);
    for (size_t i = n; i < (n + 63) / 64 * 64; i++)
        assert_false(f->bits[i / 64] >> (i % 64) & 1);
}

static void
check_all(const struct part_kernels *k)
{
    static const size_t length[] = {0, 1, 15, 16, 63, 64, 65, 130, 1000, MOST};
    static const unsigned share[] = {0, 3, 128, 250, 256};
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    for (size_t i = 0; i < CODES + PART_SLACK; i++)
        f->code[i] = (uint8_t)rng_below(1, 1, i, 256);
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (size_t s = 0; s < sizeof share / sizeof *share; s++) {
            check(k, f, length[i], false, share[s]);
            check(k, f, length[i], true, share[s]);
        }
    free(f);
}

static void
test_rows_are_parted_in_their_order(void **state)
{
    (void)state;
    check_all(&part_plain);
}

static void
test_avx2_twin_parts_the_same(void **state)
{
    (void)state;
    if (!cpu_has_avx2())
        skip();
    check_all(&part_avx2);
}

static void
test_avx512_twin_parts_the_same(void **state)
{
    (void)state;
    if (!cpu_has_avx512())
        skip();
    check_all(&part_avx512);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_parted_in_their_order),
        cmocka_unit_test(test_avx2_twin_parts_the_same),
        cmocka_unit_test(test_avx512_twin_parts_the_same),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
