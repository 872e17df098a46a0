/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
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
#include "frame/column.h"
#include "frame/gather.h"

static struct column *
ints(const int64_t *v, size_t n, const char *missing)
{
    struct error err;
    int64_t *data = mem_try_aligned(n, sizeof *data, &err);
    uint64_t *valid = mem_try_array(n / 64 + 1, sizeof *valid, &err);
    struct column *c;

    for (size_t i = 0; i < n; i++) {
        data[i] = v[i];
        if (!missing || missing[i] != 'x')
            valid[i / 64] |= UINT64_C(1) << (i % 64);
    }
    c = column_new(COL_INT64, n, data, valid, NULL, &err);
    assert_non_null(c);
    return c;
}

static struct column *
texts(const char *const *v, size_t n)
{
    struct error err;
    uint32_t *codes = mem_try_aligned(n, sizeof *codes, &err);
    uint64_t *valid = mem_try_array(n / 64 + 1, sizeof *valid, &err);
    struct dict *d = dict_new(&err);
    struct column *c;

    for (size_t i = 0; i < n; i++) {
        if (!v[i])
            continue;
        assert_true(dict_add(d, str_of(v[i]), &codes[i], &err));
        valid[i / 64] |= UINT64_C(1) << (i % 64);
    }
    c = column_new(COL_TEXT, n, codes, valid, d, &err);
    assert_non_null(c);
    return c;
}

static void
assert_prints(const struct column *c, size_t i, const char *want)
{
    struct buf b;

    buf_init(&b);
    column_print(c, i, &b);
    assert_string_equal(b.data, want);
    buf_fini(&b);
}

static void
a_missing_value_counts_and_is_stored_as_zero(void **state)
{
    static const int64_t v[] = {5, 77, -3};
    struct column *c = ints(v, 3, ".x.");

    (void)state;
    assert_int_equal(column_missing(c), 1);
    assert_int_equal(column_int64s(c)[1], 0);
    assert_true(isnan(column_number(c, 1)));
    assert_false(column_is_valid(c, 1));
    assert_prints(c, 1, "");
    assert_prints(c, 2, "-3");
    column_unref(c);
}

static void
a_bitmap_of_ones_is_dropped(void **state)
{
    static const int64_t v[] = {5, 77, -3};
    struct column *c = ints(v, 3, NULL);

    (void)state;
    assert_null(column_validity(c));
    assert_int_equal(column_missing(c), 0);
    column_unref(c);
}

static void
take_repeats_and_reorders_rows(void **state)
{
    static const int64_t v[] = {10, 20, 30};
    static const uint32_t rows[] = {2, 1, 2, 0};
    struct error err;
    struct column *c = ints(v, 3, ".x.");
    struct column *t = column_take(c, rows, 4, &err);

    (void)state;
    assert_int_equal(column_rows(t), 4);
    assert_int_equal(column_int64s(t)[0], 30);
    assert_false(column_is_valid(t, 1));
    assert_int_equal(column_int64s(t)[2], 30);
    assert_int_equal(column_int64s(t)[3], 10);
    column_unref(t);
    column_unref(c);
}

static void
text_casts_to_numbers_and_counts_what_is_lost(void **state)
{
    static const char *const v[] = {"1.5", "x", NULL, " 2 ", "1e400", "-7"};
    struct error err;
    struct column *c = texts(v, 6), *f;
    size_t lost;

    (void)state;
    f = column_cast(c, COL_FLOAT64, &lost, &err);
    assert_int_equal(lost, 2);
    assert_int_equal(column_missing(f), 3);
    assert_true(column_float64s(f)[0] == 1.5);
    assert_true(column_float64s(f)[3] == 2);
    assert_true(column_float64s(f)[5] == -7);
    column_unref(f);
    column_unref(c);
}

static void
text_casts_to_dates_and_timestamps(void **state)
{
    static const char *const v[] = {"1970-01-02", "2024-02-29", "2023-02-29"};
    struct error err;
    struct column *c = texts(v, 3), *d, *t;
    size_t lost;

    (void)state;
    d = column_cast(c, COL_DATE, &lost, &err);
    assert_int_equal(lost, 1);
    assert_int_equal(column_dates(d)[0], 1);
    /* date -d 2024-02-29 +%s is 1709164800 */
    assert_int_equal(column_dates(d)[1], 1709164800 / 86400);
    assert_prints(d, 1, "2024-02-29");
    t = column_cast(d, COL_TIMESTAMP, &lost, &err);
    assert_int_equal(lost, 0);
    assert_true(column_number(t, 1) == 1709164800.0);
    assert_prints(t, 1, "2024-02-29 00:00:00");
    column_unref(t);
    t = column_cast(c, COL_TIMESTAMP, &lost, &err);
    assert_int_equal(lost, 1);
    assert_true(column_number(t, 1) == 1709164800.0);
    column_unref(t);
    column_unref(d);
    column_unref(c);
}

static void
floats_lose_their_fraction_and_refuse_what_does_not_fit(void **state)
{
    static const double v[] = {2.9, -2.9, 9223372036854775807.0, NAN, -0x1p63};
    struct error err;
    double *data = mem_try_aligned(5, sizeof *data, &err);
    struct column *c, *i;
    size_t lost;

    (void)state;
    memcpy(data, v, sizeof v);
    c = column_new(COL_FLOAT64, 5, data, NULL, NULL, &err);
    i = column_cast(c, COL_INT64, &lost, &err);
    assert_int_equal(lost, 2);
    assert_int_equal(column_int64s(i)[0], 2);
    assert_int_equal(column_int64s(i)[1], -2);
    assert_true(column_int64s(i)[4] == INT64_MIN);
    column_unref(i);
    column_unref(c);
}

static void
bool_takes_only_zero_and_one(void **state)
{
    static const int64_t v[] = {0, 1, 2};
    struct error err;
    struct column *c = ints(v, 3, NULL), *b;
    size_t lost;

    (void)state;
    b = column_cast(c, COL_BOOL, &lost, &err);
    assert_int_equal(lost, 1);
    assert_prints(b, 0, "false");
    assert_prints(b, 1, "true");
    assert_false(column_is_valid(b, 2));
    column_unref(b);
    column_unref(c);
}

static void
any_type_casts_to_text_and_back(void **state)
{
    static const int64_t v[] = {12, -5, 12, 9};
    struct error err;
    struct column *c = ints(v, 4, "...x"), *t, *i;
    size_t lost;

    (void)state;
    t = column_cast(c, COL_TEXT, &lost, &err);
    assert_int_equal(dict_count(column_dict(t)), 2);
    assert_true(str_is(column_text(t, 1), "-5"));
    assert_false(column_is_valid(t, 3));
    i = column_cast(t, COL_INT64, &lost, &err);
    assert_int_equal(lost, 0);
    assert_memory_equal(column_int64s(i), v, 3 * sizeof *v);
    column_unref(i);
    column_unref(t);
    column_unref(c);
}

static void
type_words_parse_back(void **state)
{
    enum col_type t;

    (void)state;
    for (int i = 0; i < COL_N_TYPES; i++) {
        assert_true(column_type_parse(column_type_word((enum col_type)i), &t));
        assert_int_equal(t, i);
    }
    assert_false(column_type_parse("integer", &t));
}

static void
a_cast_survives_every_failing_allocation(void **state)
{
    static const int64_t v[] = {12, -5, 12, 9};
    struct error err;
    struct column *c = ints(v, 4, "...x"), *t = NULL, *f;
    size_t lost;

    (void)state;
    for (unsigned long n = 1; !t; n++) {
        mem_fault_arm(n, false);
        if (!(t = column_cast(c, COL_TEXT, &lost, &err)))
            assert_int_equal(err.code, ERR_NOMEM);
    }
    f = NULL;
    for (unsigned long n = 1; !f; n++) {
        mem_fault_arm(n, false);
        if (!(f = column_cast(t, COL_FLOAT64, &lost, &err)))
            assert_int_equal(err.code, ERR_NOMEM);
    }
    mem_fault_arm(0, false);
    assert_true(column_float64s(f)[1] == -5);
    column_unref(f);
    column_unref(t);
    column_unref(c);
}

/* A mapping of `text`, held once. */
static struct file_hold *
hold(struct file_map *m, const void *p, size_t len)
{
    char path[] = "/tmp/lathe-test.XXXXXX";
    int fd = mkstemp(path);
    struct error err;
    struct file_hold *h;

    assert_true(fd >= 0 && write(fd, p, len) == (ssize_t)len);
    close(fd);
    assert_true(file_map_open(m, path, NULL, &err));
    unlink(path);
    h = file_hold_new(&(struct file_map){m->data, m->len, m->priv}, &err);
    assert_non_null(h);
    return h;
}

static struct column *
borrow(const struct file_map *m, struct file_hold *h, uint64_t bits,
       struct error *err)
{
    struct column_loan loan = {m->data, file_hold_ref(h), false};
    uint64_t *valid = mem_try_array(1, sizeof *valid, err);

    if (!valid) {
        file_hold_unref(loan.hold);
        return NULL;
    }
    *valid = bits;
    return column_borrow(COL_INT64, 3, &loan, valid, NULL, err);
}

static void
a_borrowed_column_copies_only_to_clean_what_is_missing(void **state)
{
    static const int64_t v[] = {7, 8, 9}, w[] = {7, 0, 9};
    struct file_map m, z;
    struct file_hold *dirty = hold(&m, v, sizeof v);
    struct file_hold *clean = hold(&z, w, sizeof w);
    struct error err;
    struct column *all = borrow(&m, dirty, ~UINT64_C(0), &err);
    struct column *some = borrow(&m, dirty, 5, &err);
    struct column *zero = borrow(&z, clean, 5, &err);

    (void)state;
    file_hold_unref(dirty);
    file_hold_unref(clean);
    assert_ptr_equal(column_data(all), m.data);
    assert_null(column_validity(all));
    assert_ptr_equal(column_data(zero), z.data);
    assert_int_equal(column_missing(zero), 1);
    assert_ptr_not_equal(column_data(some), m.data);
    assert_memory_equal(column_data(some), w, sizeof w);
    column_unref(all);
    column_unref(zero);
    column_unref(some);
}

static void
borrowing_survives_every_failing_allocation(void **state)
{
    static const int64_t v[] = {7, 8, 9};
    struct file_map m;
    struct file_hold *h = hold(&m, v, sizeof v);
    struct column *c = NULL;
    struct error err;

    (void)state;
    for (unsigned long n = 1; !c; n++) {
        mem_fault_arm(n, false);
        if (!(c = borrow(&m, h, 5, &err)))
            assert_int_equal(err.code, ERR_NOMEM);
    }
    mem_fault_arm(0, false);
    column_unref(c);
    file_hold_unref(h);
}

/* ---- texts that are told apart later ---- */

enum { N_LOOSE = 200000, N_KINDS = 50000 };

/* One row in seven is missing, one text is empty. */
static struct column *
loose(size_t n, struct error *err)
{
    uint32_t *place = mem_try_array(n, sizeof *place, err);
    uint64_t *valid = mem_try_array(n / 64 + 1, sizeof *valid, err);
    char *block = mem_try_unset(4 + n * 24, 1, err);
    size_t len = 4;

    if (!place || !valid || !block) {
        free(place);
        free(valid);
        free(block);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        size_t kind = rng_below(5, 0, i, N_KINDS);
        uint32_t l;

        if (i % 7 == 0)
            continue;
        valid[i / 64] |= UINT64_C(1) << (i % 64);
        l = kind ? (uint32_t)sprintf(block + len + 4, "client %zu", kind) : 0;
        memcpy(block + len, &l, sizeof l);
        place[i] = (uint32_t)len + 4;
        len += 4 + l;
    }
    return column_new_loose(n, place, valid, block, len, err);
}

/* The same column, its texts told apart one by one. */
static struct column *
loose_twin(size_t n)
{
    struct error err;
    uint32_t *codes = mem_try_aligned(n, sizeof *codes, &err);
    uint64_t *valid = mem_try_array(n / 64 + 1, sizeof *valid, &err);
    struct dict *d = dict_new(&err);

    for (size_t i = 0; i < n; i++) {
        size_t kind = rng_below(5, 0, i, N_KINDS);
        char text[32] = "";

        if (i % 7 == 0)
            continue;
        valid[i / 64] |= UINT64_C(1) << (i % 64);
        if (kind)
            snprintf(text, sizeof text, "client %zu", kind);
        assert_true(dict_add(d, str_of(text), &codes[i], &err));
    }
    return column_new(COL_TEXT, n, codes, valid, d, &err);
}

static void
assert_texts(const struct column *a, const struct column *b)
{
    assert_int_equal(column_missing(a), column_missing(b));
    for (size_t i = 0; i < column_rows(a); i++) {
        assert_int_equal(column_is_valid(a, i), column_is_valid(b, i));
        assert_true(str_eq(column_text(a, i), column_text(b, i)));
    }
}

static void
loose_texts_get_the_codes_of_texts_told_apart_at_once(void **state)
{
    struct error err;
    struct column *c = loose(N_LOOSE, &err), *twin = loose_twin(N_LOOSE);

    (void)state;
    assert_true(c && twin);
    assert_texts(c, twin);
    assert_true(column_is_loose(c));
    assert_memory_equal(column_codes(c), column_codes(twin), 4 * N_LOOSE);
    assert_false(column_is_loose(c));
    assert_ptr_equal(column_data(c), column_codes(c));
    assert_int_equal(dict_count(column_dict(c)), dict_count(column_dict(twin)));
    assert_texts(c, twin);
    column_unref(c);
    column_unref(twin);
}

static void
ask_for_codes(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct column *c = ((const struct column *const *)ctx)[0];
    const struct column *twin = ((const struct column *const *)ctx)[1];

    (void)chunk;
    (void)end;
    for (size_t i = begin; i < column_rows(c); i += 8)
        assert_true(str_eq(column_text(c, i), column_text(twin, i)));
    assert_int_equal(column_codes(c)[begin], column_codes(twin)[begin]);
    for (size_t i = begin; i < column_rows(c); i += 8)
        assert_int_equal(column_codes(c)[i], column_codes(twin)[i]);
}

static void
loose_texts_are_told_apart_once_by_many_threads(void **state)
{
    struct error err;
    struct column *c[2] = {loose(N_LOOSE, &err), loose_twin(N_LOOSE)};
    struct pool *pool = pool_new(4);

    (void)state;
    assert_true(c[0] && c[1]);
    pool_for(pool, 8, 1, ask_for_codes, c);
    pool_free(pool);
    column_unref(c[0]);
    column_unref(c[1]);
}

static void
a_few_rows_of_loose_texts_leave_the_others_loose(void **state)
{
    static const uint32_t rows[] = {70, 5, 5, 199999, 71, 70};
    struct error err;
    struct column *c = loose(N_LOOSE, &err), *few, *none;

    (void)state;
    assert_non_null(c);
    few = column_take(c, rows, 6, &err);
    none = column_take(c, rows, 0, &err);
    assert_true(few && none && column_is_loose(c));
    assert_int_equal(column_rows(none), 0);
    assert_int_equal(column_missing(few), 2);
    assert_int_equal(column_codes(few)[1], column_codes(few)[2]);
    for (size_t i = 0; i < 6; i++)
        assert_true(str_eq(column_text(few, i), column_text(c, rows[i])));
    column_unref(few);
    column_unref(none);
    column_unref(c);
}

/* A tenth of the rows is many, five are few. */
static void
rows_gathered_by_many_threads_have_their_loose_texts(void **state)
{
    static uint32_t rows[N_LOOSE / 10];
    static const size_t sizes[] = {5, 0, N_LOOSE / 10};
    struct error err;
    struct column *c = loose(N_LOOSE, &err), *twin = loose_twin(N_LOOSE);
    const struct column *in[] = {c, twin};
    struct pool *pool = pool_new(3);

    (void)state;
    assert_true(c && twin);
    for (size_t i = 0; i < N_LOOSE / 10; i++)
        rows[i] = (uint32_t)rng_below(6, 0, i, N_LOOSE);
    for (size_t s = 0; s < 3; s++) {
        struct column *out[2];

        assert_true(
            gather_columns(in, 2, rows, sizes[s], false, pool, out, &err));
        assert_int_equal(column_is_loose(c), s < 2);
        assert_int_equal(column_rows(out[0]), sizes[s]);
        assert_texts(out[0], out[1]);
        column_unref(out[0]);
        column_unref(out[1]);
    }
    pool_free(pool);
    column_unref(c);
    column_unref(twin);
}

static void
gathering_loose_texts_survives_every_failing_allocation(void **state)
{
    static const uint32_t rows[] = {70, 5, 9};
    struct error err;
    struct column *c = loose(1000, &err), *out[2];
    const struct column *in[] = {c, c};
    bool ok = false;

    (void)state;
    assert_non_null(c);
    for (unsigned long n = 1; !ok; n++) {
        mem_fault_arm(n, false);
        ok = gather_columns(in, 2, rows, 3, false, NULL, out, &err);
        mem_fault_arm(0, false);
        assert_true(ok || err.code == ERR_NOMEM);
    }
    assert_true(str_eq(column_text(out[1], 1), column_text(c, 5)));
    column_unref(out[0]);
    column_unref(out[1]);
    column_unref(c);
}

static void
telling_loose_texts_apart_can_be_stopped_and_resumed(void **state)
{
    struct error err = {0};
    struct column *c = loose(N_LOOSE, &err);
    struct progress p;

    (void)state;
    assert_non_null(c);
    progress_init(&p);
    progress_stop(&p);
    assert_false(column_settle(c, &p, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    assert_true(column_is_loose(c));
    assert_true(column_settle(c, NULL, &err));
    assert_false(column_is_loose(c));
    column_unref(c);
}

static void
loose_texts_survive_every_failing_allocation(void **state)
{
    static const uint32_t rows[] = {70, 5, 9};
    struct column *c = NULL, *few = NULL;
    struct error err;

    (void)state;
    for (unsigned long n = 1; !c; n++) {
        mem_fault_arm(n, false);
        c = loose(1000, &err);
        mem_fault_arm(0, false);
        assert_true(c || err.code == ERR_NOMEM);
    }
    for (unsigned long n = 1; !few; n++) {
        mem_fault_arm(n, false);
        few = column_take(c, rows, 3, &err);
        mem_fault_arm(0, false);
        assert_true(few || err.code == ERR_NOMEM);
    }
    /* Who asks for codes gets them, with no memory left. */
    mem_fault_arm(1, true);
    assert_int_equal(column_codes(c)[1], 0);
    mem_fault_arm(0, false);
    column_unref(few);
    column_unref(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_value_counts_and_is_stored_as_zero),
        cmocka_unit_test(a_bitmap_of_ones_is_dropped),
        cmocka_unit_test(take_repeats_and_reorders_rows),
        cmocka_unit_test(text_casts_to_numbers_and_counts_what_is_lost),
        cmocka_unit_test(text_casts_to_dates_and_timestamps),
        cmocka_unit_test(
            floats_lose_their_fraction_and_refuse_what_does_not_fit),
        cmocka_unit_test(bool_takes_only_zero_and_one),
        cmocka_unit_test(any_type_casts_to_text_and_back),
        cmocka_unit_test(type_words_parse_back),
        cmocka_unit_test(a_cast_survives_every_failing_allocation),
        cmocka_unit_test(
            a_borrowed_column_copies_only_to_clean_what_is_missing),
        cmocka_unit_test(borrowing_survives_every_failing_allocation),
        cmocka_unit_test(loose_texts_get_the_codes_of_texts_told_apart_at_once),
        cmocka_unit_test(loose_texts_are_told_apart_once_by_many_threads),
        cmocka_unit_test(a_few_rows_of_loose_texts_leave_the_others_loose),
        cmocka_unit_test(rows_gathered_by_many_threads_have_their_loose_texts),
        cmocka_unit_test(
            gathering_loose_texts_survives_every_failing_allocation),
        cmocka_unit_test(telling_loose_texts_apart_can_be_stopped_and_resumed),
        cmocka_unit_test(loose_texts_survive_every_failing_allocation),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
