/* Which rows of a leaf go left, and the lists of them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/rng.h"
#include "engine/trees/part.h"
#include "tests/lib/close.h"

enum {
    ROWS = 5000,
    STRIDE = 3,
    CODES = ROWS * STRIDE,
    MOST = 3000,
    GUARD = 0x5ca1ab1e
};

struct fixture {
    uint8_t code[CODES];
    uint32_t rows[MOST], left[MOST + 1], right[MOST + 1];
    uint64_t set[PART_SET_WORDS], bits[MOST / 64 + 2];
};

enum kind { NEIGHBOURS, LIST, SPARSE_LIST, STRIDED_LIST };

static size_t
mark(const struct part_kernels *k, struct fixture *f, size_t n, enum kind kind)
{
    size_t stride = kind == STRIDED_LIST ? STRIDE : 1;

    if (kind == NEIGHBOURS)
        return k->mark(f->code + 7, n, f->set, f->bits);
    return part_mark_list(k, f->code, stride, f->rows, n, kind != LIST, f->set,
                          f->bits);
}

/* n rows of a list, or neighbours, parted by a set that `share` of 256 codes
 * are in. */
static void
check(const struct part_kernels *k, struct fixture *f, size_t n, enum kind kind,
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
        f->rows[i] =
            (uint32_t)(kind == NEIGHBOURS ? 7 + i : ROWS - 1 - i - i / 3);
    count = mark(k, f, n, kind);
    k->move(f->rows, n, f->bits, f->left, f->right);
    for (size_t i = 0; i < n; i++) {
        uint8_t c = f->code[f->rows[i] * (kind == STRIDED_LIST ? STRIDE : 1)];

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
    for (size_t i = 0; i < CODES; i++)
        f->code[i] = (uint8_t)rng_below(1, 1, i, 256);
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (size_t s = 0; s < sizeof share / sizeof *share; s++)
            for (enum kind kind = NEIGHBOURS; kind <= STRIDED_LIST; kind++)
                check(k, f, length[i], kind, share[s]);
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
